"""The bytes of one IMAP connection: lines and literals, each with a deadline, out of one buffer.

imapclient and our own FETCH reader share it, so that no byte is lost between them.
"""

import contextlib
import io
import ssl
import time

from webapp.mail.connect import Connection
from webapp.mail.types import MailError

CHUNK = 65536              # a TLS record is 16 kB; a larger buffer only costs allocation
LONGEST_LINE = 1 << 20
_COUNTS = (b" EXISTS\r\n", b" EXPUNGE\r\n")
INEXACT = 0.5              # seconds that a deadline may be off
SLOWEST = 16_384           # bytes a second below which a literal counts as stalled


class Wire:
    """`line` and `exactly` read, `send` writes. MailError timed_out, lost, protocol.

    `until` (time.monotonic) is the end of the whole session, or None. `told`: EXISTS, EXPUNGE, when a line at
    any place said so.
    """

    def __init__(self, connection: Connection, until: float | None = None):
        self.connection, self.until, self.told = connection, until, set()
        self._buffer, self._start = bytearray(), 0
        self.seconds = connection.policy.read_seconds

    def send(self, data: bytes) -> None:
        sock = self.connection.sock
        try:
            sock.settimeout(self.seconds)
            for start in range(0, len(data), CHUNK):   # sendall's time-out is for all of its data
                sock.sendall(data[start:start + CHUNK])
        except TimeoutError:
            raise self.trouble("timed_out") from None
        except OSError:
            raise self.trouble("lost") from None

    def line(self, longest: int = LONGEST_LINE) -> bytes:
        """One line with its line end, within read_seconds. protocol when it is longer than `longest`."""
        deadline = time.monotonic() + self.seconds
        searched = self._start
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer) - self._start   # _fill moves the rest to the front
            if searched > longest:
                raise self.trouble("protocol", reason="line_too_long")
            self._fill(deadline)
        if end - self._start > longest:
            raise self.trouble("protocol", reason="line_too_long")
        line = bytes(memoryview(self._buffer)[self._start:end + 1])
        self._start = end + 1
        if line.endswith(_COUNTS):
            self.told.add(line.split()[-1])
        return line

    def exactly(self, size: int) -> bytes:
        """`size` bytes. The deadline grows with the size."""
        if len(self._buffer) - self._start < size:
            return self._past_the_buffer(size, time.monotonic() + self.seconds + size / SLOWEST)
        data = bytes(memoryview(self._buffer)[self._start:self._start + size])
        self._start += size
        return data

    def _past_the_buffer(self, size: int, deadline: float) -> bytes:
        """What is not here yet goes straight to where it is to be: servers send it in a hundred thousand pieces."""
        data = io.BytesIO()     # of the size that it will have; it gives its bytes away without a copy
        data.seek(size - 1)
        data.write(b"\0")
        data.seek(0)
        data.write(memoryview(self._buffer)[self._start:self._start + size])
        self._start += data.tell()
        with data.getbuffer() as place:
            self._receive_into(place[data.tell():], deadline)
        return data.getvalue()

    def give_back(self, data: bytes) -> None:
        """Put bytes in front of what comes next."""
        self._buffer[:self._start] = data
        self._start = 0

    def rest(self) -> bytes:
        """What has been received and not read."""
        return bytes(self._buffer[self._start:])

    def forget(self) -> None:
        self._buffer, self._start = bytearray(), 0

    def trouble(self, code: str, **facts) -> MailError:
        endpoint = self.connection.endpoint
        return MailError(code, host=endpoint.host, port=endpoint.port, **facts)

    def _fill(self, deadline: float) -> None:
        if self._start:
            del self._buffer[:self._start]
            self._start = 0
        self._buffer += self._receive(deadline, CHUNK)

    def _receive(self, deadline: float, size: int) -> bytes:
        with self._listening(deadline) as sock:
            data = sock.recv(size)
        if not data:
            raise self.trouble("lost")
        return data

    def _receive_into(self, place: memoryview, deadline: float) -> None:
        """Fill it, from as many pieces as it takes."""
        at = 0
        while at < len(place):
            with self._listening(deadline) as sock:
                receive, fresh = sock.recv_into, time.monotonic() + INEXACT
                while at < len(place) and time.monotonic() < fresh:
                    got = receive(place[at:])
                    if not got:
                        raise self.trouble("lost")
                    at += got

    @contextlib.contextmanager
    def _listening(self, deadline: float):
        """The socket, with what is left of the time as its time-out."""
        if self.until is not None:
            deadline = min(deadline, self.until)
        left = deadline - time.monotonic()
        if left <= 0:
            raise self.trouble("timed_out")
        sock = self.connection.sock
        try:
            if abs((sock.gettimeout() or 0.0) - left) > INEXACT or left < 2 * INEXACT:     # a system call each time
                sock.settimeout(left)
            yield sock
        except TimeoutError:
            raise self.trouble("timed_out") from None
        except (ssl.SSLError, OSError):
            raise self.trouble("lost") from None
