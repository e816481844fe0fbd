"""The autoconfig file of a mail domain (https://wiki.mozilla.org/Thunderbird:Autoconfiguration), from strangers.

https only, public addresses only, small, and an XML reader that refuses any DOCTYPE, so that no entity exists.
"""

import http.client
import threading
import time
import xml.etree.ElementTree as ET
from dataclasses import replace
from urllib.parse import quote, urljoin, urlsplit
from xml.parsers import expat

from webapp.mail.connect import open_socket
from webapp.mail.types import Endpoint, MailError, Policy

MOST_BYTES = 65_536
SECONDS = 5.0
REDIRECTS = 3


def places(address: str) -> list[str]:
    """The URLs to ask, in order."""
    domain = address.rpartition("@")[2]
    return [f"https://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={quote(address, safe='')}",
            f"https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml"]


def web_policy(policy: Policy) -> Policy:
    """DEFENCE class "web fetches": public addresses only, whatever the admin listed for mail servers."""
    return replace(policy, ports=frozenset({443}), private=(), loopback=frozenset(), connect_seconds=SECONDS,
                   read_seconds=SECONDS)


def fetch(url: str, policy: Policy) -> bytes | None:
    """GET over https, `policy` applied anew at every redirect. None for anything but a small 200."""
    deadline = time.monotonic() + SECONDS
    for _ in range(REDIRECTS + 1):
        try:
            status, answer = _get(url, policy, deadline)
        except (MailError, OSError, http.client.HTTPException, ValueError):
            return None
        if status == 200:
            return answer if len(answer) <= MOST_BYTES else None
        if status not in (301, 302, 303, 307, 308):
            return None
        url = urljoin(url, answer.decode("ascii", "replace"))
    return None


def _get(url: str, policy: Policy, deadline: float) -> tuple[int, bytes]:
    """Status and body, or status and Location."""
    parts = urlsplit(url)
    left = deadline - time.monotonic()
    if parts.scheme != "https" or not parts.hostname or parts.username or left <= 0:
        raise ValueError("not a plain https URL, or too late")
    endpoint = Endpoint(parts.hostname, parts.port or 443, "tls")
    connection = open_socket(endpoint, replace(policy, connect_seconds=min(left, policy.connect_seconds)))
    guard = threading.Timer(max(0.1, deadline - time.monotonic()), connection.close)   # against a trickle
    guard.daemon = True
    guard.start()
    try:
        web = http.client.HTTPConnection(parts.hostname, endpoint.port)
        web.sock = connection.sock
        web.sock.settimeout(max(0.1, deadline - time.monotonic()))
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        web.request("GET", target, headers={"Connection": "close", "Accept": "text/xml, application/xml"})
        response = web.getresponse()
        if 300 <= response.status < 400:
            return response.status, (response.headers.get("Location") or "").encode("ascii", "replace")
        return response.status, response.read(MOST_BYTES + 1)
    finally:
        guard.cancel()
        connection.close()


def read(xml: bytes, address: str) -> tuple[Endpoint, Endpoint, str] | None:
    """IMAP endpoint, SMTP endpoint and user name of the first entries with TLS and a password. None: nothing usable."""
    try:
        root = _parse(xml)
    except (expat.ExpatError, ValueError, LookupError):
        return None
    imap, smtp = _first(root, "incomingServer", "imap", address), _first(root, "outgoingServer", "smtp", address)
    if imap is None or smtp is None:
        return None
    return imap[0], smtp[0], imap[1]


def _first(root: ET.Element, tag: str, kind: str, address: str) -> tuple[Endpoint, str] | None:
    securities = {"SSL": "tls", "STARTTLS": "starttls"}
    for server in root.iter(tag):
        host, port = _filled(server, "hostname", address), _filled(server, "port", address)
        security = securities.get((server.findtext("socketType") or "").strip().upper())
        ways = [(way.text or "").strip() for way in server.findall("authentication")]
        if (server.get("type") != kind or not security or not (port.isascii() and port.isdigit()) or len(port) > 5
                or ways and not {"password-cleartext", "plain", "password-encrypted"} & set(ways)):
            continue
        if host and len(host) <= 253 and not set(host) & set(" /@:%#?\r\n\0"):
            return Endpoint(host, int(port), security), _filled(server, "username", address) or address
    return None


def _filled(server: ET.Element, tag: str, address: str) -> str:
    local, _, domain = address.rpartition("@")
    text = (server.findtext(tag) or "").strip()
    for place, value in (("%EMAILADDRESS%", address), ("%EMAILLOCALPART%", local), ("%EMAILDOMAIN%", domain)):
        text = text.replace(place, value)
    return text[:500] if text.isprintable() else ""


def _parse(xml: bytes) -> ET.Element:
    builder, depth = ET.TreeBuilder(), 0
    parser = expat.ParserCreate()

    def refuse(*_):
        raise ValueError("a DOCTYPE")

    def start(name, attributes):
        nonlocal depth
        depth += 1
        if depth > 20:
            raise ValueError("too deep")
        builder.start(name, attributes)

    def end(name):
        nonlocal depth
        depth -= 1
        builder.end(name)

    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, builder.data
    parser.Parse(xml[:MOST_BYTES], True)
    return builder.close()
