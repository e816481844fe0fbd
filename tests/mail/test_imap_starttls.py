"""No credential leaves before verified TLS, whatever the server says first."""

import ssl

import pytest
from fakes.imap import FakeImap
from servers.ca import Authority

from webapp.mail.imap import Session
from webapp.mail.imap.client import Client
from webapp.mail.types import MailError

from .conftest import ZOFIA, at, policy_for

OFFER = b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi\r\n"


@pytest.fixture
def server(server_pair):
    with FakeImap(server_pair, starttls=True) as server:
        server.greeting = OFFER
        yield server


def said(server, authority) -> tuple[str | None, list[bytes]]:
    """MailError code (None: signed in), and what the server heard in clear text."""
    try:
        Session.open(
            at(server.port, "starttls"), ZOFIA, policy_for(authority.ca_file, server.port, read_seconds=1)
        ).close()
        code = None
    except MailError as error:
        code = error.code
    return code, server.heard


def test_it_works_with_an_honest_server(server, authority):
    code, heard = said(server, authority)
    assert code is None and heard[0] == b"S1 STARTTLS\r\n"
    assert server.names()[:2] == [b"STARTTLS", b"CAPABILITY"]  # asked again: what came before TLS does not count


@pytest.mark.parametrize(
    ("greeting", "answer", "code"),
    [
        (b"* OK [CAPABILITY IMAP4rev1] hi\r\n", b"{tag} BAD what\r\n", "not_tls"),
        (OFFER, b"{tag} NO unavailable\r\n", "not_tls"),
        (OFFER, b"{tag} NO [UNAVAILABLE] later\r\n", "unavailable"),
        (OFFER, b"{tag} OK go\r\n* OK still plain\r\n", "protocol"),
        (OFFER, b"{tag} OK go\r\n* CAPABILITY IMAP4rev1 EVIL\r\nC1 OK injected\r\n", "protocol"),
        (OFFER, b"* BYE no\r\n", "unavailable"),
        (b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n", b"{tag} OK\r\n", "protocol"),
        (b"* OK hi\r\nA0001 OK\r\nA0002 OK\r\n", b"{tag} OK\r\n", "protocol"),
        (b"* OK hi\r\nS1 OK\r\n", b"{tag} OK\r\n", "protocol"),
        (b"* BYE go away\r\n", b"", "unavailable"),
        (b"* OK [ALERT] visit http://evil.test hi\r\n", b"{tag} NO no\r\n", "not_tls"),
        (b"220 mail.example.test ESMTP\r\n", b"", "protocol"),
        (b"HTTP/1.1 400 Bad Request\r\n", b"", "protocol"),
    ],
)
def test_everything_else_ends_before_the_sign_in(server, authority, greeting, answer, code):
    server.greeting = greeting
    server.on[b"STARTTLS"] = lambda tag, arguments: answer.replace(b"{tag}", tag)
    if b" OK go" in answer:
        server._context = None  # the server goes on in plain text
    got, heard = said(server, authority)
    assert got == code
    assert not [line for line in heard if b"LOGIN" in line.upper() or b"AUTHENTICATE" in line.upper()]


def test_untagged_lines_before_tls_are_forgotten(server, authority):
    server.on[b"STARTTLS"] = lambda tag, arguments: b'* LIST () "/" Evil\r\n* CAPABILITY EVIL\r\n' + tag + b" OK go\r\n"
    policy = policy_for(authority.ca_file, server.port)
    with Session.open(at(server.port, "starttls"), ZOFIA, policy) as session:
        assert "EVIL" not in session.capabilities
        assert [f.name for f in session.folders()] == ["INBOX", "Sent"]


@pytest.mark.parametrize("starttls", [False, True])
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("self_signed", "self_signed"),
        ("wrong_name", "hostname"),
        ("expired", "expired"),
        ("not_yet_valid", "not_yet_valid"),
        ("stranger", "untrusted"),
    ],
)
def test_bad_certificates_are_refused_with_their_reason(authority, tmp_path, kind, reason, starttls):
    pair = Authority(tmp_path, "Another CA").issue() if kind == "stranger" else getattr(authority, kind)()
    with FakeImap(pair, starttls=starttls) as server:
        with pytest.raises(MailError) as caught:
            Session.open(
                at(server.port, "starttls" if starttls else "tls"), ZOFIA, policy_for(authority.ca_file, server.port)
            )
        assert caught.value.code == "certificate" and caught.value.facts["reason"] == reason
        assert caught.value.facts["host"] == "127.0.0.1"
        if not starttls:
            assert "CN=" in caught.value.facts["subject"] and "T" in caught.value.facts["not_after"]
        assert server.names() in ([], [b"STARTTLS"])


def test_old_tls_is_refused(authority, server_pair):
    with FakeImap(server_pair) as server:
        server._context.minimum_version = ssl.TLSVersion.TLSv1
        server._context.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(MailError) as caught:
            Session.open(at(server.port), ZOFIA, policy_for(authority.ca_file, server.port))
        assert caught.value.code == "not_tls"


def test_a_server_without_tls_on_its_tls_port_is_named(authority):
    with FakeImap(None) as server:
        with pytest.raises(MailError) as caught:
            Session.open(at(server.port), ZOFIA, policy_for(authority.ca_file, server.port))
        assert caught.value.code == "not_tls"


def test_preauth_over_tls_is_refused_too(fake):
    fake.greeting = b"* PREAUTH hi\r\n"
    with pytest.raises(MailError) as caught:
        Session.open(fake.endpoint, ZOFIA, fake.policy)
    assert caught.value.code == "protocol" and fake.names() == []


def test_a_server_that_takes_no_passwords_is_not_given_one(fake):
    fake.capabilities = b"IMAP4rev1 LOGINDISABLED AUTH=XOAUTH2"
    with pytest.raises(MailError) as caught:
        Session.open(fake.endpoint, ZOFIA, fake.policy)
    assert caught.value.facts["reason"] == "no_password_sign_in" and fake.names() == [b"CAPABILITY"]


def test_imapclient_keeps_no_diary(fake):
    """If this fails, imapclient or imaplib renamed the attribute: see imap/client.py."""
    with Session.open(fake.endpoint, ZOFIA, fake.policy) as session:
        assert isinstance(session._client, Client) and session._client._imap.debug == 0
