"""Reading a whole mailbox, everything included, beside mbsync: the same Dovecot, the same mail, TLS, in turns.

Ours is `webapp.jobs.sync` in one process: fetch, parse, thread, sanitise, contacts, raw mail, rows, commit. mbsync runs
to memory (/dev/shm: steady, the yardstick) and to a disk as it is shipped (a sync to disk for each message), without
COMPRESS, which only makes it slower here. Medians of the rounds; trust the ratios, not the seconds. PostgreSQL runs
with its crash safety on (`--postgresql`). `--large` asks for memory only: a 49 MB message and sixty of 2 MB.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from types import SimpleNamespace

import _corpus
from _stage import report
from first_sync import fill, mbsync, warm_up
from servers import give, ordinary_user, remove, short_folder
from servers.ca import Authority
from servers.dovecot import Dovecot
from servers.postgres import Postgres
from servers.sink import SmtpSink
from servers.valkey import Valkey

ADDRESS = "support@corp.example"
MEMORY = "/dev/shm"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--corpus", help="a Maildir to use instead of a new one")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--postgresql", action="store_true", help="run ours on PostgreSQL as well")
    parser.add_argument("--no-mbsync", action="store_true", help="ours only")
    parser.add_argument("--offlineimap", action="store_true", help="run offlineimap once as well; it takes minutes")
    parser.add_argument("--large", action="store_true", help="memory with large messages instead of speed")
    parser.add_argument("--profile", help="write a cProfile of ours to this file")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(_sync(**json.loads(arguments.child))))
        return
    folder = short_folder("bulk")
    try:
        _measure(arguments, folder)
    finally:
        remove(folder)


def _measure(arguments, folder):
    authority = Authority(folder / "ca")
    with (Dovecot(authority=authority) as dovecot, SmtpSink(authority=authority) as sink, Valkey() as valkey,
          Postgres(durable=True) if arguments.postgresql else open(os.devnull) as postgres):
        for server in (dovecot, sink):
            server.add_user(ADDRESS, "secret-1")
        size = _fill_large(dovecot) if arguments.large else fill(dovecot, ADDRESS, arguments)
        warm_up(dovecot, ADDRESS)
        stage = SimpleNamespace(folder=folder, authority=authority, dovecot=dovecot, sink=sink, valkey=valkey,
                                postgres=postgres, profile=arguments.profile)
        other = offlineimap(dovecot) if arguments.offlineimap else None
        rounds = [_round(arguments, stage) for _ in range(arguments.rounds)]
    if other:
        rounds[0][0]["offlineimap, fsync off"] = other
    _tell(arguments, size, rounds)


def _round(arguments, stage):
    """{name: seconds}, and {name: what ours says}, each once."""
    taken, facts = {}, {}
    if not (arguments.no_mbsync or arguments.large) and shutil.which("mbsync"):
        taken["mbsync to memory"] = mbsync(stage.dovecot, ADDRESS, MEMORY)
        taken["mbsync as shipped"] = mbsync(stage.dovecot, ADDRESS)
    for name in ["SQLite"] + ["PostgreSQL"] * arguments.postgresql:
        facts[name] = ours(stage, stage.postgres.create_database() if name == "PostgreSQL" else "")
        taken[name] = facts[name]["seconds"]
    print("  ".join(f"{name} {seconds:.2f} s" for name, seconds in taken.items()), file=sys.stderr, flush=True)
    return taken, facts


def ours(stage, database_url):
    """What `_sync` says: one sync by a process of its own, with empty databases: its memory is its own."""
    imap, smtp = f"127.0.0.1:{stage.dovecot.imaps_port}", f"127.0.0.1:{stage.sink.port}"
    with tempfile.TemporaryDirectory(dir=stage.folder) as data:
        settings = {"data_dir": data, "database_url": database_url, "redis_url": stage.valkey.url,
                    "mail_ca_file": str(stage.authority.ca_file), "mail_loopback": f"{imap} {smtp}",
                    "mail_servers": f"corp.example={imap}:tls,{smtp}:tls", "log_level": "WARNING"}
        given = json.dumps({"settings": settings, "profile": stage.profile})
        done = subprocess.run([sys.executable, __file__, "--child", given], stdout=subprocess.PIPE, text=True,
                              check=True)
        return json.loads(done.stdout.splitlines()[-1])


def _sync(settings, profile):
    """In the child: connect, then sync until nothing is left."""
    from flask_migrate import upgrade

    from webapp import create_app
    from webapp.actions import connections, inboxes, people
    from webapp.config import Settings
    from webapp.extensions import db, unit
    from webapp.jobs import connect, sync
    from webapp.models import Connection, Conversation, Inbox, Message, Person
    from webapp.work.rehearsal import rehearse

    app = create_app(Settings(**settings))
    with app.app_context():
        if not (child := os.fork()):     # a worker never migrates: what that takes is not its memory
            upgrade()
            app.extensions["blobs"].ensure()
            os._exit(0)
        os.waitpid(child, 0)
        with unit():
            inboxes.ensure_default_inbox("Support")
            person = people.create_person("Zofia", "zofia@corp.example", "admin", "correct horse battery").id
        with unit():
            connection = connections.begin(db.session.get(Person, person), "team", ADDRESS, "secret-1",
                                           inbox=db.session.query(Inbox).first()).id
        rehearse()      # as the worker does before it forks a child for the job
        cpu, started = time.process_time(), time.monotonic()
        with _profiled(profile):
            connect.connect(connection)
            while not db.session.get(Connection, connection).caught_up:
                db.session.rollback()
                sync.backfill(connection)
        seconds, cpu = time.monotonic() - started, time.process_time() - cpu
        return {"seconds": seconds, "cpu": cpu, "messages": db.session.query(Message).count(),
                "conversations": db.session.query(Conversation).count(), "peak": _peak()}


def offlineimap(dovecot):
    """Seconds that offlineimap takes for the same mailbox, to memory; None when it is not there."""
    if not shutil.which("offlineimap"):
        return None
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        Path(folder, "rc").write_text(f"""
[general]
accounts = all
metadata = {folder}/meta
fsync = False
[Account all]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = {folder}/mail
[Repository far]
type = IMAP
remotehost = localhost
remoteport = {dovecot.imaps_port}
ssl = yes
sslcacertfile = {dovecot.ca_file}
remoteuser = {ADDRESS}
remotepass = {dovecot.users[ADDRESS]}
folderfilter = lambda name: name == "INBOX"
createfolders = False
""")
        started = time.monotonic()
        command = ["offlineimap", "-o", "-u", "quiet", "-c", f"{folder}/rc"]
        done = subprocess.run(command, capture_output=True, text=True)
        taken, read = time.monotonic() - started, sum(1 for _ in Path(folder, "mail").glob("INBOX/[cn]*/*"))
        print(f"offlineimap: {read} messages in {taken:.1f} s", file=sys.stderr, flush=True)
        return None if done.returncode else taken


class _profiled:
    def __init__(self, path):
        self.path = path

    def __enter__(self):
        if self.path:
            import cProfile
            self.profile = cProfile.Profile()
            self.profile.enable()

    def __exit__(self, *_exc):
        if self.path:
            self.profile.disable()
            self.profile.dump_stats(self.path)


def _peak():
    """Most resident bytes of this process so far. (getrusage also counts the process that it was forked from.)"""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def _fill_large(dovecot):
    """Letters, and between them one message of 49 MB and sixty of 2 MB. Returns their bytes."""
    rng, mail, total = random.Random(5), dovecot.folder_path(ADDRESS), 0
    _corpus.fill(mail, 300)
    for number, size in enumerate([49_000_000] + [2_000_000] * 60):
        raw = _corpus.with_file(rng, number, size)
        (mail / "cur" / f"{1_700_000_000 + number}.L{number}.bench,S={len(raw)},W={len(raw)}:2,S").write_bytes(raw)
        total += len(raw)
    owner = ordinary_user("nobody")
    for path in (mail.parent, mail, *mail.iterdir(), *(mail / "cur").iterdir()):
        give(path, owner)
    return total


def _tell(arguments, size, rounds):
    seconds = {name: median(taken[name] for taken, _facts in rounds if name in taken) for name in rounds[0][0]}
    ours = {name: [facts[name] for _taken, facts in rounds] for name in rounds[0][1]}
    count = next(iter(ours.values()))[0]["messages"]
    table = [("mailbox", f"{size / 1e6:.0f} MB", f"{count} messages, {arguments.rounds} rounds; load of the machine: "
              f"{os.getloadavg()[0]:.1f}")]
    figures = {"messages": count, "bytes": size, "rounds": arguments.rounds, "load": round(os.getloadavg()[0], 1)}
    for name, taken in seconds.items():
        table.append((name, f"{count / taken:.0f} /s", f"{taken:.2f} s"))
        figures[name] = round(taken, 2)
    for name, facts in ours.items():
        for yardstick, target in (("mbsync to memory", "0.3" if name == "SQLite" else "0.18"),
                                  ("mbsync as shipped", "1.2" if name == "SQLite" else ""),
                                  ("offlineimap, fsync off", "10")):
            if yardstick in seconds:
                ratio = seconds[yardstick] / seconds[name]
                table.append((f"{name}: {yardstick} x", f"{ratio:.2f}", target and f"at least {target}"))
                figures[f"{name} / {yardstick}"] = round(ratio, 3)
        peak = max(f["peak"] for f in facts)
        table.append((f"{name}: most memory", f"{peak / 1e6:.0f} MB", f"under {250 if arguments.large else 200} MB"))
        table.append((f"{name}: CPU of ours", f"{median(f['cpu'] for f in facts):.2f} s", ""))
        figures[f"{name} peak_mb"] = round(peak / 1e6)
        if any(f["messages"] != count or f["conversations"] != facts[0]["conversations"] for f in facts):
            raise SystemExit(f"{name}: not the same result each time")
    report("bulk_sync", figures, table)


if __name__ == "__main__":
    main()
