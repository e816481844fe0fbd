"""Connecting a mailbox of 10,000 messages: how soon the first 50 conversations can be read, and what all of it takes.

The product as `python3 run` starts it and a real Dovecot over TLS. The time counts from pressing Connect: finding the
servers, signing in to both, listing folders and all the reading. The inbox page is asked for over HTTP every 50 ms;
the workers' memory is read from /proc every 0.2 s. With isync installed, mbsync fetches the same mailbox afterwards.
"""

import argparse
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import _corpus
from _stage import Stage, report, wait
from servers import give, ordinary_user

FIRST = 50


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--corpus", help="a Maildir to use instead of a new one")
    arguments = parser.parse_args()
    with Stage() as stage:
        address = stage.add_mailbox("support@corp.example")
        size = fill(stage.dovecot, address, arguments)
        warm_up(stage.dovecot, address)
        client = stage.sign_up()
        workers = Workers(stage)
        with workers:
            started = time.monotonic()
            connection, inbox = stage.connect(client, address, watched=False)
            first = wait(lambda: has_rows(client, inbox) and time.monotonic(), 60, "the first conversations", 0.05)
            wait(lambda: stage.caught_up(client, connection), 1800, "the last message", 0.25)
            ended = time.monotonic()
        stored = count_messages(stage)
        yardstick = mbsync(stage.dovecot, address)
    tell(arguments.messages, size, stored, first - started, ended - started, workers, yardstick)


def fill(dovecot, address, arguments):
    """Put the mail into Dovecot's storage directly. Returns its bytes."""
    mail = dovecot.folder_path(address)
    mail.parent.mkdir(parents=True, exist_ok=True)
    if arguments.corpus:
        shutil.copytree(arguments.corpus, mail, dirs_exist_ok=True)
        size = sum(path.stat().st_size for path in (mail / "cur").iterdir())
    else:
        size = _corpus.fill(mail, arguments.messages)
    owner = ordinary_user("nobody")
    for path in (mail.parent, mail, *mail.iterdir(), *(mail / "cur").iterdir()):
        give(path, owner)
    return size


def warm_up(dovecot, address):
    """The server builds its index when the mailbox is first opened; a mailbox in use has one."""
    with dovecot.imap(address) as client:
        client.select("INBOX", readonly=True)
        client.uid("FETCH", "1:*", "(RFC822.SIZE)")


def has_rows(client, inbox):
    return len(re.findall(r'<li class="conv"', client.get(f"/inboxes/{inbox}"))) >= FIRST


class Workers:
    """Samples of the job workers: resident bytes of the largest at each moment, and the CPU seconds of all."""

    def __init__(self, stage):
        self._stage, self._stop = stage, threading.Event()
        self.curve = []     # (seconds, bytes of the largest worker process)
        self._cpu = {}      # pid -> (at first, at last)

    def __enter__(self):
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._stop.set()
        self._thread.join()

    def _sample(self):
        started = time.monotonic()
        while not self._stop.wait(0.2):
            found = self._stage.workers()
            for pid, (_size, cpu) in found.items():
                first = self._cpu.get(pid, (cpu if len(self.curve) == 0 else 0.0,))[0]
                self._cpu[pid] = (first, cpu)
            if found:
                self.curve.append((time.monotonic() - started, max(size for size, _cpu in found.values())))

    @property
    def cpu(self):
        """Seconds; a little too few, for what happens between the last look and the end of a process is not seen."""
        return sum(last - first for first, last in self._cpu.values())

    @property
    def peak(self):
        return max(size for _at, size in self.curve)

    def tenths(self):
        """The largest value in each tenth of the time: a flat curve has equal ones."""
        whole = self.curve[-1][0] + 0.001
        return [max((size for at, size in self.curve if int(at / whole * 10) == n), default=0) for n in range(10)]


def count_messages(stage):
    with sqlite3.connect(f"file:{stage.data / 'postroom.db'}?mode=ro", uri=True) as database:
        return database.execute("SELECT count(*) FROM place").fetchone()[0]


def mbsync(dovecot, address, where=None):
    """Seconds that mbsync takes for the same mailbox, as shipped but without COMPRESS; None when it is not there.

    `where`: the folder under which it writes, instead of the usual one for temporary files."""
    if not shutil.which("mbsync"):
        return None
    with tempfile.TemporaryDirectory(dir=where) as folder:
        Path(folder, "rc").write_text(f"""
IMAPStore far
Host localhost
Port {dovecot.imaps_port}
User {address}
Pass {dovecot.users[address]}
SSLType IMAPS
CertificateFile {dovecot.ca_file}
DisableExtension COMPRESS=DEFLATE

MaildirStore near
Path {folder}/mail/
Inbox {folder}/mail/INBOX

Channel all
Far :far:
Near :near:
Patterns INBOX
Create Near
Sync Pull
SyncState *
""")
        Path(folder, "mail").mkdir()
        started = time.monotonic()
        done = subprocess.run(["mbsync", "-q", "-c", f"{folder}/rc", "all"], capture_output=True, text=True)
        taken = time.monotonic() - started
        if done.returncode:
            print("mbsync failed:", done.stderr.strip()[:300])
            return None
        return taken


def tell(asked, size, stored, first, total, workers, yardstick):
    megabytes = [round(value / 1e6) for value in workers.tenths()]
    rate, load = stored / total, os.getloadavg()[0]
    table = [("mailbox", f"{stored} messages", f"{size / 1e6:.0f} MB, of {asked} on the server"),
             (f"Connect to the first {FIRST} conversations", f"{first:.2f} s", "under 2 s"),
             ("all of it", f"{total:.1f} s", ""), ("rate", f"{rate:.0f} /s", ""),
             ("for each CPU second of the workers", f"{stored / workers.cpu:.0f}", f"load of the machine: {load:.1f}"),
             ("largest worker", f"{workers.peak / 1e6:.0f} MB", "under 200 MB"),
             ("its curve, by tenths of the time", "", " ".join(map(str, megabytes)) + " MB")]
    if yardstick:
        table.append(("mbsync, as shipped, to a disk", f"{asked / yardstick:.0f} /s", f"{yardstick:.1f} s; ours is "
                      f"{100 * rate * yardstick / asked:.0f} % of it"))
    report("first_sync", {
        "load": round(load, 1), "messages": stored, "of": asked, "bytes": size, "first_50_s": round(first, 2),
        "total_s": round(total, 1), "messages_per_s": round(rate), "per_cpu_s": round(stored / workers.cpu),
        "worker_peak_mb": round(workers.peak / 1e6), "curve_mb": megabytes,
        "mbsync_s": yardstick and round(yardstick, 1)}, table)


if __name__ == "__main__":
    main()
