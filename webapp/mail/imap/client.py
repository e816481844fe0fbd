"""imapclient on our own wire: its commands and parsers, our connection policy, TLS, deadlines and buffer."""

import imaplib

from imapclient import IMAPClient

from webapp.mail.imap.wire import Wire

MOST = 16_000_000  # bytes of answer to one command


class _Protocol(imaplib.IMAP4):
    """imaplib with the methods it offers for overriding, over a Wire that is connected already."""

    def __init__(self, wire: Wire):
        self._wire, self._heard = wire, 0
        super().__init__(wire.connection.endpoint.host)

    def open(self, host="", port=imaplib.IMAP4_PORT, timeout=None):
        self.host, self.port, self.sock = host, port, self._wire.connection.sock

    def read(self, size):
        self._count(size)
        return self._wire.exactly(size)

    def readline(self):
        line = self._wire.line(8_000_000)
        self._count(len(line))
        # imaplib wants CRLF; some servers end a line with LF alone.
        return line if line.endswith(b"\r\n") else line[:-1] + b"\r\n"

    def send(self, data):
        self._heard = 0
        self._wire.send(data)

    def shutdown(self):
        self._wire.connection.close()

    def _count(self, size: int) -> None:
        self._heard += size
        if self._heard > MOST:
            raise self._wire.trouble("protocol", reason="answer_too_long")


class Client(IMAPClient):
    """IMAPClient over a Wire. The greeting must be the next line. Folder names stay bytes, as on the wire."""

    def __init__(self, wire: Wire):
        self._wire = wire
        super().__init__(wire.connection.endpoint.host, ssl=False, timeout=None)
        self.folder_encode = False
        # imapclient sets 5, which formats every byte that arrives for a log that nobody reads (85 % of its time).
        self._imap.debug = 0

    def _create_IMAP4(self):  # noqa: N802
        return _Protocol(self._wire)

    def _set_read_timeout(self):
        """The wire has deadlines of its own."""

    def _normalise_folder(self, folder_name):
        """Quoted, byte for byte: some servers have names that are no ASCII, and know them by nothing else."""
        folder_name = folder_name if isinstance(folder_name, bytes) else folder_name.encode("ascii")
        return b'"' + folder_name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'

    def signed_in(self) -> None:
        """Tell imaplib that the sign-in was made by other means."""
        self._imap.state = "AUTH"
        self._cached_capabilities = None
