"""Does a PDF keep quiet when it is shown? One that runs a script, submits a form or opens a page by itself does not.

Browsers run the scripts of a PDF in their viewers: harmless to the page around it, but they ask questions in its name,
and tell a stranger that the file was opened. Looked for are the names of such actions, everywhere: in the file as it
lies, and in its compressed object streams (ISO 32000-1, 7.5.7, 12.6). What can't be looked through is not shown either.
"""

import re
import zlib

MAX_BYTES = 20_000_000        # of a file that is looked through
MAX_UNPACKED = 60_000_000     # of all its object streams
MAX_STREAMS = 5_000
MAX_PACKED = 4_000_000        # bytes of one object stream in the file
MAX_OPENINGS = 50             # actions at the opening: one for each time that the file was saved anew


def _name(text: str) -> bytes:
    """A pattern for a name whose letters may each be written as #xx, too."""
    letters = (rb"(?:%b|#%02x|#%02X)" % (c.encode(), ord(c), ord(c)) for c in text)
    return b"/" + b"".join(letters) + rb"(?![\w#])"


_ACTS = re.compile(b"|".join(map(_name, (
    "JavaScript", "SubmitForm", "ImportData", "Launch", "GoToR", "GoToE", "RichMedia", "Rendition", "XFA"))))
_LINKS = re.compile(_name("URI"))
_BLANK = rb"[\s\0]*+"
_BY_ITSELF = re.compile(_name("AA") + _BLANK + rb"[<%\d]")
_OPENING = re.compile(_name("OpenAction") + rb"\s*")
_OBJECT_STREAM = re.compile(_name("ObjStm"))
_OBJECT = re.compile(rb"(?<!\d)(\d{1,8})\s++\d{1,5}\s++obj\b\s*+")
# Whole, so that nothing comes after it (/Next) and no other action stands around it.
_PLACE = rb"/D\s*(?:\[[^\[\]()<>]{0,200}\]|\([^()\\]{0,200}\)|<[0-9A-Fa-f\s]{0,400}>|/[\w.-]{1,100})"
_GO = rb"/S\s*/GoTo"
_DESTINATION = re.compile(rb"\[|<<\s*(?:/Type\s*/Action\s*)?(?:%b\s*%b|%b\s*%b)\s*(?:/Type\s*/Action\s*)?>>"
                          % (_GO, _PLACE, _PLACE, _GO))
_BEGINNING = 400              # bytes of an object that are looked at
_PIECE = 4_096
_REFERENCE = re.compile(rb"(\d{1,8})\s+\d{1,5}\s+R\b")
_STREAM = re.compile(rb">>\s{0,9}stream\r?\n")
# What an honest object stream does not say of itself: a string or a comment, in which another one could lie, an escaped
# name, a second dictionary, a predictor.
_ODD = re.compile(rb"[(%#]|<<.*<<|DecodeParms|Predictor", re.DOTALL)
# Where an object stream's objects begin. Outlines have a /First, too: a reference.
_FIRST = re.compile(_name("First") + _BLANK + rb"(?!\d{1,8}[\s\0]++\d{1,5}[\s\0]++R)(\d{0,8})")


def is_quiet(data: bytes) -> bool:
    """True when nothing in it acts before somebody clicks. Linear in its size, never raises."""
    if len(data) > MAX_BYTES or b"%PDF-" not in data[:1024] or _ACTS.search(data):
        return False
    inside = _object_streams(data)
    if inside is None or any(map(_ACTS.search, inside)):
        return False
    texts = [data, *inside]
    if not any(map(_LINKS.search, texts)):
        return True
    objects = None
    for text in texts:      # there are links: does one open by itself?
        if _BY_ITSELF.search(text):
            return False
        for count, opening in enumerate(_OPENING.finditer(text)):
            rest = text[opening.end():opening.end() + _BEGINNING]
            if reference := _REFERENCE.match(rest):
                objects = _objects(data, inside) if objects is None else objects
                rest = objects.get(int(reference[1]), b"")
            if count >= MAX_OPENINGS or not _DESTINATION.match(rest):
                return False
    return True


def _object_streams(data):
    """The unpacked object streams, or None when one can't be unpacked (it is encrypted, or packed in another way), or
    does not call itself one: not every viewer minds."""
    found, left, known = [], MAX_UNPACKED, set()
    for match in _OBJECT_STREAM.finditer(data):
        start = data.rfind(b"obj", max(0, match.start() - 1_000), match.start())
        begin = _STREAM.search(data, match.end(), match.end() + 1_000)
        if start < 0 or begin is None or len(found) >= MAX_STREAMS or _ODD.search(data, start, begin.end()):
            return None
        content = _unpacked(data, begin.end(), left)
        if content is None:
            return None
        left -= len(content)
        found.append(_Unpacked(content))
        if first := _FIRST.search(data, start, begin.end()):
            found[-1].first = int(first[1] or 0)
            known.add(first.start())
    return found if all(first.start() in known for first in _FIRST.finditer(data)) else None


def _unpacked(data, start, most):
    """What is packed there, less than `most` bytes of it, or None. In pieces, for only the packing tells where it ends:
    five thousand small ones must not each be given the rest of the file."""
    packed, found, size = zlib.decompressobj(), [], 0
    try:
        for at in range(start, min(len(data), start + MAX_PACKED), _PIECE):
            piece = data[at:at + _PIECE]
            found.append(packed.decompress(piece, most - size))
            size += len(found[-1])
            if size >= most or packed.unconsumed_tail:
                return None
            if packed.eof:
                end = at + len(piece) - len(packed.unused_data)
                return b"".join(found) if data[end:end + 20].lstrip().startswith(b"endstream") else None
    except zlib.error:
        pass
    return None


class _Unpacked(bytes):
    """An object stream: at `first` its objects begin, before that stands which number lies where."""

    first = 0


def _objects(data, streams):
    """{number: the beginning of the object}. Nothing of one that is there twice: the viewer may take the other one."""
    found = {}
    for match in _OBJECT.finditer(data):
        _put(found, int(match[1]), data[match.end():match.end() + _BEGINNING])
    for content in streams:
        numbers = [int(n) for n in content[:min(content.first, 200_000)].split() if n.isdigit() and len(n) < 9]
        for number, place in zip(numbers[::2], numbers[1::2], strict=False):
            _put(found, number, content[content.first + place:content.first + place + _BEGINNING].lstrip())
    return found


def _put(found, number, beginning):
    found[number] = b"" if number in found else beginning
