"""Mail of two addresses of one inbox that goes on with the same conversations at the same moment."""

import threading
import time

import pytest
from actions.test_at_once import mail, whole
from mailroom import stored
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from tabs import Tab, at_once, let_two_meet, needs_writers_side_by_side

from webapp.actions.threads import filing, known
from webapp.extensions import db, unit
from webapp.jobs import sync
from webapp.models import Connection, Conversation, Message


def two_addresses(mailbox, dovecot, talks):
    """Two addresses of one inbox, and conversations that mail of both goes on with, in opposite order."""
    boxes = [mailbox(), mailbox()]
    dovecot.deliver_many(boxes[0].address, [mail(n) for n in range(talks)])
    for box in boxes:
        sync.pull(box.id)
    answers = [[mail(100 * k + n, answers=n) for n in range(talks)] for k in (1, 2)]
    dovecot.deliver_many(boxes[0].address, answers[0])
    dovecot.deliver_many(boxes[1].address, answers[1][::-1])
    return boxes


def pulled_again(box):
    """As the clock does."""
    with unit():
        db.session.get(Connection, box.id).retry_at = None
    sync.pull(box.id)


def test_two_addresses_of_an_inbox_store_answers_to_the_same_conversations_at_once(app, mailbox, dovecot, monkeypatch):
    boxes = two_addresses(mailbox, dovecot, 12)
    db.session.rollback()
    if db.engine.dialect.name != "sqlite":      # both have read the keys, neither has a lock
        let_two_meet(monkeypatch, filing, "desk_for")

    def pull(box):
        def run():
            db.session.rollback()
            try:
                sync.pull(box.id)
            except OperationalError:
                db.session.rollback()
        return run
    at_once(app, *(pull(box) for box in boxes))
    monkeypatch.undo()
    for box in boxes:
        pulled_again(box)
    assert [c.message_count for c in whole(36)] == [3] * 12


def test_mail_that_was_the_victim_of_a_deadlock_comes_in_with_the_next_try(app, mailbox, dovecot, monkeypatch):
    needs_writers_side_by_side()
    box = two_addresses(mailbox, dovecot, 2)[0]
    first, second = sorted(c.id for c in stored(Conversation))
    db.session.rollback()
    held, wanted, tried = threading.Event(), threading.Event(), []

    def hold_the_second_and_want_the_first():
        db.session.execute(text("SET LOCAL deadlock_timeout = '30s'"))      # it is the mail that gives way
        db.session.execute(select(Conversation.id).where(Conversation.id == second).with_for_update())
        held.set()
        wanted.wait(10)
        time.sleep(0.3)
        db.session.execute(select(Conversation.id).where(Conversation.id == first).with_for_update())
    other, real = Tab(app, hold_the_second_and_want_the_first), known.know

    def know(*arguments):
        wanted.set()
        tried.append(arguments)
        return real(*arguments)
    monkeypatch.setattr(known, "know", know)
    other.start()
    assert held.wait(10)
    with pytest.raises(OperationalError, match="deadlock"):
        sync.pull(box.id)
    other.ended()
    assert len(stored(Message)) == 2
    assert db.session.get(Connection, box.id).problem is None, "the database was in trouble, not the mailbox"
    pulled_again(box)
    assert tried
    assert [c.message_count for c in whole(4)] == [2, 2]
