"""Within which time an inbox wants to answer: the first mail of a conversation, and all that follow.

A target is a number of minutes: of working time where the inbox has working hours (rules.hours), else by the clock.
What is due is the answer to the first mail that nobody has answered: writing again puts nothing off.
"""

from datetime import datetime, timedelta

from webapp.rules import RuleBroken
from webapp.rules.bounds import TARGET_MAX_DAYS
from webapp.rules.hours import after_work, work_seconds

UNITS = {"minutes": 1, "hours": 60}
TARGET_MAX = TARGET_MAX_DAYS * 24 * 60      # minutes
OWING = ("open", "waiting")     # where an answer can be due; what is put off, done with or no mail of ours owes none
SOON = timedelta(hours=1)
MINUTE, HOUR, DAY = 60, 3600, 86_400


def minutes_of(field: str, number: str, unit: str) -> int | None:
    """What was typed, such as "4" hours; None when nothing was: no target. Raises RuleBroken(field, "bad_target")."""
    text = number.strip()
    if not text:
        return None
    minutes = int(text) * UNITS.get(unit, 0) if text.isascii() and text.isdigit() and len(text) < 7 else 0
    if not 0 < minutes <= TARGET_MAX:
        raise RuleBroken(field, "bad_target", days=TARGET_MAX_DAYS)
    return minutes


def typed(minutes: int | None) -> tuple[str, str]:
    """(number, unit) as it would be typed."""
    if minutes is None:
        return "", "hours"
    return (str(minutes // 60), "hours") if minutes % 60 == 0 else (str(minutes), "minutes")


def target_of(first: int | None, later: int | None, is_first: bool) -> int | None:
    return first if is_first else later


def due(status: str, asked_at: datetime | None, target: int | None, hours: dict | None) -> datetime | None:
    """When the answer to what was asked then is due; None: never."""
    if status not in OWING or asked_at is None or target is None:
        return None
    return after_work(hours, asked_at, target * 60)


def took(asked_at: datetime, answered_at: datetime, target: int | None, hours: dict | None):
    """(seconds by the clock, seconds of working time, was it in time; None where there was no target)."""
    seconds, worked = work_seconds(None, asked_at, answered_at), work_seconds(hours, asked_at, answered_at)
    return seconds, worked, None if target is None else worked <= target * 60


def urgency(due_at: datetime, at: datetime) -> str:
    if due_at < at:
        return "overdue"
    return "soon" if due_at - at <= SOON else "due"


def rough(span: timedelta) -> tuple[int, str]:
    """A span as one number: minutes up to an hour and a half, hours up to two days, then days; rounded down, and never
    nothing."""
    seconds = abs(span.total_seconds())
    size, unit = next(((s, u) for most, s, u in ((90 * MINUTE, MINUTE, "minutes"), (2 * DAY, HOUR, "hours"))
                       if seconds < most), (DAY, "days"))
    return max(1, int(seconds // size)), unit
