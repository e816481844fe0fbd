"""Days of the reader: when one begins, which one it is."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from webapp import words


def zone() -> ZoneInfo:
    return ZoneInfo(words.time_zone())


def today():
    return datetime.now(zone()).date()


def midnight(day, where=None):
    """When this day begins where the reader is, in UTC."""
    return datetime.combine(day, time(), where or zone()).astimezone(UTC)


def has_quarters(since, before, where):
    """Is the zone ever off by no whole hours between these moments? Every half month is looked at."""
    at, found = since, False
    while at < before + timedelta(days=15):
        found = found or bool(at.astimezone(where).utcoffset().total_seconds() % 3600)
        at += timedelta(days=15)
    return found
