"""The source of a message made readable: its headers decoded, and its bytes as text in which nothing hides."""

import re

from .charset import clean_header, decode
from .parse import read_headers

MAX_SHOWN = 200_000         # bytes of the source
MAX_VALUE = 4_000           # characters of one header
MAX_HEADERS = 300

# Whatever turns text around, or takes no room: shown by its number. Line ends and tabs stay.
_HIDDEN = re.compile("[\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
                     "\ud800-\udfff\U000e0000-\U000e0fff]")
_CONTROLS = {code: chr(0x2400 + code) for code in range(32) if code not in (9, 10)}     # ␀ and its like


def shown(beginning: bytes) -> str:
    """These bytes as text, UTF-8 or else windows-1252, control characters as pictures of them (␀), what can't be seen
    as its number (⟨U+202E⟩). The CR of an ordinary line end is not shown."""
    data = beginning[:MAX_SHOWN]
    try:
        text = data.decode("utf-8", "strict" if len(beginning) <= MAX_SHOWN else "ignore")
    except UnicodeDecodeError:
        text = data.decode("windows-1252", "replace")
    return visible(text.replace("\r\n", "\n"))


def visible(text: str) -> str:
    """`text` with every character that can't be seen made visible."""
    return _HIDDEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text.translate(_CONTROLS))


def headers(beginning: bytes) -> list[tuple[str, str]]:
    """[(name, value)], encoded-words decoded; what was hidden in a value is taken out: it stands in the source. Names
    as they are usually written, those of one name together."""
    found = []
    for name, values in read_headers(beginning).items():
        for value in values:
            found.append((_usual(name), clean_header(decode(value[:4 * MAX_VALUE]), MAX_VALUE)))
    return found[:MAX_HEADERS]


def _usual(name):
    special = {"message-id": "Message-ID", "mime-version": "MIME-Version", "dkim-signature": "DKIM-Signature",
               "content-id": "Content-ID", "list-id": "List-ID", "arc-seal": "ARC-Seal"}
    return special.get(name) or "-".join(word.capitalize() for word in name.split("-"))
