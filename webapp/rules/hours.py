"""When somebody is there: the hours of an inbox, in its own zone, several spans a day.

Stored as {"zone": "Europe/Warsaw", "days": [[["09:00", "17:00"]], …]}, Monday first; "24:00" ends a day. Times are
those of the clock on the wall, so a change of the clocks moves nobody's hours: what does not exist that night is
skipped, and an hour that comes twice counts both times.
"""

import re
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from webapp.rules import RuleBroken

DAYS = 7
SPANS_MOST = 6             # of one day
DEFAULT = [[["09:00", "17:00"]]] * 5 + [[]] * 2
_UTC = ZoneInfo("UTC")
TEXT_MAX = 120             # characters of one day as it is typed

_SPAN = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*[-–—]\s*(\d{1,2})(?:[:.](\d{2}))?")


def is_there(hours: dict | None, at: datetime) -> bool:
    """Is somebody there at this moment (aware)? Who has said no hours is always there."""
    if not hours:
        return True
    here = at.astimezone(_zone(hours["zone"]))
    now = here.hour * 60 + here.minute
    return any(_minutes(start) <= now < _minutes(end) for start, end in hours["days"][here.weekday()])


def hours_of(zone: str, typed: list[str]) -> dict | None:
    """What is stored of what was typed, a text a day such as "9-12, 13:00–17:30"; None when there is nobody on any day.
    Raises RuleBroken("zone", "unknown_time_zone"), ("day0" to "day6", "bad_hours" | "hours_overlap" | "many_spans")."""
    if _zone(zone, None) is None:
        raise RuleBroken("zone", "unknown_time_zone")
    days = [spans_of(text, f"day{number}") for number, text in enumerate(typed)]
    return {"zone": zone, "days": days} if any(days) else None


def spans_of(text: str, field: str = "hours") -> list[list[str]]:
    """The spans of one day, in order. RuleBroken as `hours_of` says."""
    parts = [part.strip() for part in re.split(r"[,;]", text[:TEXT_MAX + 1]) if part.strip()]
    if len(text) > TEXT_MAX or len(parts) > SPANS_MOST:
        raise RuleBroken(field, "many_spans", limit=SPANS_MOST)
    spans = sorted(_span(part, field) for part in parts)
    if any(before[1] > after[0] for before, after in zip(spans, spans[1:], strict=False)):
        raise RuleBroken(field, "hours_overlap")
    return spans


def text_of(spans: list[list[str]]) -> str:
    """As a person would type it."""
    return ", ".join(f"{start}–{end}" for start, end in spans)


def _span(part, field):
    match = _SPAN.fullmatch(part)
    if not match:
        raise RuleBroken(field, "bad_hours")
    start, end = (f"{int(hour):02}:{minute or '00'}" for hour, minute in (match.group(1, 2), match.group(3, 4)))
    if not (_minutes(start) < _minutes(end) <= 24 * 60 and start[3:] < "60" and end[3:] < "60"):
        raise RuleBroken(field, "bad_hours")
    return [start, end]


def _minutes(time):
    return int(time[:2]) * 60 + int(time[3:])


def _zone(name, otherwise=_UTC):
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return otherwise
