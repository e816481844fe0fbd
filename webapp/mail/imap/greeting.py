"""From a connected socket to a Wire over verified TLS whose greeting is good. No credential is sent before."""

import re

from webapp.mail.connect import Connection, open_socket
from webapp.mail.imap.answers import refusal
from webapp.mail.imap.wire import Wire
from webapp.mail.types import Endpoint, MailError, Policy

_GREETING = re.compile(rb"\* (OK|PREAUTH|BYE)\b(.*)", re.I | re.S)


def open_wire(endpoint: Endpoint, policy: Policy, until: float | None = None) -> Wire:
    """Connected, TLS up, greeting read and found good; the next line for imapclient is a plain greeting of ours.

    PREAUTH is refused (RFC 8314 and the NO STARTTLS findings: it turns a client's later commands into clear text),
    and so is anything that arrives between STARTTLS and TLS.
    """
    connection = open_socket(endpoint, policy)
    try:
        wire = Wire(connection, until)
        _read_greeting(wire)
        if endpoint.security == "starttls":
            _start_tls(wire, connection)
        # What was in the greeting does not count (before TLS anybody could write it): imapclient gets a clean one
        # and asks for the capabilities itself.
        wire.give_back(b"* OK ready\r\n")
        return wire
    except BaseException:
        connection.close()
        raise


def _read_greeting(wire: Wire) -> None:
    line = wire.line(8192)
    found = _GREETING.match(line)
    if not found:
        # HTTP or SMTP answers here, or something else altogether.
        raise wire.trouble("protocol", reason="greeting")
    kind = found[1].upper()
    if kind == b"BYE":
        raise refusal(found[2], "unavailable", reason="bye")
    if kind == b"PREAUTH":
        raise wire.trouble("protocol", reason="preauth")
    if wire.rest():
        raise wire.trouble("protocol", reason="early_answer")


def _start_tls(wire: Wire, connection: Connection) -> None:
    """RFC 3501 6.2.1. STARTTLS is sent whether or not it is advertised: TLS or nothing, and the server says which."""
    wire.send(b"S1 STARTTLS\r\n")
    for _ in range(20):
        line = wire.line(8192)
        if line.startswith(b"S1 "):
            break
        if line[:5].upper() == b"* BYE":
            raise refusal(line[5:], "unavailable", reason="bye")
        # Untagged chatter is allowed; nothing of it is kept.
    else:
        raise wire.trouble("protocol", reason="starttls")
    if line[3:5].upper() != b"OK":
        raise _no_starttls(wire, line)
    if wire.rest():
        raise wire.trouble("protocol", reason="early_answer")
    connection.start_tls()
    wire.forget()


def _no_starttls(wire: Wire, line: bytes) -> MailError:
    meant = refusal(line[3:], "not_tls")
    if meant.code in ("unavailable", "throttled"):
        return meant
    return wire.trouble("not_tls", answer=meant.facts["answer"])
