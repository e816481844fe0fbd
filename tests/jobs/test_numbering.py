"""A server that numbers its mail anew (UIDVALIDITY): found again by what it is, in steps, without a second copy."""

from datetime import UTC, datetime, timedelta

import pytest
from mailroom import folder_of, letter, stored

from webapp.extensions import db, unit
from webapp.jobs import numbering, sync
from webapp.mail.imap.session import Session
from webapp.models import Connection, Conversation, Event, Message, Place
from webapp.models.types import now


def mails(count, start=0, **headers):
    return [letter(subject=f"Number {n}", text=f"Text {n}", Message_ID=f"<{n}@x>", **headers)
            for n in range(start, start + count)]


@pytest.fixture
def fetched(monkeypatch):
    """UIDs whose mail, or header, was asked for."""
    asked = []
    for name in ("fetch", "fetch_headers"):
        monkeypatch.setattr(Session, name, _noting(asked, getattr(Session, name)))
    return asked


def _noting(asked, real):
    def fetch(self, uids, *rest):
        asked.extend(uids)
        return real(self, uids, *rest)
    return fetch


def row(box):
    db.session.rollback()
    return db.session.get(Connection, box.id)


def facts():
    """Everything that must be the same before and after."""
    return ([(m.id, m.digest, m.conversation_id, m.state) for m in stored(Message)],
            [(c.id, c.status, c.message_count, c.last_at, c.last_in_id) for c in stored(Conversation)],
            [(e.id, e.kind) for e in stored(Event)])


def live(box):
    """{uid: subject} of the places that are there."""
    folder = folder_of(box.id)
    return {p.uid: p.message.subject for p in stored(Place, Place.folder_id == folder.id, Place.gone_at.is_(None))}


@pytest.mark.parametrize("kind", ["team", "personal"])
def test_stored_mail_gets_its_new_place_without_being_fetched(mailbox, dovecot, fetched, kind):
    box = mailbox(kind, "zofia" if kind == "team" else "marek")
    dovecot.deliver_many(box.address, mails(120))
    sync.pull(box.id)
    before = facts()
    with dovecot.imap(box.address) as client:       # so that the new numbers are others
        client.select("INBOX")
        client.store("3", "+FLAGS", "\\Deleted")
        client.expunge()
        client.store("5", "+FLAGS", "\\Flagged")
    dovecot.new_uidvalidity(box.address)
    fetched.clear()
    sync.pull(box.id)
    assert row(box).problem is None, row(box).problem_facts
    assert fetched == []
    assert facts() == before
    assert sorted(live(box).values()) == sorted(f"Number {n}" for n in range(120) if n != 2)
    assert {p.uidvalidity for p in stored(Place, Place.gone_at.is_(None))} == {folder_of(box.id).uidvalidity}
    assert stored(Place, Place.gone_at.is_(None), Place.uid == 5)[0].flags == ["\\Flagged"]
    assert (row(box).caught_up, folder_of(box.id).low_uid) == (True, 0)


def test_mail_that_looks_alike_is_told_apart_by_its_bytes(mailbox, dovecot, fetched):
    """The same Message-ID, size and second; and mail without any Message-ID."""
    box, at = mailbox(), datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    for text in ("one", "two", "six"):
        dovecot.deliver(box.address, letter(text=text, Message_ID="<same@x>"), date=at)
    dovecot.deliver(box.address, letter(text="nameless", Message_ID=None), date=at)
    sync.pull(box.id)
    before = facts()
    dovecot.new_uidvalidity(box.address)
    fetched.clear()
    sync.pull(box.id)
    assert len(fetched) == 4
    assert facts() == before
    assert len(live(box)) == 4


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_worker_killed_in_the_middle_of_it_is_followed_where_it_stood(mailbox, dovecot, monkeypatch, fetched, after):
    box = mailbox()
    dovecot.deliver_many(box.address, mails(60))
    sync.pull(box.id)
    before = facts()
    dovecot.new_uidvalidity(box.address)
    monkeypatch.setattr(sync, "WINDOW", 15)
    monkeypatch.setattr(sync, "FIRST_WINDOW", 15)
    real, done = numbering.places.recognise, []

    def killed(*arguments):
        if len(done) == after:
            raise KeyboardInterrupt
        return done.append(1) or real(*arguments)
    fetched.clear()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(numbering.places, "recognise", killed)
        sync.pull(box.id)
    assert len(live(box)) == 15 * after
    with unit():
        db.session.get(Connection, box.id).lease_until = None
    sync.pull(box.id)
    assert (fetched, facts(), len(live(box))) == ([], before, 60)
    assert len(stored(Place)) == 120


def test_what_was_not_stored_is_read_and_only_the_newer_of_it_is_news(mailbox, dovecot):
    box = mailbox()
    dovecot.deliver_many(box.address, mails(2))
    sync.pull(box.id)
    with unit():
        for conversation in db.session.scalars(db.select(Conversation)):
            conversation.status = "closed"
        db.session.get(Connection, box.id).synced_at = now() - timedelta(hours=1)
        db.session.get(Connection, box.id).created_at = now() - timedelta(days=9)
    dovecot.new_uidvalidity(box.address)
    # Put back from a backup: an answer of two days ago. And one that came after we looked.
    back = letter(subject="Re: Number 0", In_Reply_To="<0@x>", Message_ID="<back@x>")
    dovecot.deliver(box.address, back, date=now() - timedelta(days=2))
    dovecot.deliver(box.address, letter(subject="Restored", Message_ID="<restored@x>"), date=now() - timedelta(days=2))
    dovecot.deliver(box.address, letter(subject="Re: Number 1", In_Reply_To="<1@x>", Message_ID="<new@x>"))
    sync.pull(box.id)
    assert {(c.subject, c.status, c.message_count) for c in stored(Conversation)} == {
        ("Number 0", "closed", 2), ("Restored", "closed", 1), ("Number 1", "open", 2)}
    assert [e.kind for e in stored(Event)] == ["reopened_by_mail"]
    news = {m.id for m in stored(Message, Message.subject == "Re: Number 1")}
    unread = {c.last_in_id for c in stored(Conversation)}
    assert news <= unread
    assert not unread & {m.id for m in stored(Message, Message.subject.in_(("Re: Number 0", "Restored")))}


def test_a_server_that_numbers_anew_every_time_costs_one_window_and_loses_nothing(mailbox, dovecot, fetched, monkeypatch):
    box = mailbox()
    monkeypatch.setattr(sync, "WINDOW", 10)
    monkeypatch.setattr(sync, "FIRST_WINDOW", 10)
    dovecot.deliver_many(box.address, mails(60))
    sync.pull(box.id)
    asked, real = [], Session.numbering

    def numbered(self, uids):
        asked.append(len(uids))
        return real(self, uids)
    monkeypatch.setattr(Session, "numbering", numbered)
    for turn in range(4):
        dovecot.new_uidvalidity(box.address)
        dovecot.deliver_many(box.address, mails(12 if turn == 2 else 1, 100 + 20 * turn))
        asked.clear()
        sync.pull(box.id)
        if turn == 0:
            assert sum(asked) == 61, "the first time it goes all the way"
        elif turn == 2:
            assert asked == [10, 10, 10], "on, as long as a window brings something new"
        else:
            assert asked == [10, 10]
    assert len(stored(Message)) == 60 + 15
    assert len(stored(Place)) < 60 + 61 + 100, "what was begun and not finished leaves nothing behind"
    assert row(box).problem is None
    with unit():        # it has settled
        folder_of(box.id).renumbered_at -= timedelta(hours=2)
    sync.pull(box.id)
    assert len(live(box)) == 75
    assert folder_of(box.id).low_uid == 0
    assert len(stored(Message)) == 75


def test_a_numbering_that_changes_within_a_session_mixes_nothing_up(mailbox, dovecot, monkeypatch):
    box = mailbox()
    dovecot.deliver_many(box.address, mails(50))
    dovecot.deliver_many(box.address, mails(50, 100), folder="Sent")
    real, done = sync._Pull._backfill, []

    def changed(self, folder_id):
        done.append(folder_id)
        if len(done) == 3:
            dovecot.new_uidvalidity(box.address)
        return real(self, folder_id)
    monkeypatch.setattr(sync, "WINDOW", 10)
    monkeypatch.setattr(sync._Pull, "_backfill", changed)
    for _ in range(3):
        sync.pull(box.id)
    assert len(stored(Message)) == 100
    assert sorted(live(box).values()) == sorted(f"Number {n}" for n in range(50))


def test_a_uidnext_that_is_too_high_hides_no_later_mail(mailbox, dovecot, monkeypatch):
    box = mailbox()
    dovecot.deliver_many(box.address, mails(2))
    real = Session.select
    monkeypatch.setattr(Session, "select", lambda *a, **k: real(*a, **k)._replace(uidnext=4_000_000))
    sync.pull(box.id)
    assert folder_of(box.id).high_uid == 2
    dovecot.deliver_many(box.address, mails(2, 2))
    sync.pull(box.id)
    assert len(stored(Message)) == 4


def test_the_wait_doubles_and_ends():
    folder = {"renumberings": 2, "renumbered_at": now() - timedelta(minutes=9)}
    assert numbering.waits(folder)
    assert not numbering.waits({**folder, "renumbered_at": now() - timedelta(minutes=11)})
    assert not numbering.waits({**folder, "renumberings": 1})
    assert numbering.waits({**folder, "renumberings": 12, "renumbered_at": now() - timedelta(hours=23)})
    assert not numbering.waits({**folder, "renumberings": 10**6, "renumbered_at": now() - timedelta(hours=25)})


@pytest.mark.parametrize("again", [1, 2, 3])
def test_what_stood_for_withheld_mail_is_not_doubled(mailbox, dovecot, monkeypatch, again):
    box = mailbox()
    dovecot.deliver_many(box.address, mails(4))
    real = Session.fetch

    def fetch(self, uids, *rest):
        kept = [u for u in uids if u != 2]
        yield from real(self, kept, *rest)
        self.missing = frozenset(uids) - frozenset(kept)
    with monkeypatch.context() as patch:
        patch.setattr(Session, "fetch", fetch)
        sync.pull(box.id)
        for _ in range(again):
            dovecot.new_uidvalidity(box.address)
            sync.pull(box.id)
    assert sorted(m.state for m in stored(Message)) == ["ok", "ok", "ok", "unreadable"]
    assert len(live(box)) == 4
    sync.pull(box.id)
    assert sorted(m.subject for m in stored(Message)) == [f"Number {n}" for n in range(4)]
