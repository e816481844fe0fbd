"""How far back a mailbox's mail is read when it is connected."""

from datetime import date, datetime, timedelta

from webapp.rules import RuleBroken
from webapp.rules.bounds import HISTORIES

_DAYS = {"year": 366, "quarter": 92, "new": 0}


def check_history(history: str):
    """Raises RuleBroken("history", "not_offered")."""
    if history not in HISTORIES:
        raise RuleBroken("history", "not_offered")


def oldest(history: str, connected: datetime) -> date | None:
    """The day from which on mail that was there already is read; None: all of it. It stays the same day for good: a
    mailbox does not forget as time goes by. A day early, for servers do not say in which zone they count days."""
    return (connected - timedelta(days=_DAYS[history] + 1)).date() if history in _DAYS else None


def widens(was: str, to: str) -> bool:
    """Is there more to read than before?"""
    return HISTORIES.index(to) < HISTORIES.index(was)
