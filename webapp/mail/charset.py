"""Bytes of strangers -> str. Charset names select from a fixed list, never from Python's codec registry.

The registry also holds zlib, hex, idna, undefined and unicode_escape, which are no charsets at all.
The list is the one of the WHATWG Encoding Standard (webencodings.LABELS) and a few older mail names.
UTF-7 is left out on purpose: it hides characters from every check that looks at ASCII.
"""

import binascii
import re
import unicodedata

from webencodings.labels import LABELS

# WHATWG encoding -> Python codec. Supersets where browsers and mailers mean the superset.
_PYTHON = {
    "big5": "big5hkscs",
    "euc-jp": "euc_jp",
    "euc-kr": "cp949",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "ibm866": "cp866",
    "iso-2022-jp": "iso2022_jp_ext",
    "iso-8859-8-i": "iso8859_8",
    "macintosh": "mac_roman",
    "shift_jis": "cp932",
    "windows-874": "cp874",
    "x-mac-cyrillic": "mac_cyrillic",
    "replacement": None,
    "x-user-defined": None,
}
CODECS = {label: codec for label, name in LABELS.items() if (codec := _PYTHON.get(name, name))}
CODECS |= {
    "iso-2022-kr": "iso2022_kr", "hz-gb-2312": "hz", "eucgb2312_cn": "gb18030", "cp936": "gb18030", "cp932": "cp932",
    "cp850": "cp850", "cp852": "cp852", "cp437": "cp437", "cp858": "cp858", "utf-16": "utf_16", "utf-32": "utf_32",
    "cp949": "cp949", "big5-hkscs": "big5hkscs", "iso-2022-jp-2": "iso2022_jp_ext", "utf8mb4": "utf-8",
    "cp65001": "utf-8",
}
# In these codecs an ASCII byte does not always mean the ASCII character.
_NOT_ASCII_BASED = frozenset({"iso2022_jp_ext", "iso2022_kr", "hz", "utf_16", "utf_32", "utf-16le", "utf-16be"})
_MULTIBYTE = _NOT_ASCII_BASED | {"gb18030", "big5hkscs", "euc_jp", "cp949", "cp932"}

_DROPPED_BYTES = bytes(set(range(32)) - set(b"\t\n\r")) + b"\x7f"
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_HIGH_CONTROLS = re.compile("[\x80-\x9f\ud800-\udfff]")

_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?\r\n]*)\?=")
_Q_ESCAPE = re.compile(rb"=([0-9A-Fa-f]{2})")
_LINE_SPACE = dict.fromkeys((*b"\t\n\v\f\r", 0x85, 0x2028, 0x2029), " ")
# Controls, bidirectional controls, invisible joints that hide an "@" from the eye, lone surrogates.
_UNWANTED = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)


def codec_of(label: str | None) -> str | None:
    """The Python codec for a charset label, or None when the label is absent or not on the list."""
    return CODECS.get(label.strip(" \t\"'").lower()) if label and len(label) < 60 else None


def decode(data: bytes, label: str | None = None) -> str:
    """Text of `data`: as declared, else UTF-8, else windows-1252. Never raises.

    Line ends become \\n; other control characters but \\t are dropped.
    """
    codec = codec_of(label)
    if codec in _NOT_ASCII_BASED:
        text = data.decode(codec, "replace")
    else:
        text = _decode_ascii_based(data.translate(None, _DROPPED_BYTES), codec)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return without_controls(text, already_ascii_clean=codec not in _NOT_ASCII_BASED)


def without_controls(text: str, *, already_ascii_clean: bool = False) -> str:
    """`text` without control characters and lone surrogates; \\n and \\t stay."""
    if already_ascii_clean:
        return text if text.isascii() else _HIGH_CONTROLS.sub("", text)
    return _CONTROLS.sub("", text)


def _decode_ascii_based(data: bytes, codec: str | None) -> str:
    if data.isascii():
        return data.decode("ascii")
    # Valid UTF-8 is UTF-8 when the label is missing, unknown or says (US-)ASCII or Latin-1 (both read as
    # windows-1252 here): no real text in another charset happens to be valid.
    for candidate in ("utf-8",) if codec in (None, "windows-1252") else (codec, "utf-8"):
        try:
            return data.decode(candidate)
        except UnicodeDecodeError:
            continue
    if codec in _MULTIBYTE:
        return data.decode(codec, "replace")
    if codec != "windows-1252":
        repaired = data.decode("utf-8", "replace")
        if repaired.count("\ufffd") * 10 <= sum(not c.isascii() for c in repaired[:20_000]):
            return repaired  # UTF-8 with a few damaged places, not another charset
    return data.decode("windows-1252", "replace")


def decode_words(value: str) -> str:
    """RFC 2047 encoded-words in `value`, decoded once. What is malformed stays as it is.

    Neighbours of one charset are joined as bytes before decoding: older mailers split characters.
    """
    if "=?" not in value:
        return value
    out, pending, pending_label, end = [], b"", "", 0
    for match in _ENCODED_WORD.finditer(value):
        label, encoding, body = match.groups()
        data = _word_bytes(encoding, body)
        label = label.partition("*")[0].lower()  # RFC 2231, section 5: "utf-8*en"
        if data is None:
            continue
        gap = value[end:match.start()]
        adjacent = bool(pending_label) and not gap.strip()
        if not adjacent or label != pending_label:
            if pending_label:
                out.append(decode(pending, pending_label))
            pending = b""
            if not adjacent:
                out.append(gap)
        pending, pending_label, end = pending + data, label, match.end()
    if pending_label:
        out.append(decode(pending, pending_label))
    return "".join(out) + value[end:]


def _word_bytes(encoding: str, body: str) -> bytes | None:
    try:
        raw = body.encode("ascii")
    except UnicodeEncodeError:
        return None
    if encoding in "qQ":
        return _Q_ESCAPE.sub(lambda m: binascii.unhexlify(m[1]), raw.replace(b"_", b" "))
    try:
        return binascii.a2b_base64(raw + b"=" * (-len(raw) % 4))
    except binascii.Error:
        return None


def clean_header(value: str | bytes, max: int = 998) -> str:  # noqa: A002 - the name that callers read best
    """One safe line: encoded-words decoded, NFC, no control or bidi characters, at most `max` characters.

    A word that decodes to yet another encoded-word is decoded too, so nobody after us decodes a line break out of it.
    """
    text = decode(value) if isinstance(value, bytes) else value
    text = text[: max * 8]
    for _ in range(3):
        decoded = decode_words(text)
        if decoded == text:
            break
        text = decoded
    if text.isascii() and text.isprintable():
        return (" ".join(text.split()) if "  " in text else text.strip())[:max].rstrip()
    text = _UNWANTED.sub("", unicodedata.normalize("NFC", text).translate(_LINE_SPACE))
    return " ".join(text.split())[:max].rstrip()
