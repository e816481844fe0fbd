"""The same story on the real server and on the fake: what holds for one holds for the other."""

from datetime import UTC, datetime

import pytest

from webapp.mail.imap import Session
from webapp.mail.types import Fetched, FetchedHeader, Folder, Login, MailError, Oversized

from .conftest import ZOFIA

FIRST = b"Subject: one\r\nMessage-ID: <one@example.test>\r\n\r\nHello\r\n"
SECOND = b"Subject: two\r\nMessage-ID: <two@example.test>\r\n\r\n" + b"x" * 5000 + b"\r\n"
THIRD = b"Subject: three\r\n\r\n\xc5\x82\x00\r\n"


@pytest.fixture(params=["dovecot", "fake"])
def mailbox(request):
    """(endpoint, login, policy) of a mailbox with FIRST and SECOND as UIDs 1 and 2."""
    if request.param == "fake":
        fake = request.getfixturevalue("fake")
        fake.messages = {1: FIRST, 2: SECOND}
        return fake.endpoint, ZOFIA, fake.policy
    dovecot, person = request.getfixturevalue("dovecot"), request.getfixturevalue("person")
    endpoint, policy = request.getfixturevalue("there")
    for raw in (FIRST, SECOND):
        dovecot.deliver(person.user, raw)
    return endpoint, person, policy


@pytest.fixture
def session(mailbox):
    with Session.open(*mailbox) as session:
        yield session


def role(session, wanted) -> Folder:
    return next(folder for folder in session.folders() if folder.role == wanted)


def test_it_tells_of_tls_and_capabilities(session):
    assert session.tls.version.startswith("TLSv1.") and session.tls.not_after > datetime.now(UTC)
    assert {"IMAP4REV1", "IDLE"} <= session.capabilities


def test_folders_have_their_roles(session):
    assert role(session, "inbox").wire_name == b"INBOX"
    assert role(session, "sent").name == "Sent"


def test_selecting_and_status_agree(session):
    inbox, sent = role(session, "inbox"), role(session, "sent")
    before = session.status(inbox)
    selected = session.select(inbox)
    assert (selected.uidnext, selected.exists) == (before.uidnext, before.exists) == (3, 2)
    assert selected.uidvalidity == before.uidvalidity > 0
    assert session.status(sent).uidvalidity > 0


def test_a_folder_that_is_not_there_is_gone(session):
    with pytest.raises(MailError) as caught:
        session.select(Folder("No", b"No such folder", "other", True))
    assert caught.value.code == "gone"
    session.noop()


def test_uids_of_a_range_do_not_fall_into_the_star_trap(session):
    session.select(role(session, "inbox"))
    assert session.uids(1, None) == [1, 2]
    assert session.uids(2, 2) == [2]
    assert session.uids(3, None) == []
    assert session.uids(3, 1) == []


def test_messages_come_byte_for_byte_and_what_is_not_there_is_named(session):
    session.select(role(session, "inbox"))
    found = {message.uid: message for message in session.fetch([2, 1, 99], 100_000)}
    assert {uid: message.raw for uid, message in found.items()} == {1: FIRST, 2: SECOND}
    assert all(isinstance(message, Fetched) and message.internal_date.tzinfo for message in found.values())
    assert found[1].size == len(FIRST)
    assert session.missing == {99}


def test_large_ones_give_only_their_header(session):
    session.select(role(session, "inbox"))
    small, large = session.fetch([1, 2], 1000)
    assert small.raw == FIRST and isinstance(large, Oversized)
    assert large.header == SECOND[:SECOND.index(b"xxx")] and large.size == len(SECOND) and large.uid == 2
    assert session.missing == frozenset()


def test_headers_come_with_size_and_date(session):
    session.select(role(session, "inbox"))
    first, second = session.fetch_headers([1, 2])
    assert isinstance(first, FetchedHeader) and first.header.endswith(b"<one@example.test>\r\n\r\n")
    assert (first.size, second.size, first.has_attachments) == (len(FIRST), len(SECOND), False)
    list(session.fetch_headers([5]))
    assert session.missing == {5}


def test_one_message_can_be_asked_for(session):
    session.select(role(session, "inbox"))
    assert session.fetch_one(2).raw == SECOND
    with pytest.raises(MailError) as caught:
        session.fetch_one(99)
    assert caught.value.code == "gone"


def test_a_message_is_found_by_its_id(session):
    inbox = role(session, "inbox")
    assert session.search_message_id(inbox, "two@example.test") == [2]
    assert session.search_message_id(inbox, "nobody@example.test") == []


def test_an_appended_message_keeps_its_bytes(session):
    inbox = role(session, "inbox")
    raw = THIRD.replace(b"\0", b"")
    uid = session.append(inbox, raw, ["\\Seen"], datetime(2026, 1, 1, tzinfo=UTC))
    session.select(inbox)
    assert session.fetch_one(uid).raw == raw


def test_reading_leaves_the_server_as_it_was(session, mailbox):
    session.select(role(session, "inbox"))
    before = [message.flags - {"\\Recent"} for message in session.fetch_headers([1, 2])]
    list(session.fetch([1, 2], 10_000))
    assert [message.flags - {"\\Recent"} for message in session.fetch_headers([1, 2])] == before


def test_a_wrong_password_is_a_refused_password(mailbox):
    endpoint, login, policy = mailbox
    with pytest.raises(MailError) as caught:
        Session.open(endpoint, Login(login.user, "wrong"), policy)
    assert caught.value.code == "password_refused"


def test_passwords_may_hold_any_character(mailbox, request):
    endpoint, login, policy = mailbox
    odd = 'za żółć "quoted\\" {3} %'
    if "fake" in request.node.callspec.id:
        request.getfixturevalue("fake").users[login.user] = odd
    else:
        request.getfixturevalue("dovecot").add_user(login.user, odd)
    with Session.open(endpoint, Login(login.user, odd), policy) as session:
        session.noop()


def test_ending_a_fetch_early_ends_the_session(session):
    session.select(role(session, "inbox"))
    for _message in session.fetch([1, 2], 10_000):
        break
    with pytest.raises(MailError):
        session.noop()
