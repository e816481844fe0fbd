"""Byte-exact storage of raw messages, with attachments taken out and stored once, decoded, under their hash.

A base64 body goes out only when encoding it again gives the very same bytes (RFC 2045, 6.8: equal lines,
the last one shorter); everything else stays where it is. `pack` proves the way back before it answers.

Skeleton, version 1: b"PRM1", count (u32), then per part: offset in the rest (u64), line length (u32),
decoded length (u32), line end (u8: 1 LF, 2 CRLF), SHA-256 (32 bytes); then the rest of the message.
"""

import io
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

import pybase64

MAGIC = b"PRM1"
_COUNT = struct.Struct(">I")
_REFERENCE = struct.Struct(">QIIB32s")
_START = len(MAGIC) + _COUNT.size
_PLAIN = MAGIC + _COUNT.pack(0)
_LINE_ENDS = {1: b"\n", 2: b"\r\n"}

AT_ONCE = 8_192           # lines that are decoded at once; a multiple of four, so that no four characters are torn
MAX_TRIES = 3_000         # mentions of base64 that are looked at; a real message has one per part
MAX_HEADER = 8 * 1024     # bytes of a part's header
_NAMED = re.compile(rb":[ \t]*base64", re.IGNORECASE)      # no encoded body holds a colon: it is skipped quickly


class Packed(NamedTuple):
    skeleton: bytes
    parts: dict[str, bytes]   # SHA-256 as hex -> decoded bytes


def pack(raw: bytes, min_size: int = 4096) -> Packed:
    """Split `raw` into a skeleton and its attachments of at least `min_size` encoded bytes.

    `unpack(skeleton, parts.__getitem__) == raw` holds for every input, mail or not. Time is linear.
    """
    rest, references, parts, kept_to = [], [], {}, 0
    offset = 0
    for start, end in _bodies(raw, min_size):    # none in what is shorter
        found = _decode(raw, start, end)
        if not found:
            continue
        data, line, line_end, stop = found
        digest = sha256(data)
        parts[digest.hexdigest()] = data
        rest.append(raw[kept_to:start])
        offset += start - kept_to
        references.append(_REFERENCE.pack(offset, line, len(data), line_end, digest.digest()))
        kept_to = stop
    if not parts:
        return Packed(_PLAIN + raw, {})
    rest.append(raw[kept_to:])
    return Packed(b"".join((MAGIC, _COUNT.pack(len(references)), *references, *rest)), parts)


def unpack(skeleton: bytes, get: Callable[[str], bytes]) -> bytes:
    """The raw message. `get` gives a part by its hex hash.

    Raises ValueError when this is no skeleton of a known version, or a part is not the one that was stored.
    """
    if skeleton[:len(MAGIC)] != MAGIC or len(skeleton) < _START:
        raise ValueError("not a packed message of a known version")
    (count,) = _COUNT.unpack_from(skeleton, len(MAGIC))
    base = _START + count * _REFERENCE.size
    if len(skeleton) < base:
        raise ValueError("a packed message that is cut short")
    out, position = [], base
    for index in range(count):
        offset, line, length, line_end, digest = _REFERENCE.unpack_from(skeleton, _START + index * _REFERENCE.size)
        data = get(digest.hex())
        if len(data) != length:
            raise ValueError("a part of another length than was stored")
        out.append(skeleton[position:base + offset])
        out.append(_encode(data, line, _LINE_ENDS[line_end]))
        position = base + offset
    out.append(skeleton[position:])
    return b"".join(out)


def unpack_pieces(skeleton: bytes, pieces_of: Callable[[str], Iterable[bytes]]) -> Iterator[bytes]:
    """As `unpack`, in pieces: `pieces_of` gives a part by its hex hash, in pieces too. Its lengths are not compared."""
    if skeleton[:len(MAGIC)] != MAGIC or len(skeleton) < _START:
        raise ValueError("not a packed message of a known version")
    (count,) = _COUNT.unpack_from(skeleton, len(MAGIC))
    base = position = _START + count * _REFERENCE.size
    for index in range(count):
        offset, line, _length, line_end, digest = _REFERENCE.unpack_from(skeleton, _START + index * _REFERENCE.size)
        yield skeleton[position:base + offset]
        yield from _encode_pieces(pieces_of(digest.hex()), line, _LINE_ENDS[line_end])
        position = base + offset
    yield skeleton[position:]


def rest(skeleton: bytes) -> bytes:
    """The message as it was, but for the bodies that are stored as parts: these are empty. Same structure, same order.

    Raises ValueError when this is no skeleton of a known version.
    """
    if skeleton[:len(MAGIC)] != MAGIC or len(skeleton) < _START:
        raise ValueError("not a packed message of a known version")
    (count,) = _COUNT.unpack_from(skeleton, len(MAGIC))
    return skeleton[_START + count * _REFERENCE.size:]


def in_short(skeleton: bytes, secret: bytes) -> tuple[bytes, dict[bytes, tuple[int, str]]]:
    """The message with a short mark in place of each body that is stored as a part, in base64 as that was; and what the
    marks stand for, decoded: (bytes, SHA-256 as hex) each. A mark begins with `secret`, so no stranger can write one.

    Raises ValueError when this is no skeleton of a known version.
    """
    if skeleton[:len(MAGIC)] != MAGIC or len(skeleton) < _START:
        raise ValueError("not a packed message of a known version")
    (count,) = _COUNT.unpack_from(skeleton, len(MAGIC))
    base = position = _START + count * _REFERENCE.size
    out, marks = [], {}
    for index in range(count):
        offset, _line, length, _line_end, digest = _REFERENCE.unpack_from(skeleton, _START + index * _REFERENCE.size)
        mark = secret + _COUNT.pack(index)
        marks[mark] = length, digest.hex()
        out += skeleton[position:base + offset], pybase64.b64encode(mark)
        position = base + offset
    out.append(skeleton[position:])
    return b"".join(out), marks


def part_hashes(skeleton: bytes) -> tuple[str, ...]:
    """The hex hashes that `unpack` will ask for, in order, repeats included. ValueError: no skeleton."""
    if skeleton[:len(MAGIC)] != MAGIC:
        raise ValueError("not a packed message of a known version")
    (count,) = _COUNT.unpack_from(skeleton, len(MAGIC))
    return tuple(
        _REFERENCE.unpack_from(skeleton, _START + index * _REFERENCE.size)[4].hex() for index in range(count)
    )


def _bodies(raw: bytes, min_size: int):
    """(start, end) of the bodies whose headers say base64, in order, never overlapping."""
    position = 0
    for _ in range(MAX_TRIES):
        if not (named := _NAMED.search(raw, position)):
            return
        at = named.start()
        position = named.end()
        line = raw.rfind(b"\n", max(0, at - 100), at) + 1
        if not raw[line:line + 25].lower().startswith(b"content-transfer-encoding"):
            continue
        ends = (raw.find(end, at, at + MAX_HEADER) for end in (b"\n\n", b"\n\r\n"))
        blank = min((i for i in ends if i >= 0), default=-1)
        if blank < 0:
            continue
        start = blank + (2 if raw[blank + 1:blank + 2] == b"\n" else 3)
        end = raw.find(b"-", start) - 1       # base64 has none: far faster than to look for three bytes
        if end < start or raw[end:end + 3] != b"\n--":
            end = raw.find(b"\n--", start)
        end = len(raw) if end < 0 else end + 1
        if end - start >= min_size and not _is_text(raw, line, start):
            yield start, end
        position = max(position, end - 1)


def _is_text(raw: bytes, line: int, start: int) -> bool:
    """Is this a text the reader sees, no attachment? Looks at the part's own header, at most 8 KB around."""
    above = max(0, line - MAX_HEADER)
    top = max(raw.rfind(b"\n--", above, line), raw.rfind(b"\n\n", above, line), 0)
    header = raw[top:start].lower()
    return (b"content-type: text/plain" in header or b"content-type: text/html" in header) and (
        b"content-disposition: attachment" not in header)


def _decode(raw: bytes, start: int, end: int):
    """(data, line length, line end code, index after the encoded bytes), or None when it would not come back."""
    newline = raw.find(b"\n", start, end)
    crlf = newline > start and raw[newline - 1] == 13
    line = (newline - crlf if newline >= 0 else end) - start
    if line < 4:
        return None
    while end > start and raw[end - 1] in b"\r\n":
        end -= 1
    line_end = 2 if crlf else 1
    try:
        return _lines_decoded(memoryview(raw)[start:end], line, _LINE_ENDS[line_end]), line, line_end, end
    except ValueError:      # binascii.Error is one
        return None


def _lines_decoded(encoded: memoryview, line: int, line_end: bytes) -> bytes:
    """The bytes that `_encode` makes exactly `encoded` of; ValueError when there are none. A few thousand lines at a
    time: a copy of 50 MB would count."""
    data, step = io.BytesIO(), (line + len(line_end)) * AT_ONCE
    data.seek(len(encoded) // (line + len(line_end)) * line // 4 * 3)       # about as large as it will be, at once
    data.write(b"\0")
    data.seek(0)
    for position in range(0, len(encoded), step):
        text = _without_line_ends(bytearray(encoded[position:position + step]), line, line_end)
        piece = pybase64.b64decode(text, validate=True)
        is_last = position + step >= len(encoded)
        if pybase64.b64encode(piece) != text or not is_last and len(piece) * 4 != len(text) * 3:
            raise ValueError("other bits, or padding in the middle")
        data.write(piece)
    data.truncate()
    return data.getvalue()


def _without_line_ends(text: bytearray, line: int, line_end: bytes) -> bytearray:
    """Lines of this length, with line ends of this kind at these places and nowhere else, as one."""
    for index in reversed(range(len(line_end))):
        step = line + index + 1
        ends = text[step - 1::step]
        if ends.count(line_end[index]) != len(ends):
            raise ValueError("a line of another length")
        del text[step - 1::step]
    return text


def _encode_pieces(pieces: Iterable[bytes], line: int, line_end: bytes) -> Iterator[bytes]:
    """`_encode` of all pieces together, some whole lines at a time."""
    if line % 4:
        yield _encode(b"".join(pieces), line, line_end)
        return
    step, waiting, before = max(1, 100_000 // line) * (line // 4 * 3), bytearray(), b""
    for piece in pieces:
        waiting += piece
        while len(waiting) > step:      # the last line is the only one without an end
            yield before + _encode(bytes(waiting[:step]), line, line_end)
            del waiting[:step]
            before = line_end
    yield before + _encode(bytes(waiting), line, line_end) if waiting else b""


def _encode(data: bytes, line: int, line_end: bytes) -> bytes:
    if line == 76:  # nearly all mail; the library breaks these lines itself
        text = pybase64.encodebytes(data)[:-1]
        return text if line_end == b"\n" else text.replace(b"\n", line_end)
    text = pybase64.b64encode(data)
    if line >= len(text):
        return text
    return line_end.join([text[i:i + line] for i in range(0, len(text), line)])
