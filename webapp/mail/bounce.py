"""Reports of mail that did not arrive: whose, how final, why, and which of our messages it was.

RFC 3464 says it in fields. Older programs (qmail, Exim, some of Exchange's and Gmail's) say it in words with a copy of
the message below: these are read as far as they name an address, a code and a Message-ID. Whether the Message-ID is
one of ours is asked later, by its token. Pure and bounded; never raises.
"""

import re
from collections.abc import Iterable
from itertools import islice

from .charset import clean_header

MAX_TEXT = 64 * 1024        # bytes of one part that are looked at
MAX_PARTS = 12
MAX_RECIPIENTS = 100
MAX_IDS = 20
MAX_REASON = 500
LINES_BELOW = 6             # of words, below an address

STATUS_PARTS = ("message/delivery-status", "message/global-delivery-status")
COPY_PARTS = ("message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers",
              "message/global-headers")
_ID = re.compile(
    r"^[ \t>]{0,8}(?:x-)?(?:original-)?(?:message-id|envelope-id)[ \t]*:[ \t]*(?:\n[ \t]+)?<?([^<>\s]{3,400})>?",
    re.IGNORECASE | re.MULTILINE)
_FIELD = re.compile(r"^([!-9;-~]{1,60})[ \t]*:[ \t]*([^\n]*(?:\n[ \t]+[^\n]*){0,40})", re.MULTILINE)
_COPY = re.compile(
    r"^[-_= \t>]*(?:below this line is a copy of|this is a copy of (?:the|your) message|"
    r"(?:a copy of )?(?:the |your )?original message|message headers? follow|original message headers|"
    r"returned message|unsent message below|undelivered message)[^\n]*$", re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(r"^[ \t]{0,8}(?:to:[ \t]*)?<?([^\s<>()\"',;:@]{1,64}@[A-Za-z0-9.-]{1,253}[A-Za-z0-9])>?"
                      r"[ \t]*(?:\([^()\n]{0,254}\))?:?[ \t]*$", re.MULTILINE)
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.])([45])\d\d(?![\d.])")
_PASSING = re.compile(r"will (?:be retried|keep trying|continue to try|retry)|(?:has been |is )?delayed|temporar|"
                      r"not yet been delivered|still (?:being|trying)", re.IGNORECASE)
_ARRIVED = ("delivered", "relayed", "expanded")


def read(parts: Iterable[tuple[str, bytes]], failed: Iterable[bytes] = ()) -> dict | None:
    """What a report says. `parts`: (media type, decoded bytes) of its leaves, in order; `failed`: raw values of
    X-Failed-Recipients. Returns {"ids": Message-IDs of what did not arrive, the surest first, "recipients":
    [{"address", "hard", "status", "text"}]}; None when it says neither, or that all of it arrived."""
    copies, statuses, words = [], [], []
    for kind, content in list(parts)[:MAX_PARTS]:
        text = content[:MAX_TEXT].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
        if kind in COPY_PARTS:
            copies.append(text.partition("\n\n")[0])
        elif kind in STATUS_PARTS:
            statuses.append(text)
        elif kind.startswith("text/plain"):
            said, copy = _apart(text)
            words.append(said)
            copies.append(copy.partition("\n\n")[0])
    ids = list(dict.fromkeys(i for text in (*copies, *statuses, *words) for i in _ID.findall(text)))[:MAX_IDS]
    recipients, arrived = _of_status(statuses)
    if arrived and not recipients:
        return None
    recipients = recipients or _of_words("\n".join(words), failed)
    return {"ids": ids, "recipients": recipients} if ids or recipients else None


def _apart(text):
    """(what the mail server says, the copy of the message below)."""
    if not (below := _COPY.search(text)):
        return text, ""
    return text[:below.start()], text[below.end():].lstrip("\n")


def _of_status(statuses):
    """(what failed or is late, did anything arrive)."""
    found, arrived = {}, False
    for text in statuses:
        for group in re.split(r"\n[ \t]*\n", text)[:MAX_RECIPIENTS + 1]:
            fields = {name.lower(): " ".join(value.split()) for name, value in _FIELD.findall(group)[:60]}
            action = fields.get("action", "").lower()
            address = _address(fields.get("original-recipient")) or _address(fields.get("final-recipient"))
            arrived = arrived or action in _ARRIVED
            if not (address or action) or action in _ARRIVED:
                continue
            for name in dict.fromkeys((address, _address(fields.get("final-recipient")) or address)):
                found.setdefault(name, _recipient(name, _status(fields), action,
                                                  fields.get("diagnostic-code", "").partition(";")[2]))
    return list(found.values())[:MAX_RECIPIENTS], arrived


def _status(fields):
    match = _STATUS.search(fields.get("status", ""))
    return match[1] if match else _number(fields.get("diagnostic-code", ""))


def _recipient(address, status, action, text):
    hard = status.startswith("5") if status else action != "delayed"
    return {"address": address, "hard": hard and action != "delayed", "status": status,
            "text": clean_header(text, MAX_REASON)}


def _address(value):
    """Of "rfc822; <a@b.c>": the address alone, as it stands there."""
    kind, semicolon, address = (value or "").partition(";")
    address = clean_header((address if semicolon else kind).strip().strip("<>").strip(), 320)
    return address if "@" in address else ""


def _of_words(text, failed):
    """Addresses that stand alone in a line, and what stands below them. What the header says failed counts first."""
    named = [clean_header(a.strip().strip("<>"), 320) for value in list(failed)[:5]
             for a in value[:MAX_TEXT].decode("utf-8", "replace").split(",")[:MAX_RECIPIENTS]]
    text = text[:MAX_TEXT]
    places = {match[1].lower(): match.end() for match in islice(_ADDRESS.finditer(text), MAX_RECIPIENTS)}
    of_all, otherwise, found = _number(text), "delayed" if _PASSING.search(text) else "", []
    for address in ([a for a in named if "@" in a] or list(places))[:MAX_RECIPIENTS]:
        at = places.get(address.lower())
        below = _below(text[at:at + 2_000]) if at is not None else ""
        status = _number(below) if below else of_all
        found.append(_recipient(address, status, "" if status else otherwise, below))
    return found


def _number(text):
    """The enhanced status in these words; from an SMTP answer's own code as far as that goes; "" for none."""
    if match := _STATUS.search(text):
        return match[1]
    code = _CODE.search(text)
    return f"{code[1]}.0.0" if code else ""


def _below(text):
    """The lines up to the next address or the second gap."""
    lines = []
    for line in text.lstrip("\n").split("\n")[:LINES_BELOW]:
        if not line.strip() or _ADDRESS.match(line):
            break
        lines.append(line.strip())
    return " ".join(lines)
