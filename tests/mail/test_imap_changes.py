"""What changed since: CONDSTORE, QRESYNC and STATUS of many folders, on a real server and on ones that misbehave."""

from datetime import UTC, date, datetime

import pytest
from mailroom import letter

from webapp.mail.imap import Session
from webapp.mail.types import Flagged, Folder, Login, MailError, Vanished

INBOX, SENT, ARCHIVE = (Folder(n, n.encode(), "other", True) for n in ("INBOX", "Sent", "Archive"))


@pytest.fixture
def session(there, person):
    with Session.open(there[0], person, there[1]) as opened:
        yield opened


def fill(dovecot, person, count=5, folder="INBOX"):
    dovecot.deliver_many(person.user, [letter(subject=f"Number {n}", Message_ID=f"<{n}@x>") for n in range(count)], folder)


def remove(dovecot, person, *uids):
    with dovecot.imap(person.user) as client:
        client.select("INBOX")
        for uid in uids:
            client.uid("STORE", str(uid), "+FLAGS", "\\Deleted")
        client.expunge()


def flag(dovecot, person, uid, flags="\\Flagged $Urgent"):
    with dovecot.imap(person.user) as client:
        client.select("INBOX")
        client.uid("STORE", str(uid), "+FLAGS", f"({flags})")


def test_status_of_many_folders_turns_qresync_on_in_the_same_round_trip(session, dovecot, person):
    fill(dovecot, person, 3)
    fill(dovecot, person, 1, "Sent")
    absent = Folder("x", b'odd "name" \\ here', "other", True)
    inbox, nothing, sent, archive = session.statuses([INBOX, absent, SENT, ARCHIVE])
    assert (inbox.exists, inbox.uidnext, sent.exists, archive.exists, nothing) == (3, 4, 1, 0, None)
    assert inbox.highestmodseq > 0 and inbox.uidvalidity > 0
    assert session.tells_vanished
    assert session.status(INBOX) == inbox
    session.select(INBOX)
    assert session.statuses([INBOX, SENT]) == [None, sent], "STATUS is not for the selected folder"


def test_flags_and_deletions_since_a_modseq(session, dovecot, person):
    fill(dovecot, person, 6)
    session.statuses([INBOX])
    before = session.select(INBOX)
    assert list(session.changes(before.highestmodseq)) == []
    flag(dovecot, person, 2)
    remove(dovecot, person, 4, 5)
    session.select(SENT)
    after = session.select(INBOX)
    assert after.highestmodseq > before.highestmodseq
    changed = list(session.changes(before.highestmodseq))
    assert [c for c in changed if isinstance(c, Flagged)] == [Flagged(2, frozenset({"\\Flagged", "$Urgent"}))]
    assert [c.ranges for c in changed if isinstance(c, Vanished)] == [((4, 5),)]


def test_flags_and_numbering_of_some_and_a_search_by_date(session, dovecot, person):
    dovecot.deliver(person.user, letter(Message_ID="<old@x>"), date=datetime(2020, 5, 4, 12, tzinfo=UTC))
    fill(dovecot, person, 2)
    flag(dovecot, person, 2, "\\Seen")
    session.select(INBOX)
    assert list(session.flags([1, 2, 99])) == [Flagged(1, frozenset()), Flagged(2, frozenset({"\\Seen"}))]
    first, *_rest = session.numbering([1, 2, 3])
    assert (first.uid, first.internal_date, first.header.strip()) == (
        1, datetime(2020, 5, 4, 12, tzinfo=UTC), b"Message-ID: <old@x>")
    assert first.size == len(letter(Message_ID="<old@x>"))
    assert session.uids(1, None, date(2020, 5, 5)) == [2, 3]
    assert session.uids(1, None, date(2020, 5, 3)) == [1, 2, 3]


def answering(fake, command, lines):
    fake.messages = {1: letter()}
    fake.on[command] = lambda tag, _arguments: lines.replace(b"TAG", tag)


@pytest.fixture
def liar(fake):
    with Session.open(fake.endpoint, Login("zofia@example.test", "secret"), fake.policy) as session:
        session.select(INBOX)
        fake.session = session
        yield fake


def test_answers_of_all_kinds_are_taken_in_any_order(liar):
    answering(liar, b"UID FETCH", (
        b"* 5 EXISTS\r\n* VANISHED 7\r\n* 1 FETCH (MODSEQ (12) FLAGS (\\Seen) UID 3)\r\n* OK [HIGHESTMODSEQ 14] x\r\n"
        b"* VANISHED (EARLIER) 1:2,300:4000000000\r\n* 2 FETCH (FLAGS (\\Seen))\r\n* SEARCH\r\n* 9 EXPUNGE\r\n"
        b'* 3 FETCH (UID 4 X {3}\r\na)b FLAGS ())\r\n* 4 FETCH (UID 5 BODY ("a" NIL))\r\nTAG OK done\r\n'))
    assert list(liar.session.changes(3)) == [
        Vanished(((7, 7),)), Flagged(3, frozenset({"\\Seen"})), Vanished(((1, 2), (300, 4000000000))),
        Flagged(4, frozenset())]
    assert liar.commands[-1][2] == b"1:* (UID FLAGS) (CHANGEDSINCE 3)", "VANISHED is asked for with QRESYNC only"


@pytest.mark.parametrize(("lines", "code"), [
    (b"* VANISHED (EARLIER) 0:5\r\nTAG OK\r\n", "protocol"),
    (b"* VANISHED (EARLIER) 1:99999999999\r\nTAG OK\r\n", "protocol"),
    (b"* VANISHED 1,,2\r\nTAG OK\r\n", "protocol"),
    (b"* 1 FETCH (UID 1 FLAGS (\\Seen)\r\nTAG OK\r\n", "protocol"),
    (b"* 1 FETCH (UID 1 FLAGS {99999999999}\r\nTAG OK\r\n", "protocol"),
    (b"nonsense\r\n", "protocol"),
    (b"* BYE [UNAVAILABLE] going down\r\n", "unavailable"),
    (b"TAG NO [THROTTLED] slowly\r\n", "throttled"),
    (b"TAG BAD what\r\n", "protocol"),
])
def test_answers_that_make_no_sense_are_said_to_be_so(liar, lines, code):
    answering(liar, b"UID FETCH", lines)
    with pytest.raises(MailError) as trouble:
        list(liar.session.changes(3))
    assert trouble.value.code == code


def test_a_message_has_no_more_flags_than_is_sensible(liar):
    many = b" ".join(b"f%d" % n for n in range(5000)) + b" " + b"x" * 5000
    answering(liar, b"UID FETCH", b"* 1 FETCH (UID 1 FLAGS (%s))\r\nTAG OK\r\n" % many)
    [found] = liar.session.changes(3)
    assert len(found.flags) == 100 and max(map(len, found.flags)) < 10


def test_status_answers_are_matched_by_name_and_strange_ones_are_none(fake):
    heard = {b"INBOX": b"* STATUS {5}\r\ninbox (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 3 X 4)\r\n",
             b"Sent": b"* STATUS Sent (MESSAGES 99999999999 UIDNEXT 2)\r\n"}
    fake.on[b"STATUS"] = lambda tag, arguments: heard.get(
        arguments.split(b'"')[1], tag + b" NO [NONEXISTENT] no\r\n* STATUS Other (MESSAGES 5)\r\n") + tag + b" OK\r\n"
    with Session.open(fake.endpoint, Login("zofia@example.test", "secret"), fake.policy) as session:
        inbox, sent = session.statuses([INBOX, SENT])
        assert (inbox.exists, inbox.uidnext, inbox.uidvalidity, inbox.highestmodseq, sent) == (1, 2, 3, None, None)
        assert not session.tells_vanished
