"""GET from the web, where strangers name the target: the only door to it (DEFENCE 3.1, class "web fetches").

Public addresses alone, whatever an admin allowed for mail servers; resolved once, and the very address that was judged
is connected to; each redirect is judged anew. Little is said: no cookie, no Referer, nothing that tells who reads, or
which product this is. Little is taken: bytes, headers, time have bounds that hold at the socket.
"""

import http.client
import io
import time
from dataclasses import dataclass, replace
from urllib.parse import quote, urljoin, urlsplit

from webapp.mail.connect import Connection, open_plain, plain_host
from webapp.mail.types import Endpoint, MailError, Policy

MOST_BYTES = 5_000_000
MOST_HEADERS = 32_768       # bytes of status line and headers, also of answers that come before the last
MOST_URL = 8_000
REDIRECTS = 3
SECONDS = 10.0              # for all of it: names, connections, redirects, the last byte
_PORTS = {"http": 80, "https": 443}
# What every browser could have sent. The same for all, so that nobody can be told from another.
HEADERS = {"User-Agent": "Mozilla/5.0", "Accept": "image/avif,image/webp,image/png,image/jpeg,image/gif,*/*;q=0.5",
           "Accept-Encoding": "identity", "Connection": "close"}
_PATH, _QUERY = "/%:@!$&'()*+,;=~-._", "/%:@!$&'()*+,;=~-._?[]|"      # what stays as it stands


@dataclass(frozen=True)
class Reach:
    """What may be reached. `loopback`: exact (address, port) pairs on this machine, `ca_file`: an authority beside the
    system's; both are set by code alone, for tests and the demo. No setting leads here."""

    loopback: frozenset = frozenset()
    ca_file: str | None = None
    seconds: float = SECONDS


class WebError(Exception):
    """`code`: not_allowed (the URL, its host or its address), unreachable (no answer in time, no TLS that can be
    verified, a fault of the server), missing (the server says no), too_large. Never the server's words."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


def get(url: str, reach: Reach | None = None) -> bytes:
    """The body behind an http or https URL, at most MOST_BYTES. WebError."""
    reach = reach or Reach()
    deadline, safe = time.monotonic() + reach.seconds, False
    for _ in range(REDIRECTS + 1):
        target = _target(url)
        if safe and not target.secure:      # it began with https: what follows is not to be read on the way
            raise WebError("not_allowed")
        safe = safe or target.secure
        status, answer = _ask(target, reach, deadline)
        if status == 200:
            return answer
        if status not in (301, 302, 303, 307, 308):
            raise WebError("unreachable" if status >= 500 or status in (408, 425, 429) else "missing")
        url = _next(url, answer)
    raise WebError("missing")


@dataclass(frozen=True)
class _Target:
    secure: bool
    host: str        # as DNS wants it
    port: int
    path: str        # with its query


def _target(url: str) -> _Target:
    """WebError not_allowed for what is no plain web address: other schemes, other ports, a user name, control
    characters."""
    try:
        parts = urlsplit(url)
        port = _PORTS[parts.scheme] if parts.port is None else parts.port
        host = plain_host(parts.hostname or "")
    except (ValueError, KeyError, MailError):
        raise WebError("not_allowed") from None
    if len(url) > MOST_URL or "@" in parts.netloc or any(c <= " " or c == "\x7f" for c in url):
        raise WebError("not_allowed")
    query = f"?{quote(parts.query, safe=_QUERY)}" if parts.query else ""
    return _Target(parts.scheme == "https", host, port, (quote(parts.path, safe=_PATH) or "/") + query)


def _next(url: str, location: bytes) -> str:
    """Where a redirect leads. Servers write Latin-1 or UTF-8 where only ASCII should stand."""
    if not location:
        raise WebError("missing")
    try:
        return urljoin(url, location.decode("utf-8", "replace").strip().partition("#")[0])
    except ValueError:
        raise WebError("not_allowed") from None


def _ask(target: _Target, reach: Reach, deadline: float) -> tuple[int, bytes]:
    """Status and body of a 200, or status and Location of another."""
    connection = _connect(target, reach, deadline)
    try:
        web = http.client.HTTPConnection(target.host, target.port)
        web.sock = wire = _Wire(connection.sock, deadline)
        web.request("GET", target.path, headers={"Host": _host_header(target), **HEADERS})
        response = web.getresponse()
        if response.status != 200:
            return response.status, (response.headers.get("Location") or "").encode("latin-1", "replace")[:MOST_URL]
        if response.length is not None and response.length > MOST_BYTES:
            raise WebError("too_large")
        wire.most += MOST_BYTES + MOST_HEADERS      # with the sizes of chunks
        body = response.read(MOST_BYTES + 1)
    except _TooMuch:
        raise WebError("too_large") from None
    except (OSError, http.client.HTTPException, ValueError):
        raise WebError("unreachable") from None
    finally:
        connection.close()
    if len(body) > MOST_BYTES:
        raise WebError("too_large")
    if response.length:      # it promised more than it gave
        raise WebError("unreachable")
    return 200, body


def _connect(target: _Target, reach: Reach, deadline: float) -> Connection:
    left = deadline - time.monotonic()
    if left <= 0:
        raise WebError("unreachable")
    policy = Policy(ports=frozenset(_PORTS.values()), loopback=reach.loopback, ca_file=reach.ca_file,
                    connect_seconds=left)
    try:
        connection = open_plain(Endpoint(target.host, target.port, "tls"), policy)
        if target.secure:
            connection.policy = replace(policy, connect_seconds=max(0.1, deadline - time.monotonic()))
            connection.start_tls(look=False)
        return connection
    except MailError as error:
        raise WebError("not_allowed" if error.code == "not_allowed" else "unreachable") from None


def _host_header(target: _Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.port == _PORTS["https" if target.secure else "http"] else f"{host}:{target.port}"


class _TooMuch(Exception):
    """More bytes than `most`."""


class _Wire(io.RawIOBase):
    """A socket as http.client wants it, whose every read knows how much time and how many bytes are left."""

    def __init__(self, sock, deadline: float):
        self._sock, self._deadline, self._read, self.most = sock, deadline, 0, MOST_HEADERS

    def sendall(self, data) -> None:
        self._sock.settimeout(self._left())
        self._sock.sendall(data)

    def makefile(self, _mode):
        return io.BufferedReader(self, 4_096)      # what it reads ahead counts, too

    def close(self) -> None:
        """http.client closes a connection that will not be used again before it has read the answer, and counts on the
        file to keep it open. `_ask` closes the socket."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        if self._read >= self.most:
            raise _TooMuch
        self._sock.settimeout(self._left())
        size = self._sock.recv_into(buffer, min(len(buffer), self.most - self._read))
        self._read += size
        return size

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left
