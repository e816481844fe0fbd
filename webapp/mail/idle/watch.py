"""One mailbox that is watched: what it is, what its server says while it idles, and how it comes to idle."""

import re
import time
from collections.abc import Hashable
from dataclasses import dataclass, field

from webapp.mail.imap import Session
from webapp.mail.types import Endpoint, Folder, Login, MailError, Policy

IDLE = b"I"                # the tag of each of our IDLEs
NEW = b"EXISTS"
_CHANGE = re.compile(rb"\* \d+ (EXISTS|EXPUNGE|FETCH)\b", re.I)
_LONGEST_LINE = 65536


@dataclass(eq=False)
class Watch:
    key: Hashable
    endpoint: Endpoint
    login: Login
    policy: Policy
    folder: bytes
    pause: float = 0.0
    connected_at: float = 0.0
    sock: object = None         # in the selector; None while it is connected or visited
    connection: object = None
    session: Session | None = None
    buffer: bytearray = field(default_factory=bytearray)
    idling: bool = False
    visits: int = 0             # in the minute that began at `minute`
    minute: float = 0.0
    done_at: float = 0.0        # when DONE was sent and its answer is awaited; 0: not
    removed: bool = False

    def sign_in(self) -> Session:
        """A session with the folder open."""
        session = Session.open(self.endpoint, self.login, self.policy, seconds=120)
        try:
            if "IDLE" not in session.capabilities:
                raise MailError("no_idle", host=self.endpoint.host)
            session.select(Folder("", self.folder, "other", True))
            return session
        except BaseException:
            session.close()
            raise

    def lines(self) -> set[bytes]:
        """Which changes the whole lines of the buffer tell."""
        told = set()
        while (end := self.buffer.find(b"\n")) >= 0:
            line = bytes(self.buffer[:end + 1])
            del self.buffer[:end + 1]
            if change := told_by(line):
                told.add(change)
            elif line[:5].upper() == b"* BYE":
                raise MailError("unavailable", host=self.endpoint.host, reason="bye")
            elif line.startswith(IDLE):
                self._idle_ended(line)
        if len(self.buffer) > _LONGEST_LINE:
            raise MailError("protocol", host=self.endpoint.host, reason="line_too_long")
        return told

    def say_done(self) -> None:
        self.done_at = time.monotonic()
        self._write(b"DONE\r\n")

    def _idle_ended(self, line: bytes) -> None:
        """The tagged answer: to our DONE, or the server ended IDLE by itself."""
        if not self.done_at or line.split(b" ", 2)[1:2] not in ([b"OK"], [b"ok"]):
            raise MailError("unavailable", host=self.endpoint.host, reason="idle_ended")
        self.done_at = 0.0
        self._write(IDLE + b" IDLE\r\n")

    def _write(self, data: bytes) -> None:
        try:
            if self.sock is not None and self.sock.send(data) != len(data):
                raise MailError("lost", host=self.endpoint.host)
        except OSError:    # with a few bytes a day, a full socket is a dead one
            raise MailError("lost", host=self.endpoint.host) from None


def told_by(line: bytes) -> bytes | None:
    """EXISTS, EXPUNGE, FETCH, or that it tells no change."""
    change = _CHANGE.match(line)
    return change[1].upper() if change else None


def start_idle(session: Session):
    """A connection that idles, and what the server said before and after its "+"."""
    try:
        return session.idle(IDLE)
    except BaseException:
        session.close()
        raise
