"""Servers that cut, hang, lie, forget and refuse, as the jobs meet them.

Each fault strikes twice: during the first sync, and later when new mail is there. While it lasts, the mailbox shows
what stops it and when it is tried again. Once it has cleared, the server's set is ours, hash for hash.
"""

import dataclasses
import hashlib
import re

import pytest
from fakes.imap import Cut, FakeImap, Hang, fetch_answer
from flask import current_app
from mailroom import connected, folder_of, letter, stored

from webapp.extensions import db, unit
from webapp.jobs import mailbox, sweep, sync
from webapp.models import Connection, Conversation, Message, Place
from webapp.models.types import now

ADDRESS = "zofia@example.test"
SECONDS = 0.8       # that a server has for each answer in these tests
PASSING = {"lost", "timed_out", "unavailable", "throttled", "in_use", "protocol", "gone"}


@pytest.fixture(scope="session")
def pair(authority):
    return authority.issue(label="faults")


@pytest.fixture
def fake(pair, app, team, monkeypatch):
    with FakeImap(pair) as server:
        before = app.config["SETTINGS"]
        app.config["SETTINGS"] = dataclasses.replace(before, mail_loopback=f"127.0.0.1:{server.port}", max_message_mb=1)
        quick = dataclasses.replace(app.config["SETTINGS"].policy(), connect_seconds=SECONDS, read_seconds=SECONDS)
        monkeypatch.setattr(mailbox, "policy", lambda: quick)
        server.users = {ADDRESS: "secret-1"}
        server.connection_id = connected("team", ADDRESS, servers={
            "imap_host": "127.0.0.1", "imap_port": server.port, "imap_security": "tls", "smtp_host": "127.0.0.1",
            "smtp_port": server.port, "smtp_security": "tls", "user_name": ADDRESS})
        with unit():
            folder_of(server.connection_id, "sent").chosen = False
        yield server
        app.config["SETTINGS"] = before


def mail(n):
    return letter(subject=f"Number {n}", text=f"Text {n}\r\n" * 20, Message_ID=f"<{n}@x>")


def row(fake):
    db.session.rollback()
    return db.session.get(Connection, fake.connection_id)


def ours(fake):
    """{UID: SHA-256 of the raw bytes that we keep} of what the server is said to list."""
    db.session.rollback()
    folder = folder_of(fake.connection_id)
    rows = db.session.execute(db.select(Place.uid, Message.raw_sha256).join(Message).where(
        Place.folder_id == folder.id, Place.uidvalidity == folder.uidvalidity, Place.gone_at.is_(None))).all()
    blobs = current_app.extensions["blobs"]
    return {uid: name and hashlib.sha256(blobs.get_raw(name)).hexdigest() for uid, name in rows}


def theirs(fake):
    return {uid: hashlib.sha256(raw).hexdigest() for uid, raw in fake.messages.items()}


def strike_and_clear(fake, fault, code):
    """Once on the first sync, once on later mail."""
    last = max(fake.messages, default=0)
    for first in (last + 1, last + 7):
        fake.messages.update({uid: mail(uid) for uid in range(first, first + 6)})
        struck = fault(fake)
        sync.pull(fake.connection_id)
        assert struck is None or struck(), "the fault was never met"
        check_state(fake, code)
        assert all(theirs(fake).get(uid) == digest for uid, digest in ours(fake).items() if digest), "never other bytes"
        clear(fake)
        with unit():      # the clock comes when retry_at has passed
            connection = db.session.get(Connection, fake.connection_id)
            connection.retry_at = connection.retry_at and now()
        sync.pull(fake.connection_id)
        settled(fake)


def settled(fake):
    if ours(fake) != theirs(fake):      # a hole is found within one cycle of comparing: its time has come now
        with unit():
            folder_of(fake.connection_id).reconciled_at = None
        sync.pull(fake.connection_id)
    assert ours(fake) == theirs(fake)
    connection = row(fake)
    assert (connection.problem, connection.retry_at, connection.lease_until) == (None, None, None)
    assert connection.caught_up
    messages = stored(Message)
    assert len(messages) == len(set(theirs(fake).values())), "nothing twice"
    assert all(m.state == "ok" for m in messages)
    assert sum(c.message_count for c in stored(Conversation)) == len(messages)


def check_state(fake, code):
    connection = row(fake)
    assert connection.lease_until is None
    codes = code if isinstance(code, tuple) else (code,)
    assert connection.problem in codes, (connection.problem, connection.problem_facts)
    if connection.problem in PASSING:
        wait = mailbox.RETRY_AFTER[connection.problem]
        assert 0 < (connection.retry_at - now()).total_seconds() <= max(wait.total_seconds(), 3600)
        assert connection.id not in sweep._mailboxes_due()
    else:
        assert connection.retry_at is None


def clear(fake):
    fake.on.clear()
    fake.greeting = b"* OK [CAPABILITY IMAP4rev1] fake\r\n"
    fake.capabilities = b"IMAP4rev1 IDLE UIDPLUS LITERAL+ SASL-IR AUTH=PLAIN"


# How a fault is put on. Each returns a question: was it met?

def greeting(words):
    def put(fake):
        fake.greeting = words
    return put


def capabilities(words):
    def put(fake):
        fake.capabilities = words
    return put


def put_on(command, say):
    """Every `command` is answered with `say(fake, tag, arguments, met)`, which notes in `met` when the fault was met."""
    def put(fake):
        met = []
        fake.on[command] = lambda tag, arguments: say(fake, tag, arguments, met)
        return lambda: met
    return put


def answers(command, words):
    """Every `command` is answered with this; TAG stands for its tag."""
    def say(_fake, tag, arguments, met):
        met.append(arguments)
        return words if words is None else type(words)(words.replace(b"TAG", tag))
    return put_on(command, say)


def bodies(change):
    """FETCH of bodies: `change(tag, {uid: its answer}, the asked UIDs)` gives what is said. Sizes are told truly."""
    def say(fake, tag, arguments, met):
        asked, _, what = arguments.partition(b" ")
        uids = [u for u in sorted(fake.messages) if u in numbers(asked)]
        each = {u: fetch_answer(sorted(fake.messages).index(u) + 1, u, fake.messages[u], what) for u in uids}
        if b"BODY.PEEK[" not in what:
            return b"".join(each.values()) + done(tag)
        met.append(uids)
        return change(tag, each, uids)
    return put_on(b"UID FETCH", say)


def numbers(text):
    found = set()
    for part in text.split(b","):
        first, _, last = part.partition(b":")
        found.update(range(int(first), int(last or first) + 1))
    return found


def searched(change):
    """SEARCH: `change(the true UIDs)` are the numbers, or the whole words, that are said."""
    def say(fake, tag, arguments, met):
        bounds = re.search(rb"UID (\d+):(\d+|\*)", arguments)
        uids = sorted(fake.messages)
        if bounds:
            last = 2**32 if bounds[2] == b"*" else int(bounds[2])
            uids = [u for u in uids if int(bounds[1]) <= u <= last]
        met.append(uids)
        said = change(uids)
        if not isinstance(said, bytes):
            said = b"* SEARCH" + b"".join(b" %d" % u for u in said) + b"\r\n"
        return said if isinstance(said, (Cut, Hang)) else said + done(tag)
    return put_on(b"UID SEARCH", say)


def selected(change):
    """EXAMINE: `change(lines)` of the true answer's lines."""
    def say(fake, tag, _arguments, met):
        met.append(tag)
        uidnext = max(fake.messages) + 1
        lines = [b"* FLAGS (\\Seen)", b"* %d EXISTS" % len(fake.messages), b"* 0 RECENT",
                 b"* OK [UIDVALIDITY %d] ok" % fake.uidvalidity, b"* OK [UIDNEXT %d] ok" % uidnext]
        return b"".join(line + b"\r\n" for line in change(lines)) + tag + b" OK [READ-ONLY] done\r\n"
    return put_on(b"EXAMINE", say)


def replaced(start, line):
    return lambda lines: [line if x.startswith(start) else x for x in lines]


def all_but(each, *left_out):
    return b"".join(answer for uid, answer in each.items() if uid not in left_out)


def done(tag):
    return tag + b" OK done\r\n"


def in_the_literal(tag, each, uids):
    whole = b"".join(each.values())
    return Cut(whole[:len(whole) * 2 // 3])


def one_of(uids, which):
    """The first, second ... of the six that each strike is about."""
    return next((u for u in uids if u % 6 == which), 0)


def no_body(tag, each, uids):
    uid = one_of(uids, 2)
    return all_but(each, uid) + b"* 2 FETCH (UID %d FLAGS () BODY[] NIL)\r\n" % uid + done(tag)


def refuses_one(words):
    """The command that asks for the second UID is refused; the others are answered."""
    def change(tag, each, uids):
        if len(uids) > 1 or uids[0] % 6 == 2:
            return tag + words
        return b"".join(each.values()) + done(tag)
    return change


def short_literal(tag, each, uids):
    raw = mail(uids[0])
    return b"* 1 FETCH (UID %d FLAGS () BODY[] {%d}\r\n%s)\r\n" % (uids[0], len(raw), raw[:-10]) + done(tag)


AT_THE_DOOR = {
    "cut before the greeting": (greeting(Cut(b"")), "lost"),
    "cut in the greeting": (greeting(Cut(b"* OK rea")), "lost"),
    "says nothing at all": (greeting(Hang(b"")), "timed_out"),
    "hangs in the greeting": (greeting(Hang(b"* OK")), "timed_out"),
    "BYE at the door": (greeting(b"* BYE down for maintenance\r\n"), "unavailable"),
    "BYE [UNAVAILABLE] at the door": (greeting(b"* BYE [UNAVAILABLE] later\r\n"), "unavailable"),
    "BYE: too many connections": (greeting(b"* BYE Too many connections from your address\r\n"), "throttled"),
    "PREAUTH": (greeting(b"* PREAUTH you are in\r\n"), "protocol"),
    "speaks SMTP": (greeting(b"220 mail.example ESMTP\r\n"), "protocol"),
    "refuses in the greeting": (greeting(b"* NO go away\r\n"), "protocol"),
    "cut in the capabilities": (answers(b"CAPABILITY", Cut(b"* CAPABILITY IMAP4rev1 ID")), "lost"),
    "hangs in the capabilities": (answers(b"CAPABILITY", Hang(b"* CAPABILITY IMAP4")), "timed_out"),
    "BYE instead of capabilities": (answers(b"CAPABILITY", Cut(b"* BYE\r\n")), ("unavailable", "lost")),
    "refuses to name capabilities": (answers(b"CAPABILITY", b"TAG BAD what\r\n"), "protocol"),
    "takes no passwords": (capabilities(b"IMAP4rev1 LOGINDISABLED AUTH=GSSAPI"), "protocol"),
    "cut in the sign-in": (answers(b"AUTHENTICATE", Cut(b"TAG O")), "lost"),
    "hangs up on the sign-in": (answers(b"AUTHENTICATE", None), "lost"),
    "hangs in the sign-in": (answers(b"AUTHENTICATE", Hang(b"")), "timed_out"),
    "BYE in the sign-in": (answers(b"AUTHENTICATE", Cut(b"* BYE [UNAVAILABLE] x\r\n")), "unavailable"),
    "sign-in [AUTHENTICATIONFAILED]": (answers(b"AUTHENTICATE", b"TAG NO [AUTHENTICATIONFAILED] no\r\n"),
                                       "password_refused"),
    "sign-in [EXPIRED]": (answers(b"AUTHENTICATE", b"TAG NO [EXPIRED] old\r\n"), "password_refused"),
    "sign-in [UNAVAILABLE]": (answers(b"AUTHENTICATE", b"TAG NO [UNAVAILABLE] x\r\n"), "unavailable"),
    "sign-in [CONTACTADMIN]": (answers(b"AUTHENTICATE", b"TAG NO [CONTACTADMIN] x\r\n"), "unavailable"),
    "sign-in [INUSE]": (answers(b"AUTHENTICATE", b"TAG NO [INUSE] x\r\n"), "in_use"),
    "sign-in [LIMIT]": (answers(b"AUTHENTICATE", b"TAG NO [LIMIT] x\r\n"), "throttled"),
    "sign-in [OVERQUOTA]": (answers(b"AUTHENTICATE", b"TAG NO [OVERQUOTA] x\r\n"), "throttled"),
    "sign-in [THROTTLED]": (answers(b"AUTHENTICATE", b"TAG NO [THROTTLED] x\r\n"), "throttled"),
}
IN_THE_FOLDER = {
    "cut in EXAMINE": (answers(b"EXAMINE", Cut(b"* FLAGS (\\Seen)\r\n* 6 EXI")), "lost"),
    "hangs in EXAMINE": (answers(b"EXAMINE", Hang(b"* 6 EXISTS\r\n")), "timed_out"),
    "EXAMINE [UNAVAILABLE]": (answers(b"EXAMINE", b"TAG NO [UNAVAILABLE] x\r\n"), "unavailable"),
    "EXAMINE [INUSE]": (answers(b"EXAMINE", b"TAG NO [INUSE] locked\r\n"), "in_use"),
    "EXAMINE [SERVERBUG]": (answers(b"EXAMINE", b"TAG NO [SERVERBUG] x\r\n"), "unavailable"),
    "EXAMINE BAD": (answers(b"EXAMINE", b"TAG BAD x\r\n"), "protocol"),
    "BYE in EXAMINE": (answers(b"EXAMINE", Cut(b"* BYE x\r\n")), ("unavailable", "lost")),
    "UIDVALIDITY is no number": (selected(replaced(b"* OK [UIDV", b"* OK [UIDVALIDITY none] x")), (None, "protocol")),
    "UIDVALIDITY beyond 32 bits": (selected(replaced(b"* OK [UIDV", b"* OK [UIDVALIDITY 99999999999] x")), "protocol"),
    "EXAMINE without UIDVALIDITY": (selected(lambda lines: [x for x in lines if b"UIDV" not in x]), None),
    "UIDVALIDITY 0": (selected(replaced(b"* OK [UIDV", b"* OK [UIDVALIDITY 0] x")), None),
    "EXAMINE says OK and nothing else": (selected(lambda lines: []), None),
    "no UIDNEXT": (selected(lambda lines: lines[:-1]), None),
    "UIDNEXT too low": (selected(replaced(b"* OK [UIDN", b"* OK [UIDNEXT 2] x")), None),
    "UIDNEXT too high": (selected(replaced(b"* OK [UIDN", b"* OK [UIDNEXT 4000] x")), None),
    "EXISTS lies: fewer": (selected(replaced(b"* %d", b"* 1 EXISTS")), None),
    "EXISTS shrinks while selected": (
        selected(lambda lines: [x if b"EXISTS" not in x else b"* 1 EXISTS" for x in lines]), None),
    "EXISTS lies: more": (selected(lambda lines: [x if b"EXISTS" not in x else b"* 999 EXISTS" for x in lines]), None),
    "cut in SEARCH": (searched(lambda uids: Cut(b"* SEARCH 1 2")), "lost"),
    "hangs in SEARCH": (searched(lambda uids: Hang(b"* SEARCH 1")), "timed_out"),
    "SEARCH [UNAVAILABLE]": (answers(b"UID SEARCH", b"TAG NO [UNAVAILABLE] x\r\n"), "unavailable"),
    "SEARCH BAD": (answers(b"UID SEARCH", b"TAG BAD x\r\n"), "protocol"),
    "BYE in SEARCH": (answers(b"UID SEARCH", Cut(b"* SEARCH 1\r\n* BYE x\r\n")), "unavailable"),
    "SEARCH answers nonsense": (searched(lambda uids: b"* SEARCH one two\r\n"), "protocol"),
    "SEARCH says OK and no data": (searched(lambda uids: b""), None),
    "SEARCH finds nothing": (searched(lambda uids: []), None),
    "SEARCH omits every other UID": (searched(lambda uids: uids[::2]), None),
    "SEARCH omits the newest": (searched(lambda uids: uids[:-1]), None),
    "SEARCH repeats UIDs": (searched(lambda uids: [*uids, *uids[:2]]), None),
    "SEARCH descends": (searched(lambda uids: uids[::-1]), None),
    "SEARCH lists UIDs that are not there": (searched(lambda uids: [*uids, max(uids, default=0) + 3]), None),
    "SEARCH lists UIDs outside the asked range": (searched(lambda uids: [1, *uids, 4294967295]), None),
}
IN_THE_FETCH = {
    "cut in the middle of a literal": (bodies(in_the_literal), "lost"),
    "cut between two messages": (bodies(lambda tag, each, uids: Cut(each[uids[0]] + each[uids[1]])), "lost"),
    "cut in the tagged line": (bodies(lambda tag, each, uids: Cut(b"".join(each.values()) + tag + b" O")), "lost"),
    "cut before a literal's first byte": (bodies(lambda tag, each, uids: Cut(each[uids[0]][:60])), "lost"),
    "cut before the closing bracket": (bodies(lambda tag, each, uids: Cut(each[uids[0]][:-3])), "lost"),
    "hangs in a literal": (bodies(lambda tag, each, uids: Hang(each[uids[0]][:-30])), "timed_out"),
    "hangs before the tagged line": (bodies(lambda tag, each, uids: Hang(b"".join(each.values()))), "timed_out"),
    "a literal shorter than announced": (bodies(short_literal), ("protocol", "timed_out")),
    "BYE between messages": (bodies(lambda tag, each, uids: each[uids[0]] + b"* BYE enough\r\n"), "unavailable"),
    "FETCH [OVERQUOTA]": (bodies(lambda tag, each, uids: tag + b" NO [OVERQUOTA] bandwidth\r\n"), "throttled"),
    "FETCH [THROTTLED]": (bodies(lambda tag, each, uids: tag + b" NO [THROTTLED] slow\r\n"), "throttled"),
    "FETCH [LIMIT]": (bodies(lambda tag, each, uids: tag + b" NO [LIMIT] x\r\n"), "throttled"),
    "FETCH [UNAVAILABLE]": (bodies(lambda tag, each, uids: tag + b" NO [UNAVAILABLE] x\r\n"), "unavailable"),
    "FETCH [INUSE]": (bodies(lambda tag, each, uids: tag + b" NO [INUSE] x\r\n"), "in_use"),
    "FETCH BAD": (bodies(lambda tag, each, uids: tag + b" BAD x\r\n"), "protocol"),
    "throttled after the first message": (
        bodies(lambda tag, each, uids: each[uids[0]] + tag + b" NO [THROTTLED] x\r\n"), "throttled"),
    "OK [THROTTLED], slow and whole": (
        bodies(lambda tag, each, uids: b"".join(each.values()) + tag + b" OK [THROTTLED] x\r\n"), None),
    "FETCH says OK and no data": (bodies(lambda tag, each, uids: done(tag)), None),
    "sizes: OK and no data": (answers(b"UID FETCH", b"TAG OK done\r\n"), None),
    "FETCH omits one": (bodies(lambda tag, each, uids: all_but(each, one_of(uids, 3)) + done(tag)), None),
    "one body is NIL": (bodies(no_body), None),
    "one is refused": (bodies(refuses_one(b" NO internal error\r\n")), None),
    "one answer names no UID": (bodies(lambda tag, each, uids: all_but(each, one_of(uids, 1)) + b"* 1 FETCH (BODY[] {2}\r\nhi)"
                                       b"\r\n" + done(tag)), None),
    "answers come twice": (bodies(lambda tag, each, uids: b"".join(each.values()) * 2 + done(tag)), None),
    "answers come in reverse": (
        bodies(lambda tag, each, uids: b"".join(list(each.values())[::-1]) + done(tag)), None),
    "foreign UIDs in between": (bodies(lambda tag, each, uids: fetch_answer(9, 777, b"x\r\n\r\ny", b"BODY.PEEK[]")
                                       + b"".join(each.values()) + done(tag)), None),
    "chatter in between": (bodies(lambda tag, each, uids: b"* OK still here\r\n".join([b"", *each.values()])
                                  + b"* 9 EXISTS\r\n* 3 FETCH (FLAGS (\\Seen))\r\n" + done(tag)), None),
    "a tagged line of somebody else": (bodies(lambda tag, each, uids: each[uids[0]] + b"X9 OK done\r\n"), "protocol"),
    "lines that are none": (bodies(lambda tag, each, uids: b"\0\0\0\r\n" + done(tag)), "protocol"),
    "dates that are garbage": (bodies(lambda tag, each, uids: b"".join(each.values()).replace(
        b"01-Jan-2026", b"99-Foo-0000") + done(tag)), None),
}
FAULTS = {**AT_THE_DOOR, **IN_THE_FOLDER, **IN_THE_FETCH}


def test_a_server_that_cuts_at_every_byte_of_a_literal_loses_and_doubles_nothing(fake):
    """Every answer breaks off one byte later than the one before, from none of it to all of it."""
    fake.messages = {1: b"Subject: one\r\n\r\nHello\r\n", 2: b"Subject: two\r\n\r\nGood bye\r\n"}
    whole, stored_at = b"".join(fetch_answer(1, uid, raw, b"FLAGS INTERNALDATE BODY.PEEK[]")
                                for uid, raw in fake.messages.items()), {}
    for cut in range(len(whole) + 1):
        bodies(lambda tag, each, uids, cut=cut: Cut(b"".join(each.values())[:cut]))(fake)
        sync.pull(fake.connection_id)
        assert all(theirs(fake)[uid] == digest for uid, digest in ours(fake).items()), "never other bytes"
        for uid in ours(fake):
            stored_at.setdefault(uid, cut)
    assert len(whole) > 200
    assert min(stored_at.values()) >= len(whole) // 2 - 10, "stored only when all of it was there"
    clear(fake)
    sync.pull(fake.connection_id)
    settled(fake)


def test_there_are_enough_of_them():
    assert len(FAULTS) >= 80


@pytest.mark.parametrize("name", FAULTS)
def test_after_the_fault_has_cleared_the_servers_set_is_ours(fake, name):
    strike_and_clear(fake, *FAULTS[name])
