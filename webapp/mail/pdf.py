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


def _name(text: str) -> bytes:
    """A pattern for a name whose letters may each be written as #xx, too."""
    letters = (rb"(?:%b|#%02x|#%02X)" % (c.encode(), ord(c), ord(c)) for c in text)
    return b"/" + b"".join(letters) + rb"(?![\w#])"


_ACTS = re.compile(b"|".join(map(_name, (
    "JavaScript", "SubmitForm", "ImportData", "Launch", "GoToR", "GoToE", "RichMedia", "Rendition", "XFA"))))
_LINKS = re.compile(_name("URI"))
_BY_ITSELF = re.compile(_name("AA") + rb"\s*(?:<<|\d)")
_OPENING = re.compile(_name("OpenAction") + rb"\s*")
_OBJECT_STREAM = re.compile(_name("ObjStm"))
_DESTINATION = re.compile(rb"\[|<<[^>]{0,300}" + _name("S") + rb"\s*" + _name("GoTo"))
_REFERENCE = re.compile(rb"(\d{1,8})\s+\d{1,5}\s+R\b")
_STREAM = re.compile(rb"stream\r?\n")
_FIRST = re.compile(rb"/First\s+(\d{1,8})")


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
        for opening in list(_OPENING.finditer(text))[:50]:
            rest = text[opening.end():opening.end() + 400]
            if reference := _REFERENCE.match(rest):
                objects = _objects(inside) if objects is None else objects
                rest = _object(data, objects, int(reference[1]))
            if not _DESTINATION.match(rest):
                return False
    return True


def _object_streams(data):
    """The unpacked object streams, or None when one can't be unpacked: it is encrypted, or packed in another way."""
    found, left = [], MAX_UNPACKED
    for match in _OBJECT_STREAM.finditer(data):
        begin = _STREAM.search(data, match.end(), match.end() + 2_000)
        if begin is None or len(found) >= MAX_STREAMS:
            return None
        end, packed = data.find(b"endstream", begin.end()), zlib.decompressobj()
        try:
            content = packed.decompress(memoryview(data)[begin.end():max(begin.end(), end)], left)
        except zlib.error:
            return None
        left -= len(content)
        if left <= 0 or not packed.eof or b"/Predictor" in data[max(0, match.start() - 1_000):begin.end()]:
            return None
        first = _FIRST.search(data, max(0, match.start() - 1_000), begin.end())
        found.append(_Unpacked(content))
        found[-1].first = int(first[1]) if first else 0
    return found


class _Unpacked(bytes):
    """An object stream: at `first` its objects begin, before that stands which number lies where."""

    first = 0


def _objects(streams):
    """{number: the beginning of the object} of what lies in object streams."""
    found = {}
    for content in streams:
        numbers = [int(n) for n in content[:min(content.first, 200_000)].split() if n.isdigit() and len(n) < 9]
        for number, place in zip(numbers[::2], numbers[1::2], strict=False):
            found[number] = content[content.first + place:content.first + place + 400]
    return found


def _object(data, objects, number):
    match = re.search(rb"(?:^|[\r\n\s])%d\s+\d{1,5}\s+obj\s*" % number, data)
    return data[match.end():match.end() + 400] if match else objects.get(number, b"").lstrip()
