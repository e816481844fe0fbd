"""Handing mail to a submission server (RFC 6409, RFC 5321): bytes as they are, one answer for each recipient."""

import base64
import re
import smtplib
import ssl
import threading
from collections.abc import Callable, Sequence

from webapp.mail.connect import Connection, clean, open_socket
from webapp.mail.types import Endpoint, Login, MailError, Policy, Sent, TlsFacts

CHUNK = 65536
_ADDRESS = re.compile(r"[^\s<>\x00-\x1f\x7f]{1,320}")
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n|\x00")
_LONGEST_LINE = 998   # RFC 5322 2.1.1, without CRLF


class SmtpRefused(MailError):
    """The server judged and said no. code is smtp_refused.

    facts: smtp_code, answer, at ("sign_in" | "sender" | "recipients" | "message"), temporary (4xx), and for
    recipients `refused`: address -> [code, text].
    """

    def __init__(self, smtp_code: int, text: str | bytes, at: str, **facts):
        answer = clean(text)
        super().__init__("smtp_refused", smtp_code=smtp_code, answer=answer, text=answer, at=at,
                         temporary=400 <= smtp_code < 500, **facts)

    @property
    def temporary(self) -> bool:
        return self.facts["temporary"]


class SmtpSession:
    """Use as `with SmtpSession.open(...) as session`. Signed in over verified TLS, or not open at all."""

    def __init__(self, smtp: "_Smtp"):
        self._smtp = smtp
        self.tls: TlsFacts = smtp.connection.tls

    @classmethod
    def open(cls, endpoint: Endpoint, login: Login, policy: Policy, seconds: float = 300.0) -> "SmtpSession":
        """Connect, verify TLS, EHLO, sign in. The session as a whole ends after `seconds`. MailError, SmtpRefused."""
        if re.search(r"[\r\n\0]", login.user + login.password):
            raise MailError("not_allowed", reason="control_character")
        connection = open_socket(endpoint, policy)
        smtp = _Smtp(connection, seconds)
        try:
            smtp.greet()
            if endpoint.security == "starttls":
                smtp.start_tls()
            smtp.sign_in(login)
        except BaseException:
            smtp.close()
            raise
        return cls(smtp)

    def __enter__(self) -> "SmtpSession":
        return self

    def __exit__(self, *exc) -> None:
        self.close()

    def close(self) -> None:
        """QUIT without waiting. Never raises."""
        self._smtp.leave()

    def check(self) -> None:
        """Is the session alive? Nothing is sent to anybody (NOOP)."""
        code, text = self._smtp.say("NOOP")
        if code >= 400:
            raise self._smtp.refused(code, text, "message")

    def send(self, sender: str, recipients: Sequence[str], raw: bytes, before_dot: Callable[[], None]) -> Sent:
        """Send `raw` to all recipients that the server takes; `before_dot()` is called right before the final dot.

        Before `before_dot` every failure means that nothing went out. When the connection ends after it and before
        the answer, MailError uncertain. An exception of `before_dot` breaks the connection and goes on up: no dot.
        ValueError for addresses and bytes that must never reach a server (bare CR or LF, NUL, lines over 998).
        """
        _check_addresses([sender] if sender else [], recipients)
        _check_bytes(raw)
        options = self._smtp.options(raw, [sender, *recipients])
        code, text = self._smtp.say(f"MAIL FROM:<{sender}>{options}")
        if code != 250:
            self._smtp.reset()
            raise self._smtp.refused(code, text, "sender")
        accepted, refused = self._recipients(recipients)
        if not accepted:
            self._smtp.reset()
            raise SmtpRefused(*_best(refused), "recipients", refused=refused)
        code, text = self._smtp.say("DATA")
        if code != 354:
            self._smtp.reset()
            raise self._smtp.refused(code, text, "message")
        self._smtp.body(raw)
        try:
            before_dot()
        except BaseException:
            self._smtp.close()
            raise
        code, text = self._smtp.dot()
        if code != 250:
            raise self._smtp.refused(code, text, "message")
        return Sent(tuple(accepted), refused)

    def _recipients(self, recipients: Sequence[str]) -> tuple[list[str], dict]:
        accepted: list[str] = []
        refused: dict[str, tuple[int, str]] = {}
        for address in dict.fromkeys(recipients):
            code, text = self._smtp.say(f"RCPT TO:<{address}>")
            if code in (250, 251):
                accepted.append(address)
            elif code == 421:
                raise self._smtp.refused(code, text, "recipients")
            else:
                refused[address] = (code, clean(text))
        return accepted, refused


def greets(endpoint: Endpoint, policy: Policy) -> None:
    """Does a submission server greet there over verified TLS? MailError if not. No sign-in."""
    smtp = _Smtp(open_socket(endpoint, policy), 30.0)
    try:
        smtp.greet()
        if endpoint.security == "starttls":
            smtp.start_tls()
    finally:
        smtp.leave()


class _Smtp(smtplib.SMTP):
    """smtplib on our own connection: bounded answers, one deadline for the session, no fall-back of any kind."""

    def __init__(self, connection: Connection, seconds: float):
        super().__init__(local_hostname="[127.0.0.1]")   # says nothing of the machine; no DNS look-up
        self.connection, self._late = connection, False
        self._take_socket()
        self._watchdog = threading.Timer(seconds, self._end_late)
        self._watchdog.daemon = True
        self._watchdog.start()

    def greet(self) -> None:
        code, text = self._read()
        if code != 220:
            raise self._unavailable(code, text)
        self._hello()

    def start_tls(self) -> None:
        """RFC 3207. What was learned before is forgotten; anything that came with the answer is an attack."""
        code, text = self.say("STARTTLS")
        if code != 220:
            trouble = self._unavailable(code, text) if code == 421 else self.trouble("not_tls", answer=clean(text))
            raise trouble
        if self._early_bytes():
            raise self.trouble("protocol", reason="early_answer")
        self.file.close()
        self.connection.start_tls()
        self._take_socket()
        self.ehlo_resp = self.helo_resp = None
        self.esmtp_features, self.does_esmtp = {}, False
        self._hello()

    def sign_in(self, login: Login) -> None:
        """AUTH PLAIN (RFC 4616) or LOGIN, one try: smtplib's own login would try the password up to three times."""
        assert self.connection.tls
        offered = self.esmtp_features.get("auth", "").upper().split()
        if "PLAIN" in offered:
            token = base64.b64encode(f"\0{login.user}\0{login.password}".encode()).decode()
            code, text = self.say(f"AUTH PLAIN {token}")
        elif "LOGIN" in offered:
            code, text = self.say("AUTH LOGIN")
            for secret in login:
                if code == 334:
                    code, text = self.say(base64.b64encode(secret.encode()).decode())
        else:
            raise SmtpRefused(504, "AUTH PLAIN or LOGIN is not offered", "sign_in", reason="no_password_sign_in")
        if code != 235:
            raise self.refused(code, text, "sign_in")

    def options(self, raw: bytes, addresses: Sequence[str]) -> str:
        """Parameters of MAIL: SIZE, BODY, SMTPUTF8 where offered. SmtpRefused where the server cannot take it."""
        if not self.has_extn("size"):
            words = ""
        else:
            limit = self.esmtp_features["size"].split()
            if limit and limit[0].isdigit() and 0 < int(limit[0]) < len(raw):
                raise SmtpRefused(552, f"the server takes at most {limit[0]} bytes", "message", reason="too_large")
            words = f" SIZE={len(raw)}"
        if not raw.isascii() and self.has_extn("8bitmime"):
            words += " BODY=8BITMIME"
        if not all(address.isascii() for address in addresses):
            if not self.has_extn("smtputf8"):
                raise SmtpRefused(553, "the server does not take this address (SMTPUTF8)", "recipients")
            words += " SMTPUTF8"
        return words

    def body(self, raw: bytes) -> None:
        """DATA without its final dot, dots stuffed (RFC 5321 4.5.2)."""
        stuffed = re.sub(rb"(?m)^\.", b"..", raw)
        if not stuffed.endswith(b"\r\n"):
            stuffed += b"\r\n"
        for start in range(0, len(stuffed), CHUNK):    # sendall's time-out is for all of its data
            self._write(stuffed[start:start + CHUNK])

    def dot(self) -> tuple[int, bytes]:
        """From here on nobody can know, until the answer is there."""
        try:
            self._write(b".\r\n")
            return self._read()
        except MailError as error:
            self.close()
            raise self.trouble("uncertain", reason=error.code) from None

    def say(self, line: str) -> tuple[int, bytes]:
        assert "\r" not in line and "\n" not in line
        self._write(line.encode() + b"\r\n")
        return self._read()

    def reset(self) -> None:
        try:
            self.say("RSET")
        except MailError:
            self.close()

    def refused(self, code: int, text: bytes, at: str) -> MailError:
        """421 and 454 are about the server, the rest is about us (RFC 5321 3.8, RFC 4954 6)."""
        if code == 421 or code == 454 and at == "sign_in":
            return self._unavailable(code, text)
        return SmtpRefused(code, text, at)

    def trouble(self, code: str, **facts) -> MailError:
        endpoint = self.connection.endpoint
        return MailError(code, host=endpoint.host, port=endpoint.port, **facts)

    def leave(self) -> None:
        try:
            if self.sock is not None:
                self.sock.settimeout(2)
                self.sock.sendall(b"QUIT\r\n")
        except OSError:
            pass
        self.close()

    def close(self) -> None:
        self._watchdog.cancel()
        self.connection.close()
        super().close()

    def _hello(self) -> None:
        self.say_ehlo()
        if not self.does_esmtp:
            raise self.trouble("protocol", reason="no_ehlo")

    def say_ehlo(self) -> None:
        code, text = self.say(f"EHLO {self.local_hostname}")
        if code == 421:
            raise self._unavailable(code, text)
        self.does_esmtp = code == 250
        for line in text.decode("latin-1").split("\n")[1:]:
            word, _, rest = line.strip().replace("=", " ", 1).partition(" ")
            key = word.lower()
            self.esmtp_features[key] = f"{self.esmtp_features.get(key, '')} {rest}".strip()

    def _unavailable(self, code: int, text: bytes) -> MailError:
        answer = clean(text)
        busy = re.search(r"too many|rate|throttl|limit", answer, re.I)
        return self.trouble("throttled" if busy else "unavailable", answer=answer, smtp_code=code)

    def _take_socket(self) -> None:
        self.sock = self.connection.sock
        self.sock.settimeout(self.connection.policy.read_seconds)
        self.file = self.sock.makefile("rb")

    def _write(self, data: bytes) -> None:
        try:
            self.sock.sendall(data)
        except (OSError, AttributeError) as error:
            raise self._broken(error) from None

    def _read(self) -> tuple[int, bytes]:
        """One answer, at most 100 lines of 2,000 bytes; its code and its text lines joined by LF."""
        lines = []
        for _ in range(100):
            try:
                line = self.file.readline(2001)
            except (OSError, ValueError, AttributeError) as error:
                raise self._broken(error) from None
            if not line:
                raise self._broken(None)
            if len(line) > 2000 or not re.match(rb"[2-5]\d\d[ \r\n-]", line):
                raise self.trouble("protocol", reason="answer")
            lines.append(line[4:].strip())
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(lines)
        raise self.trouble("protocol", reason="answer_too_long")

    def _broken(self, error: Exception | None) -> MailError:
        late = self._late or isinstance(error, TimeoutError) and not isinstance(error, ssl.SSLError)
        return self.trouble("timed_out" if late else "lost")

    def _early_bytes(self) -> bool:
        self.sock.settimeout(0)
        try:
            return bool(self.file.peek(1))
        except (BlockingIOError, OSError):
            return False
        finally:
            self.sock.settimeout(self.connection.policy.read_seconds)

    def _end_late(self) -> None:
        self._late = True
        self.connection.close()


def _best(refused: dict[str, tuple[int, str]]) -> tuple[int, str]:
    """When nobody was accepted: a temporary answer if there is one, since then trying again makes sense."""
    return min(refused.values(), default=(554, "no recipients"))


def _check_addresses(sender: Sequence[str], recipients: Sequence[str]) -> None:
    if not recipients:
        raise ValueError("no recipients")
    for address in (*sender, *recipients):
        if not _ADDRESS.fullmatch(address):
            raise ValueError("an address with spaces, angle brackets or control characters")


def _check_bytes(raw: bytes) -> None:
    if found := _BARE.search(raw):
        raise ValueError(f"bare CR, LF or NUL at {found.start()}")
    if any(len(line) > _LONGEST_LINE for line in raw.split(b"\r\n")):
        raise ValueError("a line over 998 bytes")
