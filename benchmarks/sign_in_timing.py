"""Does the time of an answer tell whether somebody signs in with an address? Two distributions each, interleaved, and
the Mann-Whitney U test: a small p would mean that they differ.

The whole application answers, in this process, with the real argon2 parameters. `python3 run bench sign_in_timing`
"""

import contextvars
import math
import os
import random
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

N = int(os.environ.get("BENCH_N", "500"))
HERE = {"Sec-Fetch-Site": "same-origin"}


def main():
    with tempfile.TemporaryDirectory() as folder:
        app = _app(folder)
        for path, typed in (("/sign-in", {"password": "a wrong password"}), ("/forgot", {})):
            known, unknown = _times(app, path, typed)
            print(f"{path}, n={N} each")
            for name, times in (("known", known), ("unknown", unknown)):
                cuts = statistics.quantiles(times, n=20)
                print(f"  {name:8} median {statistics.median(times) * 1000:7.2f} ms, "
                      f"5–95 % {cuts[0] * 1000:.2f}–{cuts[-1] * 1000:.2f} ms")
            u, p = mann_whitney(known, unknown)
            print(f"  U = {u:.0f}, p = {p:.3f}, a guesser is right {max(u, N * N - u) / (N * N):.1%} of the time")


def _app(folder):
    from flask_migrate import upgrade

    from webapp import create_app
    from webapp.actions import people
    from webapp.config import Settings
    from webapp.extensions import unit

    app = create_app(Settings(data_dir=folder, redis_url="", base_url="http://localhost", log_level="ERROR",
                              notice_smtp="smtps://a:b@127.0.0.1:1", notice_from="a@corp.example"),
                     TESTING=True, REAL_PASSWORDS=True, WTF_CSRF_ENABLED=False)
    app.extensions["redis"] = _NoRedis()
    with app.app_context():
        upgrade()
        with unit():
            people.create_person("Zofia", "zofia@corp.example", "admin", "correct horse battery")
    return app


def _times(app, path, typed):
    """Seconds of N answers to a known and N to unknown addresses, in random order; the tries are forgotten between."""
    times, order = {True: [], False: []}, [True, False] * N
    random.Random(1).shuffle(order)
    for n, known in enumerate(order[:20] + order):      # the first ones warm up
        email = "zofia@corp.example" if known else f"zofi{n % 10}@corp.example"
        client = app.test_client()
        began = time.perf_counter()
        answer = contextvars.Context().run(client.post, path, data={"email": email, **typed}, headers=HERE)
        took = time.perf_counter() - began
        assert answer.status_code in (200, 422), answer.status
        assert "Too many" not in answer.text
        if n >= 20:
            times[known].append(took)
        _forget(app)
    return times[True], times[False]


def _forget(app):
    from sqlalchemy import delete

    from webapp.extensions import db, unit
    from webapp.models import Link, Try
    with app.app_context(), unit():
        db.session.execute(delete(Try).where(Try.at < datetime.now(UTC) + timedelta(days=1)))
        db.session.execute(delete(Link))


def mann_whitney(first, second):
    """(U of the first, two-sided p by the normal approximation; ties get their mean rank)."""
    ranked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks, at, ties = [0.0, 0.0], 0, 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        for _value, which in ranked[at:end]:
            ranks[which] += (at + 1 + end) / 2
        ties += (end - at) ** 3 - (end - at)
        at = end
    a, b = len(first), len(second)
    u = ranks[0] - a * (a + 1) / 2
    spread = math.sqrt(a * b / 12 * ((a + b + 1) - ties / ((a + b) * (a + b - 1))))
    z = (abs(u - a * b / 2) - 0.5) / spread
    return u, math.erfc(max(z, 0) / math.sqrt(2))


class _NoRedis:
    """Nobody listens: this is about the answer, not about the queue."""

    def set(self, *_a, **_k):
        return False

    def __getattr__(self, _name):
        return lambda *_a, **_k: None


if __name__ == "__main__":
    main()
