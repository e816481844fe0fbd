"""Which servers belong to an address: known ones first, then what the domain says of itself, then guesses."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Literal, NamedTuple

import dns.exception
import dns.resolver

from webapp.mail import autoconfig
from webapp.mail.connect import plain_host
from webapp.mail.imap.greeting import open_wire
from webapp.mail.providers import BY_DOMAIN, MX_IS_THE_SERVER, Servers, by_mx
from webapp.mail.smtp import greets
from webapp.mail.types import Endpoint, MailError, Policy

__all__ = ["Candidate", "Servers", "answers", "candidates"]

Source = Literal["preset", "provider", "srv", "autoconfig", "guess"]
DNS_SECONDS = 3.0
_KEPT = 60.0   # seconds that `answers` believes itself


class Candidate(NamedTuple):
    """Servers that may be the right ones. `source` "guess" has to be tried with `answers` first."""

    source: Source
    imap: Endpoint
    smtp: Endpoint
    user: str
    needs_app_password: bool = False
    help_url: str | None = None
    password_works: bool = True


def candidates(address: str, policy: Policy, presets: Mapping[str, Servers], resolver=None,
               fetch: Callable[[str], bytes | None] | None = None) -> Iterator[Candidate]:
    """Candidates, best first; each step is made only when the one before was not enough.

    `presets`: the organisation's own domains. `resolver`: a dnspython Resolver. `fetch`: URL -> bytes or None.
    Yields nothing for an address without a usable domain. Raises nothing.
    """
    domain = address.rpartition("@")[2].strip().lower()
    try:
        wire_domain = plain_host(domain)
    except MailError:
        return
    for name in (domain, wire_domain):
        if name in presets:
            yield _candidate("preset", presets[name], address)
            return
    if wire_domain in BY_DOMAIN:
        yield _candidate("provider", BY_DOMAIN[wire_domain], address)
        return
    records = _records(wire_domain, resolver)
    mx = [host for _priority, _weight, host, _port in records["MX"]]
    if provider := by_mx(mx):
        yield _candidate("provider", provider, address)
        return
    yield from _by_srv(records, address)
    yield from _by_autoconfig(address, wire_domain, policy, fetch)
    yield from _guesses(address, wire_domain, mx)


def answers(endpoint: Endpoint, policy: Policy) -> bool:
    """Does an IMAP or SMTP server greet there, over verified TLS? Believed for a minute: guesses share endpoints."""
    key = (endpoint, policy)
    with _lock:
        known = _recent.get(key)
    if known and time.monotonic() - known[0] < _KEPT:
        return known[1]
    quick = replace(policy, connect_seconds=min(5.0, policy.connect_seconds),
                    read_seconds=min(5.0, policy.read_seconds))
    verdict = _greets(endpoint, quick)
    with _lock:
        if len(_recent) > 500:
            _recent.clear()
        _recent[key] = (time.monotonic(), verdict)
    return verdict


_recent: dict[tuple, tuple[float, bool]] = {}
_lock = threading.Lock()


def _greets(endpoint: Endpoint, policy: Policy) -> bool:
    try:
        open_wire(endpoint, policy).connection.close()
        return True
    except MailError as error:
        if error.facts.get("reason") != "greeting":
            return False
    try:
        greets(endpoint, policy)
        return True
    except MailError:
        return False


def _candidate(source: Source, servers: Servers, address: str) -> Candidate:
    return Candidate(source, servers.imap, servers.smtp, address, servers.needs_app_password, servers.help_url,
                     servers.password_works)


def _records(domain: str, resolver) -> dict[str, list[tuple[int, int, str, int]]]:
    """MX and the SRV records of RFC 6186 and RFC 8314, all asked at once: (priority, -weight, host, port), sorted."""
    if resolver is None:
        try:
            resolver = dns.resolver.Resolver()
        except (dns.exception.DNSException, OSError):
            return dict.fromkeys(("MX", *_SERVICES), [])
        resolver.lifetime = resolver.timeout = DNS_SECONDS
    names = {"MX": (domain, "MX")} | {service: (f"{service}._tcp.{domain}", "SRV") for service in _SERVICES}
    with ThreadPoolExecutor(len(names), thread_name_prefix="dns") as pool:
        asked = {key: pool.submit(_ask, resolver, *question) for key, question in names.items()}
        return {key: answer.result() for key, answer in asked.items()}


_SERVICES = ("_imaps", "_imap", "_submissions", "_submission")


def _ask(resolver, name: str, kind: str) -> list[tuple[int, int, str, int]]:
    try:
        answer = list(resolver.resolve(name, kind))
    except (dns.exception.DNSException, OSError, ValueError):
        return []
    if kind == "MX":
        found = [(r.preference, 0, str(r.exchange).rstrip(".").lower(), 0) for r in answer]
    else:
        found = [(r.priority, -r.weight, str(r.target).rstrip(".").lower(), r.port) for r in answer]
    return sorted(record for record in found if record[2])   # the target "." says: not offered here


def _by_srv(records: dict, address: str) -> Iterator[Candidate]:
    imap = _first_srv(records, (("_imaps", "tls"), ("_imap", "starttls")))
    smtp = _first_srv(records, (("_submissions", "tls"), ("_submission", "starttls")))
    if imap and smtp:
        yield Candidate("srv", imap, smtp, address)


def _first_srv(records: dict, wanted: tuple) -> Endpoint | None:
    for service, security in wanted:
        for _priority, _weight, host, port in records[service]:
            return Endpoint(host, port, security)
    return None


def _by_autoconfig(address: str, domain: str, policy: Policy, fetch) -> Iterator[Candidate]:
    strict = autoconfig.web_policy(policy)
    for url in autoconfig.places(address.rpartition("@")[0] + "@" + domain):
        xml = fetch(url) if fetch else autoconfig.fetch(url, strict)
        found = autoconfig.read(xml, address) if xml else None
        if found:
            yield Candidate("autoconfig", *found)
            return


def _guesses(address: str, domain: str, mx: list[str]) -> Iterator[Candidate]:
    """The names that most hosts use. The hosts of hosters whose MX is also the mail server come first."""
    own = [host for host in mx[:1] if host.endswith(tuple("." + suffix for suffix in MX_IS_THE_SERVER))]
    imap_hosts = [*own, f"imap.{domain}", f"mail.{domain}", domain]
    smtp_hosts = [*own, f"smtp.{domain}", f"mail.{domain}"]
    for imap in [Endpoint(h, 993, "tls") for h in imap_hosts] + [Endpoint(h, 143, "starttls") for h in imap_hosts]:
        for smtp in [Endpoint(h, 465, "tls") for h in smtp_hosts] + [Endpoint(h, 587, "starttls") for h in smtp_hosts]:
            yield Candidate("guess", imap, smtp, address)
