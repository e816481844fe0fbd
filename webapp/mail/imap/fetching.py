"""Bulk FETCH: UIDs in, messages out, one literal in memory at a time, two commands in flight (RFC 3501 5.5).

Answers are routed by UID, never by the command or sequence number they seem to belong to: servers interleave them.
"""

from collections.abc import Callable, Iterator, Sequence

from webapp.mail.imap import items
from webapp.mail.imap.answers import refusal
from webapp.mail.imap.wire import Wire

BATCH = 100              # UIDs a command
BATCH_BYTES = 4_000_000  # or as many as this many bytes, by RFC822.SIZE
IN_FLIGHT = 2
SLACK = 65_536           # RFC822.SIZE is often a little wrong

# uid, attributes -> value to yield, or None to ignore the answer
Make = Callable[[int, dict], object | None]


class TooLong(Exception):
    """A literal is announced larger than allowed. The connection cannot be used any more."""

    def __init__(self, uid: int | None, size: int):
        super().__init__(uid, size)
        self.uid, self.size = uid, size


class Fetching:
    """One run of FETCH commands on one wire. `sent`, `answered` and `refused` (of commands answered NO): UIDs."""

    def __init__(self, wire: Wire, asked: Sequence[int], what: bytes, longest: int):
        self.wire, self.what, self.longest = wire, what, longest
        self.asked = frozenset(asked)
        self.sent: set[int] = set()
        self.answered: set[int] = set()
        self.refused: list[int] = []
        self._pending: dict[bytes, list[int]] = {}
        self._count = 0

    def run(self, batches: Iterator[list[int]], make: Make, more: Callable[[], bool] | None = None) -> Iterator:
        """Values that `make` builds, each UID at most once. MailError, TooLong. `more` is asked before each command;
        after a False no more are sent."""
        going = True
        while True:
            while going and len(self._pending) < IN_FLIGHT:
                batch = next(batches, None) if more is None or more() else None
                going = batch is not None
                if going:
                    self._send(batch)
            if not self._pending:
                return
            found = self._read_answer()
            if found is None:
                continue
            uid = items.uid_of(found)
            if uid not in self.asked or uid in self.answered:
                continue
            made = [make(uid, found)]
            found = None
            if made[0] is not None:
                self.answered.add(uid)
                yield made.pop()        # held here, a large message would live on until the next one is asked for

    def _send(self, batch: list[int]) -> None:
        self._count += 1
        tag = b"F%d" % self._count
        self._pending[tag] = batch
        self.sent.update(batch)
        self.wire.send(b"%s UID FETCH %s (%s)\r\n" % (tag, items.uid_set(batch), self.what))

    def _read_answer(self) -> dict | None:
        """The next FETCH answer as a dict; None for any other line."""
        line = self.wire.line()
        if found := items.common(line):
            return self._read_common(found)
        if line[:2] == b"* ":
            return self._read_untagged(line)
        if line[:1] == b"F":
            self._finish(line)
            return None
        raise self.wire.trouble("protocol", reason="answer")

    def _read_common(self, found) -> dict:
        uid, flags, date, size, length = found.groups()
        length = int(length)
        self._check(length, number_or_none(uid))
        raw = self.wire.exactly(length)
        tail = self.wire.line()
        if tail == b")\r\n":
            return {b"UID": uid, b"FLAGS": flags, b"INTERNALDATE": date, b"RFC822.SIZE": size, b"BODY[]": raw}
        return self._parse([found[0], *self._rest(tail, literals := [raw])], literals)

    def _read_untagged(self, line: bytes) -> dict | None:
        upper = line[:16].upper()
        if upper.startswith(b"* BYE"):
            raise refusal(line[5:], "unavailable", reason="bye")
        literals: list[bytes] = []
        lines = self._rest(line, literals)
        return self._parse(lines, literals) if items.is_fetch(line) else None

    def _rest(self, line: bytes, literals: list[bytes]) -> list[bytes]:
        """Read on while lines end with a literal."""
        lines, total = [line], sum(map(len, literals))
        while (size := items.literal_size(line)) is not None:
            if len(literals) > 1000:
                raise self.wire.trouble("protocol", reason="answer_too_long")
            total += size
            self._check(total, None)        # all of one answer together: no message has more than one large literal
            literals.append(self.wire.exactly(size))
            lines.append(line := self.wire.line())
        return lines

    def _parse(self, lines: list[bytes], literals: list[bytes]) -> dict:
        try:
            return items.items(lines, literals)
        except (items.BadAnswer, IndexError):
            raise self.wire.trouble("protocol", reason="answer") from None

    def _check(self, size: int, uid: int | None) -> None:
        if size > self.longest + SLACK:
            raise TooLong(uid, size)

    def _finish(self, line: bytes) -> None:
        tag, _, rest = line.partition(b" ")
        batch = self._pending.pop(tag, None)
        verdict = rest[:3].upper()
        if batch is None or verdict not in (b"OK ", b"NO ", b"BAD", b"OK\r"):
            raise self.wire.trouble("protocol", reason="answer")
        if verdict.startswith(b"OK"):
            return
        meant = refusal(rest, "protocol" if verdict == b"BAD" else "gone")
        if meant.code != "gone":
            raise meant
        self.refused += batch


def number_or_none(value: bytes | None) -> int | None:
    return int(value) if value else None


def batches_of(uids: Sequence[int], sizes: dict[int, int], batch: int = BATCH) -> Iterator[list[int]]:
    """The UIDs in the given order, in lists of at most `batch` and BATCH_BYTES (one large message is a list alone)."""
    part, total = [], 0
    for uid in uids:
        size = sizes.get(uid, 0)
        if part and (len(part) >= batch or total + size > BATCH_BYTES):
            yield part
            part, total = [], 0
        part.append(uid)
        total += size
    if part:
        yield part


