"""One IMAP connection: reads commands, keeps what the client knows of its folder, answers.

RFC 3501 with IDLE (2177), UIDPLUS (4315), MOVE (6851), SPECIAL-USE (6154), LIST-EXTENDED's RETURN
(5258), NAMESPACE (2342), LITERAL+ (7888), SASL-IR (4959), UNSELECT (3691), ID (2971).
"""

import asyncio
import base64
import binascii
import contextlib
import hmac
import logging
import re
import sqlite3
from collections.abc import Mapping
from datetime import datetime

from webapp.demo.imap.fetch import MONTHS, Message, flag_list, items
from webapp.demo.imap.search import BadCharset, question
from webapp.demo.imap.wire import (
    MAX_LITERAL,
    BadSyntax,
    Token,
    TooLong,
    as_set,
    in_set,
    number_set,
    read_command,
    read_line,
    string,
)
from webapp.demo.mailstore import Entry, Folder, MailStore

CAPABILITIES = (b"IMAP4rev1 AUTH=PLAIN SASL-IR LITERAL+ ID NAMESPACE IDLE UIDPLUS MOVE UNSELECT CHILDREN "
                b"LIST-EXTENDED SPECIAL-USE")
FLAGS = b"(\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded $MDNSent)"
SYSTEM_FLAGS = {flag.lower(): flag for flag in ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")}
IDLE_SECONDS = 30 * 60
log = logging.getLogger(__name__)
SMALL_LITERAL = 8_192   # before sign-in
FAILED_SIGN_INS = 5
UNREADABLE_LINES = 20


class No(Exception):
    """The command is understood and refused; the text may begin with a response code."""


class Session:
    def __init__(self, store: MailStore, passwords: Mapping[str, str], reader: asyncio.StreamReader,
                 writer: asyncio.StreamWriter):
        self._store, self._passwords, self._reader, self._writer = store, passwords, reader, writer
        self._user: str | None = None
        self._folder: Folder | None = None
        self._readonly = False
        self._known: list[Entry] = []       # the folder as the client knows it; its number is the index + 1
        self._dirty = asyncio.Event()       # the folder changed since the client was told
        self._failures = 0
        self._unreadable = 0
        self._ended = False

    async def run(self) -> None:
        self._say(b"* OK [CAPABILITY %b] The mail of Transwisla is ready" % CAPABILITIES)
        while not self._ended:
            await self._writer.drain()
            await asyncio.sleep(0)  # who sends many commands at once must not hold up the others
            if self._writer.is_closing():
                return None
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    command = await read_command(self._reader, self._go_ahead,
                                                 MAX_LITERAL if self._user else SMALL_LITERAL)
            except TimeoutError:
                return self.bye("too long without a command")
            except TooLong:
                return self.bye("that is too long")
            except BadSyntax as error:
                self._say(b"* BAD %b" % str(error).encode())
                self._unreadable += 1
                if self._unreadable >= UNREADABLE_LINES:
                    return self.bye("this is no IMAP")
                continue
            await self._answer(command)
        await self._writer.drain()

    def bye(self, text: str) -> None:
        self._ended = True
        self._say(b"* BYE " + text.encode())

    def close(self) -> None:
        self._leave_folder()

    async def _answer(self, command: list[Token]) -> None:
        if len(command) < 2 or not all(isinstance(word, bytes) for word in command[:2]):
            return self._say(b"* BAD a tag and a command, please")
        tag, name, arguments = command[0], command[1].upper(), command[2:]
        by_uid = name == b"UID" and arguments and isinstance(arguments[0], bytes)
        if by_uid:
            name, arguments = b"UID " + arguments[0].upper(), arguments[1:]
        try:
            handler = self._handler(name)
            done = await handler(*arguments)
        except No as error:
            self._say(b"%b NO %b" % (tag, str(error).encode("utf-8", "replace")))
        except (BadSyntax, TypeError, AttributeError, IndexError) as error:
            # Too few, too many or oddly shaped arguments end up in the last three.
            text = str(error) if isinstance(error, BadSyntax) else "wrong arguments"
            log.debug("BAD", exc_info=error)
            self._say(b"%b BAD %b" % (tag, text.encode()))
        else:
            # Numbers must not move under a client that speaks in numbers (RFC 3501 7.4.1).
            self._tell_changes(may_expunge=name not in (b"FETCH", b"STORE", b"SEARCH"))
            self._say(b"%b OK %b" % (tag, done or name + b" done"))

    def _handler(self, name: bytes):
        found = COMMANDS.get(name)
        if found is None:
            raise BadSyntax("unknown command")
        state, handler = found
        if state == "out" and self._user:
            raise BadSyntax("already signed in")
        if state in ("in", "selected") and not self._user:
            raise BadSyntax("sign in first")
        if state == "selected" and not self._folder:
            raise BadSyntax("select a folder first")
        return handler.__get__(self)

    def _say(self, line: bytes) -> None:
        self._writer.write(line + b"\r\n")

    async def _go_ahead(self) -> None:
        self._say(b"+ go ahead")
        await self._writer.drain()

    # Any state

    async def capability(self):
        self._say(b"* CAPABILITY " + CAPABILITIES)

    async def noop(self):
        pass

    async def identify(self, _client=None):
        self._say(b'* ID ("name" "postroom-demo")')

    async def logout(self):
        self.bye("good bye")

    # Signing in

    async def login(self, user, password):
        return await self._sign_in(user, password)

    async def authenticate(self, mechanism, initial=None):
        if mechanism.upper() != b"PLAIN":
            raise No("[CANNOT] only PLAIN")
        if initial is None:
            self._say(b"+ ")
            await self._writer.drain()
            initial = await read_line(self._reader)
        try:
            _, user, password = base64.b64decode(initial, validate=True).split(b"\0")
        except (binascii.Error, ValueError):
            raise BadSyntax("not a PLAIN response") from None
        return await self._sign_in(user, password)

    async def _sign_in(self, user: bytes, password: bytes) -> bytes:
        address = user.decode("utf-8", "replace").lower()
        expected = self._passwords.get(address)
        if expected is None or not hmac.compare_digest(password, expected.encode()):
            self._failures += 1
            if self._failures >= FAILED_SIGN_INS:
                self.bye("too many attempts")
            raise No("[AUTHENTICATIONFAILED] wrong user name or password")
        self._user = address
        return b"[CAPABILITY %b] signed in" % CAPABILITIES

    # Folders

    async def namespace(self):
        self._say(b'* NAMESPACE (("" "/")) NIL NIL')

    async def list_folders(self, *arguments):
        arguments = list(arguments)
        only_special = False
        if isinstance(arguments[0], list):  # selection options, LIST-EXTENDED
            only_special = b"SPECIAL-USE" in [option.upper() for option in arguments.pop(0)]
        reference, patterns = arguments[0], arguments[1]
        if patterns == b"":
            return self._say(b'* LIST (\\Noselect) "/" ""')
        patterns = patterns if isinstance(patterns, list) else [patterns]
        wanted = [_pattern(reference + pattern) for pattern in patterns]
        for folder in self._store.folders(self._user):
            if any(pattern.fullmatch(folder.name) for pattern in wanted) and (folder.role or not only_special):
                self._say(b"* LIST %b" % self._described(folder))
        if len(arguments) == 4 and arguments[2].upper() == b"RETURN":
            await self._list_status(arguments[3], wanted)

    async def _list_status(self, options: list, wanted: list) -> None:
        """RETURN (STATUS (...)) of RFC 5819; the other options are always in the answer."""
        for option, value in zip(options, options[1:], strict=False):
            if option == b"STATUS" and isinstance(value, list):
                for folder in self._store.folders(self._user):
                    if any(pattern.fullmatch(folder.name) for pattern in wanted):
                        await self.status(folder.name.encode(), value)

    async def list_subscribed(self, reference, pattern):
        wanted = _pattern(reference + pattern)
        for folder in self._store.folders(self._user):
            if folder.subscribed and wanted.fullmatch(folder.name):
                self._say(b"* LSUB %b" % self._described(folder))

    def _described(self, folder: Folder) -> bytes:
        inside = any(other.name.startswith(folder.name + "/") for other in self._store.folders(self._user))
        attributes = ["\\HasChildren" if inside else "\\HasNoChildren", *([folder.role] if folder.role else [])]
        return b'(%b) "/" %b' % (" ".join(attributes).encode(), string(folder.name.encode()))

    async def create(self, name, _options=None):
        try:
            self._store.create_folder(self._user, _new_name(name))
        except sqlite3.IntegrityError:
            raise No("[ALREADYEXISTS] there is such a folder") from None

    async def delete(self, name):
        folder = self._find(name)
        if folder.name == "INBOX":
            raise No("[CANNOT] INBOX stays")
        self._store.delete_folder(folder)

    async def rename(self, name, new_name):
        folder = self._find(name)
        if folder.name == "INBOX":
            raise No("[CANNOT] INBOX keeps its name")
        try:
            self._store.rename_folder(folder, _new_name(new_name))
        except sqlite3.IntegrityError:
            raise No("[ALREADYEXISTS] there is such a folder") from None

    async def subscribe(self, name):
        self._store.subscribe(self._find(name), True)

    async def unsubscribe(self, name):
        self._store.subscribe(self._find(name), False)

    async def status(self, name, wanted):
        folder = self._find(name)
        entries = self._store.entries(folder.id)
        values = {b"MESSAGES": len(entries), b"RECENT": 0, b"UIDNEXT": folder.uidnext,
                  b"UIDVALIDITY": folder.uidvalidity,
                  b"UNSEEN": sum("\\Seen" not in entry.flags for entry in entries)}
        asked = [word.upper() for word in wanted]
        if not all(word in values for word in asked):
            raise BadSyntax("no such status item")
        pairs = b" ".join(b"%b %d" % (word, values[word]) for word in asked)
        self._say(b"* STATUS %b (%b)" % (string(folder.name.encode()), pairs))

    def _find(self, name) -> Folder:
        folder = self._store.folder(self._user, name.decode("utf-8", "replace"))
        if folder is None:
            raise No("[NONEXISTENT] no such folder")
        return folder

    # Selecting

    async def select(self, name, _parameters=None):
        return self._enter_folder(name, readonly=False)

    async def examine(self, name, _parameters=None):
        return self._enter_folder(name, readonly=True)

    def _enter_folder(self, name, readonly: bool) -> bytes:
        self._leave_folder()
        folder = self._find(name)
        self._folder, self._readonly = folder, readonly
        self._store.watch(folder.id, self._dirty.set)
        self._known = self._store.entries(folder.id)
        self._dirty.clear()
        unseen = next((number for number, entry in enumerate(self._known, 1) if "\\Seen" not in entry.flags), None)
        self._say(b"* FLAGS " + FLAGS)
        self._say(b"* OK [PERMANENTFLAGS %b] flags" % (b"()" if readonly else FLAGS[:-1] + b" \\*)"))
        self._say(b"* %d EXISTS" % len(self._known))
        self._say(b"* 0 RECENT")
        if unseen:
            self._say(b"* OK [UNSEEN %d] first unseen" % unseen)
        self._say(b"* OK [UIDVALIDITY %d] UIDs valid" % folder.uidvalidity)
        self._say(b"* OK [UIDNEXT %d] next UID" % folder.uidnext)
        return b"[READ-ONLY] folder opened" if readonly else b"[READ-WRITE] folder opened"

    def _leave_folder(self) -> None:
        if self._folder:
            self._store.unwatch(self._folder.id, self._dirty.set)
        self._folder, self._known = None, []

    async def close_folder(self):
        if not self._readonly:
            self._remove([entry.uid for entry in self._store.entries(self._folder.id) if "\\Deleted" in entry.flags])
        self._leave_folder()

    async def unselect(self):
        self._leave_folder()

    def _tell_changes(self, may_expunge: bool = True) -> None:
        """Everything that happened in the folder since the client was last told."""
        if not self._folder or not self._dirty.is_set():
            return
        now = {entry.uid: entry for entry in self._store.entries(self._folder.id)}
        gone = [number for number, entry in enumerate(self._known, 1) if entry.uid not in now]
        if gone and may_expunge:
            for number in reversed(gone):
                self._say(b"* %d EXPUNGE" % number)
                del self._known[number - 1]
            gone = []
        for number, entry in enumerate(self._known, 1):
            fresh = now.get(entry.uid, entry)
            if fresh.flags != entry.flags:
                self._say(b"* %d FETCH (UID %d FLAGS %b)" % (number, entry.uid, flag_list(fresh.flags)))
                self._known[number - 1] = fresh
        highest = self._known[-1].uid if self._known else 0
        new = [entry for uid, entry in now.items() if uid > highest]
        if new:
            self._known += new
            self._say(b"* %d EXISTS" % len(self._known))
        if not gone:
            self._dirty.clear()

    async def idle(self):
        self._say(b"+ idling")
        done = asyncio.create_task(read_line(self._reader))
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                while not done.done():
                    self._tell_changes()
                    await self._writer.drain()
                    changed = asyncio.create_task(self._dirty.wait())
                    await asyncio.wait({done, changed}, return_when=asyncio.FIRST_COMPLETED)
                    changed.cancel()
        except TimeoutError:
            self.bye("idle for too long")
        finally:
            if not done.done():
                done.cancel()
        if done.done() and not done.cancelled() and done.result().upper() != b"DONE":
            raise BadSyntax("DONE was expected")

    # Messages

    def _chosen(self, numbers: Token, by_uid: bool) -> list[tuple[int, Entry]]:
        if by_uid:
            # A client may ask for a UID that it has not been told of yet; that is silently nothing.
            ranges = number_set(numbers, self._known[-1].uid if self._known else 0)
            return [(n, entry) for n, entry in enumerate(self._known, 1) if in_set(entry.uid, ranges)]
        ranges = number_set(numbers, len(self._known))
        if any(low < 1 or high > len(self._known) for low, high in ranges):
            raise BadSyntax("no such message number")
        return [(n, entry) for n, entry in enumerate(self._known, 1) if in_set(n, ranges)]

    def _message(self, number: int, entry: Entry) -> Message:
        return Message(number, entry, lambda: self._store.raw(self._folder.id, entry.uid) or b"")

    async def fetch(self, numbers, wanted, by_uid=False):
        chosen_items = items(wanted)
        if by_uid and not any(item.name == b"UID" for item in chosen_items):
            chosen_items = items(b"UID") + chosen_items
        marks_seen = not self._readonly and any(item.marks_seen for item in chosen_items)
        for number, entry in self._chosen(numbers, by_uid):
            if marks_seen and "\\Seen" not in entry.flags:
                self._store.set_flags(self._folder.id, entry.uid, entry.flags | {"\\Seen"})
            message = self._message(number, entry)
            pairs = [item.name + b" " + item.render(message) for item in chosen_items]
            self._say(b"* %d FETCH (%b)" % (number, b" ".join(pairs)))
            await self._writer.drain()

    async def uid_fetch(self, numbers, wanted):
        return await self.fetch(numbers, wanted, by_uid=True)

    async def search(self, *arguments, by_uid=False):
        highest_uid = self._known[-1].uid if self._known else 0
        try:
            asked = question(list(arguments), len(self._known), highest_uid)
        except BadCharset:
            raise No("[BADCHARSET (UTF-8 US-ASCII)] UTF-8, please") from None
        found = [entry.uid if by_uid else number for number, entry in enumerate(self._known, 1)
                 if asked(self._message(number, entry))]
        self._say(b" ".join([b"* SEARCH", *(b"%d" % number for number in found)]))

    async def uid_search(self, *arguments):
        return await self.search(*arguments, by_uid=True)

    async def store(self, numbers, action, *flags, by_uid=False):
        self._writable()
        found = re.fullmatch(rb"([+-]?)FLAGS(\.SILENT)?", action.upper())
        if not found:
            raise BadSyntax("FLAGS, +FLAGS or -FLAGS")
        words = flags[0] if len(flags) == 1 and isinstance(flags[0], list) else flags
        named = _flags(words)
        current = {entry.uid: entry for entry in self._store.entries(self._folder.id)}
        for number, known in self._chosen(numbers, by_uid):
            entry = current.get(known.uid)
            if entry is None:
                continue
            after = {b"+": entry.flags | named, b"-": entry.flags - named, b"": named}[found[1]]
            self._store.set_flags(self._folder.id, entry.uid, after)
            if found[2]:
                self._known[number - 1] = entry._replace(flags=frozenset(after))  # silent: the client knows

    async def uid_store(self, numbers, action, *flags):
        return await self.store(numbers, action, *flags, by_uid=True)

    async def expunge(self):
        self._writable()
        self._remove([entry.uid for entry in self._store.entries(self._folder.id) if "\\Deleted" in entry.flags])

    async def uid_expunge(self, numbers):
        self._writable()
        chosen = {entry.uid for _, entry in self._chosen(numbers, by_uid=True)}
        self._remove([entry.uid for entry in self._store.entries(self._folder.id)
                      if entry.uid in chosen and "\\Deleted" in entry.flags])

    async def copy(self, numbers, name, by_uid=False):
        target = self._target(name)
        before, after = self._copy(self._chosen(numbers, by_uid), target)
        return _copied(target, before, after) + b"copied" if before else None

    async def uid_copy(self, numbers, name):
        return await self.copy(numbers, name, by_uid=True)

    async def move(self, numbers, name, by_uid=False):
        self._writable()
        target = self._target(name)
        before, after = self._copy(self._chosen(numbers, by_uid), target)
        if before:
            self._say(b"* OK " + _copied(target, before, after) + b"moved")  # before the EXPUNGEs (RFC 6851 3.3)
            self._remove(before)

    async def uid_move(self, numbers, name):
        return await self.move(numbers, name, by_uid=True)

    def _copy(self, chosen: list[tuple[int, Entry]], target: Folder) -> tuple[list[int], list[int]]:
        before, after = [], []
        with self._store.transaction():
            for _, entry in chosen:
                raw = self._store.raw(self._folder.id, entry.uid)
                if raw is not None:
                    before.append(entry.uid)
                    after.append(self._store.add(target, raw, entry.flags, entry.arrived))
        return before, after

    async def append(self, name, *arguments):
        folder = self._target(name)
        arguments = list(arguments)
        raw = arguments.pop()
        flags = _flags(arguments.pop(0)) if arguments and isinstance(arguments[0], list) else set()
        arrived = _moment(arguments.pop(0)) if arguments else None
        if arguments or not isinstance(raw, bytes):
            raise BadSyntax("wrong arguments")
        uid = self._store.add(folder, raw, flags, arrived)
        return b"[APPENDUID %d %d] kept" % (folder.uidvalidity, uid)

    def _target(self, name) -> Folder:
        with contextlib.suppress(No):
            return self._find(name)
        raise No("[TRYCREATE] no such folder")

    def _remove(self, uids: list[int]) -> None:
        if uids:
            self._store.remove(self._folder.id, uids)

    def _writable(self) -> None:
        if self._readonly:
            raise No("[READ-ONLY] the folder was opened with EXAMINE")


def _copied(target: Folder, before: list[int], after: list[int]) -> bytes:
    return b"[COPYUID %d %b %b] " % (target.uidvalidity, as_set(before), as_set(after))


def _pattern(text: bytes) -> re.Pattern:
    """LIST's wildcards: * is anything, % anything within one level. INBOX in any case."""
    pieces = {"*": ".*", "%": "[^/]*"}
    name = text.decode("utf-8", "replace")
    name = "INBOX" if name.upper() == "INBOX" else name
    return re.compile("".join(pieces.get(letter) or re.escape(letter) for letter in name), re.DOTALL)


def _new_name(name: bytes) -> str:
    text = name.decode("ascii", "replace").rstrip("/")
    if not text or len(text) > 200 or re.search(r"[^\x20-\x7e]|[%*\"\\]|//|^/", text):
        raise No("[CANNOT] no name for a folder")
    return text


def _flags(words) -> set[str]:
    flags = [word.decode("ascii", "replace") for word in words]
    if any(re.search(r"[^\x21-\x7e]|[(){%*\"\]]", flag) for flag in flags):
        raise BadSyntax("not a flag")
    return {SYSTEM_FLAGS.get(flag.lower(), flag) for flag in flags} - {"\\Recent"}


def _moment(token: bytes) -> datetime:
    """APPEND's date-time, such as " 7-Feb-1994 21:52:25 -0800"."""
    text = token.decode("ascii", "replace").strip()
    found = re.fullmatch(r"(\d{1,2})-([A-Za-z]{3})-(\d{4} \d\d:\d\d:\d\d [+-]\d{4})", text)
    try:
        month = MONTHS.index(found[2].capitalize()) + 1
        return datetime.strptime(f"{found[1]} {month} {found[3]}", "%d %m %Y %H:%M:%S %z")
    except (TypeError, ValueError):
        raise BadSyntax("not a date") from None


COMMANDS = {
    b"CAPABILITY": ("any", Session.capability), b"NOOP": ("any", Session.noop), b"CHECK": ("selected", Session.noop),
    b"ID": ("any", Session.identify), b"LOGOUT": ("any", Session.logout),
    b"LOGIN": ("out", Session.login), b"AUTHENTICATE": ("out", Session.authenticate),
    b"NAMESPACE": ("in", Session.namespace), b"LIST": ("in", Session.list_folders),
    b"LSUB": ("in", Session.list_subscribed), b"CREATE": ("in", Session.create), b"DELETE": ("in", Session.delete),
    b"RENAME": ("in", Session.rename), b"SUBSCRIBE": ("in", Session.subscribe),
    b"UNSUBSCRIBE": ("in", Session.unsubscribe), b"STATUS": ("in", Session.status),
    b"SELECT": ("in", Session.select), b"EXAMINE": ("in", Session.examine), b"APPEND": ("in", Session.append),
    b"IDLE": ("in", Session.idle), b"CLOSE": ("selected", Session.close_folder),
    b"UNSELECT": ("selected", Session.unselect), b"EXPUNGE": ("selected", Session.expunge),
    b"UID EXPUNGE": ("selected", Session.uid_expunge), b"SEARCH": ("selected", Session.search),
    b"UID SEARCH": ("selected", Session.uid_search), b"FETCH": ("selected", Session.fetch),
    b"UID FETCH": ("selected", Session.uid_fetch), b"STORE": ("selected", Session.store),
    b"UID STORE": ("selected", Session.uid_store), b"COPY": ("selected", Session.copy),
    b"UID COPY": ("selected", Session.uid_copy), b"MOVE": ("selected", Session.move),
    b"UID MOVE": ("selected", Session.uid_move),
}
