"""An SMTP server that takes mail and keeps it: what was said, and the exact bytes of DATA.

aiosmtpd over TLS; a sign-in is required. Knobs make it refuse or break at every step.
"""

import asyncio
import logging
import smtplib
import ssl
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from servers import free_port, remove, short_folder
from servers.ca import Authority

logging.getLogger("mail.log").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Received:
    """One accepted message. `raw` is what it says after dot-unstuffing; `wire` is DATA as it came, dots and all."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    wire: bytes
    user: str


@dataclass
class Knobs:
    """What the sink refuses. Answers are whole SMTP lines, e.g. "550 5.1.1 No such user"."""

    recipients: dict[str, str] = field(default_factory=dict)  # address -> answer to RCPT
    sender_answer: str | None = None                          # answer to MAIL
    sign_in_answer: str | None = None                         # answer to AUTH, e.g. "535 5.7.8 no"
    data_answer: str | None = None                            # answer after the final dot
    drop: str | None = None                                   # "before_dot" | "after_dot": cut the connection
    max_size: int = 33554432


class SmtpSink:
    """Context manager. `port` speaks TLS from the first byte, `starttls_port` wants STARTTLS first.

    `users` are the passwords (add_user). Accepted mail lies in `received`. `knobs` (see Knobs) break things;
    `reset()` puts everything back. `dovecot`, when given, gets every message for an address that it knows, by LMTP,
    so that a conversation can be played. `wire` holds all bytes that clients said, after TLS.
    """

    host = "127.0.0.1"

    def __init__(self, dir: Path | str | None = None, authority: Authority | None = None, dovecot=None):
        self._own_dir = dir is None
        self.dir = short_folder("sk") if dir is None else Path(dir)
        self._authority = authority
        self.dovecot = dovecot
        self.users: dict[str, str] = {}
        self.received: list[Received] = []
        self.knobs = Knobs()
        self.wire = bytearray()
        self.port = self.starttls_port = 0
        self.ca_file = ""
        self._controllers: list[Controller] = []

    def __enter__(self) -> "SmtpSink":
        authority = self._authority or Authority(self.dir / "ca")
        self.ca_file = authority.ca_file
        pair = authority.issue(label="sink")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pair.cert, pair.key)
        self.port, self.starttls_port = free_port(), free_port()
        for port, implicit in ((self.port, True), (self.starttls_port, False)):
            controller = _Controller(self, port, context, implicit)
            controller.start()
            self._controllers.append(controller)
        return self

    def __exit__(self, *exc) -> None:
        for controller in self._controllers:
            controller.stop()
        if self._own_dir:
            remove(self.dir)

    def add_user(self, address: str, password: str) -> None:
        self.users[address] = password

    def reset(self) -> None:
        """Forget the mail and turn every knob back."""
        self.received.clear()
        self.wire.clear()
        self.knobs = Knobs()

    # aiosmtpd calls these.

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        if self.knobs.sender_answer:
            return self.knobs.sender_answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if answer := self.knobs.recipients.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.knobs.data_answer:
            return self.knobs.data_answer
        self.received.append(Received(
            envelope.mail_from, tuple(envelope.rcpt_tos), envelope.original_content,
            server.data_wire(), server.signed_in_as))
        if self.dovecot:
            await asyncio.to_thread(self._pass_on, envelope)
        if self.knobs.drop == "after_dot":
            server.transport.abort()
        return "250 2.0.0 Taken"

    def _pass_on(self, envelope) -> None:
        known = [address for address in envelope.rcpt_tos if address in self.dovecot.users]
        if known:
            with smtplib.LMTP(self.host, self.dovecot.lmtp_port, timeout=10) as lmtp:
                lmtp.sendmail(envelope.mail_from or "<>", known, envelope.original_content)

    def check(self, server, session, envelope, mechanism, auth_data) -> AuthResult:
        """aiosmtpd's authenticator."""
        if self.knobs.sign_in_answer:
            return AuthResult(success=False, handled=False, message=self.knobs.sign_in_answer)
        if not isinstance(auth_data, LoginPassword):
            return AuthResult(success=False, handled=False)
        user, password = auth_data.login.decode(), auth_data.password.decode()
        server.signed_in_as = user
        return AuthResult(success=self.users.get(user) == password, handled=False)


class _Server(SMTP):
    """SMTP that listens in: it keeps every byte and can hang up in the middle of DATA."""

    def __init__(self, sink: SmtpSink, *args, **kwargs):
        self._sink, self._heard, self.signed_in_as = sink, bytearray(), ""
        super().__init__(*args, **kwargs)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        self._sink.wire += data
        if self._sink.knobs.drop == "before_dot" and self._in_data() and self.data_wire():
            self.transport.abort()
            return
        super().data_received(data)

    def _in_data(self) -> bool:
        return b"\r\ndata\r\n" in bytes(self._heard).lower()

    def data_wire(self) -> bytes:
        """The bytes of the last DATA, up to and with the final dot when that has come."""
        heard = bytes(self._heard)
        start = heard.lower().rfind(b"\r\ndata\r\n")
        return heard[start + 8:] if start >= 0 else b""


class _Controller(Controller):
    def __init__(self, sink: SmtpSink, port: int, context: ssl.SSLContext, implicit: bool):
        self._sink, self._implicit, self._tls = sink, implicit, context
        super().__init__(sink, hostname=sink.host, port=port, ssl_context=context if implicit else None)

    def factory(self):
        options = {} if self._implicit else {"tls_context": self._tls, "require_starttls": True}
        with warnings.catch_warnings():
            # It cannot see that the implicit port is TLS already.
            warnings.simplefilter("ignore")
            return self._server(options)

    def _server(self, options: dict) -> "_Server":
        return _Server(self._sink, self.handler, hostname="sink.test", authenticator=self._sink.check,
                       auth_required=True, auth_require_tls=not self._implicit, enable_SMTPUTF8=True,
                       data_size_limit=self._sink.knobs.max_size, **options)
