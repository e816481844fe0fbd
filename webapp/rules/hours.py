"""When somebody is there: the hours of an inbox, in its own zone, several spans a day.

Stored as {"zone": "Europe/Warsaw", "days": [[["09:00", "17:00"]], …], "holidays": ["2026-12-25", …]}, Monday first;
"24:00" ends a day. Times are those of the clock on the wall, so a change of the clocks moves nobody's hours: what does
not exist that night is skipped, and an hour that comes twice counts both times. What is counted, or added, here is the
time in which `is_there`, to the second.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from webapp.rules import RuleBroken

DAYS = 7
SPANS_MOST = 6             # of one day
DEFAULT = [[["09:00", "17:00"]]] * 5 + [[]] * 2
_UTC = ZoneInfo("UTC")
TEXT_MAX = 120             # characters of one day as it is typed
HOLIDAYS_MOST = 200
HOLIDAYS_MAX = 4_000       # characters of them as they are typed
FARTHEST = timedelta(days=3 * 366)      # what takes longer than this is never done
_DAY = timedelta(days=1)

_SPAN = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*[-–—]\s*(\d{1,2})(?:[:.](\d{2}))?")


def is_there(hours: dict | None, at: datetime) -> bool:
    """Is somebody there at this moment (aware)? Who has said no hours is always there."""
    if not hours:
        return True
    here = at.astimezone(_zone(hours["zone"]))
    now = here.hour * 60 + here.minute
    return any(_minutes(start) <= now < _minutes(end) for start, end in _spans_on(hours, here.date()))


def work_seconds(hours: dict | None, start: datetime, end: datetime) -> int:
    """Whole seconds of working time from one moment to another (aware); 0 when the second is not later. Of no hours:
    by the clock."""
    if not hours:
        return max(0, int((end - start).total_seconds()))
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    worked = (min(closes, end) - max(opens, start) for opens, closes in _open(hours, start, end))
    return int(sum((part for part in worked if part > timedelta()), timedelta()).total_seconds())


def after_work(hours: dict | None, start: datetime, seconds: int) -> datetime | None:
    """When so many seconds of working time have passed since `start`. None: never, for nobody is ever there, or not
    within three years."""
    start, left = start.astimezone(UTC), timedelta(seconds=seconds)
    if not hours:
        return start + left
    for opens, closes in _open(hours, start, start + FARTHEST):
        opens = max(opens, start)
        if left <= closes - opens:
            return opens + left
        left -= max(closes - opens, timedelta())
    return None


def hours_of(zone: str, typed: list[str], holidays: str = "") -> dict | None:
    """What is stored of what was typed, a text a day such as "9-12, 13:00–17:30"; None when there is nobody on any day.
    Raises RuleBroken("zone", "unknown_time_zone"), ("day0" to "day6", "bad_hours" | "hours_overlap" | "many_spans"),
    ("holidays", "bad_holiday" | "many_holidays" | "no_hours_at_all")."""
    if _zone(zone, None) is None:
        raise RuleBroken("zone", "unknown_time_zone")
    days = [spans_of(text, f"day{number}") for number, text in enumerate(typed)]
    free = holidays_of(holidays)
    if free and not any(days):
        raise RuleBroken("holidays", "no_hours_at_all")
    return {"zone": zone, "days": days, **({"holidays": free} if free else {})} if any(days) else None


def holidays_of(text: str) -> list[str]:
    """Days such as 2026-12-25 or 25.12.2026, one a line or with commas between; in order, each once."""
    parts = [part for part in re.split(r"[,;\s]+", text[:HOLIDAYS_MAX + 1]) if part]
    if len(text) > HOLIDAYS_MAX or len(parts) > HOLIDAYS_MOST:
        raise RuleBroken("holidays", "many_holidays", limit=HOLIDAYS_MOST)
    return sorted({_holiday(part) for part in parts})


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


def _open(hours, start, end):
    """(opens, closes) in UTC, in order, of every span of the days from `start` to `end`; the first may open before, the
    last close after them."""
    zone = _zone(hours["zone"])
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        yield from _open_on(hours, zone, day)
        if day == date.max:
            return
        day += _DAY


def _open_on(hours, zone, day):
    spans = [(_minutes(a), _minutes(b)) for a, b in _spans_on(hours, day)]
    if not spans:
        return
    midnight = datetime.combine(day, time())
    for begins, ends, offset in _of_one_offset(zone, midnight):
        for start, end in spans:
            opens, closes = (midnight.replace(tzinfo=UTC) + timedelta(minutes=m) - offset for m in (start, end))
            opens, closes = max(opens, begins), min(closes, ends)
            if opens < closes:
                yield opens, closes


def _of_one_offset(zone, midnight):
    """(begins, ends, offset from UTC) of the parts of a day: one, or two where the clocks change."""
    begins, ends = (at.replace(tzinfo=zone).astimezone(UTC) for at in (midnight, midnight + _DAY))
    before, after = (at.astimezone(zone).utcoffset() for at in (begins, ends - timedelta(microseconds=1)))
    if before == after:
        return ((begins, ends, before),)
    low, high = begins, ends        # the change lies between: found to the second
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return (begins, high, before), (high, ends, after)


def _spans_on(hours, day):
    return () if day.isoformat() in hours.get("holidays", ()) else hours["days"][day.weekday()]


def _holiday(part):
    match = re.fullmatch(r"(\d{1,2})[./](\d{1,2})[./](\d{4})", part)
    try:
        return (date(*map(int, match.group(3, 2, 1))) if match else date.fromisoformat(part)).isoformat()
    except ValueError:
        raise RuleBroken("holidays", "bad_holiday", day=part[:20]) from None


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
