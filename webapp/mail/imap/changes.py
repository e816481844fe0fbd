"""What changed in a folder since it was last looked at: CONDSTORE's CHANGEDSINCE and QRESYNC's VANISHED (RFC 7162), and
STATUS of many folders in one round trip. Answers come in any order, mixed with others.
"""

import re
from collections.abc import Iterator

from webapp.mail.imap import items
from webapp.mail.imap.answers import refusal
from webapp.mail.imap.wire import Wire
from webapp.mail.types import Flagged, Selected, Vanished

LONGEST_ANSWER = 64_000_000   # bytes; flags of more than half a million messages
MOST_FLAGS, LONGEST_FLAG = 100, 200
_VANISHED = re.compile(rb"\* VANISHED (?:\(EARLIER\) )?([0-9:,]+)\r?\n", re.I)
_STATUS = re.compile(rb"\* STATUS (.+) \(([A-Z0-9 ]*)\) ?\r?\n", re.I | re.S)


def untagged(wire: Wire, tag: bytes, refused: list | None = None) -> Iterator[tuple[list[bytes], list[bytes]]]:
    """Each untagged answer, (lines, the literals between them), until the tagged one. A NO or BAD is raised as
    MailError, or put into `refused` when that is given."""
    total = 0
    while True:
        lines, literals = [wire.line()], []
        while (size := items.literal_size(lines[-1])) is not None:
            if size > LONGEST_ANSWER or len(literals) > 1000:
                raise wire.trouble("protocol", reason="answer_too_long")
            literals.append(wire.exactly(size))
            lines.append(wire.line())
        total += sum(map(len, lines)) + sum(map(len, literals))
        if total > LONGEST_ANSWER:
            raise wire.trouble("protocol", reason="answer_too_long")
        line = lines[0]
        if line.startswith(tag + b" "):
            verdict, _, text = line[len(tag) + 1:].partition(b" ")
            if verdict.strip().upper() == b"OK":
                return
            meant = refusal(text, "protocol" if verdict.upper() == b"BAD" else "unavailable")
            if refused is None:
                raise meant
            refused.append(meant)
            return
        if line[:5].upper() == b"* BYE":
            raise refusal(line[5:], "unavailable", reason="bye")
        if line[:2] != b"* ":
            raise wire.trouble("protocol", reason="answer")
        yield lines, literals


def changes(wire: Wire, tag: bytes, modseq: int, vanished: bool) -> Iterator[Flagged | Vanished]:
    """Of the selected folder, everything since `modseq`; `vanished`: QRESYNC is on, deletions are asked for, too."""
    since = b"CHANGEDSINCE %d%s" % (modseq, b" VANISHED" if vanished else b"")
    wire.send(b"%s UID FETCH 1:* (UID FLAGS) (%s)\r\n" % (tag, since))
    count = 0
    for lines, literals in untagged(wire, tag):
        try:
            found = items.items(lines, literals) if items.is_fetch(lines[0]) else {}
            gone = _VANISHED.fullmatch(lines[0]) if not literals else None
            ranges = tuple(items.ranges_in(gone[1])) if gone else ()
        except (items.BadAnswer, IndexError):
            raise wire.trouble("protocol", reason="answer") from None
        count += 1 + len(ranges)
        if count > items.MOST_UIDS:
            raise wire.trouble("protocol", reason="answer_too_long")
        uid = items.uid_of(found)
        if ranges:
            yield Vanished(ranges)
        elif uid and uid <= 0xFFFFFFFF and isinstance(found.get(b"FLAGS"), bytes):
            yield Flagged(uid, flags_of(found[b"FLAGS"]))


def flags_of(inside: bytes) -> frozenset[str]:
    """As many as a message can sensibly have."""
    return frozenset(sorted(f for f in items.flags_of(inside) if len(f) <= LONGEST_FLAG)[:MOST_FLAGS])


def statuses(wire: Wire, asked: list[tuple[bytes, bytes, bytes]]) -> tuple[list[Selected | None], bool]:
    """STATUS of folders, all commands sent before the first answer is read (RFC 3501 5.5). `asked`: (tag, command,
    name as on the wire), tags in order; a command that is no STATUS has the name b"". None for one that was refused or
    that the answer does not name. Also: did the server say that QRESYNC is enabled now?"""
    wire.send(b"".join(tag + b" " + command + b"\r\n" for tag, command, _name in asked))
    found: dict[bytes, Selected | None] = {}
    enabled = False
    for tag, _command, _name in asked:
        for lines, literals in untagged(wire, tag, refused=[]):
            name, selected = _status(lines, literals)
            if name is not None:
                found[name] = selected
            words = lines[0].upper().split()
            enabled |= words[:2] == [b"*", b"ENABLED"] and b"QRESYNC" in words
    return [found.get(_folded(name)) for _tag, _command, name in asked if name], enabled


def _status(lines: list[bytes], literals: list[bytes]) -> tuple[bytes | None, Selected | None]:
    """(folder name, what STATUS says), (None, None) for any other answer."""
    match = _STATUS.fullmatch(b"".join(lines))
    if not match:
        return None, None
    name, pairs = match[1], match[2].upper().split()
    if literals:
        name = literals[0]
    elif name[:1] == b'"':
        name = re.sub(rb"\\(.)", rb"\1", name[1:-1])
    values = dict(zip(pairs[::2], pairs[1::2], strict=False))
    numbers = {key: int(value) for key, value in values.items() if value.isdigit() and len(value) < 20}
    most = {b"MESSAGES": items.LARGEST_SIZE, b"HIGHESTMODSEQ": 2**63 - 1, b"UIDNEXT": 2**32}   # all are used up
    if b"MESSAGES" not in numbers or any(n > most.get(key, 0xFFFFFFFF) for key, n in numbers.items()):
        return _folded(name), None
    return _folded(name), Selected(numbers.get(b"UIDVALIDITY", 0), numbers.get(b"UIDNEXT"), numbers[b"MESSAGES"],
                                   numbers.get(b"HIGHESTMODSEQ") or None)


def _folded(name: bytes) -> bytes:
    return b"INBOX" if name.upper() == b"INBOX" else name
