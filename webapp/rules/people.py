"""Signing in: how often one may be wrong (DEFENCE 3.6)."""

from datetime import timedelta

from webapp.rules import RuleBroken

WINDOW = timedelta(minutes=15)
MAX_FAILURES = {"address": 8, "ip": 40}   # wrong passwords within the window


def check_throttle(failures: dict[str, int]):
    """`failures` counts the recent ones of this address and this IP."""
    if any(failures[subject] >= limit for subject, limit in MAX_FAILURES.items()):
        raise RuleBroken("password", "throttled", minutes=int(WINDOW.total_seconds() // 60))
