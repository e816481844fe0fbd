"""The demo as a whole: mail servers, first mail, customers. Everything that it keeps lies in one folder."""

import asyncio
import contextlib
import logging
from datetime import UTC, datetime
from pathlib import Path

from webapp.demo.certificate import tls_context
from webapp.demo.customers import ANSWER_AFTER, PACE, Customers
from webapp.demo.imap.server import ImapServer
from webapp.demo.mailstore import MailStore
from webapp.demo.people import IMAP_PORT, MAILBOXES, NOTICES, SMTP_PORT
from webapp.demo.smtp import SmtpServer

HOST = "127.0.0.1"
log = logging.getLogger(__name__)


class PortTaken(Exception):
    """Somebody else listens there; the text says what to do."""


class Demo:
    """`folder` gets ca.pem, the server's key and certificate, and mail.sqlite3. Ports may be 0 for free ones."""

    def __init__(self, folder: Path, imap_port: int = IMAP_PORT, smtp_port: int = SMTP_PORT, pace: float = PACE,
                 seed: int = 1, answer_after: float = ANSWER_AFTER):
        self.folder, self.imap_port, self.smtp_port = folder, imap_port, smtp_port
        self._seed, self._pace, self._answer_after = seed, pace, answer_after
        self._wake = asyncio.Event()

    async def start(self) -> None:
        """Listens when it returns. Raises PortTaken, OSError."""
        logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns for each write to a client that has gone
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        tls = tls_context(self.folder)
        passwords = {mailbox.address: mailbox.password for mailbox in MAILBOXES}
        self.store = MailStore(self.folder / "mail.sqlite3")
        self._imap = ImapServer(self.store, passwords, tls)
        self._smtp = SmtpServer(self.store, {**passwords, NOTICES.address: NOTICES.password}, tls, self._outside, _now)
        # The ports first: who cannot listen must not fill a folder that somebody else may be using.
        self.imap_port = await _listen(self._imap, self.imap_port, "IMAP", "--imap-port")
        self.smtp_port = await _listen(self._smtp, self.smtp_port, "SMTP", "--smtp-port")
        if not self.store.folders(MAILBOXES[0].address):
            from webapp.demo.story.first_day import fill  # draws pictures: only for the first start
            fill(self.store, _now(), self._seed)
        self.customers = Customers(self.store, _now(), self._seed, self._pace, self._answer_after)
        self._playing = asyncio.create_task(self._play())

    async def stop(self) -> None:
        self._playing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._playing
        await self._imap.stop()
        await self._smtp.stop()
        self.store.close()

    def _outside(self, sender: str, recipient: str, raw: bytes) -> None:
        self.customers.receive(sender, recipient, raw, _now())
        self._wake.set()

    async def _play(self) -> None:
        while True:
            due = self.customers.next_due()
            wait = None if due is None else max(0.0, (due - _now()).total_seconds())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait)
            self._wake.clear()
            try:
                for line in self.customers.step(_now()):
                    log.info("%s", line)
            except Exception:  # a customer who stumbles must not silence the others
                log.exception("a customer stumbled")
                await asyncio.sleep(1)


async def _listen(server, port: int, what: str, option: str) -> int:
    try:
        return await server.start(HOST, port)
    except OSError as error:
        raise PortTaken(f"The demo's {what} server cannot listen on port {port} ({error.strerror}). "
                        f"End what uses it, or choose another with {option}.") from error


def _now() -> datetime:
    return datetime.now(UTC)
