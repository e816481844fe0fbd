"""What of an attachment can be shown without opening it: pictures painted anew, text as text, PDF by the browser."""

import codecs

from .charset import codec_of, without_controls

MAX_TEXT = 200_000          # bytes of a text that are shown

_PICTURES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/pjpeg", "image/gif", "image/webp", "image/bmp",
                       "image/x-ms-bmp", "image/avif", "image/x-icon", "image/vnd.microsoft.icon"})
_TEXTS = frozenset({"text/plain", "text/csv", "text/tab-separated-values", "text/markdown", "text/x-markdown",
                    "text/x-log", "text/xml", "text/yaml", "text/x-diff", "text/x-patch", "text/vcard", "text/x-vcard",
                    "text/calendar", "text/css", "text/javascript", "text/x-python", "application/json",
                    "application/xml", "application/yaml", "application/x-yaml", "application/toml", "application/sql",
                    "application/ics", "application/javascript", "application/x-sh", "application/csv"})
_VAGUE = frozenset({"application/octet-stream", "application/x-download", "application/force-download",
                    "application/unknown", "application/x-unknown", "text/unknown", "text/plain"})
_BY_NAME = {"picture": "png jpg jpeg gif webp bmp avif ico", "pdf": "pdf",
            "text": "txt csv tsv log json md markdown xml yaml yml ini cfg conf toml sql diff patch vcf ics asc "
                    "pgp sig properties srt tex rst"}
_KIND_OF = {extension: kind for kind, extensions in _BY_NAME.items() for extension in extensions.split()}
_UTF8 = codecs.getincrementaldecoder("utf-8")


def kind_of(content_type: str, filename: str) -> str | None:
    """"picture", "pdf", "text", or None: by what a mail says of a file. What it is, its bytes have yet to show."""
    extension = filename.rpartition(".")[2].lower()
    if content_type in _VAGUE and extension in _KIND_OF:
        return _KIND_OF[extension]
    if content_type in _PICTURES:
        return "picture"
    if content_type in ("application/pdf", "application/x-pdf"):
        return "pdf"
    return "text" if content_type in _TEXTS else None


def is_pdf(beginning: bytes) -> bool:
    return b"%PDF-" in beginning[:1024]


def as_text(beginning: bytes, charset: str | None = None, fallback: str | None = None) -> str | None:
    """The text in the first bytes of a file, or None when they are no text: NULs without a byte order mark, or full of
    control characters. `charset`: as declared; `fallback`: the likely one where nothing else fits."""
    data = beginning[:MAX_TEXT]
    for mark, codec in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8")):
        if data.startswith(mark):
            return _clean(data[len(mark):].decode(codec, "replace"))
    declared = codec_of(charset)
    if declared and declared.startswith("utf-16"):
        return _clean(data.decode(declared, "replace"))
    if b"\0" in data or len(data.translate(None, _CONTROLS)) < 0.95 * len(data):
        return None
    try:
        return _clean(_UTF8().decode(data))     # a character that is cut at the end is left out
    except UnicodeDecodeError:
        codec = declared if declared not in (None, "utf-8") else fallback or "windows-1252"
        return _clean(data.decode(codec, "replace"))


_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))


def _clean(text):
    return without_controls(text.replace("\r\n", "\n").replace("\r", "\n"))
