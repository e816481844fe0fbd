"""The demo's SMTP server: implicit TLS, sign-in required, local delivery, and the way out to the customers.

Nothing ever leaves this machine: what is not for the company itself is handed to `outside`.
"""

import asyncio
import hmac
import logging
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import format_datetime

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from webapp.demo.mailstore import MailStore
from webapp.demo.people import DOMAIN, NOTICES

MAX_SIZE = 25 * 1024 * 1024

Outside = Callable[[str, str, bytes], None]  # (envelope sender or "", recipient, message)


def deliver(store: MailStore, address: str, raw: bytes, sender: str, now: datetime) -> int:
    """Into the recipient's INBOX, with the trace that a server leaves (RFC 5321 4.4). The UID."""
    trace = (f"Return-Path: <{sender}>\r\n"
             f"Delivered-To: {address}\r\n"
             f"Received: from mail.{sender.rpartition('@')[2] or DOMAIN} by mail.{DOMAIN} with ESMTPS;\r\n"
             f"\t{format_datetime(now)}\r\n")
    return store.add(store.folder(address, "INBOX"), trace.encode() + raw, arrived=now)


class SmtpServer:
    def __init__(self, store: MailStore, passwords: Mapping[str, str], tls: ssl.SSLContext, outside: Outside,
                 clock: Callable[[], datetime]):
        self._store, self._passwords, self._tls, self._outside, self._clock = store, passwords, tls, outside, clock
        self._server: asyncio.Server | None = None
        self._open: set[_Connection] = set()
        logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd tells of each line otherwise

    async def start(self, host: str, port: int) -> int:
        """The port it listens on (port 0 takes a free one). Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self, loop), host, port, ssl=self._tls,
                                                ssl_handshake_timeout=10, ssl_shutdown_timeout=1)
        return self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for connection in tuple(self._open):
            if connection.transport:
                connection.transport.abort()

    # What aiosmtpd asks its handler

    def authenticate(self, _server, _session, _envelope, _mechanism, data) -> AuthResult:
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        address = data.login.decode("utf-8", "replace").lower()
        expected = self._passwords.get(address, "")
        if not expected or not hmac.compare_digest(data.password, expected.encode()):
            return AuthResult(success=False, handled=False)  # aiosmtpd answers 535
        return AuthResult(success=True, auth_data=address)

    async def handle_MAIL(self, _server, session, envelope, address, options):
        if address and address.lower() != session.auth_data:
            return f"553 5.7.1 {session.auth_data} may not send as this address"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(self, _server, session, envelope, address, options):
        local, _, domain = address.rpartition("@")
        if not local or not domain:
            return "501 5.1.3 That is not an address"
        known = address.lower() in self._passwords or session.auth_data == NOTICES.address
        if domain.lower() == DOMAIN and not known:
            return "550 5.1.1 There is no such mailbox here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server, _session, envelope):
        raw, sender, now = envelope.original_content, envelope.mail_from or "", self._clock()
        with self._store.transaction():
            for address in dict.fromkeys(recipient.lower() for recipient in envelope.rcpt_tos):
                if address.endswith("@" + DOMAIN):
                    if self._store.folder(address, "INBOX") is None:    # invited to the demo, without a mailbox
                        continue
                    deliver(self._store, address, raw, sender, now)
                else:
                    self._outside(sender, address, raw)
        return "250 2.0.0 Accepted"


class _Connection(SMTP):
    """aiosmtpd's protocol, known to its server, so that stopping can close it."""

    def __init__(self, server: SmtpServer, loop: asyncio.AbstractEventLoop):
        # The whole connection is TLS already, which aiosmtpd does not see: hence not auth_require_tls.
        super().__init__(server, loop=loop, hostname=f"mail.{DOMAIN}", ident="Postroom demo", timeout=300,
                         data_size_limit=MAX_SIZE, enable_SMTPUTF8=True, auth_required=True, auth_require_tls=False,
                         authenticator=server.authenticate)
        self._demo_server = server

    def connection_made(self, transport):
        self._demo_server._open.add(self)
        super().connection_made(transport)

    def connection_lost(self, error):
        self._demo_server._open.discard(self)
        super().connection_lost(error)
