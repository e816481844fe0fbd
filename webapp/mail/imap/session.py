"""One signed-in IMAP session. Every method raises MailError; after lost, timed_out or protocol only close() helps."""

import base64
import functools
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime

from webapp.mail.connect import Connection
from webapp.mail.imap import changes, items
from webapp.mail.imap.answers import refusal, translated
from webapp.mail.imap.client import Client
from webapp.mail.imap.fetching import Fetching, TooLong, batches_of
from webapp.mail.imap.folders import folders_of
from webapp.mail.imap.greeting import open_wire
from webapp.mail.imap.wire import Wire
from webapp.mail.types import (
    Endpoint,
    Fetched,
    FetchedHeader,
    Flagged,
    Folder,
    Login,
    MailError,
    Numbered,
    Oversized,
    Policy,
    Selected,
    TlsFacts,
    Vanished,
)

_UNSAFE = re.compile(r"[\r\n\0]")
_FLAG = re.compile(r"\\?[A-Za-z0-9$_.!#&'+,/:;<=>?@^`|~-]{1,100}")
_LARGEST_HEADER = 262_144
LONGEST_ANSWER = 16_000_000   # bytes; two million UIDs
_SIZES = 1000      # UIDs a command when only sizes are asked
BRIEF = 65_536     # bytes of an answer between two IDLEs: only what is new is asked for
_SINGLE_TRIES = 50  # UIDs of a refused command that are asked for once more, alone
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Session:
    """Use as `with Session.open(...) as session`.

    `tls`: facts of the connection. `capabilities`: upper-case words, as after sign-in. `missing`: UIDs that the last
    fetch or fetch_headers was asked for and did not give, known when its iterator is exhausted: gone, or withheld.
    `unasked`: those that it did not ask for, because `more` said no.
    `tells_vanished`: QRESYNC is on, so that `changes` names deletions. `selected`: what the server said of the folder
    that is open, when it was opened.
    """

    def __init__(self, wire: Wire, client: Client):
        self._wire, self._client = wire, client
        self._selected: bytes | None = None
        self.selected: Selected | None = None
        self._tag, self._longest = 0, LONGEST_ANSWER
        self.tls: TlsFacts = wire.connection.tls
        self.capabilities: frozenset[str] = frozenset()
        self.missing: frozenset[int] = frozenset()
        self.unasked: frozenset[int] = frozenset()
        self.tells_vanished = False

    @classmethod
    def open(cls, endpoint: Endpoint, login: Login, policy: Policy, seconds: float | None = None) -> "Session":
        """Connect, verify TLS, sign in. `seconds`: the whole session must be over by then."""
        _refuse_control_characters(login.user, login.password)
        wire = open_wire(endpoint, policy, None if seconds is None else time.monotonic() + seconds)
        try:
            with translated("unavailable"):
                session = cls(wire, Client(wire))
            session._sign_in(login)
            with translated("unavailable"):
                answer = session._client.capabilities()
            session.capabilities = _words(tuple(answer))
            return session
        except BaseException:
            wire.connection.close()
            raise

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *exc) -> None:
        self.close()

    def close(self) -> None:
        """Say LOGOUT, do not wait for the answer. Never raises."""
        try:
            self._wire.seconds = min(self._wire.seconds, 2.0)
            self._wire.send(b"Z LOGOUT\r\n")
        except MailError:
            pass
        self._wire.connection.close()

    def idle(self, tag: bytes) -> tuple[Connection, bytes]:
        """Say IDLE (RFC 2177) and lend the connection to a watcher, with what came after the "+". Until `resume` no
        other method may be used; after it, only those that search and fetch in the folder that is open."""
        self._wire.send(tag + b" IDLE\r\n")
        lines, _text = self._read_until(tag, "unavailable", stop_at_plus=True)
        rest = b"".join(lines) + self._wire.rest()
        self._wire.forget()
        self._wire.until = self._client = None      # a thousand of these wait: what they need no more costs memory
        return self._wire.connection, rest

    def resume(self, tag: bytes, unread: bytes, seconds: float) -> list[bytes]:
        """Take the connection back from the watcher, with what it has not read, and end IDLE. Everything until the
        next `idle` must be over in `seconds`, and answers are short. Returns what the server told meanwhile."""
        self._wire.until = time.monotonic() + seconds
        self._wire.seconds, self._longest = min(self._wire.seconds, seconds), BRIEF
        self._wire.give_back(unread)
        self._wire.send(b"DONE\r\n")
        lines, _text = self._read_until(tag, "unavailable")
        self._wire.told.clear()
        return lines

    @property
    def told(self) -> frozenset[bytes]:
        """What the server said between its other answers since `resume`: EXISTS, more messages; EXPUNGE, fewer."""
        return frozenset(self._wire.told)

    # Folders

    def folders(self) -> list[Folder]:
        with translated("unavailable"):
            return folders_of(self._client.list_folders())

    def select(self, folder: Folder, readonly: bool = True) -> Selected:
        """EXAMINE, or SELECT when not readonly. `uidvalidity` is 0 where the server gives none."""
        name = _checked_name(folder)
        self._selected = self.selected = None
        with translated("unavailable"):
            # CONDSTORE servers name HIGHESTMODSEQ without being asked; a server without UIDVALIDITY is legal, if odd.
            answer = self._client.select_folder(name, readonly=readonly)
            self._selected = name
            self.selected = _selected(answer, b"EXISTS")
            return self.selected

    def status(self, folder: Folder) -> Selected:
        """STATUS: one short command for a folder of any size. Not for the selected folder (RFC 3501 6.3.10)."""
        what = ["MESSAGES", "UIDNEXT", "UIDVALIDITY"]
        if self.has_modseq:
            what.append("HIGHESTMODSEQ")
        name = _checked_name(folder)
        with translated("gone"):
            return _selected(self._client.folder_status(name, what), b"MESSAGES")

    def statuses(self, folders: Sequence[Folder]) -> list[Selected | None]:
        """STATUS of all of them in one round trip; QRESYNC is turned on in the same one where it is offered. None for
        the selected folder and for one that the server says nothing of: `select` tells why."""
        asked = []
        if {"ENABLE", "QRESYNC"} <= self.capabilities and not self.tells_vanished and self._selected is None:
            asked.append((self._next_tag(), b"ENABLE QRESYNC", b""))
        what = b" (MESSAGES UIDNEXT UIDVALIDITY%s)" % (b" HIGHESTMODSEQ" if self.has_modseq else b"")
        names = [_checked_name(f) for f in folders]
        asked += [(self._next_tag(), b"STATUS " + _string(name) + what, name) for name in names
                  if name != self._selected]
        found, enabled = changes.statuses(self._wire, asked)
        self.tells_vanished |= enabled
        answers = iter(found)
        return [None if name == self._selected else next(answers) for name in names]

    @property
    def has_modseq(self) -> bool:
        return bool({"CONDSTORE", "QRESYNC"} & self.capabilities)

    # Changes

    def changes(self, modseq: int) -> Iterator[Flagged | Vanished]:
        """Flags that changed in the selected folder since `modseq` and, where `tells_vanished`, what is gone since.

        Exhaust the iterator: stopping early closes the connection.
        """
        with self._reading():
            yield from changes.changes(self._wire, self._next_tag(), int(modseq), self.tells_vanished)

    def flags(self, uids: Sequence[int]) -> Iterator[Flagged]:
        """Flags of these in the selected folder; of those that are gone nothing. Exhaust the iterator."""
        run = Fetching(self._wire, uids := _as_uids(uids), b"UID FLAGS", 0)

        def flagged(uid, found):
            inside = found.get(b"FLAGS")
            return Flagged(uid, changes.flags_of(inside)) if isinstance(inside, bytes) else None

        with self._reading():
            yield from run.run(batches_of(uids, {}, _SIZES), flagged)

    def numbering(self, uids: Sequence[int]) -> Iterator[Numbered]:
        """Size, date, flags and Message-ID of these in the selected folder. Exhaust the iterator."""
        what = b"UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"
        run = Fetching(self._wire, uids := _as_uids(uids), what, _LARGEST_HEADER)

        def numbered(uid, found):
            header = next((value for name, value in found.items() if name.startswith(b"BODY[HEADER.FIELDS")), None)
            size = items.size_of(found.get(b"RFC822.SIZE"))
            return None if size is None else Numbered(uid, size, items.date_of(found.get(b"INTERNALDATE")),
                                                      changes.flags_of(found.get(b"FLAGS") or b""), header or b"")

        with self._reading():
            yield from run.run(batches_of(uids, {}, _SIZES), numbered)

    # Searching

    def uids(self, first: int, last: int | None, since: date | None = None) -> list[int]:
        """UIDs in the selected folder from `first` to `last` (None: no end), ascending; `since`: received then or
        later (INTERNALDATE, whose zone SEARCH does not look at)."""
        low, high = max(first, 1), 0xFFFFFFFF if last is None else last
        if low > high:
            return []
        received = b"" if since is None else b" SINCE %d-%s-%04d" % (
            since.day, _MONTHS[since.month - 1].encode(), since.year)
        found = self._search(b"UID %d:%s%s" % (low, b"*" if last is None else b"%d" % last, received))
        # "n:*" means "n to the newest, whichever is larger" and so always finds the newest (RFC 3501 6.4.8).
        return [uid for uid in found if low <= uid <= high]

    def drafts(self) -> list[int]:
        """UIDs in the selected folder that are marked as drafts, ascending."""
        return self._search(b"DRAFT")

    def search_message_id(self, folder: Folder, message_id: str) -> list[int]:
        """UIDs of messages in `folder` with exactly this Message-ID (given without angle brackets)."""
        wanted = message_id.strip().strip("<>")
        _refuse_control_characters(wanted)
        if not wanted:
            return []
        if self._selected != _checked_name(folder):
            self.select(folder)
        return self._search(b"HEADER Message-ID", "<" + wanted + ">")

    def _search(self, what: bytes, text: str | None = None) -> list[int]:
        extended = "ESEARCH" in self.capabilities and self._longest > BRIEF     # a short "1:2000000" is not brief
        command = b"UID SEARCH RETURN (ALL) " + what if extended else b"UID SEARCH " + what
        found: set[int] = set()
        lines, _text = self._command(command, *([] if text is None else [text]), default="unavailable")
        try:
            for line in lines:
                upper = line[:10].upper()
                if upper.startswith(b"* ESEARCH"):
                    listed = re.search(rb" ALL ([0-9:,]+)", line, re.I)
                    found.update(items.uids_in(listed[1]) if listed else ())
                elif upper.startswith(b"* SEARCH"):
                    numbers = re.sub(rb"\(.*", b"", line[8:])   # RFC 7162 adds (MODSEQ n)
                    if re.search(rb"[^\d\s]", numbers):
                        raise ValueError
                    found.update(int(n[0]) for n in re.finditer(rb"\d+", numbers))
        except ValueError:
            raise self._wire.trouble("protocol", reason="search") from None
        return sorted(found)

    # Reading

    def fetch(self, uids: Sequence[int], max_bytes: int, sizes: dict[int, int] | None = None,
              more: Callable[[], bool] | None = None) -> Iterator:
        """Fetched for each UID, Oversized for those over `max_bytes`; batches in the given order.

        Sizes are asked first unless given (uid -> RFC822.SIZE). Memory: one message, and what the kernel holds.
        Exhaust the iterator: stopping early closes the connection; `more` is asked before each command, and when it
        says False what is left becomes `unasked`. See `missing`.
        """
        uids = _as_uids(uids)
        self.missing = self.unasked = frozenset()
        sizes = dict(sizes) if sizes is not None else self.sizes(uids)
        small = [uid for uid in uids if uid in sizes and sizes[uid] <= max_bytes]
        large = [uid for uid in uids if sizes.get(uid, 0) > max_bytes]
        given: set[int] = set()

        def fetched(uid, found):
            raw = found.get(b"BODY[]")
            if raw is None:
                return None
            return Fetched(uid, raw, items.date_of(found.get(b"INTERNALDATE")), items.flags_of(found.get(b"FLAGS")),
                           sizes.get(uid))

        def oversized(uid, found):
            header = found.get(b"BODY[HEADER]")
            return None if header is None else Oversized(
                uid, sizes[uid], header, items.date_of(found.get(b"INTERNALDATE")), items.flags_of(found.get(b"FLAGS")))

        for part, what, longest, make in (
                (small, b"UID FLAGS INTERNALDATE BODY.PEEK[]", max_bytes, fetched),
                (large, b"UID FLAGS INTERNALDATE BODY.PEEK[HEADER]", _LARGEST_HEADER, oversized)):
            yield from self._fetch(part, what, longest, make, sizes, given, more)
        self.missing = frozenset(uids) - given - self.unasked

    def fetch_headers(self, uids: Sequence[int], more: Callable[[], bool] | None = None) -> Iterator[FetchedHeader]:
        """Header, size and structure of each UID. See `fetch` for order, `more`, `missing` and stopping early."""
        uids = _as_uids(uids)
        self.missing = self.unasked = frozenset()
        given: set[int] = set()

        def header(uid, found):
            raw = found.get(b"BODY[HEADER]")
            return None if raw is None else FetchedHeader(
                uid, raw, items.size_of(found.get(b"RFC822.SIZE")) or 0, items.date_of(found.get(b"INTERNALDATE")),
                items.flags_of(found.get(b"FLAGS")), items.has_attachments(found.get(b"BODYSTRUCTURE")))

        what = b"UID FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE BODY.PEEK[HEADER]"
        yield from self._fetch(uids, what, _LARGEST_HEADER, header, {}, given, more)
        self.missing = frozenset(uids) - given - self.unasked

    def fetch_one(self, uid: int, max_bytes: int = 100_000_000) -> Fetched:
        """One message. MailError gone when it is not there; unavailable when it is larger than `max_bytes`."""
        found = next(iter(list(self.fetch([uid], max_bytes))), None)
        if found is None:
            raise MailError("gone", uid=uid)
        if isinstance(found, Oversized):
            raise MailError("unavailable", reason="too_large", uid=uid, size=found.size)
        return found

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """{uid: RFC822.SIZE} of those that the server tells it of."""
        run = Fetching(self._wire, uids, b"UID RFC822.SIZE", 0)

        def size(uid, found):
            announced = items.size_of(found.get(b"RFC822.SIZE"))
            return None if announced is None else (uid, announced)

        with self._reading():
            return dict(run.run(batches_of(uids, {}, _SIZES), size))

    def _fetch(self, uids, what, longest, make, sizes, given: set[int], more=None) -> Iterator:
        """Runs the commands; asks once more, one by one, for what a refused command did not give."""
        if not uids:
            return
        run = Fetching(self._wire, uids, what, longest)

        def counted(uid, found):
            if (value := make(uid, found)) is not None:
                given.add(uid)
            return value

        with self._reading():
            try:
                yield from run.run(batches_of(uids, sizes), counted, more)
                self.unasked |= frozenset(uids) - run.sent
                again = [uid for uid in run.refused if uid not in run.answered][:_SINGLE_TRIES]
                yield from run.run(iter([[uid] for uid in again]), counted)
            except TooLong as long:
                if long.uid in run.asked and long.uid not in given:
                    given.add(long.uid)
                    yield Oversized(long.uid, min(long.size, items.LARGEST_SIZE), b"")
                raise self._wire.trouble("protocol", reason="literal_too_long") from None

    def _reading(self):
        return _CloseOnEarlyEnd(self._wire)

    # Writing

    def append(self, folder: Folder, raw: bytes, flags: Iterable[str] = (), date: datetime | None = None) -> int | None:
        """Put a message into a folder, byte for byte. Its UID where the server tells (UIDPLUS), else None."""
        name, flags = _checked_name(folder), list(flags)
        for flag in flags:
            if not _FLAG.fullmatch(flag):
                raise MailError("not_allowed", reason="control_character")
        command = b"APPEND " + _string(name)
        if flags:
            command += b" (" + " ".join(flags).encode() + b")"
        if date:
            command += b" " + _internal_date(date)
        _lines, answer = self._command(command, raw, default="unavailable")
        found = re.search(rb"\[APPENDUID \d+ (\d+)\]", answer, re.I)
        return int(found[1]) if found else None

    def noop(self) -> None:
        with translated("unavailable"):
            self._client.noop()

    # The wire

    def _sign_in(self, login: Login) -> None:
        """AUTHENTICATE PLAIN where offered, else LOGIN. One try: a second one may lock the account."""
        offered = {word.upper() for word in self._client.capabilities()}
        if b"AUTH=PLAIN" in offered:
            token = base64.b64encode(f"\0{login.user}\0{login.password}".encode())
            self._authenticate_plain(token, b"SASL-IR" in offered)
        elif b"LOGINDISABLED" in offered:
            raise self._wire.trouble("protocol", reason="no_password_sign_in")
        else:
            self._command(b"LOGIN", login.user, login.password, default="password_refused")
        self._client.signed_in()

    def _authenticate_plain(self, token: bytes, at_once: bool) -> None:
        """RFC 4616; SASL-IR (RFC 4959) saves a round trip."""
        if at_once:
            self._command(b"AUTHENTICATE PLAIN " + token, default="password_refused")
            return
        tag = self._next_tag()
        self._wire.send(tag + b" AUTHENTICATE PLAIN\r\n")
        self._read_until(tag, "password_refused", stop_at_plus=True)
        self._wire.send(token + b"\r\n")
        self._read_until(tag, "password_refused")

    def _command(self, command: bytes, *strings: str | bytes, default: str) -> tuple[list[bytes], bytes]:
        """One tagged command with string arguments after it. Untagged lines and the text of the tagged OK."""
        tag = self._next_tag()
        pieces = [tag + b" " + command]
        for string in strings:
            data = string.encode() if isinstance(string, str) else string
            if isinstance(string, str) and _quotable(data):
                pieces[-1] += b" " + _string(data)
            else:
                pieces[-1] += b" "
                pieces += [data, b""]
        return self._send_pieces(tag, pieces, default)

    def _send_pieces(self, tag: bytes, pieces: list[bytes], default: str) -> tuple[list[bytes], bytes]:
        """Pieces alternate: text, literal, text, ... Literals wait for "+" unless the server waives it (RFC 7888)."""
        lines: list[bytes] = []
        for number in range(1, len(pieces), 2):
            size = len(pieces[number])
            waived = "LITERAL+" in self.capabilities or "LITERAL-" in self.capabilities and size <= 4096
            self._wire.send(pieces[number - 1] + (b"{%d+}\r\n" if waived else b"{%d}\r\n") % size)
            if not waived:
                lines += self._read_until(tag, default, stop_at_plus=True)[0]
            self._wire.send(pieces[number])
        self._wire.send(pieces[-1] + b"\r\n")
        more, text = self._read_until(tag, default)
        return lines + more, text

    def _read_until(self, tag: bytes, default: str, stop_at_plus: bool = False) -> tuple[list[bytes], bytes]:
        lines, total = [], 0
        while True:
            line = self._wire.line(self._longest)
            total += len(line)
            if total > self._longest:
                raise self._wire.trouble("protocol", reason="answer_too_long")
            if line.startswith(tag + b" "):
                verdict, _, text = line[len(tag) + 1:].partition(b" ")
                if verdict.strip().upper() != b"OK":
                    raise refusal(text, "protocol" if verdict.upper() == b"BAD" else default)
                if stop_at_plus:
                    raise self._wire.trouble("protocol", reason="answer")
                return lines, text
            if line[:1] == b"+":
                if stop_at_plus:
                    return lines, b""
                raise self._wire.trouble("protocol", reason="answer")
            if line[:5].upper() == b"* BYE":
                raise refusal(line[5:], "unavailable", reason="bye")
            if line[:1] != b"*":
                raise self._wire.trouble("protocol", reason="answer")
            while (size := items.literal_size(line)) is not None:
                if (total := total + size) > self._longest:
                    raise self._wire.trouble("protocol", reason="answer_too_long")
                line = line + self._wire.exactly(size) + (tail := self._wire.line())
                if items.literal_size(tail) is None:
                    break
            lines.append(line)

    def _next_tag(self) -> bytes:
        self._tag += 1
        return b"C%d" % self._tag


class _CloseOnEarlyEnd:
    """Answers that nobody read would be taken for those of the next command: then the connection is closed."""

    def __init__(self, wire: Wire):
        self._wire = wire

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self._wire.connection.close()


@functools.lru_cache(maxsize=64)
def _words(answer: tuple[bytes, ...]) -> frozenset[str]:
    """One object for all sessions of a server: the watch holds a thousand."""
    return frozenset(word.decode("ascii", "replace").upper() for word in answer)


def _selected(answer: dict, exists: bytes) -> Selected:
    def number(key, most=0xFFFFFFFF):
        value = answer.get(key)
        if isinstance(value, int) and not 0 <= value <= most:    # RFC 3501 9: 32 bits; RFC 7162 7: 63 bits
            raise MailError("protocol", reason="number", name=key.decode())
        return value if isinstance(value, int) else None
    return Selected(number(b"UIDVALIDITY") or 0, number(b"UIDNEXT", 2**32), number(exists, items.LARGEST_SIZE) or 0,
                    number(b"HIGHESTMODSEQ", 2**63 - 1))


def _checked_name(folder: Folder) -> bytes:
    name = folder.wire_name
    if not name or set(name) & set(b"\r\n\0"):
        raise MailError("not_allowed", reason="control_character")
    return name


def _refuse_control_characters(*strings: str) -> None:
    for string in strings:
        if _UNSAFE.search(string):
            raise MailError("not_allowed", reason="control_character")
        try:
            string.encode()
        except UnicodeEncodeError:    # a lone surrogate
            raise MailError("not_allowed", reason="control_character") from None


def _quotable(data: bytes) -> bool:
    return data.isascii() and len(data) < 1000 and data.decode("ascii").isprintable()


def _string(data: bytes) -> bytes:
    return b'"' + data.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _as_uids(uids: Sequence[int]) -> list[int]:
    """In the given order, each once."""
    checked = list(dict.fromkeys(int(uid) for uid in uids))
    if any(not 0 < uid <= 0xFFFFFFFF for uid in checked):
        raise ValueError("a UID is a number from 1 to 4294967295")
    return checked


def _internal_date(date: datetime) -> bytes:
    when = date.astimezone(UTC)
    return f'"{when.day:2d}-{_MONTHS[when.month - 1]}-{when:%Y %H:%M:%S} +0000"'.encode()
