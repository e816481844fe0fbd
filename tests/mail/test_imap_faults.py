"""Servers that lie, break off, drip or refuse: nothing wrong is stored, nobody waits for ever, each cause is named."""

import time

import pytest
from servers.proxy import FaultProxy

from webapp.mail.imap import Session
from webapp.mail.types import MailError, Oversized, Policy

from .conftest import ZOFIA, at, policy_for

RAW = b"Subject: x\r\n\r\n" + b"y" * 86


@pytest.fixture
def session(fake):
    fake.messages = {1: RAW, 2: b"Subject: two\r\n\r\nz\r\n", 3: b"Subject: three\r\n\r\n"}
    with Session.open(fake.endpoint, ZOFIA, fake.policy) as session:
        session.select(next(f for f in session.folders() if f.role == "inbox"))
        yield session


def fetched(session, *uids, most=10_000):
    """(what came, MailError code or None)"""
    came = []
    try:
        for message in session.fetch(uids, most, sizes=dict.fromkeys(uids, 100)):
            came.append(message)
    except MailError as error:
        return came, error.code
    return came, None


def answering(fake, *answers):
    """The fake answers UID FETCH with these, in turn; b"T" at a line's start stands for the tag."""
    left = list(answers)
    fake.on[b"UID FETCH"] = lambda tag, arguments: (left.pop(0) if len(left) > 1 else left[0]).replace(b"TAG", tag)


def message(uid, raw=RAW, number=1):
    return b"* %d FETCH (UID %d FLAGS () BODY[] {%d}\r\n%s)\r\n" % (number, uid, len(raw), raw)


@pytest.mark.parametrize("swallowed", [b")\r\nTAG OK done\r\n", b")\r\n" + message(2) + b"TAG OK done\r\n"])
def test_a_literal_that_is_shorter_than_announced_is_never_stored(fake, session, swallowed):
    answering(fake, b"* 1 FETCH (UID 1 FLAGS () BODY[] {100}\r\n" + RAW[:90] + swallowed)
    session._wire.seconds = 0.5
    came, code = fetched(session, 1, 2)
    assert came == [] and code in ("protocol", "timed_out", "lost")


@pytest.mark.parametrize("tail", [b") more\r\n", b"\r\n", b" FLAGS\r\n", b" FLAGS)\r\n"])
def test_an_answer_that_does_not_end_as_it_should_is_never_stored(fake, session, tail):
    answering(fake, b"* 1 FETCH (UID 1 BODY[] {2}\r\nhi" + tail + b"TAG OK done\r\n")
    assert fetched(session, 1) == ([], "protocol")


def test_a_huge_literal_is_refused_before_it_is_read(fake, session):
    answering(fake, b"* 1 FETCH (UID 1 FLAGS () BODY[] {2000000000}\r\n" + RAW)
    came, code = fetched(session, 1, 2)
    assert came == [Oversized(1, 2_000_000_000, b"")] and code == "protocol"


def test_a_size_that_differs_from_rfc822_size_stores_what_came(fake, session):
    fake.on[b"UID FETCH"] = lambda tag, arguments: (
        (b"* 1 FETCH (UID 1 RFC822.SIZE 5)\r\n" if b"BODY" not in arguments else message(1)) + tag + b" OK\r\n"
    )
    (only,) = session.fetch([1], 10_000)
    assert only.raw == RAW and only.size == 5


def test_a_refused_command_is_tried_again_one_by_one(fake, session):
    good = fake.on.get(b"UID FETCH")
    assert good is None

    def answer(tag, arguments):
        asked = arguments.split(b" ")[0]
        if asked == b"1:3" or asked == b"2":
            return tag + b" NO internal error\r\n"
        return message(int(asked)) + tag + b" OK done\r\n"

    fake.on[b"UID FETCH"] = answer
    came, code = fetched(session, 1, 2, 3)
    assert [m.uid for m in came] == [1, 3] and code is None and session.missing == {2}


@pytest.mark.parametrize(
    "line",
    [
        b"* 1 FETCH (UID 1 FLAGS () BODY[] NIL)\r\n",  # no body
        b"* 1 FETCH (FLAGS (\\Seen) BODY[] {3}\r\nabc)\r\n",  # no UID
        b"* 1 EXPUNGE\r\n",
        b"* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n",
        b"* OK still here\r\n",
        b"",
    ],
)
def test_what_is_no_answer_is_ignored_and_the_uid_is_missing(fake, session, line):
    answering(fake, line + message(2, number=2) + b"TAG OK done\r\n")
    came, code = fetched(session, 1, 2)
    assert [m.uid for m in came] == [2] and code is None and session.missing == {1}


def test_doubled_and_unasked_answers_count_once_and_never(fake, session):
    answering(fake, message(1) + message(1) + message(77) + b"TAG OK done\r\n")
    came, _code = fetched(session, 1)
    assert [m.uid for m in came] == [1]


def test_two_commands_may_be_answered_interleaved_and_out_of_order(fake, session):
    uids = list(range(1, 201))
    waiting = []

    def answer(tag, arguments):
        waiting.append(tag)
        if len(waiting) < 2:
            return b""
        body = b"".join(message(uid) for uid in reversed(uids))
        return body + waiting[1] + b" OK done\r\n" + waiting[0] + b" OK done\r\n"

    fake.on[b"UID FETCH"] = answer
    came, code = fetched(session, *uids)
    assert code is None and sorted(m.uid for m in came) == uids and session.missing == frozenset()


@pytest.mark.parametrize(
    "answer",
    [
        b'* 1 FETCH (BODY[] {5}\r\nhello UID 1 FLAGS (\\Seen $x) INTERNALDATE "01-Jan-2026 10:00:00 +0100")\r\n',
        b'* 1 FETCH (UID 1 BODY[] "hello" FLAGS (\\Seen $x) INTERNALDATE "01-Jan-2026 10:00:00 +0100")\r\n',
        b'* 1 fetch (MODSEQ (9) uid 1 internaldate " 1-Jan-2026 10:00:00 +0100" flags (\\Seen $x) body[] {5}\r\nhello)\r\n',
        b'* 1 FETCH (X-GM-MSGID 12 UID 1 BODYSTRUCTURE ("a" ("n" {3}\r\n)"( ) NIL) FLAGS (\\Seen $x) '
        b'INTERNALDATE "01-Jan-2026 10:00:00 +0100" BODY[] {5}\r\nhello)\r\n',
    ],
)
def test_every_legal_order_and_form_of_an_answer_is_read(fake, session, answer):
    answering(fake, answer + b"TAG OK done\r\n")
    (only,), _code = fetched(session, 1)
    assert only.raw == b"hello" and only.flags == {"\\Seen", "$x"}
    assert only.internal_date.isoformat() == "2026-01-01T09:00:00+00:00"


def test_a_garbage_date_is_no_date(fake, session):
    answering(fake, b'* 1 FETCH (UID 1 INTERNALDATE "99-Foo-2026 77:00:00 +0000" BODY[] {2}\r\nhi)\r\nTAG OK\r\n')
    (only,), _code = fetched(session, 1)
    assert only.raw == b"hi" and only.internal_date is None


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"TAG NO [UNAVAILABLE] later\r\n", "unavailable"),
        (b"TAG NO [INUSE] wait\r\n", "in_use"),
        (b"TAG NO [LIMIT] enough\r\n", "throttled"),
        (b"TAG NO [OVERQUOTA] Account exceeded command limits\r\n", "throttled"),
        (b"TAG NO Too many simultaneous connections\r\n", "throttled"),
        (b"TAG BAD what\r\n", "protocol"),
        (b"* BYE shutting down\r\n", "unavailable"),
        (b"TAG NO [THROTTLED] slow\r\n", "throttled"),
        (b"nonsense\r\n", "protocol"),
        (b"* 1 FETCH (UID 1 BODY[] {5}\r\nhello", "lost"),
    ],
)
def test_every_refusal_has_its_name(fake, session, answer, code):
    if not answer.endswith(b"\r\n"):
        fake.on[b"UID FETCH"] = lambda tag, arguments: None
        came, got = fetched(session, 1)
    else:
        answering(fake, answer)
        came, got = fetched(session, 1)
    assert (came, got) == ([], code)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b" NO [AUTHENTICATIONFAILED] no\r\n", "password_refused"),
        (b" NO [AUTHORIZATIONFAILED] no\r\n", "password_refused"),
        (b" NO [EXPIRED] old\r\n", "password_refused"),
        (b" NO no\r\n", "password_refused"),
        (b" NO [UNAVAILABLE] backend down\r\n", "unavailable"),
        (b" NO [CONTACTADMIN] x\r\n", "unavailable"),
        (b" NO [LIMIT] x\r\n", "throttled"),
        (b" NO [INUSE] x\r\n", "in_use"),
        (b" BAD syntax\r\n", "protocol"),
        (b" NO Too many login attempts\r\n", "throttled"),
        (None, "lost"),
    ],
)
@pytest.mark.parametrize("way", [b"AUTHENTICATE", b"LOGIN"])
def test_a_sign_in_that_fails_says_why_and_is_tried_once(fake, way, answer, code):
    if way == b"LOGIN":
        fake.capabilities = b"IMAP4rev1"
    fake.on[way] = lambda tag, arguments: answer and tag + answer
    with pytest.raises(MailError) as caught:
        Session.open(fake.endpoint, ZOFIA, fake.policy)
    assert caught.value.code == code
    assert len([name for name in fake.names() if name in (b"AUTHENTICATE", b"LOGIN")]) == 1


def test_a_servers_words_are_cut_and_cleaned(fake):
    fake.on[b"AUTHENTICATE"] = lambda tag, arguments: tag + b" NO \x1b[31m<b>\x07" + b"a" * 5000 + b"\r\n"
    with pytest.raises(MailError) as caught:
        Session.open(fake.endpoint, ZOFIA, fake.policy)
    answer = caught.value.facts["answer"]
    assert len(answer) <= 200 and answer.isprintable()


def test_a_drip_of_bytes_does_not_hold_us(fake, session):
    def drip(tag, arguments):
        for _ in range(30):
            session_sock.sendall(b"*")
            time.sleep(0.05)
        return b""

    fake.on[b"UID FETCH"] = drip
    session_sock = next(iter(fake._open))
    session._wire.seconds = 0.3
    began = time.monotonic()
    _came, code = fetched(session, 1)
    assert code == "timed_out" and time.monotonic() - began < 1.0


def test_the_whole_session_has_an_end(fake):
    fake.on[b"LIST"] = lambda tag, arguments: time.sleep(1) or b""
    with Session.open(fake.endpoint, ZOFIA, fake.policy, seconds=0.5) as session, pytest.raises(MailError) as caught:
        session.folders()
    assert caught.value.code == "timed_out"


@pytest.mark.parametrize("cut", [0, 1, 100, 1500, 4000, 9000])
def test_a_connection_cut_anywhere_is_lost_and_never_gives_half_a_message(dovecot, person, cut):
    raw = b"Subject: x\r\n\r\n" + b"y" * 20_000 + b"\r\n"
    dovecot.deliver(person.user, raw)
    with FaultProxy(dovecot.imaps_port) as proxy:
        proxy.cut_after = cut
        came = []
        with (
            pytest.raises(MailError) as caught,
            Session.open(at(proxy.port), person, policy_for(dovecot.ca_file, proxy.port)) as session,
        ):
            session.select(next(f for f in session.folders() if f.role == "inbox"))
            came += session.fetch([1], 100_000)
        assert caught.value.code in ("lost", "not_tls") and came == []


def test_a_silent_server_times_out(authority):
    with FaultProxy(1) as proxy:
        proxy.black_hole = True
        policy = Policy(ca_file=authority.ca_file, loopback=frozenset({("127.0.0.1", proxy.port)}), connect_seconds=0.3)
        began = time.monotonic()
        with pytest.raises(MailError) as caught:
            Session.open(at(proxy.port), ZOFIA, policy)
        assert caught.value.code == "timed_out" and time.monotonic() - began < 2


@pytest.mark.parametrize("line", [b"* 5 EXISTS\r\n* SEARCH 3 1 x\r\n", b"* SEARCH 99999999999999999999999x\r\n"])
def test_a_search_answer_that_makes_no_sense_is_a_protocol_error(fake, session, line):
    fake.on[b"UID SEARCH"] = lambda tag, arguments: line + tag + b" OK done\r\n"
    with pytest.raises(MailError) as caught:
        session.uids(1, None)
    assert caught.value.code == "protocol"


def test_search_answers_may_be_unsorted_split_extended_and_end_at_the_last_uid(fake, session):
    fake.on[b"UID SEARCH"] = lambda tag, arguments: (
        b"* SEARCH 9 4294967295 2\r\n* SEARCH 5 (MODSEQ 7)\r\n" + tag + b" OK\r\n"
    )
    assert session.uids(1, None) == [2, 5, 9, 4294967295]
    session.capabilities |= {"ESEARCH"}
    fake.on[b"UID SEARCH"] = lambda tag, arguments: (
        b'* ESEARCH (TAG "' + tag + b'") UID ALL 2,9:11\r\n' + tag + b" OK\r\n"
    )
    assert session.uids(1, None) == [2, 9, 10, 11]


def test_a_folder_without_uidvalidity_has_none(fake, session):
    fake.on[b"EXAMINE"] = lambda tag, arguments: b"* 2 EXISTS\r\n" + tag + b" OK done\r\n"
    selected = session.select(session.folders()[0])
    assert selected.uidvalidity == 0 and selected.uidnext is None and selected.exists == 2


def test_ten_thousand_folders_are_listed_quickly(fake, session):
    fake.folders = [b'(\\HasNoChildren) "/" "Projekty/Klient %d"' % n for n in range(10_000)]
    began = time.monotonic()
    assert len(session.folders()) == 10_000
    assert time.monotonic() - began < 2
