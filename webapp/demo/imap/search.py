"""SEARCH (RFC 3501 6.4.4): keys to a question that a message answers with yes or no."""

from collections.abc import Callable
from datetime import date, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import parsedate_to_datetime

from webapp.demo.imap.fetch import MONTHS, Message
from webapp.demo.imap.wire import BadSyntax, Token, in_set, number_set

Question = Callable[[Message], bool]

FLAG_KEYS = {b"SEEN": "\\Seen", b"ANSWERED": "\\Answered", b"FLAGGED": "\\Flagged", b"DELETED": "\\Deleted",
             b"DRAFT": "\\Draft", b"RECENT": "\\Recent"}
HEADER_KEYS = {b"FROM": "from", b"TO": "to", b"CC": "cc", b"BCC": "bcc", b"SUBJECT": "subject"}


class BadCharset(Exception):
    """We read UTF-8 and US-ASCII only."""


def question(tokens: list[Token], highest_number: int, highest_uid: int) -> Question:
    """Raises BadSyntax, BadCharset."""
    tokens = list(tokens)
    if tokens and _upper(tokens[0]) == b"CHARSET":
        if len(tokens) < 2 or _upper(tokens[1]) not in (b"UTF-8", b"US-ASCII"):
            raise BadCharset
        del tokens[:2]
    reader = _Keys(tokens, highest_number, highest_uid)
    parts = []
    while reader.rest:
        parts.append(reader.key())
    if not parts:
        raise BadSyntax("SEARCH for what?")
    return lambda message: all(part(message) for part in parts)


class _Keys:
    def __init__(self, rest: list[Token], highest_number: int, highest_uid: int):
        self.rest, self.highest_number, self.highest_uid = rest, highest_number, highest_uid

    def take(self) -> Token:
        if not self.rest:
            raise BadSyntax("SEARCH ends too early")
        return self.rest.pop(0)

    def text(self) -> str:
        token = self.take()
        if isinstance(token, list):
            raise BadSyntax("a string was expected")
        return token.decode("utf-8", "replace").casefold()

    def key(self) -> Question:
        token = self.take()
        if isinstance(token, list):
            return question(token, self.highest_number, self.highest_uid)
        name = token.upper()
        if name[:1].isdigit() or name[:1] == b"*":
            ranges = number_set(name, self.highest_number)
            return lambda message: in_set(message.number, ranges)
        return self._plain(name) or self._flag(name) or self._content(name) or self._date(name) or _unknown(name)

    def _plain(self, name: bytes) -> Question | None:
        if name in (b"ALL", b"OLD"):
            return lambda message: True
        if name == b"NEW":
            return lambda message: False
        if name == b"UID":
            ranges = number_set(self.take(), self.highest_uid)
            return lambda message: in_set(message.entry.uid, ranges)
        if name == b"NOT":
            inner = self.key()
            return lambda message: not inner(message)
        if name == b"OR":
            left, right = self.key(), self.key()
            return lambda message: left(message) or right(message)
        if name in (b"LARGER", b"SMALLER"):
            bound, sign = self.number(), 1 if name == b"LARGER" else -1
            return lambda message: (message.entry.size - bound) * sign > 0
        return None

    def number(self) -> int:
        token = self.take()
        if isinstance(token, list) or not token.isdigit():
            raise BadSyntax("a number was expected")
        return int(token)

    def _flag(self, name: bytes) -> Question | None:
        wanted = not name.startswith(b"UN")
        bare = name if wanted else name[2:]
        if bare == b"KEYWORD":
            flag = self.take().decode("ascii", "replace")
        elif bare in FLAG_KEYS:
            flag = FLAG_KEYS[bare]
        else:
            return None
        return lambda message: (flag in message.entry.flags) == wanted

    def _content(self, name: bytes) -> Question | None:
        if name in HEADER_KEYS:
            field, needle = HEADER_KEYS[name], self.text()
            return lambda message: _in_header(message, field, needle)
        if name == b"HEADER":
            field, needle = self.text(), self.text()
            return lambda message: _in_header(message, field, needle)
        if name in (b"BODY", b"TEXT"):
            needle = self.text()
            return lambda message: needle in _text(message, with_header=name == b"TEXT")
        return None

    def _date(self, name: bytes) -> Question | None:
        sent = name.startswith(b"SENT")
        bare = name[4:] if sent else name
        if bare not in (b"SINCE", b"BEFORE", b"ON"):
            return None
        day = _day(self.text())
        compare = {b"SINCE": date.__ge__, b"BEFORE": date.__lt__, b"ON": date.__eq__}[bare]

        def answer(message: Message) -> bool:
            moment = _sent(message) if sent else message.entry.arrived
            return moment is not None and compare(moment.date(), day)

        return answer


def _unknown(name: bytes):
    raise BadSyntax("no such search key")


def _upper(token: Token) -> bytes:
    return token.upper() if isinstance(token, bytes) else b""


def _day(text: str) -> date:
    try:
        day, month, year = text.split("-")
        return date(int(year), [name.casefold() for name in MONTHS].index(month) + 1, int(day))
    except ValueError as error:
        raise BadSyntax("not a date") from error


def _sent(message: Message) -> datetime | None:
    try:
        return parsedate_to_datetime((message.tree.first("date") or b"").decode("ascii", "replace"))
    except ValueError:
        return None


def _in_header(message: Message, field: str, needle: str) -> bool:
    values = [value for name, value in message.tree.fields if name == field]
    return any(not needle or needle in _decoded(value).casefold() for value in values)


def _decoded(value: bytes) -> str:
    text = value.decode("utf-8", "replace")
    try:
        return str(make_header(decode_header(text)))
    except (ValueError, LookupError):
        return text


def _text(message: Message, with_header: bool) -> str:
    words = [_decoded(value) for _, value in message.tree.fields] if with_header else []
    for part in message_from_bytes(message.raw, policy=policy.default).walk():
        if part.get_content_maintype() == "text":
            try:
                words.append(part.get_content())
            except (ValueError, LookupError):
                words.append(str(part.get_payload()))
    return "\n".join(words).casefold()
