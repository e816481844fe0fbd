"""Sockets to mail servers: resolved once, every address judged by the policy, that very address connected to,
TLS verified against the name. The only door from `webapp.mail` to the network.
"""

import contextlib
import functools
import ipaddress
import os
import queue
import re
import socket
import ssl
import threading
import time
from datetime import UTC, datetime
from typing import Literal

from cryptography import x509

from webapp.mail.types import Endpoint, MailError, Policy, TlsFacts

AddressClass = Literal["public", "private", "loopback", "forbidden"]

_LOOPBACK = [ipaddress.ip_network(n) for n in ("127.0.0.0/8", "::1/128")]
_PRIVATE = [ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")]
# Special-purpose ranges (RFC 6890 and its registry) that `is_global` has judged differently over Python's versions,
# and services of clouds for their own machines that live in ordinary private space, or look public (168.63.129.16).
_FORBIDDEN = [ipaddress.ip_network(n) for n in (
    "0.0.0.0/8", "100.64.0.0/10", "168.63.129.16/32", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24",
    "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3", "fd00:ec2::/32", "100::/64",
    "2001::/23", "2001:db8::/32", "2002::/16", "64:ff9b:1::/48", "3fff::/20", "5f00::/16", "fe80::/10", "fec0::/10",
    "ff00::/8", "::/128")]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")     # all that was ever given out of IPv6 (RFC 4291, IANA's registry)
_V4_COMPATIBLE = ipaddress.ip_network("::/96")

# What a host may consist of, after IDNA: letters, digits, hyphen, dot, underscore; or an IPv6 literal.
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?\.?")

# OpenSSL's X509_V_ERR_* numbers, in the words of ERROR_CODES.
_CERTIFICATE_REASONS = {9: "not_yet_valid", 10: "expired", 18: "self_signed", 19: "untrusted", 20: "untrusted",
                        21: "untrusted", 62: "hostname", 64: "hostname"}


def classify_address(address) -> AddressClass:
    """Which kind of address (text or ipaddress object) this is, looking through v4-mapped, v4-compatible and NAT64.

    An address in disguise is 'public' or 'forbidden', never private or loopback: nobody writes those by accident.
    """
    if not isinstance(address, ipaddress.IPv4Address | ipaddress.IPv6Address):
        address = ipaddress.ip_address(str(address).partition("%")[0])
    if _in(address, _LOOPBACK):
        return "loopback"
    if address.version == 6:
        inner = address.ipv4_mapped
        if inner is None and (address in _NAT64 or address in _V4_COMPATIBLE):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return "public" if classify_address(inner) == "public" else "forbidden"
    if _in(address, _FORBIDDEN):
        return "forbidden"
    if _in(address, _PRIVATE):
        return "private"
    if address.version == 6 and address not in _GLOBAL_UNICAST:     # ::ffff:0:127.0.0.1 of RFC 2765, too
        return "forbidden"
    return "public" if address.is_global and not address.is_multicast else "forbidden"


def check_host(endpoint: Endpoint, policy: Policy) -> list[str]:
    """The addresses of a host, all of them allowed. MailError host_unknown, timed_out or not_allowed otherwise.

    Resolves, connects to nothing. What it returns may change by the next call: use open_socket to connect.
    """
    host = plain_host(endpoint.host)
    if not isinstance(endpoint.port, int) or not 0 < endpoint.port < 65536:
        raise MailError("not_allowed", host=endpoint.host[:255], port=endpoint.port)
    if not _port_may_be_used(endpoint.port, policy):
        raise MailError("not_allowed", host=endpoint.host, port=endpoint.port)
    addresses = _resolve(host, endpoint.port, policy.connect_seconds)
    allowed = [address for address in addresses if _allowed(host, address, endpoint.port, policy)]
    # One forbidden address forbids the host: a name that points inside and outside at once is an attack or a mistake.
    # Loopback is listed by exact address, and "localhost" has two: there the listed one is enough.
    only_loopback = all(classify_address(address) == "loopback" for address in addresses)
    if not allowed or len(allowed) < len(addresses) and not only_loopback:
        raise MailError("not_allowed", host=endpoint.host, port=endpoint.port)
    return allowed


def plain_host(host: str) -> str:
    """The host as DNS wants it: IDNA applied, brackets of an IPv6 literal gone. MailError host_unknown otherwise."""
    text = host.strip() if isinstance(host, str) else ""
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    if ":" in text:
        try:
            return str(ipaddress.IPv6Address(text))
        except ValueError:
            raise MailError("host_unknown", host=host[:255]) from None
    try:
        name = text if text.isascii() else text.encode("idna").decode("ascii")
    except UnicodeError:
        raise MailError("host_unknown", host=host[:255]) from None
    if not _HOST.fullmatch(name) or ".." in name:
        raise MailError("host_unknown", host=str(host)[:255])
    return name.lower()


def open_socket(endpoint: Endpoint, policy: Policy) -> "Connection":
    """A connected socket, with TLS up and verified when endpoint.security is "tls".

    With "starttls" the socket is still plain: the session on top asks for TLS and calls Connection.start_tls.
    MailError host_unknown, not_allowed, refused, timed_out, not_tls, certificate, lost.
    """
    connection = open_plain(endpoint, policy)
    if endpoint.security == "tls":
        connection.start_tls()
    return connection


def open_plain(endpoint: Endpoint, policy: Policy) -> "Connection":
    """A connected socket without TLS, whatever endpoint.security says. MailError host_unknown, not_allowed, refused,
    timed_out."""
    addresses = check_host(endpoint, policy)
    deadline = time.monotonic() + policy.connect_seconds
    trouble = MailError("timed_out", host=endpoint.host, port=endpoint.port)
    for address in addresses:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            sock = socket.create_connection((address, endpoint.port), min(left, policy.connect_seconds))
        except ConnectionRefusedError:
            trouble = MailError("refused", host=endpoint.host, port=endpoint.port)
            continue
        except OSError:
            trouble = MailError("timed_out", host=endpoint.host, port=endpoint.port)
            continue
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return Connection(sock, endpoint, policy, address)
    raise trouble


class Connection:
    """A socket with its facts. `sock` is replaced by the TLS socket when start_tls succeeds; `tls` is None before."""

    def __init__(self, sock: socket.socket, endpoint: Endpoint, policy: Policy, address: str):
        self.sock, self.endpoint, self.policy, self.address = sock, endpoint, policy, address
        self.tls: TlsFacts | None = None

    def start_tls(self, look: bool = True) -> None:
        """TLS handshake, certificate verified for the host's name. On failure the socket is closed. `look`: connect
        once more to tell whose certificate was refused, for whoever has to mend it."""
        host = plain_host(self.endpoint.host).rstrip(".")
        self.sock.settimeout(self.policy.connect_seconds)
        plain = self.sock
        guard = threading.Timer(self.policy.connect_seconds, _hang_up, (plain,))  # the handshake as a whole
        guard.daemon = True
        guard.start()
        try:
            self.sock = tls_context(self.policy.ca_file).wrap_socket(plain, server_hostname=host)
        except ssl.SSLCertVerificationError as error:
            plain.close()
            raise self._certificate_trouble(host, error, look) from None
        except TimeoutError:
            plain.close()
            raise self._trouble("timed_out") from None
        except ssl.SSLError as error:
            plain.close()
            reason = "old_tls" if "PROTOCOL" in (error.reason or "") else "other"
            raise self._trouble("not_tls", reason=reason) from None
        except OSError:
            plain.close()
            raise self._trouble("lost" if guard.is_alive() else "timed_out") from None
        finally:
            guard.cancel()
        expires = ssl.cert_time_to_seconds(self.sock.getpeercert()["notAfter"])
        self.tls = TlsFacts(self.sock.version() or "TLS", datetime.fromtimestamp(expires, UTC))

    def close(self) -> None:
        _hang_up(self.sock)
        self.sock.close()

    def _trouble(self, code: str, **facts) -> MailError:
        return MailError(code, host=self.endpoint.host, port=self.endpoint.port, **facts)

    def _certificate_trouble(self, host: str, error: ssl.SSLCertVerificationError, look: bool) -> MailError:
        facts = {"reason": _CERTIFICATE_REASONS.get(error.verify_code, "other")}
        if look and self.endpoint.security == "tls":
            facts |= _look_at_certificate(self.address, self.endpoint.port, host)
        return self._trouble("certificate", **facts)


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """The one way we do TLS: the system's authorities plus `ca_file`, names checked, at least TLS 1.2.

    Contexts are shared (loading the authorities takes 10 ms and a lot of memory) and follow changes of the file.
    """
    return _context(ca_file, os.stat(ca_file).st_mtime_ns if ca_file else 0)


@functools.lru_cache(maxsize=16)
def _context(ca_file: str | None, _changed: int) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(ca_file)
        # Since Python 3.13 the default asks for extensions that many organisations' own CAs do not write.
        # The chain, the dates and the name are checked as before.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _in(address, networks) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _port_may_be_used(port: int, policy: Policy) -> bool:
    return port in policy.ports or any(port == listed for _address, listed in policy.loopback)


def _allowed(host: str, address: str, port: int, policy: Policy) -> bool:
    kind = classify_address(address)
    if kind == "loopback":
        return (address, port) in policy.loopback
    if port not in policy.ports:
        return False
    return kind == "public" or kind == "private" and _is_listed(host, address, policy.private)


def _is_listed(host: str, address: str, listed) -> bool:
    for entry in listed:
        try:
            network = ipaddress.ip_network(entry, strict=False)
        except ValueError:
            if host.rstrip(".") == str(entry).strip().lower().rstrip("."):
                return True
            continue
        if _in(ipaddress.ip_address(address), [network]):
            return True
    return False


def _resolve(host: str, port: int, seconds: float) -> list[str]:
    """All addresses of a host, in the system's order. getaddrinfo has no time-out of its own: it gets a thread."""
    answers: queue.SimpleQueue = queue.SimpleQueue()

    def ask():
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True, name="resolve").start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise MailError("timed_out", host=host, port=port) from None
    if isinstance(answer, Exception) or not answer:
        raise MailError("host_unknown", host=host)
    return answer


def _look_at_certificate(address: str, port: int, host: str) -> dict:
    """Whose certificate was refused, for the person who has to mend it. Nothing is said over this connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (socket.create_connection((address, port), 5) as plain,
              context.wrap_socket(plain, server_hostname=host) as sock):
            certificate = x509.load_der_x509_certificate(sock.getpeercert(True))
    except (OSError, ValueError, TypeError):
        return {}
    return {"subject": clean(certificate.subject.rfc4514_string()),
            "issuer": clean(certificate.issuer.rfc4514_string()),
            "not_after": certificate.not_valid_after_utc.isoformat()}


def clean(text: str | bytes) -> str:
    """A server's own words, fit for MailError.facts["answer"]: one line, no control characters, 200 at most."""
    if isinstance(text, bytes):
        text = text[:2000].decode("utf-8", "replace")
    shown = "".join(c if c.isprintable() else " " for c in text[:2000])
    return " ".join(shown.split())[:200]


def _hang_up(sock: socket.socket) -> None:
    """Wakes whoever waits on it, in any thread."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
