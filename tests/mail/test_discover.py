"""Which servers belong to an address: the order, what strangers may say of it, and what is asked of the network."""

import types

import dns.exception
import pytest

from webapp.mail import autoconfig
from webapp.mail.discover import Servers, answers, candidates
from webapp.mail.types import Endpoint, MailError, Policy

from .conftest import at, policy_for

PRESET = Servers(Endpoint("imap.corp.example", 993, "tls"), Endpoint("smtp.corp.example", 465, "tls"))


class Resolver:
    """A dnspython resolver over a table: (name, kind) -> records."""

    def __init__(self, **records):
        self.records, self.asked = records, []

    def resolve(self, name, kind):
        self.asked.append((name, kind))
        found = self.records.get(name.replace(".", "_").replace("-", "_"))
        if not found:
            raise dns.exception.Timeout
        return found


def mx(host, preference=10):
    return types.SimpleNamespace(preference=preference, exchange=host + ".")


def srv(host, port, priority=0, weight=0):
    return types.SimpleNamespace(priority=priority, weight=weight, target=host + ".", port=port)


def found(address, resolver=None, fetch=lambda url: None, presets=None):
    return list(candidates(address, Policy(), presets or {}, resolver or Resolver(), fetch))


XML = """<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="x">
<incomingServer type="pop3"><hostname>pop.firma.example</hostname><port>995</port><socketType>SSL</socketType></incomingServer>
<incomingServer type="imap"><hostname>plain.firma.example</hostname><port>143</port><socketType>plain</socketType></incomingServer>
<incomingServer type="imap"><hostname>oauth.firma.example</hostname><port>993</port><socketType>SSL</socketType>
<authentication>OAuth2</authentication></incomingServer>
<incomingServer type="imap"><hostname>imap.%EMAILDOMAIN%</hostname><port>993</port><socketType>SSL</socketType>
<authentication>password-cleartext</authentication><username>%EMAILLOCALPART%</username></incomingServer>
<outgoingServer type="smtp"><hostname>smtp.firma.example</hostname><port>587</port><socketType>STARTTLS</socketType>
<username>%EMAILADDRESS%</username></outgoingServer></emailProvider></clientConfig>"""


def test_the_admins_table_comes_first_and_asks_nobody():
    resolver = Resolver()
    (only,) = found("zofia@gmail.com", resolver, presets={"gmail.com": PRESET})
    assert only.source == "preset" and only.imap == PRESET.imap and only.user == "zofia@gmail.com"
    assert resolver.asked == []


@pytest.mark.parametrize(
    ("address", "imap", "app_password"),
    [
        ("a@gmail.com", "imap.gmail.com", True),
        ("a@GoogleMail.com", "imap.gmail.com", True),
        ("a@hotmail.com", "outlook.office365.com", False),
        ("a@yahoo.com", "imap.mail.yahoo.com", True),
        ("a@me.com", "imap.mail.me.com", True),
        ("a@gmx.de", "imap.gmx.net", False),
        ("a@web.de", "imap.web.de", False),
        ("a@wp.pl", "imap.wp.pl", False),
        ("a@o2.pl", "poczta.o2.pl", False),
        ("a@op.pl", "imap.poczta.onet.pl", False),
        ("a@interia.pl", "poczta.interia.pl", False),
        ("a@t-online.de", "secureimap.t-online.de", True),
    ],
)
def test_large_providers_are_known_without_asking(address, imap, app_password):
    resolver = Resolver()
    (only,) = found(address, resolver)
    assert (only.source, only.imap.host, only.needs_app_password) == ("provider", imap, app_password)
    assert only.imap.port == 993 and only.user == address and resolver.asked == []


@pytest.mark.parametrize(
    ("host", "imap"),
    [
        ("aspmx.l.google.com", "imap.gmail.com"),
        ("firma-example.mail.protection.outlook.com", "outlook.office365.com"),
        ("mx1.mail.ovh.net", "ssl0.ovh.net"),
    ],
)
def test_a_firms_domain_is_known_by_where_its_mail_goes(host, imap):
    (only,) = found("a@firma.example", Resolver(firma_example=[mx("backup.example", 50), mx(host)]))
    assert only.source == "provider" and only.imap.host == imap


def test_a_look_alike_mx_is_no_provider():
    assert (
        found("a@firma.example", Resolver(firma_example=[mx("evilgoogle.com"), mx("google.com.evil.example")]))[
            0
        ].source
        == "guess"
    )


def test_dns_srv_is_followed_by_priority_and_weight():
    resolver = Resolver(
        _imaps__tcp_firma_example=[
            srv("slow.firma.example", 993, 20),
            srv("b.firma.example", 993, 10, 1),
            srv("a.firma.example", 994, 10, 9),
        ],
        _imap__tcp_firma_example=[srv("no.firma.example", 143)],
        _submissions__tcp_firma_example=[srv("", 0)],
        _submission__tcp_firma_example=[srv("s.firma.example", 587)],
    )
    first = found("a@firma.example", resolver)[0]
    assert first == (
        "srv",
        Endpoint("a.firma.example", 994, "tls"),
        Endpoint("s.firma.example", 587, "starttls"),
        "a@firma.example",
        False,
        None,
        True,
    )


def test_autoconfig_gives_only_encrypted_password_servers():
    asked = []

    def fetch(url):
        asked.append(url)
        return XML.encode() if ".well-known" in url else None

    first = found("zofia.m+x@firma.example", fetch=fetch)[0]
    assert first[:4] == (
        "autoconfig",
        Endpoint("imap.firma.example", 993, "tls"),
        Endpoint("smtp.firma.example", 587, "starttls"),
        "zofia.m+x",
    )
    assert asked == [
        "https://autoconfig.firma.example/mail/config-v1.1.xml?emailaddress=zofia.m%2Bx%40firma.example",
        "https://firma.example/.well-known/autoconfig/mail/config-v1.1.xml",
    ]


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'


@pytest.mark.parametrize(
    "xml",
    [
        XML.replace("<clientConfig", BOMB + "<clientConfig").encode(),
        XML.replace("<clientConfig", '<!DOCTYPE x SYSTEM "file:///etc/passwd"><clientConfig').encode(),
        XML.replace("<clientConfig", BOMB + "<clientConfig")
        .replace('?xml version="1.0"', '?xml version="1.0" encoding="utf-16"')
        .encode("utf-16"),
        b"",
        b"<html>",
        b"\0" * 100,
        b"<a>" * 1000,
        XML.replace("587", "99999999").encode(),
        XML.replace("587", "\u0661").encode(),
        XML.replace("smtp.firma.example", "evil.example/x?").encode(),
        XML.replace("STARTTLS", "plain").encode(),
        XML.encode() + b"x",
    ],
)
def test_hostile_or_useless_autoconfig_is_no_answer(xml):
    assert autoconfig.read(xml, "a@firma.example") is None


def test_guesses_come_last_and_encrypted_first():
    guesses = found("a@firma.example")
    assert guesses[0][:3] == (
        "guess",
        Endpoint("imap.firma.example", 993, "tls"),
        Endpoint("smtp.firma.example", 465, "tls"),
    )
    assert {c.imap.host for c in guesses} == {"imap.firma.example", "mail.firma.example", "firma.example"}
    assert {(c.imap.port, c.imap.security) for c in guesses} == {(993, "tls"), (143, "starttls")}
    assert {(c.smtp.port, c.smtp.security) for c in guesses} == {(465, "tls"), (587, "starttls")}


def test_a_hosters_own_server_is_guessed_first():
    first = found("a@firma.example", Resolver(firma_example=[mx("server1234.home.pl")]))[0]
    assert (first.source, first.imap.host) == ("guess", "server1234.home.pl")


@pytest.mark.parametrize("address", ["", "zofia", "a@", "a@b c", "a@x/y", "a@localhost\r\n", "a@[127.0.0.1]"])
def test_an_address_without_a_domain_asks_nobody_strange(address):
    asked = []
    for candidate in found(address, fetch=lambda url: asked.append(url)):
        assert candidate.source == "guess"
    assert not any(" " in url or "\r" in url for url in asked)


class Web:
    """Stands in for open_socket: answers by URL path; remembers endpoints and policies."""

    def __init__(self, *replies: bytes):
        self.replies, self.asked = list(replies), []

    def __call__(self, endpoint, policy):
        import socket

        self.asked.append(endpoint)
        assert policy.private == () and policy.loopback == frozenset() and policy.ports == {443}
        if endpoint.host.endswith("inside.example"):
            raise MailError("not_allowed", host=endpoint.host, port=443)
        ours, theirs = socket.socketpair()
        theirs.sendall(self.replies.pop(0))
        theirs.shutdown(socket.SHUT_WR)
        self.keep = theirs
        return types.SimpleNamespace(sock=ours, close=ours.close)


def ask(monkeypatch, *replies):
    web = Web(*replies)
    monkeypatch.setattr(autoconfig, "open_socket", web)
    strict = autoconfig.web_policy(Policy(private=("10.0.0.0/8",), loopback=frozenset({("127.0.0.1", 443)})))
    return autoconfig.fetch("https://firma.example/x", strict), web.asked


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def moved(to):
    return b"HTTP/1.1 302 Found\r\nLocation: " + to + b"\r\nContent-Length: 0\r\n\r\n"


def test_the_web_is_asked_with_its_own_stricter_policy(monkeypatch):
    assert ask(monkeypatch, OK) == (b"hi", [Endpoint("firma.example", 443, "tls")])


@pytest.mark.parametrize(
    "replies",
    [
        [moved(b"http://firma.example/")],
        [moved(b"https://secret.inside.example/")],
        [moved(b"https://u:p@firma.example/")],
        [moved(b"/a"), moved(b"/b"), moved(b"/c"), moved(b"/d"), OK],
        [moved(b"file:///etc/passwd")],
        [moved(b"")] * 4,
        [b"HTTP/1.1 404 No\r\n\r\n"],
        [b"garbage\r\n"],
        [b""],
        [b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 70_000],
    ],
)
def test_redirects_and_answers_have_bounds(monkeypatch, replies):
    answer, asked = ask(monkeypatch, *replies)
    assert answer is None and len(asked) <= 4


def test_a_redirect_within_bounds_is_followed(monkeypatch):
    answer, asked = ask(monkeypatch, moved(b"https://www.firma.example/y"), OK)
    assert answer == b"hi" and asked[1].host == "www.firma.example"


def test_a_server_answers_when_it_greets_over_verified_tls(dovecot, sink, authority):
    for port, security, expected in (
        (dovecot.imaps_port, "tls", True),
        (dovecot.imap_port, "starttls", True),
        (sink.port, "tls", True),
        (sink.starttls_port, "starttls", True),
        (dovecot.imap_port, "tls", False),
        (1, "tls", False),
    ):
        assert answers(at(port, security), policy_for(authority.ca_file, port)) is expected
    assert answers(at(dovecot.imaps_port), policy_for(None, dovecot.imaps_port)) is False
    assert answers(at(dovecot.imaps_port), Policy()) is False
