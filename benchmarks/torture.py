"""The torture: mail comes in while worker, work horse, watch and clock are killed with -9 at random points, the queue
is emptied, stopped, full and silent, connections are cut, the database is locked (PostgreSQL: restarted).

After that there is calm. Then the mail servers' set must be ours, hash for hash: 0 lost, 0 doubled.

Last, all letters from hell through the whole product in a real Chromium, with each wall taken away in turn
(tests/browser/test_layers.py): 0 scripts run, 0 requests. `--only` does one of the two.

`--queue-away 300` does one thing instead: Redis is stopped so many seconds, while mail comes in and people read.
"""

import argparse
import contextlib
import os
import random
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from _stage import report  # noqa: E402
from servers.dovecot import Dovecot  # noqa: E402
from servers.postgres import Postgres  # noqa: E402
from servers.valkey import Valkey  # noqa: E402
from torture.ordeal import Ordeal  # noqa: E402
from torture.outage import BACK_WITHIN, Outage  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="to run it again")
    parser.add_argument("--mailboxes", type=int, help="among which the messages are divided")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--queue-away", type=float, metavar="SECONDS", help="nothing but this, with the web server")
    parser.add_argument("--how", choices=("stopped", "silent"), default="stopped", help="in which way it is away")
    parser.add_argument("--only", choices=("kills", "letters"), help="not the other")
    options = parser.parse_args()
    if options.queue_away:
        return 0 if outage(options) else 1
    good = options.only == "letters" or kills(options)
    return 0 if (options.only == "kills" or letters()) and good else 1


def letters():
    """All letters from hell, as tests; True when all is well."""
    tests = [sys.executable, "-m", "pytest", "-q", "--durations=0", "tests/browser/test_layers.py"]
    return subprocess.run(tests, cwd=ROOT, check=False, env={**os.environ, "POSTROOM_TEST_ALL": "1"}).returncode == 0


def kills(options):
    """True when nothing was lost."""
    with household(options) as (dovecot, valkey, more):
        outcome = Ordeal(dovecot, valkey, options.messages, options.kills, options.seed, **more).run()
    tell(outcome, options)
    return outcome.good


def outage(options):
    """True when nothing was lost, nobody got an error, and all was there soon."""
    with household(options) as (dovecot, valkey, more):
        outage = Outage(dovecot, valkey, options.queue_away, options.seed, options.how, **more)
        return tell_of_outage(outage, outage.run())


@contextlib.contextmanager
def household(options):
    """(Dovecot, Valkey, what else both take)."""
    print(f"seed {options.seed}, {options.database}", flush=True)
    with contextlib.ExitStack() as servers:
        dovecot, valkey = servers.enter_context(Dovecot()), servers.enter_context(Valkey())
        yield dovecot, valkey, {
            "postgres": servers.enter_context(Postgres()) if options.database == "postgresql" else None,
            "mailboxes": options.mailboxes, "say": lambda words: print(words, flush=True)}


def tell_of_outage(outage, outcome):
    """Prints it; True when all is well."""
    pages, took, good = outage.pages, outage.took, outcome.good and outcome.calm < BACK_WITHIN and not outage.broken
    figures = {"lost": outcome.lost, "extra": outcome.extra, "doubled": outcome.doubled, "changed": outcome.changed,
               "cursors": outcome.cursors, "miscounted": outcome.miscounted}
    stored = outage.placed["at its end"] - outage.placed["before"]
    report("outage", {
        "seed": outcome.seed, "away_s": outage.seconds, "how": outage.how, "messages": outcome.on_server, **figures,
        "came_meanwhile": outage.came, "stored_meanwhile": stored, "pages": pages.total(),
        "broken": {" ".join(what): count for what, count in outage.broken.items()},
        "page_median_s": round(statistics.median(took), 3), "page_slowest_s": round(took[-1], 2),
        "calm_s": round(outcome.calm, 1), "fell": outcome.fell}, [
        ("Redis was away", f"{outage.seconds:.0f} s", outage.how),
        ("messages on the server", str(outcome.on_server), f"seed {outcome.seed}"),
        ("came meanwhile, stored meanwhile", f"{outage.came}, {stored}", "by the watcher, which needs no queue"),
        ("pages answered meanwhile", str(pages.total()), f"median {statistics.median(took) * 1000:.0f} ms"),
        ("slowest page", f"{took[-1]:.2f} s", ""),
        ("answered 500 or not at all", str(sum(outage.broken.values())), "0"),
        (", ".join(figures), ", ".join(map(str, figures.values())), "0"),
        ("processes that ended by themselves", str(outcome.fell), "started again"),
        ("from its return to everything there", f"{outcome.calm:.1f} s", f"under {BACK_WITHIN:.0f} s")])
    return good


def tell(outcome, options):
    times = sorted(outcome.taken_up)
    slowest, median = (times[-1], statistics.median(times)) if times else (0.0, 0.0)
    kills = ", ".join(f"{name} {count}" for name, count in outcome.kills.most_common())
    strokes = ", ".join(f"{name} {count}" for name, count in outcome.strokes.most_common())
    report("torture", {
        "seed": outcome.seed, "database": options.database, "messages": outcome.on_server, "kills": dict(outcome.kills),
        "at_work": outcome.at_work, "strokes": dict(outcome.strokes), "lost": outcome.lost, "extra": outcome.extra,
        "changed": outcome.changed, "doubled": outcome.doubled, "cursors": outcome.cursors,
        "miscounted": outcome.miscounted, "fell": outcome.fell, "taken_up_s": [round(median, 1), round(slowest, 1)],
        "seconds": round(outcome.seconds), "load": round(os.getloadavg()[0], 1)}, [
        ("messages on the server", str(outcome.on_server), f"seed {outcome.seed}"),
        ("kills with -9", str(outcome.kills.total()), f"{kills}; {outcome.at_work} in the middle of a job"),
        ("other strokes", str(outcome.strokes.total()), strokes),
        ("processes that ended by themselves", str(outcome.fell), "started again"),
        ("lost", str(outcome.lost), "0"), ("doubled", str(outcome.doubled + outcome.extra), "0"),
        ("other bytes than the server's", str(outcome.changed), "0"),
        ("cursors not at their end", str(outcome.cursors), "0"),
        ("conversations miscounted", str(outcome.miscounted), "0"),
        ("killed work was taken up after", f"{median:.0f} s, {slowest:.0f} s", "median, slowest; under 60 s"),
        ("from the last stroke to everything there", f"{outcome.calm:.0f} s", ""),
        ("all of it", f"{outcome.seconds:.0f} s", "")])


if __name__ == "__main__":
    sys.exit(main())
