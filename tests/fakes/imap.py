"""A small IMAP server that can be told to misbehave. Held to a real one by tests/mail/test_imap_contract.py."""

import base64
import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable

from servers.ca import Pair

DATE = b'"01-Jan-2026 10:00:00 +0000"'
CAPABILITIES = b"IMAP4rev1 IDLE UIDPLUS LITERAL+ SASL-IR AUTH=PLAIN"


class Cut(bytes):
    """An answer after which the server hangs up."""


class Hang(bytes):
    """An answer after which the server says nothing more, and does not hang up."""


class FakeImap:
    """Context manager. TLS at once with `pair`, unless `starttls`: then after STARTTLS.

    Knobs: `greeting`, `capabilities`, `messages` (uid -> raw), `uidvalidity`, `folders` (LIST lines), `users`,
    `on`: command name, e.g. b"UID FETCH" -> function(tag, arguments) -> bytes to send instead of the normal answer
    (None: hang up; see Cut and Hang, also for the greeting). `heard`: every line and literal from clients; `commands`: (tag, name, arguments).
    """

    def __init__(self, pair: Pair | None, starttls: bool = False):
        self._context = None
        if pair:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(pair.cert, pair.key)
        self._starttls = starttls
        self.greeting = b"* OK [CAPABILITY " + CAPABILITIES + b"] fake\r\n"
        self.capabilities = CAPABILITIES
        self.users = {"zofia@example.test": "secret"}
        self.messages: dict[int, bytes] = {}
        self.uidvalidity = 7
        self.folders = [b'(\\HasNoChildren) "/" INBOX', b'(\\HasNoChildren \\Sent) "/" Sent']
        self.on: dict[bytes, Callable[[bytes, bytes], bytes | None]] = {}
        self.heard: list[bytes] = []
        self.commands: list[tuple[bytes, bytes, bytes]] = []
        self.idling: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self.over = threading.Event()

    def __enter__(self) -> "FakeImap":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in list(self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
                sock.close()

    def names(self) -> list[bytes]:
        return [name for _tag, name, _arguments in self.commands]

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._open.add(sock)
            if self._context and not self._starttls:
                sock = self._wrap(sock)
            sock.sendall(self.greeting)
            if self.said_all(self.greeting):
                _hang_up(sock)
                return
            _Talk(self, sock).run()

    def said_all(self, answer: bytes) -> bool:
        """Nothing comes after this answer; a Hang is kept hanging first."""
        if isinstance(answer, Hang):
            self.over.wait(30)
        return isinstance(answer, (Cut, Hang))

    def _wrap(self, sock: socket.socket) -> socket.socket:
        self._open.discard(sock)
        sock = self._context.wrap_socket(sock, server_side=True)
        self._open.add(sock)
        return sock


class _Talk:
    """One connection."""

    def __init__(self, fake: FakeImap, sock: socket.socket):
        self.fake, self.sock, self.file = fake, sock, sock.makefile("rb")

    def run(self) -> None:
        while line := self._line():
            tag, _, rest = line.partition(b" ")
            name, _, arguments = rest.partition(b" ")
            if name.upper() == b"UID":
                second, _, arguments = arguments.partition(b" ")
                name += b" " + second
            name = name.upper()
            self.fake.commands.append((tag, name, arguments))
            answer = (self.fake.on.get(name) or getattr(self, name.lower().decode().replace(" ", "_"), self.bad))(
                tag, arguments)
            if answer is None:
                break
            self.sock.sendall(answer)
            if name == b"STARTTLS" and self.fake._context and b" OK" in answer:
                self.sock = self.fake._wrap(self.sock)
                self.file = self.sock.makefile("rb")
            if name == b"LOGOUT" or self.fake.said_all(answer):
                break
        _hang_up(self.sock)

    def _line(self) -> bytes:
        """A command without its CRLF; literals are put into it as quoted text."""
        whole = b""
        while True:
            line = self.file.readline()
            self.fake.heard.append(line)
            found = re.search(rb"\{(\d+)(\+?)\}\r\n$", line)
            if not found:
                return whole + line.rstrip(b"\r\n")
            if not found[2]:
                self.sock.sendall(b"+ go\r\n")
            literal = self.file.read(int(found[1]))
            self.fake.heard.append(literal)
            whole += line[:found.start()] + b'"' + literal + b'"'

    def bad(self, tag, arguments):
        return tag + b" BAD unknown command\r\n"

    def ok(self, tag, arguments=b""):
        return tag + b" OK done\r\n"

    noop = ok

    def capability(self, tag, arguments):
        return b"* CAPABILITY " + self.fake.capabilities + b"\r\n" + self.ok(tag)

    def starttls(self, tag, arguments):
        return self.ok(tag)

    def authenticate(self, tag, arguments):
        _user, user, password = base64.b64decode(arguments.split(b" ")[1]).decode().split("\0")
        return self._verdict(tag, user, password)

    def login(self, tag, arguments):
        user, password = (re.sub(rb"\\(.)", rb"\1", part).decode()
                          for part in re.findall(rb'"((?:[^"\\]|\\.)*)"', arguments))
        return self._verdict(tag, user, password)

    def _verdict(self, tag, user, password):
        if self.fake.users.get(user) == password:
            return self.ok(tag)
        return tag + b" NO [AUTHENTICATIONFAILED] no\r\n"

    def list(self, tag, arguments):
        return b"".join(b"* LIST " + line + b"\r\n" for line in self.fake.folders) + self.ok(tag)

    def examine(self, tag, arguments):
        name = arguments.strip(b'"')
        if not any(line.strip(b'"').endswith(name) for line in self.fake.folders):
            return tag + b" NO [NONEXISTENT] no such folder\r\n"
        uidnext = max(self.fake.messages, default=0) + 1
        return (b"* FLAGS (\\Seen)\r\n* %d EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY %d] ok\r\n* OK [UIDNEXT %d] ok\r\n"
                % (len(self.fake.messages), self.fake.uidvalidity, uidnext)) + tag + b" OK [READ-ONLY] done\r\n"

    select = examine

    def status(self, tag, arguments):
        uidnext = max(self.fake.messages, default=0) + 1
        return (b"* STATUS %s (MESSAGES %d UIDNEXT %d UIDVALIDITY %d)\r\n"
                % (arguments.split(b" (")[0], len(self.fake.messages), uidnext, self.fake.uidvalidity)) + self.ok(tag)

    def uid_search(self, tag, arguments):
        found = sorted(self.fake.messages)
        if message_id := re.search(rb'HEADER Message-ID "(.*)"', arguments):
            found = [uid for uid in found if message_id[1] in self.fake.messages[uid]]
        elif bounds := re.search(rb"UID (\d+):(\d+|\*)", arguments):
            newest = found[-1] if found else 0
            first, last = int(bounds[1]), newest if bounds[2] == b"*" else int(bounds[2])
            found = [uid for uid in found if min(first, last) <= uid <= max(first, last)]
        return b"* SEARCH" + b"".join(b" %d" % uid for uid in found) + b"\r\n" + self.ok(tag)

    def uid_fetch(self, tag, arguments):
        asked, _, what = arguments.partition(b" ")
        answer = b""
        for number, uid in enumerate(sorted(self.fake.messages), 1):
            if uid in _numbers(asked):
                answer += fetch_answer(number, uid, self.fake.messages[uid], what)
        return answer + self.ok(tag)

    def append(self, tag, arguments):
        uid = max(self.fake.messages, default=0) + 1
        self.fake.messages[uid] = arguments[arguments.rindex(b' "') + 2:-1]
        return tag + b" OK [APPENDUID %d %d] done\r\n" % (self.fake.uidvalidity, uid)

    def idle(self, tag, arguments):
        self.sock.sendall(b"+ idling\r\n")
        self.fake.idling.append(self.sock)
        self.file.readline()
        self.fake.idling.remove(self.sock)
        return self.ok(tag)

    def logout(self, tag, arguments):
        return b"* BYE\r\n" + self.ok(tag)


def _hang_up(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


def fetch_answer(number: int, uid: int, raw: bytes, what: bytes) -> bytes:
    """One FETCH line as a plain server writes it."""
    parts = [b"UID %d" % uid]
    if b"FLAGS" in what:
        parts.append(b"FLAGS (\\Seen)")
    if b"INTERNALDATE" in what:
        parts.append(b"INTERNALDATE " + DATE)
    if b"RFC822.SIZE" in what:
        parts.append(b"RFC822.SIZE %d" % len(raw))
    if b"BODYSTRUCTURE" in what:
        parts.append(b'BODYSTRUCTURE ("TEXT" "PLAIN" NIL NIL NIL "7BIT" %d 1)' % len(raw))
    if b"BODY.PEEK[]" in what:
        parts.append(b"BODY[] {%d}\r\n%s" % (len(raw), raw))
    if b"BODY.PEEK[HEADER]" in what:
        header = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        parts.append(b"BODY[HEADER] {%d}\r\n%s" % (len(header), header))
    return b"* %d FETCH (%s)\r\n" % (number, b" ".join(parts))


def _numbers(text: bytes) -> set[int]:
    found: set[int] = set()
    for part in text.split(b","):
        first, _, last = part.partition(b":")
        found.update(range(int(first), int(last or first) + 1))
    return found
