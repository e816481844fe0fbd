"""What a report measures, and of which days. Numbers only: no database, no words.

A span of time is counted in whole minutes, so that a few thousand numbers tell of any number of answers: {minutes: how
many}. Percentiles are those of the nearest rank: one that somebody has really waited.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

PERIODS = (7, 30, 90)
DEFAULT_DAYS = 30
LONGEST = 366           # days of a period of one's own
BY_WEEK = 92            # days from which on a plot has a bar a week
COLUMNS = ("mail_in", "mail_out", "new", "closed", "first_median", "first_p90", "close_median", "in_time")
OF_PERSONS = COLUMNS[1:2] + COLUMNS[3:]      # what somebody does
HEAT = 5                # shades


@dataclass(frozen=True)
class Period:
    """From the first to the last day, both whole, where the reader is. `days`: one of PERIODS, or 0: one's own."""

    first: date
    last: date
    days: int = 0

    @classmethod
    def of(cls, asked: Mapping, today: date) -> "Period":
        """From a query; what makes no sense gives the usual one. A longer one of one's own ends where it may."""
        first, last = (_day(asked.get(name)) for name in ("since", "until"))
        if asked.get("days") == "own" and first and last:
            first, last = sorted((first, min(last, today) if first <= today else last))
            return cls(max(first, last - timedelta(days=LONGEST - 1)), last)
        days = next((n for n in PERIODS if str(n) == asked.get("days")), DEFAULT_DAYS)
        return cls(today - timedelta(days=days - 1), today, days)

    @property
    def length(self) -> int:
        return (self.last - self.first).days + 1

    def before(self) -> "Period":
        return Period(self.first - timedelta(days=self.length), self.first - timedelta(days=1), self.days)

    def bounds(self, midnight: Callable[[date], datetime]) -> tuple[datetime, datetime]:
        """(from, before), given when a day begins where the reader is."""
        return midnight(self.first), midnight(self.last + timedelta(days=1))

    def all_days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range(self.length)]

    def bars(self) -> list[tuple[date, date]]:
        """(first day, last day) of each bar of a plot."""
        step = 7 if self.length > BY_WEEK else 1
        starts = range(0, self.length, step)
        return [(self.first + timedelta(days=n), min(self.last, self.first + timedelta(days=n + step - 1)))
                for n in starts]

    def query(self) -> dict:
        if self.days:
            return {"days": self.days}
        return {"days": "own", "since": self.first.isoformat(), "until": self.last.isoformat()}


@dataclass
class Measures:
    """Of an inbox, a person, or all. Spans in minutes, of working time where there are hours; None: there is nothing to
    measure."""

    new: int = 0
    mail_in: int = 0
    mail_out: int = 0
    closed: int = 0
    first: dict = field(default_factory=dict)       # {minutes: how many first answers}
    closing: dict = field(default_factory=dict)
    kept: int = 0           # answers within their target
    missed: int = 0

    @property
    def first_median(self):
        return percentile(self.first, 50)

    @property
    def first_p90(self):
        return percentile(self.first, 90)

    @property
    def close_median(self):
        return percentile(self.closing, 50)

    @property
    def in_time(self):
        """Per cent, rounded down: all only where all were."""
        return 100 * self.kept // (self.kept + self.missed) if self.kept + self.missed else None

    @property
    def is_empty(self):
        return not (self.new or self.mail_in or self.mail_out or self.closed or self.first or self.kept + self.missed)


def percentile(counted: Mapping[int, int], share: int) -> int | None:
    """The smallest value that at least `share` of a hundred do not exceed."""
    total = sum(counted.values())
    wanted, so_far = -(-total * share // 100), 0
    for value in sorted(counted):
        so_far += counted[value]
        if so_far >= wanted:
            return value
    return None


def change(now: int | None, before: int | None) -> int | None:
    """By how many per cent it is more (or less) than before; None where that cannot be said."""
    if now is None or not before:
        return None
    return round(100 * (now - before) / before)


def nice_top(most: int) -> int:
    """A round number at or above: the top of a plot."""
    size = 1
    while size * 10 < most:
        size *= 10
    return next(size * step for step in (1, 2, 4, 5, 6, 8, 10) if size * step >= most) if most else 1


def shade(count: int, most: int) -> int:
    """0 for nothing, else 1 to HEAT."""
    return -(-count * HEAT // most) if count else 0


def order(rows: list, by: str, columns=COLUMNS) -> tuple[list, str]:
    """Rows with `measures`, the most first; what nothing is known of last. (rows, by which column)."""
    by = by if by in columns else columns[0]

    def key(row):
        value = getattr(row.measures, by)
        return value is None, -(value or 0)
    return sorted(rows, key=key), by


def _day(text) -> date | None:
    try:
        day = date.fromisoformat(text or "")
    except (ValueError, TypeError):
        return None
    return day if 1971 < day.year < 9000 else None
