"""What IMAP says of a message's inside: sections, ENVELOPE, BODYSTRUCTURE (RFC 3501 7.4.2).

Works on slices of the raw bytes, so a section is byte for byte what the message holds.
"""

import re
from dataclasses import dataclass, field
from email.message import Message
from email.utils import getaddresses

from webapp.demo.imap.wire import string

MAX_DEPTH = 20


@dataclass
class MimePart:
    header: bytes                       # with its closing empty line
    body: bytes
    content_type: str                   # "text/plain", lower case
    parameters: list[tuple[str, str]]
    fields: list[tuple[str, bytes]]     # (lower-case name, unfolded value), in order
    children: list["MimePart"] = field(default_factory=list)  # of a multipart; of message/rfc822, the one inside

    def first(self, name: str) -> bytes | None:
        return next((value for key, value in self.fields if key == name), None)


def parse(raw: bytes, depth: int = 0, default_type: str = "text/plain") -> MimePart:
    header, body = split_header(raw)
    fields = header_fields(header)
    declared = next((value for name, value in fields if name == "content-type"), None)
    content_type, parameters = _content_type(declared, default_type)
    part = MimePart(header, body, content_type, parameters, fields)
    if depth < MAX_DEPTH:
        if content_type.startswith("multipart/"):
            inner = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
            boundary = dict(parameters).get("boundary")
            part.children = [parse(piece, depth + 1, inner) for piece in _pieces(body, boundary)]
        elif content_type == "message/rfc822":
            part.children = [parse(body, depth + 1)]
    if content_type.startswith("multipart/") and not part.children:
        part.content_type, part.parameters = "text/plain", []  # broken: what says multipart and has no parts
    return part


def split_header(raw: bytes) -> tuple[bytes, bytes]:
    found = re.search(rb"(?:\A|\n)\r?\n", raw)
    return (raw[:found.end()], raw[found.end():]) if found else (raw, b"")


def header_fields(header: bytes) -> list[tuple[str, bytes]]:
    unfolded = re.sub(rb"\r?\n(?=[ \t])", b"", header)
    pairs = (line.split(b":", 1) for line in re.split(rb"\r?\n", unfolded) if b":" in line)
    return [(name.strip().lower().decode("ascii", "replace"), value.strip()) for name, value in pairs]


def pick_fields(header: bytes, names: set[bytes], wanted: bool) -> bytes:
    """HEADER.FIELDS (`wanted`) or HEADER.FIELDS.NOT: the fields as they stand, folded, and an empty line."""
    lines = re.findall(rb"[^\r\n][^\n]*\n(?:[ \t][^\n]*\n)*", header)
    return b"".join(ln for ln in lines if (ln.split(b":", 1)[0].strip().upper() in names) == wanted) + b"\r\n"


def section(root: MimePart, path: list[int], what: bytes, names: set[bytes]) -> bytes | None:
    """The bytes of one section (RFC 3501 6.4.5), None when there is no such part."""
    part, header_of = root, root
    for depth, number in enumerate(path):
        if part.content_type == "message/rfc822" and depth:
            part = part.children[0]
        if part.content_type.startswith("multipart/"):
            if not 1 <= number <= len(part.children):
                return None
            part = part.children[number - 1]
        elif number != 1:
            return None
        header_of = part
    if path and what in (b"HEADER", b"TEXT", b"HEADER.FIELDS", b"HEADER.FIELDS.NOT"):
        if part.content_type != "message/rfc822" or not part.children:
            return None
        header_of = part.children[0]
    if what == b"MIME":
        return part.header
    if what == b"HEADER":
        return header_of.header
    if what in (b"HEADER.FIELDS", b"HEADER.FIELDS.NOT"):
        return pick_fields(header_of.header, names, what == b"HEADER.FIELDS")
    if what == b"TEXT":
        return header_of.body
    return part.body if path else root.header + root.body


def envelope(part: MimePart) -> bytes:
    sender = _addresses(part, "from")
    items = [string(part.first("date")), string(part.first("subject")), sender]
    items += [_addresses(part, name) if part.first(name) else sender for name in ("sender", "reply-to")]
    items += [_addresses(part, name) for name in ("to", "cc", "bcc")]
    items += [string(part.first("in-reply-to")), string(part.first("message-id"))]
    return b"(" + b" ".join(items) + b")"


def body_structure(part: MimePart, extended: bool) -> bytes:
    """BODYSTRUCTURE when `extended`, else BODY."""
    main, sub = (name.encode("ascii", "replace") for name in part.content_type.split("/", 1))
    if main == b"multipart":
        inner = b"".join(body_structure(child, extended) for child in part.children) + b" " + string(sub)
        if extended:
            inner += b" %b %b NIL NIL" % (_parameters(part.parameters), _disposition(part))
        return b"(" + inner + b")"
    items = [string(main), string(sub), _parameters(part.parameters), string(part.first("content-id")),
             string(part.first("content-description")), string(part.first("content-transfer-encoding") or b"7BIT"),
             b"%d" % len(part.body)]
    lines = b"%d" % part.body.count(b"\n")
    if part.content_type == "message/rfc822" and part.children:
        items += [envelope(part.children[0]), body_structure(part.children[0], extended), lines]
    elif main == b"text":
        items.append(lines)
    if extended:
        items += [string(part.first("content-md5")), _disposition(part), b"NIL", b"NIL"]
    return b"(" + b" ".join(items) + b")"


def _content_type(declared: bytes | None, default: str) -> tuple[str, list[tuple[str, str]]]:
    if declared is None:
        return default, [("charset", "us-ascii")] if default == "text/plain" else []
    pairs = _header_parameters("content-type", declared)
    content_type = pairs[0][0].strip().lower() if pairs else ""
    if not re.fullmatch(r"[!-~]+/[!-~]+", content_type):
        return "text/plain", [("charset", "us-ascii")]
    return content_type, pairs[1:]


def _header_parameters(name: str, value: bytes) -> list[tuple[str, str]]:
    holder = Message()
    holder[name] = value.decode("latin-1").replace("\r", " ").replace("\n", " ")
    pairs = holder.get_params([], header=name)
    return [(key, text if isinstance(text, str) else text[2]) for key, text in pairs]


def _pieces(body: bytes, boundary: str | None) -> list[bytes]:
    if not boundary:
        return []
    name = re.escape(boundary.encode("latin-1", "replace"))
    mark = re.compile(rb"(?:\A|\r?\n)--" + name + rb"(--)?[ \t]*(?:\r?\n|\Z)")
    pieces, start, at = [], None, 0
    while found := mark.search(body, at):
        if start is not None:
            pieces.append(body[start:max(start, found.start())])
        if found[1]:
            return pieces
        start = found.end()
        # The line end behind one boundary may be the one before the next.
        at = max(found.end() - 2, found.start() + 1)
    return pieces if start is None else pieces + [body[start:]]


def _addresses(part: MimePart, name: str) -> bytes:
    values = [value.decode("latin-1") for key, value in part.fields if key == name]
    people = []
    for label, address in getaddresses(values):
        local, _, host = address.rpartition("@")
        if address:
            quoted = (string(text.encode("latin-1", "replace") or None) for text in (label, "", local, host))
            people.append(b"(" + b" ".join(quoted) + b")")
    return b"(" + b"".join(people) + b")" if people else b"NIL"


def _parameters(pairs: list[tuple[str, str]]) -> bytes:
    words = [string(word.encode("latin-1", "replace")) for pair in pairs for word in pair]
    return b"(" + b" ".join(words) + b")" if words else b"NIL"


def _disposition(part: MimePart) -> bytes:
    value = part.first("content-disposition")
    pairs = _header_parameters("content-disposition", value) if value else []
    if not pairs:
        return b"NIL"
    return b"(%b %b)" % (string(pairs[0][0].encode("latin-1", "replace")), _parameters(pairs[1:]))
