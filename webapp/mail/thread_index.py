"""Outlook's Thread-Index and Thread-Topic: kept and continued, so that an answer stays in its thread there ([MS-OXOMSG]
2.2.1.3): 22 bytes of the first message, 5 more for each answer."""

import binascii
import re
from datetime import datetime

_EPOCH = 116444736000000000     # 1970 as a FILETIME, in steps of 100 ns
MAX_ANSWERS = 60
_FIELD = re.compile(rb"(?im)^(thread-index|thread-topic):[ \t]*([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)")


def of(header: bytes) -> dict[bytes, bytes]:
    """{b"thread-index": value, b"thread-topic": value} as they stand in a header, unfolded."""
    found = {}
    for match in _FIELD.finditer(header[:65536]):
        found.setdefault(match[1].lower(), re.sub(rb"\r?\n[ \t]", b" ", match[2]).strip())
    return found


def answered(index: bytes, at: datetime, random: int) -> str | None:
    """The Thread-Index of an answer to a message with this one; None when it is none."""
    try:
        parent = binascii.a2b_base64(index.replace(b" ", b""))
    except (binascii.Error, ValueError):
        return None
    if len(parent) < 22 or (len(parent) - 22) % 5 or parent[0] != 1:
        return None
    if (len(parent) - 22) // 5 < MAX_ANSWERS:
        started = int.from_bytes(parent[:6], "big") << 16
        delta = max(0, int(at.timestamp() * 10_000_000) + _EPOCH - started)
        # Within about 1.7 years bits 18..48 of the distance, else, marked by the first bit, bits 23..53.
        near = delta < 1 << 49
        bits = (delta >> 18 if near else 1 << 31 | delta >> 23 & 0x7FFFFFFF) & 0xFFFFFFFF
        parent += bits.to_bytes(4, "big") + bytes([random & 0xF0])
    return binascii.b2a_base64(parent, newline=False).decode()
