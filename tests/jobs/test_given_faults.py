"""The server faults that the project was given, each by its number (cases/imap-faults.jsonl beside the project), through
the whole sync. What a fault should come to is in its row there, and in a few words here.
"""

import time
from pathlib import Path

import pytest
import redis
from fakes.imap import fetch_answer
from jobs import test_faults as own
from jobs.test_faults import (
    ADDRESS,
    FAULTS,
    all_but,
    answers,
    bodies,
    clear,
    done,
    mail,
    numbers,
    ours,
    row,
    searched,
    settled,
    strike_and_clear,
    theirs,
)
from mail.conftest import cases
from mailroom import folder_of, person, stored

from webapp.actions import reread
from webapp.extensions import db, unit
from webapp.jobs import mailbox, personal, sweep, sync
from webapp.models import Connection, Folder, Message, Place

TESTS = Path(__file__).resolve().parents[1]
pair, fake = own.pair, own.fake


def fill(fake, uids=range(1, 7)):
    fake.messages.update({uid: mail(uid) for uid in uids})


def as_in(name):
    """It is one of our own faults, too: struck twice, then the server's set is ours."""
    return lambda fake, _app: strike_and_clear(fake, *FAULTS[name])


def elsewhere(path, test):
    """It concerns another part than the sync; that test is there."""
    def look(_fake, _app):
        assert f"def {test}(" in (TESTS / path).read_text()
    return look


def announces_two_gigabytes(fake, _app):
    """Refused by its size before a byte of it is read; the others go on; fetched when the server tells the truth."""
    fill(fake)

    def lies(tag, each, uids):
        if 3 not in uids:
            return b"".join(each.values()) + done(tag)
        before = b"".join(each[u] for u in uids if u < 3)
        return before + b"* 3 FETCH (UID 3 FLAGS () BODY[] {2000000000}\r\n" + b"x" * 5000
    bodies(lies)(fake)
    began = time.monotonic()
    for _look in range(3):
        sync.pull(fake.connection_id)
        with unit():
            db.session.get(Connection, fake.connection_id).retry_at = None
    assert time.monotonic() - began < 20
    states = {p.uid: p.message.state for p in stored(Place)}
    assert states == {1: "ok", 2: "ok", 3: "too_big", 4: "ok", 5: "ok", 6: "ok"}
    clear(fake)
    message = next(m for m in stored(Message) if m.state == "too_big")
    with unit():
        reread.ask(person("marek"), db.session.get(Message, message.id))
    personal.fetch_body(message.id)
    sync.pull(fake.connection_id)
    settled(fake)


def tells_another_size(fake, _app):
    fill(fake)

    def lies(tag, arguments):
        asked, _, what = arguments.partition(b" ")
        uids = [u for u in sorted(fake.messages) if u in numbers(asked)]
        each = [fetch_answer(n, u, fake.messages[u], what) for n, u in enumerate(uids, 1)]
        size = b"RFC822.SIZE %d" % len(mail(1))
        return b"".join(each).replace(size, b"RFC822.SIZE 5") + done(tag)
    fake.on[b"UID FETCH"] = lies
    sync.pull(fake.connection_id)
    settled(fake)       # what came is stored
    clear(fake)
    sync.pull(fake.connection_id)
    settled(fake)


def expunges_between_search_and_fetch(fake, _app):
    fill(fake)
    gone = []

    def search(uids):
        if not gone:
            gone.append(fake.messages.pop(3))
        return uids
    searched(search)(fake)
    sync.pull(fake.connection_id)
    assert gone
    clear(fake)
    sync.pull(fake.connection_id)
    settled(fake)


def expunges_while_it_fetches(fake, _app):
    fill(fake)

    def change(tag, each, uids):
        if 3 in fake.messages and 3 in uids:
            del fake.messages[3]
            return b"* 3 EXPUNGE\r\n" + all_but(each, 3) + done(tag)
        return b"".join(each.values()) + done(tag)
    bodies(change)(fake)
    sync.pull(fake.connection_id)
    clear(fake)
    sync.pull(fake.connection_id)
    settled(fake)
    assert set(ours(fake)) == {1, 2, 4, 5, 6}


def numbers_anew_between_looks(fake, _app):
    fill(fake)
    sync.pull(fake.connection_id)
    raws = list(fake.messages.values())
    fake.uidvalidity, fake.messages = 8, dict(enumerate([raws[3], *raws, mail(99)], 20))
    before = {m.id for m in stored(Message)}
    for _look in range(3):
        sync.pull(fake.connection_id)
    settled(fake)
    assert before < {m.id for m in stored(Message)}, "no second copy"
    assert len(stored(Message)) == 7


def numbers_anew_while_connected(fake, _app):
    fill(fake)
    sync.pull(fake.connection_id)
    fill(fake, range(7, 10))
    seen = []

    def search(uids):
        """After EXAMINE was answered with the old number."""
        seen.append(uids)
        if len(seen) == 1:
            fake.uidvalidity, fake.messages = 8, {uid + 100: raw for uid, raw in fake.messages.items()}
        return uids
    searched(search)(fake)
    sync.pull(fake.connection_id)
    assert seen
    clear(fake)
    for _look in range(3):
        sync.pull(fake.connection_id)
    settled(fake)
    assert len(stored(Message)) == 9


def highest_uid_there_is(fake, _app):
    fake.messages = {1: mail(1), 4294967294: mail(2), 4294967295: mail(3)}
    sync.pull(fake.connection_id)
    sync.pull(fake.connection_id)
    settled(fake)
    assert set(ours(fake)) == {1, 4294967294, 4294967295}


def refuses_the_password(fake, _app):
    """However often the clock looks, at most three tries an hour."""
    fill(fake)
    answers(b"AUTHENTICATE", b"TAG NO [AUTHENTICATIONFAILED] no\r\n")(fake)
    for _look in range(20):
        if fake.connection_id in sweep._mailboxes_due():
            sync.pull(fake.connection_id)
    assert fake.names().count(b"AUTHENTICATE") + fake.names().count(b"LOGIN") <= 3
    assert (row(fake).problem, row(fake).retry_at) == ("password_refused", None)
    assert row(fake).problem_since, "its people are told"
    clear(fake)
    sync.pull(fake.connection_id)
    settled(fake)


def one_byte_a_second(fake, _app):
    fill(fake)

    def drip(tag, arguments):
        sock = next(iter(fake._open))
        for _ in range(100):
            sock.sendall(b"*")
            time.sleep(0.1)
        return b""
    fake.on[b"UID FETCH"] = drip
    began = time.monotonic()
    sync.pull(fake.connection_id)
    assert time.monotonic() - began < 5, "no worker is pinned"
    assert row(fake).problem in ("timed_out", "lost")
    clear(fake)
    sync.pull(fake.connection_id)
    settled(fake)


def seen_by_another_client(fake, _app):
    fill(fake)
    sync.pull(fake.connection_id)
    fill(fake, range(7, 10))       # the fake says \\Seen of all that it has
    sync.pull(fake.connection_id)
    settled(fake)
    assert all(p.flags == ["\\Seen"] for p in stored(Place))


def appears_below_the_cursor(fake, _app):
    fill(fake, (1, 2, 5, 6))
    sync.pull(fake.connection_id)
    fill(fake, (3, 4))
    sync.pull(fake.connection_id)
    with unit():
        folder_of(fake.connection_id).reconciled_at = None
    sync.pull(fake.connection_id)
    settled(fake)
    assert set(ours(fake)) == set(range(1, 7))


def no_redis(fake, app):
    fill(fake)
    kept = app.extensions["redis"]
    app.extensions["redis"] = redis.Redis(port=1, socket_connect_timeout=0.2)
    try:
        sync.pull(fake.connection_id)
        settled(fake)
        fill(fake, range(7, 10))
        sync.pull(fake.connection_id)
        settled(fake)
    finally:
        app.extensions["redis"] = kept


def ten_thousand_folders(fake, _app):
    fake.folders += [b'(\\HasNoChildren) "/" "Projekty/Klient %d"' % n for n in range(10_000)]
    fill(fake)
    began = time.monotonic()
    with mailbox.open_imap(mailbox.imap_endpoint(row(fake)), mailbox.login(row(fake))) as session:
        assert len(session.folders()) >= 10_000
    assert time.monotonic() - began < 2
    sync.pull(fake.connection_id)
    settled(fake)


def names_that_are_no_text(fake, _app):
    name = b"\xff\xfe&bad"
    fake.folders.append(b'(\\HasNoChildren) "/" "%b"' % name)
    fill(fake)
    with mailbox.open_imap(mailbox.imap_endpoint(row(fake)), mailbox.login(row(fake))) as session:
        odd = next(f for f in session.folders() if f.wire_name == name)
        assert odd.name
        assert session.select(odd).exists == 6
    with unit():
        db.session.add(Folder(connection_id=fake.connection_id, name=odd.name, wire_name=odd.wire_name, role="other",
                              chosen=True))
    sync.pull(fake.connection_id)
    settled_folders = {p.folder_id for p in stored(Place)}
    assert len(settled_folders) == 2
    assert ours(fake) == theirs(fake)


def idles_dead(fake, app):
    """The watcher notices (tests/mail/test_idle.py); and what it missed is polled, since the clock finds it due."""
    elsewhere("mail/test_idle.py", "test_a_connection_that_died_without_a_word_is_noticed")(fake, app)
    fill(fake)
    sync.pull(fake.connection_id)
    fill(fake, range(7, 10))
    with unit():
        db.session.get(Connection, fake.connection_id).synced_at = None
    assert fake.connection_id in sweep._mailboxes_due()
    sync.pull(fake.connection_id)
    settled(fake)


GIVEN = {
    "004": as_in("a literal shorter than announced"),
    "005": announces_two_gigabytes,
    "006": tells_another_size,
    "007": as_in("one is refused"),
    "009": as_in("one body is NIL"),
    "010": expunges_between_search_and_fetch,
    "011": expunges_while_it_fetches,
    "014": as_in("one answer names no UID"),
    "015": as_in("answers come twice"),
    "016": numbers_anew_between_looks,
    "017": numbers_anew_while_connected,
    "018": as_in("EXAMINE without UIDVALIDITY"),
    "020": as_in("SEARCH descends"),
    "021": highest_uid_there_is,
    "025": as_in("BYE in SEARCH"),
    "026": as_in("FETCH [UNAVAILABLE]"),
    "027": as_in("FETCH [INUSE]"),
    "028": as_in("FETCH [LIMIT]"),
    "032": refuses_the_password,
    "035": idles_dead,
    "037": one_byte_a_second,
    "039": elsewhere("jobs/test_following.py", "test_a_mark_that_the_server_has_forgotten_asks_for_all_flags"),
    "041": names_that_are_no_text,
    "042": ten_thousand_folders,
    "043": elsewhere("jobs/test_following.py", "test_the_same_mail_under_three_labels_is_one_message_in_three_places"),
    "046": as_in("dates that are garbage"),
    "049": seen_by_another_client,
    "051": appears_below_the_cursor,
    "055": no_redis,
}


def test_each_given_fault_is_here():
    given = {case["id"].rpartition("-")[2] for case in cases("imap-faults")}
    assert len(GIVEN) == 29
    assert given <= GIVEN.keys()


@pytest.mark.parametrize("number", GIVEN)
def test_a_given_fault_ends_as_it_should(fake, app, number):
    assert ADDRESS in fake.users
    GIVEN[number](fake, app)
