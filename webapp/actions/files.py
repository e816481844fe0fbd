"""The bytes of an attachment, in pieces: the web process never holds a large one twice."""

from hashlib import sha256
from typing import NamedTuple

from webapp.actions.blobs import blobs
from webapp.mail.parse import part_charset, part_content
from webapp.models.blob import PIECE, Blobs


class Source(NamedTuple):
    """Where the bytes lie. Plain values: it may be read when the request, and its database session, are over."""

    store: Blobs
    sha256: str
    raw_sha256: str | None
    part_index: int


def source(attachment):
    return Source(blobs(), attachment.sha256, attachment.message.raw_sha256, attachment.part_index)


def pieces(of: Source):
    """The decoded bytes, at most PIECE at a time. LookupError: they can't be found any more."""
    stored = of.store.open_part(of.sha256)
    if stored is not None:
        return stored
    content = _within(of)
    return (content[start:start + PIECE] for start in range(0, len(content), PIECE))


def beginning(of: Source, most) -> bytes:
    """The first `most` bytes. LookupError as for `pieces`."""
    found, size = [], 0
    for piece in pieces(of):
        found.append(piece)
        size += len(piece)
        if size >= most:
            break
    return b"".join(found)[:most]


def charset(of: Source):
    """The charset that the part's own header names, or None."""
    try:
        return part_charset(of.store.get_rest(of.raw_sha256), of.part_index)
    except (LookupError, ValueError):
        return None


def _within(of):
    """Of a small part, or one that is no plain base64: it lies in its message, and is looked for without the large
    parts beside it. A better parser may count them in another way, so the bytes themselves tell."""
    if of.raw_sha256 is None:
        raise LookupError(of.sha256)
    try:
        content = part_content(of.store.get_rest(of.raw_sha256), of.part_index)
        if sha256(content).hexdigest() == of.sha256:
            return content
    except LookupError:
        pass
    return part_content(of.store.get_raw(of.raw_sha256), of.part_index)
