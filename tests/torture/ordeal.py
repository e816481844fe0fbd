"""Mail comes into several mailboxes while everything around it is killed, emptied, stopped and cut, at random.

At the end there is calm, and then the servers' set of mail must be ours: each folder's UIDs, and for each the SHA-256
of its raw bytes; nothing lost, nothing doubled, every cursor at its end.
"""

import contextlib
import hashlib
import random
import sqlite3
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from servers.proxy import FaultProxy
from sqlalchemy import func, select

from torture.household import NAMES, WORKERS, Household
from webapp.extensions import db
from webapp.models import Connection, Conversation, Folder, Message, Place
from webapp.models.types import now

CALM_WITHIN = 150.0                     # seconds from the last stroke until everything must be there


@dataclass
class Outcome:
    """What was done, and what came of it. `good` is the verdict."""

    seed: int
    kills: Counter = field(default_factory=Counter)      # what was killed -> how often
    at_work: int = 0                                     # kills that hit a horse in the middle of a job
    strokes: Counter = field(default_factory=Counter)    # what else happened -> how often
    fell: int = 0                                        # processes that ended by themselves, and were started again
    taken_up: list = field(default_factory=list)         # seconds from a kill at work until that mailbox was at work again
    on_server: int = 0
    lost: int = 0            # on the server, not with us
    extra: int = 0           # a place with us that the server does not list
    changed: int = 0         # other bytes than the server's
    doubled: int = 0         # messages beyond one for each different mail of a mailbox
    cursors: int = 0         # folders whose cursor is not at its end
    miscounted: int = 0      # messages in conversations, against the conversations' counters
    seconds: float = 0.0
    calm: float = 0.0        # seconds from the last stroke until everything was there

    @property
    def good(self):
        return not (self.lost or self.extra or self.changed or self.doubled or self.cursors or self.miscounted)


class Ordeal:
    names = NAMES       # of the processes that are started

    def __init__(self, dovecot, valkey, messages, kills, seed, postgres=None, mailboxes=None, say=lambda words: None):
        self.dovecot, self.valkey, self.postgres = dovecot, valkey, postgres
        self.messages, self.kills, self.say = messages, kills, say
        self.dice, self.outcome = random.Random(seed), Outcome(seed)
        self.count = mailboxes or max(4, min(24, kills // 4))
        self.numbers = iter(range(10**9))
        self.boxes = {}      # address -> connection id
        self.watching, self.stop = {}, threading.Event()

    def run(self) -> Outcome:
        began = time.monotonic()
        with FaultProxy(self.dovecot.imaps_port) as self.proxy:
            loopback = f"127.0.0.1:{self.proxy.port}"
            settings = {"redis_url": self.valkey.url, "mail_ca_file": str(self.dovecot.ca_file),
                        "mail_loopback": loopback, "poll_seconds": 20, "log_level": "WARNING"}
            url = self.postgres.create_database() if self.postgres else ""
            with Household({**settings, **({"database_url": url} if url else {})}, self.names) as self.house:
                with self.house.app.app_context():
                    self._connect()
                    before = self._deliver(self.messages * 2 // 5)
                self.house.start()
                stopwatch = threading.Thread(target=self._time_the_taking_up, daemon=True)
                stopwatch.start()
                self._torment(self.messages - before)
                self._wait_for_calm()
                self.stop.set()
                stopwatch.join(5)
                self.outcome.fell = sum(self.house.fell.values())
                for words in self.house.last_words:
                    self.say(words)
                with self.house.app.app_context():
                    self._judge()
                self.outcome.seconds = time.monotonic() - began
                if not self.outcome.good:
                    self.say(self.house.logs())
        return self.outcome

    # Before

    def _connect(self):
        for n in range(self.count):
            address = f"box{n}-{self.outcome.seed}@corp.example"
            self.dovecot.add_user(address, "secret-1")
            self.boxes[address] = self.house.connect(address, self.proxy.port)

    # While it lasts

    def _deliver(self, count):
        """Into random mailboxes. Now and then the same mail into two folders: that is one message with two places."""
        by_box = Counter(self.dice.choice(list(self.boxes)) for _ in range(count))
        done = 0
        for address, share in by_box.items():
            with self.dovecot.imap(address) as client:
                while share > 0:
                    raw = self._mail(address)
                    folders = ["INBOX"] if self.dice.random() < 0.85 else ["Sent"]
                    if self.dice.random() < 0.03 and share > 1:
                        folders = ["INBOX", "Sent"]
                    for folder in folders:
                        code, answer = client.append(folder, None, None, raw)
                        assert code == "OK", answer
                        share, done = share - 1, done + 1
        return done

    def _mail(self, address):
        n, dice = next(self.numbers), self.dice
        answers = f"References: <{dice.randrange(n)}@torture.example>\r\n" if n and dice.random() < 0.4 else ""
        size = dice.choice((200, 2_000, 2_000, 20_000, 150_000))
        text = dice.randbytes(size * 3 // 8).hex()
        lines = "\r\n".join(text[i:i + 76] for i in range(0, len(text), 76))
        sender = dice.choice((address, "anna@customer.example", "jan@customer.example"))
        return (f"From: {sender}\r\nTo: {address}\r\nSubject: Number {n}\r\nMessage-ID: <{n}@torture.example>\r\n"
                f"{answers}MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n{lines}\r\n").encode()

    def _torment(self, messages):
        """A kill each round; a few letters before it, and with some of them another stroke of fate."""
        done = 0
        for number in range(self.kills):
            done += self._deliver(messages * (number + 1) // self.kills - done)
            if self.dice.random() < 0.2:
                self._stroke()
            self._kill()
            if number % 20 == 19:
                self.say(f"{number + 1} kills, {self.outcome.at_work} at work, {self._placed()} of "
                         f"{self.messages} places")
        if done < messages:
            self._deliver(messages - done)
        self.last = time.monotonic()

    def _kill(self):
        victim = self.dice.choices(("worker and horse", "horse", "worker", "watch", "clock"), (5, 3, 2, 1, 1))[0]
        if victim in ("watch", "clock"):
            time.sleep(self.dice.uniform(0.0, 0.8))
            self.house.kill(victim)
        else:
            name = self._busy_worker() if self.dice.random() < 0.9 else self.dice.choice(WORKERS)
            leases = self._leases()
            hit = self.house.kill(name, horse="horse" in victim, itself="worker" in victim)
            if hit and "horse" in victim:
                self.outcome.at_work += 1
                at = time.monotonic()
                self.watching.update({i: (fence, at) for i, fence in leases.items() if i not in self.watching})
        self.outcome.kills[victim] += 1

    def _busy_worker(self):
        """Wait a moment for one that is in the middle of something."""
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            for name in WORKERS:
                if self.house.horses(name):
                    time.sleep(self.dice.uniform(0, 0.08))
                    return name
            time.sleep(0.005)
        return self.dice.choice(WORKERS)

    def _stroke(self):
        what = self.dice.choice(("queue emptied", "queue stopped", "queue full", "queue silent", "connections cut",
                                 "database locked" if not self.postgres else "database restarted"))
        seconds = self.dice.uniform(0.2, 2.5)
        self.outcome.strokes[what] += 1
        with contextlib.suppress(OSError):
            {"queue emptied": lambda: self.valkey.client().flushall(),
             "queue stopped": lambda: self._queue_stopped(seconds), "queue full": lambda: self._queue_full(seconds),
             "queue silent": lambda: self._queue_silent(seconds), "connections cut": self.proxy.cut,
             "database locked": lambda: self._database_locked(seconds),
             "database restarted": lambda: self.postgres.restart()}[what]()

    def _queue_stopped(self, seconds):
        self.valkey.stop()
        time.sleep(seconds)
        self.valkey.start()

    def _queue_full(self, seconds):
        client = self.valkey.client()
        client.config_set("maxmemory", "1")
        time.sleep(seconds)
        client.config_set("maxmemory", "0")

    def _queue_silent(self, seconds):
        self.valkey.freeze()
        time.sleep(seconds)
        self.valkey.thaw()

    def _database_locked(self, seconds):
        other = sqlite3.connect(self.house.folder / "data" / "postroom.db", timeout=20, isolation_level=None)
        with contextlib.suppress(sqlite3.OperationalError):
            other.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)
            other.execute("ROLLBACK")
        other.close()

    # How long until somebody takes up what was killed

    def _look(self, call, otherwise):
        with self.house.app.app_context():
            try:
                return call()
            except Exception:       # the database is being tortured, too
                return otherwise
            finally:
                with contextlib.suppress(Exception):
                    db.session.remove()

    def _leases(self):
        return self._look(lambda: dict(db.session.execute(select(Connection.id, Connection.fence).where(
            Connection.lease_until > now())).all()), {})

    def _time_the_taking_up(self):
        """Of the leases held at a kill: one given back normally was another worker's; one taken anew is timed."""
        while not self.stop.wait(0.1):
            if not self.watching:
                continue
            rows = self._look(lambda: {i: (fence, held) for i, fence, held in db.session.execute(
                select(Connection.id, Connection.fence, Connection.lease_until))}, {})
            for i, (fence, at) in list(self.watching.items()):
                if i in rows and rows[i][0] != fence:
                    self.outcome.taken_up.append(time.monotonic() - at)
                    self.watching.pop(i, None)
                elif i in rows and rows[i][1] is None:
                    self.watching.pop(i, None)

    # After

    def _placed(self):
        return self._look(lambda: db.session.scalar(select(func.count()).select_from(Place)), 0)

    def _wait_for_calm(self):
        while time.monotonic() - self.last < CALM_WITHIN:
            missing = self._look(self._missing, 1)
            if not missing:
                break
            time.sleep(0.5)
        self.outcome.calm = time.monotonic() - self.last

    def _missing(self):
        """A quick look: does every chosen folder have as many places as the server has messages?"""
        ours = dict(db.session.execute(select(Place.folder_id, func.count()).where(Place.gone_at.is_(None)).group_by(
            Place.folder_id)).all())
        addresses = {i: a for a, i in self.boxes.items()}
        for folder in db.session.scalars(select(Folder).where(Folder.chosen)):
            on_disk = len(list((self.dovecot.folder_path(addresses[folder.connection_id], folder.name)).glob("[cn]*/*")))
            if ours.get(folder.id, 0) != on_disk or folder.low_uid:
                return True
        return db.session.scalar(select(func.count()).where(Connection.lease_until.is_not(None))) > 0

    def _judge(self):
        for address, connection_id in self.boxes.items():
            theirs = set()
            for folder in db.session.scalars(select(Folder).where(Folder.connection_id == connection_id, Folder.chosen)):
                theirs |= self._judge_folder(address, folder)
            messages = db.session.scalar(select(func.count()).where(Message.connection_id == connection_id))
            self.outcome.doubled += abs(messages - len(theirs))
            self.outcome.doubled += messages - db.session.scalar(select(func.count(Message.message_id.distinct())).where(
                Message.connection_id == connection_id))
        filed = db.session.scalar(select(func.count()).where(Message.conversation_id.is_not(None)))
        counted = db.session.scalar(select(func.coalesce(func.sum(Conversation.message_count), 0)))
        self.outcome.miscounted = abs(filed - counted)
        db.session.rollback()

    def _judge_folder(self, address, folder):
        theirs = on_server(self.dovecot, address, folder.name)
        rows = db.session.execute(select(Place.uid, Message.raw_sha256).join(Message).where(
            Place.folder_id == folder.id, Place.uidvalidity == folder.uidvalidity, Place.gone_at.is_(None))).all()
        ours = {uid: self._hash(name) for uid, name in rows}
        outcome = self.outcome
        outcome.on_server += len(theirs)
        outcome.lost += len(theirs.keys() - ours.keys())
        outcome.extra += len(ours.keys() - theirs.keys())
        outcome.changed += sum(1 for uid in theirs.keys() & ours.keys() if ours[uid] != theirs[uid])
        outcome.cursors += folder.low_uid != 0 or folder.high_uid != max(theirs, default=folder.high_uid)
        return set(theirs.values())

    def _hash(self, name):
        try:
            return hashlib.sha256(self.house.app.extensions["blobs"].get_raw(name)).hexdigest()
        except (KeyError, TypeError):
            return None


def on_server(dovecot, address, folder):
    """{UID: SHA-256 of the raw bytes}, by the standard library's client."""
    found = {}
    with dovecot.imap(address) as client:
        client.select(f'"{folder}"', readonly=True)
        uids = client.uid("SEARCH", "ALL")[1][0].split()
        for start in range(0, len(uids), 100):
            part = b",".join(uids[start:start + 100]).decode()
            for item in client.uid("FETCH", part, "(UID BODY.PEEK[])")[1]:
                if isinstance(item, tuple):
                    words = item[0].split()
                    found[int(words[words.index(b"(UID") + 1])] = hashlib.sha256(item[1]).hexdigest()
    return found
