"""One FETCH answer taken apart (RFC 3501 7.4.2), and UID sets put together. Pure: bytes in, values out."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

_FETCH = re.compile(rb"\* \d+ FETCH \(", re.I)
_LITERAL = re.compile(rb"\{(\d{1,20})\+?\}\r?\n\Z")
# A token of an answer: a quoted string, a parenthesis, the place of a literal, or an atom such as BODY[HEADER].
_TOKEN = re.compile(rb' *("(?:[^"\\]|\\.)*"|[()]|\{\d+\+?\}\r?\n|[^\s()"{\[]+(?:\[[^\]\r\n]*\](?:<\d+>)?)?)')
# The answer that nearly every server gives to UID FETCH (UID FLAGS INTERNALDATE BODY.PEEK[]), the literal last.
_COMMON = re.compile(
    rb'\* \d+ FETCH \((?:(?:UID (\d+)|FLAGS \(([^()"{}\r\n]*)\)|INTERNALDATE "([^"\r\n]*)"|MODSEQ \(\d+\)'
    rb'|RFC822\.SIZE (\d+)) )*BODY\[\] \{(\d{1,20})\}\r\n')
_MONTHS = {m: i for i, m in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}
_DATE = re.compile(rb" ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
# Content-Disposition "attachment" in a BODYSTRUCTURE. Inside a quoted string its quotes would be escaped.
_ATTACHMENT = re.compile(rb'(?<!\\)\("attachment"', re.I)


LARGEST_SIZE = 2**31 - 1
MOST_UIDS = 2_000_000   # of one answer; ten times as many would take a gigabyte


class BadAnswer(ValueError):
    """The answer does not follow the grammar: bytes are lost or shifted, nothing after it can be trusted."""


def literal_size(line: bytes) -> int | None:
    """The size of the literal that this line announces at its end, or None."""
    if not line.endswith((b"}\r\n", b"}\n")):
        return None
    found = _LITERAL.search(line)
    return int(found[1]) if found else None


def common(line: bytes):
    """Match of the common shape: groups uid, flags, internal date, size, literal size. None: use `items`."""
    return _COMMON.fullmatch(line)


def is_fetch(line: bytes) -> bool:
    return _FETCH.match(line) is not None


def items(lines: list[bytes], literals: list[bytes]) -> dict[bytes, object]:
    """The items of one FETCH answer: name (upper case) -> atom as bytes, list as its bytes, string as bytes or None.

    `lines` are the pieces around the literals, `literals` what came between them. BadAnswer when it does not close.
    """
    text = b"".join(lines)
    position, found, waiting = _FETCH.match(text).end(), {}, list(literals)
    while True:
        name, position = _next(text, position)
        if name == b")":
            break
        value, position = _value(text, position, waiting)
        found[name.upper()] = value
    if text[position:].strip(b" \r\n") or waiting:
        raise BadAnswer("more after the end")
    return found


def _value(text: bytes, position: int, waiting: list[bytes]):
    token, position = _next(text, position)
    if token == b"(":
        start, depth = position - 1, 1
        while depth:
            token, position = _next(text, position)
            if token[:1] == b"{":
                waiting.pop(0)          # a literal inside a list: a file name in a BODYSTRUCTURE; not needed
            depth += (token == b"(") - (token == b")")
        return text[start:position], position
    if token == b")":
        raise BadAnswer("a name without a value")
    if token[:1] == b"{":
        return waiting.pop(0), position
    if token[:1] == b'"':
        return re.sub(rb"\\(.)", rb"\1", token[1:-1]), position
    return (None if token.upper() == b"NIL" else token), position


def _next(text: bytes, position: int) -> tuple[bytes, int]:
    found = _TOKEN.match(text, position)
    if not found:
        raise BadAnswer(f"at {position}")
    return found[1], found.end()


def uid_of(found: dict) -> int | None:
    return number(found.get(b"UID"))


def number(value) -> int | None:
    return int(value) if isinstance(value, bytes) and value.isdigit() and len(value) < 20 else None


def size_of(value) -> int | None:
    """RFC822.SIZE. What is larger than any message (and than a database's integer) is as large as can be."""
    size = number(value)
    return None if size is None else min(size, LARGEST_SIZE)


def flags_of(inside: bytes | None) -> frozenset[str]:
    r"""b"(\Seen $Label)" or its inside -> {"\\Seen", "$Label"}. \Recent is about the session, not the message."""
    flags = (flag.decode("utf-8", "replace") for flag in (inside or b"").strip(b"()").split())
    return frozenset(flag for flag in flags if flag.lower() != "\\recent")


def date_of(value: bytes | None) -> datetime | None:
    """INTERNALDATE in UTC; None when it is garbage."""
    found = _DATE.fullmatch(value) if isinstance(value, bytes) else None
    if not found:
        return None
    day, month, year, hour, minute, second = (*found.groups()[:6],)
    try:
        away = timedelta(hours=int(found[8]), minutes=int(found[9]))
        zone = timezone(-away if found[7] == b"-" else away)
        local = datetime(int(year), _MONTHS[month.decode().lower()], int(day), int(hour), int(minute), int(second),
                         tzinfo=zone)
        return local.astimezone(UTC)
    except (ValueError, KeyError, OverflowError):
        return None


def has_attachments(structure) -> bool:
    """Best guess from a raw BODYSTRUCTURE."""
    return isinstance(structure, bytes) and _ATTACHMENT.search(structure) is not None


def uid_set(uids: Iterable[int]) -> bytes:
    """[1, 2, 3, 7] -> b"1:3,7". Only UIDs that were asked for are in it."""
    parts: list[list[int]] = []
    for uid in sorted(set(uids)):
        if parts and uid == parts[-1][1] + 1:
            parts[-1][1] = uid
        else:
            parts.append([uid, uid])
    return b",".join(b"%d" % a if a == b else b"%d:%d" % (a, b) for a, b in parts)


def ranges_in(text: bytes) -> list[tuple[int, int]]:
    """b"1:3,7" -> [(1, 3), (7, 7)], never counted out: VANISHED may name four billion. BadAnswer when it is no set."""
    out: list[tuple[int, int]] = []
    for part in text.split(b","):
        first, _, last = part.partition(b":")
        if not first.isdigit() or last and not last.isdigit() or len(part) > 21 or len(out) >= MOST_UIDS:
            raise BadAnswer("a set")
        low, high = sorted((int(first), int(last or first)))
        if not 0 < low <= high <= 0xFFFFFFFF:
            raise BadAnswer("a set")
        out.append((low, high))
    return out


def uids_in(text: bytes) -> list[int]:
    """b"1:3,7" -> [1, 2, 3, 7] (RFC 4731 sets are finite). BadAnswer for sets beyond reason."""
    out: list[int] = []
    for part in text.split(b","):
        first, _, last = part.partition(b":")
        if not first.isdigit() or last and not last.isdigit():
            raise BadAnswer("a set")
        low, high = sorted((int(first), int(last or first)))
        if high > 0xFFFFFFFF or high - low > MOST_UIDS or len(out) > MOST_UIDS:
            raise BadAnswer("a set")
        out.extend(range(low, high + 1))
    return out
