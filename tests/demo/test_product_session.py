"""The product's own IMAP session against the demo's server: the two must understand each other."""

from email import message_from_bytes, policy

import pytest

from demo.conftest import PASSWORDS
from webapp.mail.imap.session import Session
from webapp.mail.types import Endpoint, Login, MailError, Policy

KONTAKT = "kontakt@transwisla.example"
ZOFIA = "zofia.dabrowska@transwisla.example"


def opened(demo, address, password=None):
    allowed = Policy(loopback=frozenset({("127.0.0.1", demo.imap_port)}), ca_file=str(demo.ca))
    return Session.open(Endpoint("127.0.0.1", demo.imap_port, "tls"), Login(address, password or PASSWORDS[address]),
                        allowed)


def _has_file(raw):
    parts = message_from_bytes(raw, policy=policy.default).walk()
    return any(part.get_content_disposition() == "attachment" for part in parts)


def test_folders_have_their_roles_by_special_use(demo):
    with opened(demo, ZOFIA) as session:
        roles = {folder.role: folder.name for folder in session.folders()}
    assert roles["inbox"] == "INBOX"
    assert roles["sent"] == "Wysłane"
    assert roles["drafts"] == "Szkice"


def test_every_message_and_every_header_is_fetched(demo):
    with opened(demo, KONTAKT) as session:
        inbox = next(folder for folder in session.folders() if folder.role == "inbox")
        selected = session.select(inbox)
        uids = session.uids(1, None)
        messages = list(session.fetch(uids, 50_000_000))
        headers = {header.uid: header for header in session.fetch_headers(uids)}
    assert len(messages) == len(uids) == selected.exists == len(headers)
    assert all(message.raw.startswith(headers[message.uid].header) for message in messages)
    # What the structure promises is what the library finds inside; the broken one may be seen either way.
    holding = {message.uid for message in messages if _has_file(message.raw)}
    assert len(holding) > 10
    assert {uid for uid, header in headers.items() if header.has_attachments} == holding


def test_a_copy_in_sent_is_found_by_its_message_id(demo):
    with opened(demo, KONTAKT) as session:
        sent = next(folder for folder in session.folders() if folder.role == "sent")
        uid = session.append(sent, b"Message-ID: <copy@transwisla.example>\r\n\r\nx\r\n", ["\\Seen"])
        assert session.search_message_id(sent, "copy@transwisla.example") == [uid]


def test_a_wrong_password_is_judged_as_one(demo):
    with pytest.raises(MailError) as failed:
        opened(demo, KONTAKT, "wrong")
    assert failed.value.code == "password_refused"
