"""Names of attachments: what a stranger wrote -> a plain file name that means nothing to any file system."""

import mimetypes
import re
import unicodedata

from .charset import clean_header

MAX_BYTES = 255  # of the UTF-8 form; what common file systems take

_TYPES = mimetypes.MimeTypes()  # Python's own table only: the machine's files must not change a name
_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f%]|[\u2044\u2215\u29f8\uff0f\uff3c\ufe68]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]|conin\$|conout\$)\s*(?:\..*)?", re.IGNORECASE)
# Not seen, or blank to the eye alone: "invoice.pdf" and sixty of them push the ".exe" out of sight.
_INVISIBLE = re.compile("[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u2800\u3164"
                        "\ufeff\uffa0]")


def clean_filename(name: str | None, content_type: str = "application/octet-stream") -> str:
    """The last path component of `name` without control, bidi, path or shell-of-Windows characters; never empty.

    At most 255 bytes in UTF-8, the extension kept. Without a usable name: "attachment" and an extension for the type.
    """
    name = clean_header(name[:4_000] if name else "", 4_000)
    name = name.replace("\\", "/").rpartition("/")[2] if name else ""
    name = _FORBIDDEN.sub("_", _INVISIBLE.sub("", name)).strip(" ._" if not name.strip("._ ") else " .")
    if not name:
        return "attachment" + _extension(content_type)
    if _RESERVED.fullmatch(name):
        name = "_" + name
    return _shortened(unicodedata.normalize("NFC", name))


def _extension(content_type: str) -> str:
    if content_type == "text/calendar":
        return ".ics"
    if content_type == "message/rfc822":
        return ".eml"
    return _TYPES.guess_extension(content_type) or ".bin"


def _shortened(name: str) -> str:
    if len(name.encode()) <= MAX_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension.encode()) > 20:
        stem, extension = name, ""
    room = MAX_BYTES - len((dot + extension).encode()) if extension else MAX_BYTES
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(" .") + (dot + extension if extension else "")
