"""One watch process holds IDLE on 1,000 mailboxes of a local Dovecot, with the product's own workers beside it.

    memory       of the watch process, with and without the connections
    stored       from APPEND to the row committed, and from EXISTS (heard by another client) to it: one mail at a time
    storm        the server is restarted: sign-ins a second, and how long until everybody is watched again
    hanging      a second server takes connections and says nothing: how long mail of the others takes meanwhile
"""

import argparse
import contextlib
import os
import random
import re
import resource
import socket
import sys
import threading
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from _hearing import announcements, hear, hear_exists  # noqa: E402
from _stage import percentile, report, titles, wait  # noqa: E402
from mailroom import letter  # noqa: E402
from servers.dovecot import Dovecot  # noqa: E402
from servers.proxy import FaultProxy  # noqa: E402
from servers.valkey import Valkey  # noqa: E402
from sqlalchemy import select  # noqa: E402
from torture.household import Household  # noqa: E402

from webapp import queue  # noqa: E402
from webapp.actions import sign_in  # noqa: E402
from webapp.extensions import db, unit  # noqa: E402
from webapp.live import announce  # noqa: E402
from webapp.models import Connection  # noqa: E402
from webapp.models.types import now  # noqa: E402

LIMITS = """verbose_proctitle = yes
service imap-login {
  process_min_avail = 2
}
"""
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")    # 128 as shipped: Dovecot polls slowly beyond that


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mailboxes", type=int, default=1000)
    parser.add_argument("--sample", type=int, default=40, help="messages that are timed")
    parser.add_argument("--hanging", type=int, default=20, help="mailboxes on the server that says nothing")
    options = parser.parse_args()
    raise_limits(options.mailboxes)
    sign_in.check_tries = lambda *_: None      # one person connects a thousand addresses here
    queue.enqueue = lambda *_, **_options: None      # which are connected already: no job of this process is to do it
    with inotify(4096), Dovecot(extra=LIMITS) as dovecot, Valkey() as valkey, FaultProxy(1) as silent:
        silent.black_hole = True
        settings = {"redis_url": valkey.url, "mail_ca_file": str(dovecot.ca_file), "log_level": "WARNING",
                    "mail_loopback": f"127.0.0.1:{dovecot.imaps_port} 127.0.0.1:{silent.port}", "poll_seconds": 3600}
        with Household(settings) as house, house.app.app_context():
            figures = Bench(dovecot, house, valkey, silent, options).run()
    tell(options, figures)


class Bench:
    def __init__(self, dovecot, house, valkey, silent, options):
        self.dovecot, self.house, self.valkey, self.silent, self.options = dovecot, house, valkey, silent, options

    def run(self):
        house, count = self.house, self.options.mailboxes
        house.start()
        time.sleep(8)
        base = memory(house.pid("watch"))
        self.boxes, self.domain = {}, f"bench{os.getpid()}.example"
        for n in range(count):
            address = f"box{n}@{self.domain}"
            self.boxes[self.add(address, self.dovecot.imaps_port)] = address
        began = time.monotonic()
        with house.app.app_context(), unit():
            announce("watch")
        self.until_idle(count, began)
        print("all are watched", flush=True)
        self.until_quiet()
        print(f"all caught up after {time.monotonic() - began:.0f} s", flush=True)
        held = memory(house.pid("watch"))
        calm = self.arrivals()
        storm = self.storm(count)
        self.until_quiet()
        for n in range(self.options.hanging):
            self.add(f"hanging{n}@corp.example", self.silent.port, "localhost")
        time.sleep(35)       # the watch looks at its list, the clock sweeps: the hanging ones are under way
        hanging = self.arrivals()
        return {"base": base, "held": held, "calm": calm, "storm": storm, "hanging": hanging,
                "held_out": self.silent.connections}

    def add(self, address, port, host="127.0.0.1"):
        self.dovecot.users[address] = "secret-1"
        self.dovecot._write_user(address)
        connection_id = self.house.connect(address, port, host)
        with unit():
            db.session.get(Connection, connection_id).checks = {}      # as long after the checklist
        db.session.remove()
        return connection_id

    def until_idle(self, count, began, seconds=900):
        wait(lambda: idling(self.domain) >= count, seconds, f"{count} IDLE", 0.5)
        return time.monotonic() - began

    def until_quiet(self):
        """All are caught up and nobody works."""
        def quiet():
            db.session.rollback()
            busy = db.session.scalar(select(db.func.count()).where(
                Connection.imap_port == self.dovecot.imaps_port,
                (Connection.caught_up.is_(False)) | (Connection.lease_until > now())))
            db.session.rollback()
            return not busy and not any(self.house.horses(name) for name in ("jobs out in", "jobs in pictures slow"))
        wait(quiet, 900, "calm", 0.5)

    def arrivals(self):
        """[(from APPEND, from EXISTS) to stored] in seconds."""
        found = []
        for connection_id, address in random.sample(sorted(self.boxes.items()), self.options.sample):
            exists, stored = [], []
            client, listener = self.dovecot.imap(address), announcements(self.valkey.url)
            name = f"connection-{connection_id}"
            threads = [threading.Thread(target=hear_exists, args=(client, exists), daemon=True),
                       threading.Thread(target=hear, args=(listener, name, stored), daemon=True)]
            for thread in threads:
                thread.start()
            time.sleep(0.3)
            stored.clear()
            delivered = time.monotonic()
            self.dovecot.deliver(address, letter(subject="Now", Message_ID=f"<{random.getrandbits(64):x}@x>"))
            with contextlib.suppress(TimeoutError):
                wait(lambda exists=exists, stored=stored: exists and stored, 60, "the row", 0.002)
            if exists and stored:
                found.append((stored[0] - delivered, max(0.0, stored[0] - exists[0])))
            else:
                found.append((60.0, 60.0))
            listener.close()
            with contextlib.suppress(OSError):
                client.sock.shutdown(socket.SHUT_RDWR)      # another thread reads: close would wait for it
        return found

    def storm(self, count):
        before = len(self.dovecot.log())
        self.dovecot.restart()
        began = time.monotonic()
        back = self.until_idle(count, began)
        seconds = Counter(re.findall(r"(\d\d:\d\d:\d\d) imap-login: Info: Login", self.dovecot.log()[before:]))
        return {"back_s": back, "sign_ins": seconds.total(), "most_a_second": max(seconds.values(), default=0)}


def idling(domain):
    """Dovecot's processes say in their titles what they do."""
    return sum(1 for line in titles() if f"@{domain} " in line and " IDLE" in line)


def memory(pid):
    """Resident bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def raise_limits(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, 4 * count + 1024)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


@contextlib.contextmanager
def inotify(instances):
    """Dovecot takes one for each IDLE."""
    before = INOTIFY.read_text()
    try:
        if int(before) < instances:
            INOTIFY.write_text(str(instances))
    except OSError:
        print("max_user_instances of inotify stays low: Dovecot will tell some mailboxes late")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            INOTIFY.write_text(before)


def tell(options, figures):
    def both(rows):
        return [[round(percentile(times, share) * 1000) for share in (50, 95)] for times in zip(*rows, strict=True)]

    (stored, from_exists), (held_up, _from_exists) = both(figures["calm"]), both(figures["hanging"])
    storm, load = figures["storm"], round(os.getloadavg()[0], 1)
    megabytes = figures["held"] / 1e6
    each = (figures["held"] - figures["base"]) / options.mailboxes / 1000
    report("watching", {
        "mailboxes": options.mailboxes, "watch_mb": round(megabytes), "kb_each": round(each),
        "append_to_stored_ms": stored, "exists_to_stored_ms": from_exists,
        "storm_back_s": round(storm["back_s"]), "storm_most_a_second": storm["most_a_second"],
        "hanging_append_to_stored_ms": held_up, "load": load}, [
        ("IDLE connections in one process", str(options.mailboxes), ""),
        ("memory of the watch", f"{megabytes:.0f} MB", f"under 100 MB; {each:.0f} kB for each mailbox"),
        ("APPEND to stored, p50 / p95", f"{stored[0]} / {stored[1]} ms", "Dovecot waits 500 ms before it tells"),
        ("EXISTS to stored, p50 / p95", f"{from_exists[0]} / {from_exists[1]} ms", "under 25 ms on an idle machine"),
        ("restarted server: all watched again", f"{storm['back_s']:.0f} s",
         f"{storm['sign_ins']} sign-ins, at most {storm['most_a_second']} in a second, workers' included"),
        (f"with {options.hanging} mailboxes on a hanging server", f"{held_up[0]} / {held_up[1]} ms",
         "APPEND to stored of the others"),
        ("load of the machine", str(load), "")])


if __name__ == "__main__":
    main()
