"""What a slow, broken or hostile server does to reading a mailbox: it costs time, and neither mail nor the mailbox."""

import time
import tracemalloc
from datetime import timedelta
from types import SimpleNamespace

from mailroom import FOLDERS, connected, folder_of, letter, stored
from sqlalchemy import select, text

from webapp.actions import places, receive, withheld
from webapp.extensions import db, unit
from webapp.jobs import intake, mailbox, reconcile, sync
from webapp.mail.imap import changes
from webapp.mail.imap.session import Session
from webapp.mail.types import Endpoint, Login
from webapp.models import Connection, Conversation, Event, Folder, Message, Place
from webapp.models.types import now


def test_thousands_of_mails_that_were_never_handed_over_are_forgotten_at_once(app, team):
    """A server whose disk is broken and that is then restored numbers its mail anew. Nobody else can write meanwhile."""
    connection_id = connected()
    with unit():
        connection = db.session.get(Connection, connection_id)
        for uid in range(1, 3001):
            receive.keep_place(connection, folder_of(connection_id), uid)
    with unit():
        worked_in = stored(Conversation)[0].id
        db.session.add(Event(conversation_id=worked_in, kind="closed", facts={}))
    began = time.monotonic()
    with unit():
        places.leave(folder_of(connection_id))
        withheld.forget(folder_of(connection_id))
    assert time.monotonic() - began < 3
    assert [m.conversation_id for m in stored(Message)] == [worked_in]
    assert ([c.id for c in stored(Conversation)], len(stored(Place))) == ([worked_in], 1)


def mails(count, start=0):
    return [letter(subject=f"Number {n}", text=f"Text {n}", Message_ID=f"<{n}@x>") for n in range(start, start + count)]


def test_mail_that_search_hid_below_the_newest_is_read_as_soon_as_it_is_listed(fake, row):
    """Clusters show mail 5 before mail 4. Nobody waits for the daily comparison."""
    box = fake.box()
    fake.folders = fake.folders[:1]
    with unit():
        folder_of(box, "sent").chosen = False
    fake.messages = dict(enumerate(mails(3), 1))
    sync.pull(box)
    fake.messages[5] = mails(1, 5)[0]
    sync.pull(box)
    fake.messages[4] = mails(1, 4)[0]
    sync.pull(box)
    assert sorted(m.subject for m in stored(Message)) == [f"Number {n}" for n in (0, 1, 2, 4, 5)]
    assert (folder_of(box).total, folder_of(box).missing) == (5, 0)


def test_slow_messages_are_stored_before_the_job_is_killed(monkeypatch):
    """A hundred that cost the parser two seconds each are more than a job has. What was read so far is not lost."""
    clock = [0.0]
    monkeypatch.setattr(sync.time, "monotonic", lambda: clock[0])

    def reads():
        for _ in range(50):
            clock[0] += 2.0
            yield SimpleNamespace(raw=b"bomb", came=4)
    sizes = [len(batch) for batch, _is_last in intake._by_bytes(reads())]
    assert sum(sizes) == 50
    assert max(sizes) <= 5


def test_more_changes_than_one_answer_may_hold_stop_no_mailbox(fake, row, monkeypatch):
    """Somebody marks half a million messages as read. From then on all flags are asked for, in portions, once."""
    box = fake.box()
    fake.capabilities += b" CONDSTORE"
    fake.greeting = b"* OK [CAPABILITY " + fake.capabilities + b"] fake\r\n"
    fake.folders = fake.folders[:1]
    modseq = [10]
    examine, status = fake_answers(fake, modseq)
    fake.on = {b"EXAMINE": examine, b"STATUS": status}
    fake.messages = dict(enumerate(mails(3), 1))
    sync.pull(box)
    modseq[0] = 20
    flagged = b"".join(b"* %d FETCH (UID %d FLAGS (\\Flagged) MODSEQ (20))\r\n" % (n, n) for n in (1, 2, 3))

    def fetch(tag, arguments):
        return (flagged * 20 if b"CHANGEDSINCE" in arguments else flagged) + tag + b" OK done\r\n"
    fake.on[b"UID FETCH"] = fetch
    monkeypatch.setattr(changes, "LONGEST_ANSWER", 1000)
    for _ in range(3):       # one answer a folder is too long
        sync.pull(box)
        with unit():
            db.session.get(Connection, box).retry_at = None
    assert row(box).problem is None, db.session.get(Connection, box).problem_facts
    assert {tuple(p.flags) for p in stored(Place)} == {("\\Flagged",)}
    assert [f.highestmodseq for f in stored(Folder, Folder.chosen)] == [20, 20]


def fake_answers(fake, modseq):
    def examine(tag, _arguments):
        return (b"* %d EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT %d] ok\r\n* OK [HIGHESTMODSEQ %d] ok\r\n" % (
            len(fake.messages), max(fake.messages, default=0) + 1, modseq[0])) + tag + b" OK [READ-ONLY] done\r\n"

    def status(tag, arguments):
        return b"* STATUS %s (MESSAGES %d UIDNEXT %d UIDVALIDITY 7 HIGHESTMODSEQ %d)\r\n" % (
            arguments.split(b" (")[0], len(fake.messages), max(fake.messages, default=0) + 1, modseq[0],
        ) + tag + b" OK done\r\n"
    return examine, status


def test_a_server_that_says_it_holds_two_thousand_million_messages_overflows_no_number(fake, row):
    box = fake.box()
    fake.folders = fake.folders[:1]
    exists = [2**31 - 1]
    fake.on[b"EXAMINE"] = lambda tag, _a: (
        b"* %d EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 9] ok\r\n" % exists[0] + tag + b" OK done\r\n")
    fake.messages = dict(enumerate(mails(3), 1))
    sync.pull(box)
    fake.messages[9] = mails(1, 9)[0]
    sync.pull(box)
    assert len(stored(Message)) == 4


def test_what_was_not_handed_over_is_found_without_looking_at_a_million_places(app, team):
    """Each look at each folder asks for it."""
    connection_id = connected()
    query = select(Place.uid).join(Message).where(*withheld._kept(folder_of(connection_id)))
    text_of = str(query.compile(db.engine, compile_kwargs={"literal_binds": True}))
    if db.engine.dialect.name == "sqlite":
        plan = db.session.execute(text("EXPLAIN QUERY PLAN " + text_of)).all()
    else:
        db.session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = db.session.execute(text("EXPLAIN " + text_of)).all()
    assert "ix_message_unreadable" in str(plan), plan


def test_the_daily_comparison_of_a_thousand_mailboxes_is_not_at_one_moment():
    at = now() - timedelta(hours=18)
    folders = [{"id": i, "low": 0, "uidvalidity": 1, "reconciled_at": at} for i in range(1000)]
    assert 400 < sum(reconcile.due(f) for f in folders) < 600


def test_a_comparison_while_the_first_sync_goes_on_does_not_claim_the_whole_folder(fake, row, monkeypatch):
    box = fake.box()
    fake.messages = dict(enumerate(mails(5), 1))
    monkeypatch.setattr(sync, "LONG", 0)
    results, trouble = sync.compare(box)
    assert (trouble, len(results)) == (None, 2)
    assert [f.reconciled_at for f in stored(Folder, Folder.chosen)] == [None, None]


def test_a_search_answer_of_millions_of_small_numbers_takes_little_more_memory_than_its_bytes(fake):
    fake.users["a"] = "b"
    fake.on[b"UID SEARCH"] = lambda tag, _arguments: b"* SEARCH" + b" 12" * 1_500_000 + b"\r\n" + tag + b" OK done\r\n"
    with Session.open(Endpoint("127.0.0.1", fake.port, "tls"), Login("a", "b"), mailbox.policy()) as session:
        session.select(FOLDERS[0])
        tracemalloc.start()
        try:
            assert session.uids(1, None) == [12]
            assert tracemalloc.get_traced_memory()[1] < 30_000_000
        finally:
            tracemalloc.stop()
