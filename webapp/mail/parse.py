"""Raw bytes of a message -> Parsed. Never raises, whatever the bytes.

fast-mail-parser gives the MIME tree, decoding a part only when asked; charsets, addresses and headers that
matter are read here, from the raw bytes. The standard library's parser stands behind it, limits before both.
"""

import email
import email.message
import email.parser
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from html import escape
from typing import NamedTuple

from fast_mail_parser import ParseError, parse_email_tree

from . import authentication, automatic, bounce, invitation
from .address import mailboxes, name_hides, name_lies
from .charset import clean_header, codec_of, decode, decode_words
from .filename import clean_filename
from .flowed import unflow
from .html import text_of
from .types import Mailbox, Parsed, Part

PARSER_VERSION = 2   # raise it when mail can be read that could not before; what was unreadable is then read again
MAX_MESSAGE = 100 * 1024 * 1024   # bytes; larger ones keep their headers only. POSTROOM_MAX_MESSAGE_MB comes first
MAX_HEADERS = 256 * 1024          # bytes of the whole header block that are read
MAX_HEADER = 32 * 1024            # bytes of one header
MAX_FIELDS = 1_000
MAX_PARTS = 1_000
MAX_DEPTH = 50
MAX_NESTED_MESSAGES = 200
MAX_WORDS = 8_000                 # encoded-words in the whole message, before the slower parser takes it
MAX_TEXT = 2 * 1024 * 1024        # bytes of one text part that are decoded
MAX_SUBJECT = 998
MAX_REFERENCES = 100
MAX_MESSAGE_ID = 900              # bytes

_FIELD = re.compile(rb"^([!-9;-~]{1,100})[ \t]*:((?:[^\n]*+(?:\n(?=[ \t])|))*+)", re.MULTILINE)
_FOLD = re.compile(rb"\r?\n[ \t]*")
_MESSAGE_ID = re.compile(r"<\s*([^<>\s\x00-\x20\x7f]{1,900})\s*>")
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_BARE_ID = re.compile(r"[^<>\s,;\x00-\x20\x7f]{1,450}@[^<>\s,;\x00-\x20\x7f]{1,450}")
_CHARSET = re.compile(r"charset\*?\s*=\s*(?:[\w-]*'[\w-]*')?\"?\s*([^\s\";]{1,60})", re.IGNORECASE)
_FLOWED = re.compile(r"format\s{0,3}=\s{0,3}\"?flowed", re.IGNORECASE)
_DELSP = re.compile(r"delsp\s{0,3}=\s{0,3}\"?yes", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]{2,40})", re.IGNORECASE)
_CID = re.compile(r"cid:([^\"'\s<>)]{1,500})", re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}")
_CALENDARS = ("text/calendar", "application/ics")
_READ = (*_CALENDARS, *bounce.STATUS_PARTS)     # what is read is needed as it was
_TELLING = (*bounce.STATUS_PARTS, *bounce.COPY_PARTS, "text/plain")      # of a report
_DAEMONS = ("mailer-daemon@", "postmaster@", "mail-daemon@", "mailerdaemon@")


class _Unreadable(Exception):
    """The message is beyond a limit or beyond both parsers; `args[0]` is the problem's code."""


def parse(raw: bytes, marks: dict[bytes, tuple[int, str]] | None = None) -> Parsed:
    """Everything a message says of itself. Never raises; `readable` is False when only the headers could be read.

    `marks`: `raw` is a message in short, with these in place of some parts (see `pack.in_short`).
    `problems` holds codes: too_large, too_many_parts, too_deep, broken_structure, headers_cut, text_cut,
    broken_encoding, no_headers, marks_astray (some mark is not the whole of one part: read the message as it was),
    error.
    """
    problems: list[str] = []
    fields: dict = {}
    try:
        headers = _headers(raw, problems)
        fields = _fields(headers)
        failed = headers.get("x-failed-recipients", ()) if fields["bounce"] else None
        body = _body(raw, problems, dict(marks or {}), failed)
        return Parsed(**fields, **body, problems=tuple(problems))
    except _Unreadable as reason:
        return Parsed(**fields, readable=False, problems=(*problems, reason.args[0]))
    except Exception:  # noqa: BLE001 - strangers' bytes: the last wall that keeps one message from stopping the others
        return Parsed(**fields, readable=False, problems=(*problems, "error"))


def parse_header(header: bytes) -> Parsed:
    """As `parse`, of a header block alone: no text, no parts. Never raises."""
    problems: list[str] = []
    try:
        return Parsed(**_fields(_headers(header, problems)), problems=tuple(problems))
    except Exception:  # noqa: BLE001 - as above
        return Parsed(readable=False, problems=(*problems, "error"))


def part_content(raw: bytes, index: int) -> bytes:
    """The decoded bytes of `Part.index` of the message that `parse(raw)` described. LookupError when there is none."""
    try:
        leaves = _leaves(raw)
        if not 0 <= index < len(leaves):
            raise LookupError(index)
        return leaves[index].content(_Spare(raw))
    except _Unreadable as reason:
        raise LookupError(index) from reason


def part_charset(raw: bytes, index: int) -> str | None:
    """The charset that the part's own header names; None when it names none. LookupError as for `part_content`."""
    try:
        match = _CHARSET.search(_leaves(raw)[index].header)
    except (_Unreadable, IndexError) as reason:
        raise LookupError(index) from reason
    return match[1] if match else None


# Headers


def _headers(raw: bytes, problems: list[str]) -> dict[str, list[bytes]]:
    headers = read_headers(raw, problems)
    if not headers:
        problems.append("no_headers")
    return headers


def read_headers(raw: bytes, problems: list[str] | None = None) -> dict[str, list[bytes]]:
    """The header block as lower-case name -> raw values, unfolded, in order. Values over 32 KB are cut."""
    problems = [] if problems is None else problems
    block = raw[:MAX_HEADERS].lstrip(b"\r\n")
    if b"\n" not in block:
        block = block.replace(b"\r", b"\n")
    end = block.find(b"\n\r\n")
    lines = block.find(b"\n\n", 0, end if end >= 0 else len(block))
    end = lines if lines >= 0 else end
    if end < 0 and len(raw) > MAX_HEADERS:
        problems.append("headers_cut")
    block = block[:end + 1 if end >= 0 else len(block)].replace(b"\r\n", b"\n")
    headers: dict[str, list[bytes]] = {}
    for count, match in enumerate(_FIELD.finditer(block)):
        if count >= MAX_FIELDS:
            problems.append("headers_cut")
            break
        value = match[2]
        if len(value) > MAX_HEADER:
            problems.append("headers_cut")
            value = _cut(match[1].lower(), value)
        if b"\n" in value:
            value = _FOLD.sub(b" ", value)
        headers.setdefault(match[1].decode("ascii").lower(), []).append(value.strip(b" \t\r\n"))
    return headers


_ADDRESS_HEADERS = (b"from", b"to", b"cc", b"reply-to")


def _cut(name, value):
    """The start of a header that is too long; of References the end, where the mail that is answered stands."""
    if name == b"references":
        return value[-MAX_HEADER:]
    return value[:MAX_HEADER + 1] if name in _ADDRESS_HEADERS else value[:MAX_HEADER]


def _fields(headers: dict[str, list[bytes]]) -> dict:
    sender, ambiguous = _sender(headers.get("from", []))
    marks, is_bounce = automatic.marks_of(headers), _bounce(headers, sender)
    ids = _ids(_first(headers, "message-id"), 1)
    return {
        "message_id": ids[0] if ids else None,
        "in_reply_to": _ids(_first(headers, "in-reply-to"), 20),
        "references": _ids(b" ".join(headers.get("references", ())), None)[-MAX_REFERENCES:],
        "subject": clean_header(_first(headers, "subject"), MAX_SUBJECT),
        "sender": sender,
        "sender_ambiguous": ambiguous,
        "sender_hides": any(map(name_hides, headers.get("from", ()))),
        "authentication": _authentication(headers),
        "reply_to": _list(headers, "reply-to"),
        "to": _list(headers, "to"),
        "cc": _list(headers, "cc"),
        "date": _date(_first(headers, "date")),
        "auto_submitted": automatic.is_automatic(marks),
        "auto_kind": automatic.kind_of(marks, is_bounce),
        "automatic": marks,
        "bounce": is_bounce,
        "bulk": automatic.is_bulk(marks),
    }


def _first(headers, name: str) -> bytes:
    values = headers.get(name)
    return values[0] if values else b""


def _sender(values: list[bytes]) -> tuple[Mailbox | None, bool]:
    """The one mailbox of From. A name that shows someone else's address is taken off, and told as ambiguous."""
    if not values:
        return None, False
    found, ambiguous = mailboxes(values[0])
    if len(values) > 1 or ambiguous or len(found) != 1:
        return None, True
    if name_lies(found[0]):
        return Mailbox("", found[0].address), True
    return found[0], False


def _authentication(headers) -> dict | None:
    found = headers.get("authentication-results")
    return authentication.read(found[0]) if found else None


def _list(headers, name: str) -> tuple[Mailbox, ...]:
    values = headers.get(name)
    if not values:
        return ()
    return mailboxes(values[0] if len(values) == 1 else b", ".join(values))[0]


def _ids(value: bytes, most: int | None) -> tuple[str, ...]:
    """Message identifiers (RFC 5322, 3.6.4) without their angle brackets, in order, no repeats. Programs in Python
    write long ones, as ours are, as encoded words, against RFC 2047, 5."""
    if not value:
        return ()
    try:
        text = decode_words(value.decode("utf-8"))
    except UnicodeDecodeError:
        return ()
    if _CONTROL.search(text):
        return ()
    found = _MESSAGE_ID.findall(text)
    if not found and "<" not in text:
        found = _BARE_ID.findall(text[:2_000])
    # No database indexes more; characters of other scripts take up to four bytes each.
    return tuple(dict.fromkeys(i for i in found if len(i.encode()) <= MAX_MESSAGE_ID))[:most]


def _date(value: bytes) -> datetime | None:
    if not value or len(value) > 200:
        return None
    try:
        date = parsedate_to_datetime(value.decode("ascii", "replace"))
        date = date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return date if 1970 <= date.year <= 2200 else None


def _bounce(headers, sender: Mailbox | None) -> bool:
    kind = _first(headers, "content-type").lower()
    if kind.startswith(b"multipart/report") and b"delivery-status" in kind:
        return True
    if "x-failed-recipients" in headers:
        return True
    daemon = sender is not None and sender.address.lower().startswith(_DAEMONS)
    return daemon and (_first(headers, "return-path") in (b"<>", b"") or kind.startswith(b"multipart/report"))


# Parts


class _Spare:
    """The library's view of a message, for parts that the faster parser refuses: taken once, however many those are."""

    def __init__(self, raw: bytes):
        self._raw, self._leaves = raw, None

    def content(self, index: int) -> bytes:
        """Same leaves, same order, or nothing."""
        if self._leaves is None:
            self._leaves = _library_leaves(self._raw)
        return _library_content(self._leaves[index].node) if index < len(self._leaves) else b""


class _Leaf(NamedTuple):
    """A part without children of its own, from either parser."""

    index: int
    node: object
    content_type: str
    header: str            # the Content-Type header, decoded
    disposition: str
    name: str | None
    content_id: str | None
    path: tuple[int, ...]  # numbers of its containers; leaves of one alternative share a prefix
    kinds: tuple[str, ...]  # media types of its containers

    def content(self, spare: _Spare, problems: list[str] | None = None) -> bytes:
        if isinstance(self.node, email.message.Message):
            return _library_content(self.node)
        try:
            return self.node.content or b""
        except ParseError:
            # Broken base64: the library reads what it can.
            if problems is not None and "broken_encoding" not in problems:
                problems.append("broken_encoding")
            return spare.content(self.index)


def _leaves(raw: bytes) -> list[_Leaf]:
    if len(raw) > MAX_MESSAGE:
        raise _Unreadable("too_large")
    if b"\n" not in raw[:MAX_HEADERS]:
        raw = raw.replace(b"\r", b"\n")
    if _more(raw, b":", b"essage/rfc822", MAX_NESTED_MESSAGES):
        raise _Unreadable("too_deep")
    if _more(raw, b"-", b"\n--", 3 * MAX_PARTS):
        if raw.count(b"\n--") > 40 * MAX_PARTS:
            raise _Unreadable("too_many_parts")
        if raw.count(b"ultipart/") > 3 * MAX_PARTS:
            raise _Unreadable("too_deep")   # fast-mail-parser follows them by recursion, to the end of its stack
    if _more(raw, b"?", b"=?", MAX_WORDS):
        return _library_leaves(raw)  # fast-mail-parser's time grows with the square of encoded-words in one header
    try:
        tree = parse_email_tree(raw, mode="lazy")
    except ParseError:
        return _library_leaves(raw)
    return list(_numbered(_walk_fast(tree)))


def _more(raw: bytes, sign: bytes, needle: bytes, most: int) -> bool:
    """Does `needle` stand in `raw` more than `most` times? One byte that base64 lacks is counted first: far faster."""
    return len(raw) > most * len(needle) and raw.count(sign) > most and raw.count(needle) > most


def _numbered(leaves: Iterator[tuple]) -> Iterator[_Leaf]:
    for index, values in enumerate(leaves):
        if index >= MAX_PARTS:
            raise _Unreadable("too_many_parts")
        yield _Leaf(index, *values)


def _walk_fast(root) -> Iterator[tuple]:
    stack = [(root, (), ())]
    visited = 0
    while stack:
        node, path, kinds = stack.pop()
        visited += 1
        if len(path) > MAX_DEPTH:
            raise _Unreadable("too_deep")
        if visited > 3 * MAX_PARTS:
            raise _Unreadable("too_many_parts")
        kind = node.content_type.lower()
        if kind.startswith("multipart/"):
            below = (*path, visited), (*kinds, kind)
            children = node.children
            if len(children) > MAX_PARTS:
                raise _Unreadable("too_many_parts")
            stack.extend((child, *below) for child in reversed(children))
            continue
        values = node.headers.get("Content-Type") or next(
            (v for k, v in node.headers.items() if k.lower() == "content-type"), None)
        yield (node, kind, values[0] if values else "", (node.disposition or "").lower(),
               node.filename, node.content_id, path, kinds)


def _library_leaves(raw: bytes) -> list[_Leaf]:
    if len(raw) > MAX_MESSAGE:
        raise _Unreadable("too_large")
    try:
        return list(_numbered(_walk_library(_library_message(raw))))
    except _Unreadable:
        raise
    except Exception as error:  # noqa: BLE001 - RecursionError, LookupError, ValueError: it has had all of them
        raise _Unreadable("broken_structure") from error


def _library_message(raw: bytes) -> email.message.Message:
    """In pieces: given the whole at once, the library makes a copy of four bytes for each."""
    parser = email.parser.BytesFeedParser()
    for start in range(0, len(raw), 65_536):
        parser.feed(raw[start:start + 65_536])
    return parser.close()


def _walk_library(root) -> Iterator[tuple]:
    stack = [(root, (), ())]
    visited = 0
    while stack:
        node, path, kinds = stack.pop()
        visited += 1
        if len(path) > MAX_DEPTH:
            raise _Unreadable("too_deep")
        kind = node.get_content_type()
        if kind.startswith("multipart/") and isinstance(node.get_payload(), list):
            stack.extend((child, (*path, visited), (*kinds, kind)) for child in reversed(node.get_payload()))
            continue
        content_id = str(node.get("content-id") or "").strip().strip("<>") or None
        yield (node, kind, str(node.get("content-type") or ""), str(node.get_content_disposition() or ""),
               node.get_filename(), content_id, path, kinds)


def _library_content(node: email.message.Message) -> bytes:
    payload = node.get_payload()
    if isinstance(payload, list):
        return payload[0].as_bytes() if payload else b""
    return node.get_payload(decode=True) or b""


# Bodies


class _Segment:
    """One piece of the body in both its forms; a multipart/alternative is one piece."""

    __slots__ = ("html", "text")

    def __init__(self):
        self.text: str | None = None
        self.html: str | None = None


def _body(raw: bytes, problems: list[str], marks: dict[bytes, tuple[int, str]], failed=None) -> dict:
    """`failed`: of a report, its X-Failed-Recipients."""
    leaves, spare = _leaves(raw), _Spare(raw)
    segments: dict[tuple, _Segment] = {}
    others: list[_Leaf] = []
    for leaf in leaves:
        if not _is_body(leaf):
            others.append(leaf)
            continue
        key = _alternative(leaf) or (*leaf.path, -leaf.index - 1)
        segment = segments.setdefault(key, _Segment())
        text = _text(leaf, spare, problems)
        if leaf.content_type == "text/html":
            segment.html = text if segment.html is None else f"{segment.html}\n{text}"
        else:
            segment.text = text if segment.text is None else f"{segment.text}\n{text}"
    text, html = _joined(list(segments.values()))
    if not leaves and not text:
        problems.append("broken_structure")
    shown = {cid.rstrip(".,") for cid in _CID.findall(html)} if html and others else set()
    parts = tuple(_part(leaf, spare, shown, problems, marks) for leaf in others)
    if marks:
        problems.append("marks_astray")
    return {"text": text, "html": html, "parts": parts, "invitation": _invitation(others, spare),
            "report": None if failed is None else _report(leaves, spare, failed)}


def _report(leaves: list[_Leaf], spare: _Spare, failed) -> dict | None:
    told = [leaf for leaf in leaves if leaf.content_type in _TELLING][:bounce.MAX_PARTS]
    return bounce.read([(leaf.content_type, leaf.content(spare)) for leaf in told], failed)


def _invitation(leaves: list[_Leaf], spare: _Spare) -> dict | None:
    """The first calendar among these that tells of an event."""
    for leaf in [leaf for leaf in leaves if leaf.content_type in _CALENDARS][:3]:
        match = _CHARSET.search(leaf.header) if leaf.header else None
        if found := invitation.read(leaf.content(spare), match[1] if match else None):
            return {**found, "part": leaf.index}
    return None


def _is_body(leaf: _Leaf) -> bool:
    if leaf.content_type not in ("text/plain", "text/html") or leaf.disposition == "attachment":
        return False
    if "multipart/report" in leaf.kinds and leaf.index and leaf.kinds[-1] == "multipart/report":
        return leaf.content_type == "text/html"
    return not leaf.name


def _alternative(leaf: _Leaf) -> tuple[int, ...] | None:
    """The number path of the innermost multipart/alternative around the leaf."""
    for depth in range(len(leaf.kinds) - 1, -1, -1):
        if leaf.kinds[depth] == "multipart/alternative":
            return leaf.path[:depth + 1]
    return None


def _joined(segments: list[_Segment]) -> tuple[str, str | None]:
    has_html = any(s.html is not None for s in segments)
    texts, htmls = [], []
    for segment in segments:
        text = segment.text
        if segment.html is not None:
            htmls.append(segment.html)
            if text is None or not text.strip():
                text = text_of(segment.html)
        elif has_html and text and text.strip():
            htmls.append(f'<pre style="white-space:pre-wrap">{escape(text)}</pre>')
        if text:
            texts.append(text)
    return "\n".join(texts), "\n".join(htmls) if has_html else None


def _text(leaf: _Leaf, spare: _Spare, problems: list[str]) -> str:
    data = leaf.content(spare, problems)
    if len(data) > MAX_TEXT:
        problems.append("text_cut")
        data = data[:MAX_TEXT]
    match = _CHARSET.search(leaf.header) if leaf.header else None
    label = match[1] if match else None
    if leaf.content_type == "text/html" and codec_of(label) is None and not data.isascii():
        meta = _META_CHARSET.search(data[:2_048])
        label = meta[1].decode("ascii", "ignore") if meta else label
    text = decode(data, label)
    if "lowed" in leaf.header and leaf.content_type == "text/plain" and _FLOWED.search(leaf.header):
        return unflow(text, bool(_DELSP.search(leaf.header)))
    return text


def _part(leaf: _Leaf, spare: _Spare, shown: set[str], problems: list[str], marks: dict) -> Part:
    """Takes out of `marks` what stands for all of this part; what is read can have nothing stand for it."""
    data = leaf.content(spare, problems)
    marked = marks.pop(data, None) if marks and leaf.content_type not in _READ else None
    size, digest = marked or (len(data), sha256(data).hexdigest())
    kind = leaf.content_type if _MEDIA_TYPE.fullmatch(leaf.content_type) else "application/octet-stream"
    cid = clean_header(leaf.content_id, 500) if leaf.content_id else None
    name = leaf.name
    if name and ("=?" in name or "\ufffd" in name):
        name = decode_words(name)
    return Part(
        index=leaf.index,
        filename=clean_filename(name, kind),
        content_type=kind,
        size=size,
        sha256=digest,
        content_id=cid or None,
        inline=bool(cid) and cid in shown,
    )
