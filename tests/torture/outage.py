"""Redis is away, for minutes, while mail comes in and people read and answer.

Everything that is kept must be in the database by then, so pages are shown as always, if not live; and once Redis is
back, empty, the mail servers' set must be ours, hash for hash, within a minute.
"""

import random
import re
import threading
import time
import urllib.error
from collections import Counter

from app_fixtures import PASSWORD
from visitor import Visitor

from torture.household import NAMES, WEB
from torture.ordeal import Ordeal
from webapp.actions import people
from webapp.extensions import unit

READERS = ("zofia", "marek", "olga")
BACK_WITHIN = 60.0          # seconds from Redis' return until everything must be there
A_LETTER_EACH = 0.4         # seconds


class Outage(Ordeal):
    """`seconds` it is away: `stopped` (nothing listens), or `silent` (it takes connections and says nothing)."""

    names = (*NAMES, WEB)

    def __init__(self, dovecot, valkey, seconds, seed, how="stopped", **more):
        super().__init__(dovecot, valkey, messages=int(seconds / A_LETTER_EACH) + 100, kills=0, seed=seed, **more)
        self.seconds, self.how = seconds, how
        self.readers = []
        self.placed = {}        # moment -> places with us

    def _connect(self):
        super()._connect()
        with unit():
            for name in READERS[1:]:
                people.create_person(name.title(), f"{name}@corp.example", "member", PASSWORD)

    def _torment(self, messages):
        self._wait_until_all_is_there("the first sync")
        self.readers = [Reader(self.house.url, name, self.dice.random()) for name in READERS]
        for reader in self.readers:
            reader.start()
        self._letters_until(time.monotonic() + 5)
        self.say(f"away for {self.seconds:.0f} s")
        (self.valkey.stop if self.how == "stopped" else self.valkey.freeze)()
        self.outcome.strokes[f"queue {self.how}"] += 1
        began, before = time.monotonic(), self._placed()
        for reader in self.readers:
            reader.away = True
        try:
            self.came = self._letters_until(began + self.seconds)
            self.placed = {"before": before, "at its end": self._placed()}
        finally:
            (self.valkey.start if self.how == "stopped" else self.valkey.thaw)()
        self.last = time.monotonic()
        self.say(f"back; {self.came} letters came meanwhile, {self.placed['at its end'] - before} of them are stored")

    def _wait_for_calm(self):
        super()._wait_for_calm()
        for reader in self.readers:
            reader.away = False
        time.sleep(2)
        for reader in self.readers:
            reader.stop.set()
        for reader in self.readers:
            reader.join(40)

    def _wait_until_all_is_there(self, what):
        end = time.monotonic() + 120
        while self._look(self._missing, 1):
            if time.monotonic() > end:
                raise TimeoutError(f"{what} takes too long\n{self.house.logs()}")
            time.sleep(0.2)

    def _letters_until(self, end):
        """One at a time, as fast as mail comes to a busy office. How many they were."""
        came = 0
        while time.monotonic() < end:
            came += self._deliver(1)
            time.sleep(max(0.0, min(A_LETTER_EACH, end - time.monotonic())))
        return came

    @property
    def pages(self):
        """{(what, status): how often}, while Redis was away."""
        return sum((reader.pages for reader in self.readers), Counter())

    @property
    def took(self):
        """Seconds of each of these."""
        return sorted(seconds for reader in self.readers for seconds in reader.took)

    @property
    def broken(self):
        """What was answered with 500 and more, or not at all, at any time."""
        return dict(sum((reader.broken for reader in self.readers), Counter()))


class Reader(threading.Thread):
    """Somebody at work: reads lists and conversations, closes and opens them again, listens, asks what is new."""

    def __init__(self, url, name, seed):
        super().__init__(daemon=True, name=f"reads-{name}")
        self.visitor, self.who, self.dice = Visitor(url), name, random.Random(seed)
        self.stop, self.away = threading.Event(), False
        self.pages, self.broken, self.took = Counter(), Counter(), []

    def run(self):
        self.visitor.post("/sign-in", email=f"{self.who}@corp.example", password=PASSWORD)
        self.inbox = re.search(r'href="/inboxes/(\d+)', self.visitor.get("/"))[1]
        while not self.stop.wait(self.dice.uniform(0.05, 0.4)):
            for what in ("home", "list", "side", "news", "conversation", "close", "reopen", "poll", "stream", "health"):
                self._do(what)

    def _do(self, what):
        began, away = time.monotonic(), self.away
        try:
            getattr(self, f"_{what}")()
            status = "200"
        except urllib.error.HTTPError as error:
            status = str(error.code)
        except (OSError, ValueError, TypeError) as error:
            status = f"nothing ({error!r})"
        if status not in ("200", "401", "403", "404", "409", "422"):
            self.broken[what, status] += 1
        if away:
            self.pages[what, status] += 1
            self.took.append(time.monotonic() - began)

    def _home(self):
        self.visitor.get("/")

    def _list(self):
        page = self.visitor.get(f"/inboxes/{self.inbox}/list")
        self.conversation = self.dice.choice(re.findall(r'/conversations/(\d+)', page))

    def _side(self):
        self.visitor.get("/side")

    def _news(self):
        self.visitor.get(f"/inboxes/{self.inbox}/news?since=1")

    def _conversation(self):
        self.visitor.get(f"/conversations/{self.conversation}")

    def _close(self):
        self.visitor.post(f"/conversations/{self.conversation}/close", form=f"/conversations/{self.conversation}")

    def _reopen(self):
        self.visitor.post(f"/conversations/{self.conversation}/reopen", form=f"/conversations/{self.conversation}")

    def _poll(self):
        self.visitor.get(f"/live/poll?on=inbox-{self.inbox}:-5")

    def _stream(self):
        """As each page opens one; the greeting comes at once, whoever is away."""
        with self.visitor.open(f"/live?tab={self.who}&on=inbox-{self.inbox}:-5") as answer:
            if not answer.read(10):
                raise ValueError("no greeting")

    def _health(self):
        self.visitor.get("/health")
