"""The data items of FETCH (RFC 3501 6.4.5): read them from tokens, render them for one message."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

from webapp.demo.imap import mime
from webapp.demo.imap.wire import BadSyntax, Token, literal
from webapp.demo.mailstore import Entry

MACROS = {
    b"FAST": [b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE"],
    b"ALL": [b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE"],
    b"FULL": [b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE", b"BODY"],
}
OLD_NAMES = {b"RFC822": b"BODY[]", b"RFC822.HEADER": b"BODY.PEEK[HEADER]", b"RFC822.TEXT": b"BODY[TEXT]"}
SECTION = re.compile(
    rb"BODY(?P<peek>\.PEEK)?\[(?P<path>\d+(?:\.\d+)*)?\.?"
    rb"(?P<what>HEADER\.FIELDS\.NOT|HEADER\.FIELDS|HEADER|TEXT|MIME)?(?: \((?P<names>[^)]*)\))?\]"
    rb"(?:<(?P<start>\d+)\.(?P<count>\d+)>)?", re.IGNORECASE)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Item(NamedTuple):
    name: bytes                                 # as the answer calls it
    render: Callable[["Message"], bytes]
    marks_seen: bool = False


class Message:
    """One message of the selected folder; its bytes are read and parsed when an item needs them."""

    def __init__(self, number: int, entry: Entry, read: Callable[[], bytes]):
        self.number, self.entry, self._read = number, entry, read

    @cached_property
    def raw(self) -> bytes:
        return self._read()

    @cached_property
    def tree(self) -> mime.MimePart:
        return mime.parse(self.raw)


def internal_date(moment: datetime) -> bytes:
    at = moment.astimezone(UTC)
    return f'"{at.day:2d}-{MONTHS[at.month - 1]}-{at:%Y %H:%M:%S} +0000"'.encode()


def flag_list(flags) -> bytes:
    return b"(" + " ".join(sorted(flags)).encode("ascii", "replace") + b")"


SIMPLE = {
    b"UID": lambda message: b"%d" % message.entry.uid,
    b"FLAGS": lambda message: flag_list(message.entry.flags),
    b"INTERNALDATE": lambda message: internal_date(message.entry.arrived),
    b"RFC822.SIZE": lambda message: b"%d" % message.entry.size,
    b"ENVELOPE": lambda message: mime.envelope(message.tree),
    b"BODYSTRUCTURE": lambda message: mime.body_structure(message.tree, True),
    b"BODY": lambda message: mime.body_structure(message.tree, False),
}


def items(token: Token) -> list[Item]:
    """What a client asks for. Raises BadSyntax."""
    words = token if isinstance(token, list) else MACROS.get(token.upper(), [token])
    if not words or not all(isinstance(word, bytes) for word in words):
        raise BadSyntax("no such data item")
    return [_item(word) for word in words]


def _item(word: bytes) -> Item:
    upper = word.upper()
    if upper in SIMPLE:
        return Item(upper, SIMPLE[upper])
    found = SECTION.fullmatch(OLD_NAMES.get(upper, word))
    if not found:
        raise BadSyntax("no such data item")
    answer_name = upper if upper in OLD_NAMES else _answer_name(found)
    path = [int(number) for number in (found["path"] or b"").split(b".") if number]
    what, names = (found["what"] or b"").upper(), set((found["names"] or b"").upper().replace(b'"', b"").split())

    def render(message: Message) -> bytes:
        # The whole message needs no parsing: what cannot be parsed can still be fetched.
        data = message.raw if not path and not what else mime.section(message.tree, path, what, names)
        if data is None:
            return b"NIL"
        if found["start"] is not None:
            start = int(found["start"])
            data = data[start:start + int(found["count"])]
        return literal(data)

    return Item(answer_name, render, marks_seen=not found["peek"] and upper != b"RFC822.HEADER")


def _answer_name(found: re.Match) -> bytes:
    inside = b".".join(piece for piece in (found["path"], found["what"] and found["what"].upper()) if piece)
    if found["names"] is not None:
        inside += b" (" + found["names"] + b")"
    return b"BODY[" + inside + b"]" + (b"<%b>" % found["start"] if found["start"] is not None else b"")
