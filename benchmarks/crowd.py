"""Fifty people at work at once: each looks at lists, opens conversations, writes drafts, answers, assigns, closes, with
a live stream open. The product as `python3 run` starts it, on the same two cores as the fifty.

Printed: p50 and p95 of each kind of page in milliseconds, and how many answers were errors.
"""

import argparse
import random
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict

from _stage import DOMAIN, PASSWORD, ROOT, Stage, percentile, report
from first_sync import fill, warm_up
from visitor import Visitor
from waiting import wait


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--messages", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--think", type=float, default=4.0, help="seconds between one click and the next, on average")
    parser.set_defaults(corpus=None)
    options = parser.parse_args()
    with Stage(POSTROOM_UNDO_SECONDS="0") as stage:
        address = stage.add_mailbox(f"support@{DOMAIN}")
        fill(stage.dovecot, address, options)
        warm_up(stage.dovecot, address)
        admin = stage.sign_up()
        connection, inbox = stage.connect(admin, address, watched=False)
        wait(lambda: stage.caught_up(admin, connection), 300, "the first sync", 0.5)
        crowd = [_Person(client, inbox, n) for n, client in enumerate(_join(stage, options.people))]
        for person in crowd:
            person.start()
        until = time.monotonic() + options.seconds
        for person in crowd:
            person.until, person.think = until, options.think
        for person in crowd:
            person.join()
    tell(options, crowd)


def _join(stage, count):
    """Members, made as an admin makes them in the shell; their signed-in browsers."""
    script = ("from wsgi import app\nfrom webapp.actions import people\nfrom webapp.extensions import unit\n"
              "with app.app_context():\n    for n in range(%d):\n        with unit():\n"
              "            people.add_person(None, f'Person {n}', f'person{n}@%s', 'member', '%s')\n")
    subprocess.run([sys.executable, "-c", script % (count, DOMAIN, PASSWORD)], check=True, cwd=ROOT, env=stage.environ)
    for number in range(count):
        client = Visitor(stage.url)
        client.post("/sign-in", email=f"person{number}@{DOMAIN}", password=PASSWORD)
        yield client


class _Person(threading.Thread):
    def __init__(self, client, inbox, number):
        super().__init__(daemon=True)
        self.client, self.inbox, self.dice = client, inbox, random.Random(number)
        self.until, self.think = float("inf"), 4.0
        self.took, self.errors = defaultdict(list), []

    def run(self):
        stream = threading.Thread(target=self._listen, daemon=True)
        stream.start()
        time.sleep(self.dice.uniform(0, self.think))        # not all fifty in one instant: that is no work of theirs
        page = self._timed("list", lambda: self.client.get(f"/inboxes/{self.inbox}"))
        while time.monotonic() < self.until:
            time.sleep(self.dice.expovariate(1 / self.think))
            page = self._click(page) or page

    def _click(self, page):
        rows = re.findall(r'id="conv-(\d+)"', page or "")
        one, kind = self.dice.choice(rows) if rows else None, self.dice.random()
        if kind < 0.25 or one is None:
            which = self.dice.choice(("", "status=waiting", "status=closed", "view=unassigned"))
            return self._timed("list", lambda: self.client.get(f"/inboxes/{self.inbox}?{which}"))
        opened = self._timed("open", lambda: self.client.get(f"/conversations/{one}"))
        if kind < 0.65 or opened is None:
            return None
        what, fields = (("reply", {"text": "We look into it."}) if kind < 0.80 else
                        ("assign", {"to": "me"}) if kind < 0.90 else ("close", {}))
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', opened))
        self._timed(what, lambda: self.client.send(f"/conversations/{one}/{what}", {**hidden, **fields}))
        return None

    def _timed(self, what, do):
        began = time.monotonic()
        try:
            answer = do()
        except (urllib.error.URLError, OSError, ValueError) as error:
            if getattr(error, "code", 500) not in (409, 422):      # a colleague was faster: said in words
                self.errors.append(f"{what}: {error}")
            return None
        self.took[what].append(time.monotonic() - began)
        return answer

    def _listen(self):
        request = urllib.request.Request(f"{self.client.url}/live?on=inbox-{self.inbox}:0&tab=x{id(self)}", headers={
            "Cookie": "; ".join(f"{c.name}={c.value}" for c in self.client.cookies)})
        while time.monotonic() < self.until:
            try:
                with urllib.request.urlopen(request, timeout=60) as stream:
                    for _line in stream:
                        if time.monotonic() > self.until:
                            return
            except OSError:
                time.sleep(1)


def tell(options, crowd):
    took = defaultdict(list)
    for person in crowd:
        for what, times in person.took.items():
            took[what] += times
    every = [t for times in took.values() for t in times]
    errors = [e for person in crowd for e in person.errors]
    table = [("people, streams open", str(len(crowd)),
              f"{options.seconds:.0f} s, one click each {options.think:.0f} s"),
             ("all pages", f"{percentile(every, 95) * 1000:.0f} ms", f"p95 of {len(every)}; under 200 ms")]
    for what, times in sorted(took.items()):
        table.append((what, f"{percentile(times, 95) * 1000:.0f} ms",
                      f"p95 of {len(times)}; p50 {percentile(times, 50) * 1000:.0f} ms"))
    table.append(("errors", str(len(errors)), "0" + (f"; first: {errors[0]}" if errors else "")))
    report("crowd", {"people": len(crowd), "pages": len(every), "p95_ms": round(percentile(every, 95) * 1000),
                     "p50_ms": round(percentile(every, 50) * 1000), "errors": len(errors)}, table)


if __name__ == "__main__":
    main()
