"""What somebody looks for: words, and where. Typed text becomes plain values, and never syntax of a database.

    pallet "damaged goods" -invoice from:anna in:support is:open has:file after:7d tag:urgent assignee:me

All of it must be so. `word*`, and the last word while one types, stand for every word that begins like this.
"""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

from webapp.rules.tokens import fold, is_pair, tokens

MAX_QUERY = 300
MAX_TERMS = 20
FIELDS = {"from": "sender", "to": "people", "subject": "head", "file": "head"}
STATUSES = ("open", "waiting", "snoozed", "closed", "spam", "trash")
SHOWN = STATUSES[:4]        # unless another one is asked for
STATES = ("unread", "read", "unassigned", "assigned", "mine", "following")
PARTS = {"attachment": "file", "attachments": "file", "file": "file", "files": "file", "note": "note", "notes": "note"}
OPERATORS = (*FIELDS, "in", "is", "has", "before", "after", "tag", "assignee")
_NO_OPERATORS = ("http", "https", "mailto", "ftp", "re", "fwd", "fw", "odp", "aw", "wg", "pd")   # as they stand in mail

_ITEM = re.compile(r'(-?)(?:([^\W\d_]{1,20}):)?(?:"([^"]*)"?(\*?)|(\S+))')
_AGO = re.compile(r"(\d{1,4})([dwmy])")
_YEARS = range(1971, 2500)      # in which there is mail
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_DATES = (re.compile(r"(?P<y>\d{4})(?:[-./](?P<m>\d{1,2})(?:[-./](?P<d>\d{1,2}))?)?"),
          re.compile(r"(?P<d>\d{1,2})[./](?P<m>\d{1,2})[./](?P<y>\d{4})"))


class Term(NamedTuple):
    """Words that stand one after another. `prefix`: the last one may go on. `field`: of rules.tokens.Words, or any."""

    words: tuple[str, ...]
    prefix: bool = False
    field: str | None = None
    without: bool = False
    typed: str = ""


class Filter(NamedTuple):
    """`kind`: status, anywhere, inbox, state, has, tag, assignee. `value`: as typed where it is a name."""

    kind: str
    value: str
    without: bool = False


@dataclass(frozen=True)
class Query:
    """`before`, `after`: days; that of `after` is meant as well, that of `before` is not. `hints`: what was not
    understood: (code, what was typed) each."""

    text: str = ""
    terms: tuple[Term, ...] = ()
    filters: tuple[Filter, ...] = ()
    before: date | None = None
    after: date | None = None
    hints: tuple[tuple[str, str], ...] = ()
    number: int | None = None       # of a conversation, where that is all

    @property
    def narrows(self) -> bool:
        """Does it ask for more than words and a number?"""
        return bool(self.filters or self.before or self.after)

    @property
    def is_empty(self) -> bool:
        return not (self.terms or self.narrows or self.number)

    def beginnings(self) -> "Query":
        """The same, where every word may go on."""
        return replace(self, terms=tuple(t._replace(prefix=t.prefix or may_go_on(t.words[-1])) for t in self.terms))

    @property
    def wanted(self) -> tuple[Term, ...]:
        return tuple(t for t in self.terms if not t.without)


def parse(text: str, today: date) -> Query:
    """`today`: in the time zone of whoever asks, for days that are told by how long ago they are."""
    text = " ".join(text.replace("\0", " ")[:MAX_QUERY].translate(_QUOTES).split())
    reading = _Reading(today)
    items = list(_ITEM.finditer(text))
    for item in items:
        reading.take(item, is_last=item is items[-1])
    terms = tuple(reading.terms[:MAX_TERMS])
    hints = list(reading.hints)
    if terms and all(t.without for t in terms):
        terms, hints = (), [*hints, ("only_without", terms[0].typed)]
    number = re.fullmatch(r"#?(\d{1,9})", text)
    if number and text.startswith("#"):
        terms = ()
    return Query(text, terms, tuple(dict.fromkeys(reading.filters)), reading.days.get("before"),
                 reading.days.get("after"), tuple(dict.fromkeys(hints)), int(number[1]) if number else None)


_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))


class _Reading:
    def __init__(self, today):
        self.today, self.terms, self.filters, self.days, self.hints = today, [], [], {}, []

    def take(self, item, is_last):
        minus, operator, quoted, star, bare = item.groups()
        operator = (operator or "").lower()
        value, without = bare if quoted is None else quoted, bool(minus)
        if not operator and quoted is None and value.endswith(":") and value[:-1].lower() in OPERATORS:
            operator, value = value[:-1].lower(), ""
        goes_on = bool(star) or quoted is None and (is_last or value.endswith("*"))
        if operator and operator not in OPERATORS:
            if operator not in _NO_OPERATORS:
                self.hints.append(("unknown_operator", f"{operator}:"))
            value, operator = f"{operator} {value}", ""
        if operator and not value.strip('"* '):
            self.hints.append(("nothing_behind", f"{operator}:"))
        elif operator in FIELDS or not operator:
            self._words(value, goes_on, FIELDS.get(operator), without, item[0])
        else:
            getattr(self, f"_{operator}")(value, without)

    def _words(self, value, goes_on, field, without, typed):
        words = tuple(tokens(value, asked=True))
        if not words:
            return
        last = words[-1]
        goes_on = (goes_on or is_pair(last)) and may_go_on(last)
        self.terms.append(Term(words, goes_on, field, without, typed))

    def _in(self, value, without):
        status = fold(value)
        if status in ("any", "anywhere", "all"):
            self.filters.append(Filter("anywhere", ""))
        else:
            self.filters.append(Filter("status", status, without) if status in STATUSES
                                else Filter("inbox", value, without))

    def _is(self, value, without):
        state = fold(value)
        if state in STATUSES:
            self.filters.append(Filter("status", state, without))
        elif state in STATES:
            self.filters.append(Filter("state", state, without))
        else:
            self.hints.append(("unknown_state", value))

    def _has(self, value, without):
        if part := PARTS.get(fold(value)):
            self.filters.append(Filter("has", part, without))
        else:
            self.hints.append(("unknown_part", value))

    def _tag(self, value, without):
        self.filters.append(Filter("tag", value, without))

    def _assignee(self, value, without):
        self.filters.append(Filter("assignee", value, without))

    def _before(self, value, _without):
        self._day("before", value)

    def _after(self, value, _without):
        self._day("after", value)

    def _day(self, which, value):
        if (day := day_of(value, self.today)) is None:
            self.hints.append(("not_a_day", value))
        else:
            self.days[which] = day


def may_go_on(word: str) -> bool:
    """A pair of characters is followed by others anyway; a single letter begins too many words."""
    return len(word) == 1 if is_pair(word) else len(word) > 1


def day_of(typed: str, today: date) -> date | None:
    """2026-11-28, 28.11.2026, 2026-11, 2026, today, yesterday, or how long ago: 7d, 2w, 3m, 1y."""
    day = _day_of(fold(typed.strip()), today)
    return day if day and day.year in _YEARS else None


def _day_of(typed, today):
    if typed in ("today", "yesterday"):
        return today - timedelta(days=typed == "yesterday")
    try:
        if ago := _AGO.fullmatch(typed):
            return today - timedelta(days=int(ago[1]) * _DAYS[ago[2]])
        for pattern in _DATES:
            if match := pattern.fullmatch(typed):
                return date(int(match["y"]), int(match["m"] or 1), int(match["d"] or 1))
    except (ValueError, OverflowError):
        pass
    return None
