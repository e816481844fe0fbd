"""One IMAP connection: reads commands, has them answered, signs in, selects a folder, IDLEs.

RFC 3501 with IDLE (2177), UIDPLUS (4315), MOVE (6851), SPECIAL-USE (6154), LIST-EXTENDED's RETURN
(5258), NAMESPACE (2342), LITERAL+ (7888), SASL-IR (4959), UNSELECT (3691), ID (2971).
The commands on folders are in folders.py, those on messages in messages.py.
"""

import asyncio
import base64
import binascii
import hmac
import logging
from collections.abc import Mapping

from webapp.demo.imap import folders, messages
from webapp.demo.imap.refusal import No
from webapp.demo.imap.selected import SelectedFolder
from webapp.demo.imap.wire import MAX_LITERAL, BadSyntax, Token, TooLong, read_command, read_line
from webapp.demo.mailstore import MailStore

CAPABILITIES = (b"IMAP4rev1 AUTH=PLAIN SASL-IR LITERAL+ ID NAMESPACE IDLE UIDPLUS MOVE UNSELECT CHILDREN "
                b"LIST-EXTENDED SPECIAL-USE")
IDLE_SECONDS = 30 * 60
log = logging.getLogger(__name__)
SMALL_LITERAL = 8_192   # before sign-in
FAILED_SIGN_INS = 5
UNREADABLE_LINES = 20


class Session:
    """What the commands of other modules use: `store`, `user` (the address signed in), `selected`, say and drain."""

    def __init__(self, store: MailStore, passwords: Mapping[str, str], reader: asyncio.StreamReader,
                 writer: asyncio.StreamWriter):
        self.store, self._passwords, self._reader, self._writer = store, passwords, reader, writer
        self.user: str | None = None
        self.selected: SelectedFolder | None = None
        self._dirty = asyncio.Event()       # the selected folder changed since the client was told
        self._failures = 0
        self._unreadable = 0
        self._ended = False

    async def run(self) -> None:
        self.say(b"* OK [CAPABILITY %b] The mail of Transwisla is ready" % CAPABILITIES)
        while not self._ended:
            await self.drain()
            await asyncio.sleep(0)  # who sends many commands at once must not hold up the others
            if self._writer.is_closing():
                return None
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    command = await read_command(self._reader, self._go_ahead,
                                                 MAX_LITERAL if self.user else SMALL_LITERAL)
            except TimeoutError:
                return self.bye("too long without a command")
            except TooLong:
                return self.bye("that is too long")
            except BadSyntax as error:
                self.say(b"* BAD %b" % str(error).encode())
                self._unreadable += 1
                if self._unreadable >= UNREADABLE_LINES:
                    return self.bye("this is no IMAP")
                continue
            await self._answer(command)
        await self.drain()

    def bye(self, text: str) -> None:
        self._ended = True
        self.say(b"* BYE " + text.encode())

    def close(self) -> None:
        self._leave_folder()

    async def _answer(self, command: list[Token]) -> None:
        if len(command) < 2 or not all(isinstance(word, bytes) for word in command[:2]):
            return self.say(b"* BAD a tag and a command, please")
        tag, name, arguments = command[0], command[1].upper(), command[2:]
        by_uid = name == b"UID" and arguments and isinstance(arguments[0], bytes)
        if by_uid:
            name, arguments = b"UID " + arguments[0].upper(), arguments[1:]
        try:
            handler = self._handler(name)
            done = await handler(self, *arguments)
        except No as error:
            self.say(b"%b NO %b" % (tag, str(error).encode("utf-8", "replace")))
        except (BadSyntax, TypeError, AttributeError, IndexError) as error:
            # Too few, too many or oddly shaped arguments end up in the last three.
            text = str(error) if isinstance(error, BadSyntax) else "wrong arguments"
            log.debug("BAD", exc_info=error)
            self.say(b"%b BAD %b" % (tag, text.encode()))
        else:
            # Numbers must not move under a client that speaks in numbers (RFC 3501 7.4.1).
            self._tell_changes(may_expunge=name not in (b"FETCH", b"STORE", b"SEARCH"))
            self.say(b"%b OK %b" % (tag, done or name + b" done"))

    def _handler(self, name: bytes):
        found = COMMANDS.get(name)
        if found is None:
            raise BadSyntax("unknown command")
        state, handler = found
        if state == "out" and self.user:
            raise BadSyntax("already signed in")
        if state in ("in", "selected") and not self.user:
            raise BadSyntax("sign in first")
        if state == "selected" and not self.selected:
            raise BadSyntax("select a folder first")
        return handler

    def say(self, line: bytes) -> None:
        self._writer.write(line + b"\r\n")

    async def drain(self) -> None:
        """Waits for a client that reads more slowly than it asks."""
        await self._writer.drain()

    async def _go_ahead(self) -> None:
        self.say(b"+ go ahead")
        await self.drain()

    # Any state

    async def capability(self):
        self.say(b"* CAPABILITY " + CAPABILITIES)

    async def noop(self):
        pass

    async def identify(self, _client=None):
        self.say(b'* ID ("name" "postroom-demo")')

    async def logout(self):
        self.bye("good bye")

    # Signing in

    async def login(self, user, password):
        return await self._sign_in(user, password)

    async def authenticate(self, mechanism, initial=None):
        if mechanism.upper() != b"PLAIN":
            raise No("[CANNOT] only PLAIN")
        if initial is None:
            self.say(b"+ ")
            await self.drain()
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
        self.user = address
        return b"[CAPABILITY %b] signed in" % CAPABILITIES

    # Selecting

    async def select(self, name, _parameters=None):
        return self._enter_folder(name, readonly=False)

    async def examine(self, name, _parameters=None):
        return self._enter_folder(name, readonly=True)

    def _enter_folder(self, name, readonly: bool) -> bytes:
        self._leave_folder()
        folder = folders.find(self, name)
        self.selected = SelectedFolder(self.store, folder, readonly, self._dirty, self.say)
        self.selected.describe()
        return b"[READ-ONLY] folder opened" if readonly else b"[READ-WRITE] folder opened"

    def _leave_folder(self) -> None:
        if self.selected:
            self.selected.leave()
            self._dirty.clear()     # its news is nobody's any more
        self.selected = None

    async def close_folder(self):
        if not self.selected.readonly:
            self.selected.remove_deleted()
        self._leave_folder()

    async def unselect(self):
        self._leave_folder()

    def _tell_changes(self, may_expunge: bool = True) -> None:
        if self.selected:
            self.selected.tell_changes(may_expunge)

    async def idle(self):
        self.say(b"+ idling")
        done = asyncio.create_task(read_line(self._reader))
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                while not done.done():
                    self._tell_changes()
                    await self.drain()
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


# The state a command needs ("out" is not signed in, "in" is signed in), and what answers it.
COMMANDS = {
    b"CAPABILITY": ("any", Session.capability), b"NOOP": ("any", Session.noop), b"CHECK": ("selected", Session.noop),
    b"ID": ("any", Session.identify), b"LOGOUT": ("any", Session.logout),
    b"LOGIN": ("out", Session.login), b"AUTHENTICATE": ("out", Session.authenticate),
    b"NAMESPACE": ("in", folders.namespace), b"LIST": ("in", folders.list_folders),
    b"LSUB": ("in", folders.list_subscribed), b"CREATE": ("in", folders.create), b"DELETE": ("in", folders.delete),
    b"RENAME": ("in", folders.rename), b"SUBSCRIBE": ("in", folders.subscribe),
    b"UNSUBSCRIBE": ("in", folders.unsubscribe), b"STATUS": ("in", folders.status),
    b"SELECT": ("in", Session.select), b"EXAMINE": ("in", Session.examine), b"APPEND": ("in", messages.append),
    b"IDLE": ("in", Session.idle), b"CLOSE": ("selected", Session.close_folder),
    b"UNSELECT": ("selected", Session.unselect), b"EXPUNGE": ("selected", messages.expunge),
    b"UID EXPUNGE": ("selected", messages.uid_expunge), b"SEARCH": ("selected", messages.search),
    b"UID SEARCH": ("selected", messages.uid_search), b"FETCH": ("selected", messages.fetch),
    b"UID FETCH": ("selected", messages.uid_fetch), b"STORE": ("selected", messages.store),
    b"UID STORE": ("selected", messages.uid_store), b"COPY": ("selected", messages.copy),
    b"UID COPY": ("selected", messages.uid_copy), b"MOVE": ("selected", messages.move),
    b"UID MOVE": ("selected", messages.uid_move),
}
