"""Several files as one zip archive, written while it is sent: a piece of one file at a time is in memory."""

import zipfile

PIECE_AT_LEAST = 64 * 1024
MAX_BYTES = 255         # of a name: what common file systems take
_FIRST, _LAST = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)      # that an archive can say


def archived(files, at):
    """Pieces of an archive of `files`, [(name, function that gives its pieces)], all dated `at`. Not compressed: what
    people attach is so already. Names that are the same get a number. Of a file that can't be found any more an empty
    one tells, "name.missing": the others are not to be lost with it."""
    out = _Out()
    taken = set()
    when = min(max(at.timetuple()[:6], _FIRST), _LAST)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, opened in files:
            try:
                pieces = opened()
            except LookupError:
                name, pieces = f"{name}.missing", ()
            info = zipfile.ZipInfo(_unused(name, taken), when)
            info.external_attr = 0o600 << 16
            with archive.open(info, "w") as entry:
                for piece in pieces:
                    entry.write(piece)
                    yield from out.take(PIECE_AT_LEAST)
    yield from out.take(0)


class _Out:
    """A file that can't be wound back; what was written waits to be taken."""

    def __init__(self):
        self._written, self._size = [], 0

    def write(self, data):
        self._written.append(bytes(data))
        self._size += len(data)
        return len(data)

    def flush(self):
        pass

    def take(self, at_least):
        if self._written and self._size >= at_least:
            yield b"".join(self._written)
            self._written, self._size = [], 0


def _unused(name, taken):
    """`name`, or `name (2)` when another file of the archive has it: Windows and macOS know no upper case."""
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem:
        stem, extension = name, ""
    number, unused = 1, name
    while unused.casefold() in taken:
        number += 1
        ending = f" ({number}){dot if extension else ''}{extension}"
        # Longer than a file system takes, and the archive can't be unpacked.
        unused = stem.encode()[:MAX_BYTES - len(ending.encode())].decode("utf-8", "ignore") + ending
    taken.add(unused.casefold())
    return unused
