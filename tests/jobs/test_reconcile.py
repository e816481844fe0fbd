"""Comparing with the server: what is missing or too much is found within one cycle, and mended (DESIGN 9, P1)."""

from datetime import timedelta

import pytest
from mailroom import folder_of, letter, stored
from sqlalchemy import delete

from webapp.actions import places
from webapp.extensions import db, unit
from webapp.jobs import reconcile, sync
from webapp.mail.imap.session import Session
from webapp.models import Attachment, Connection, Conversation, Folder, Message, Place


def mails(count, start=0):
    return [letter(subject=f"Number {n}", text=f"Text {n}", Message_ID=f"<{n}@x>") for n in range(start, start + count)]


def numbers():
    return sorted(int(m.subject.split()[1]) for m in stored(Message))


def a_day_later():
    with unit():
        for folder in db.session.scalars(db.select(Folder)):
            folder.reconciled_at = folder.reconciled_at and folder.reconciled_at - reconcile.EVERY - timedelta(hours=1)


def plant_holes(*uids):
    """By SQL, as no code of ours would."""
    with unit():
        ids = db.session.scalars(db.select(Place.message_id).where(Place.uid.in_(uids))).all()
        for model in (Place, Attachment):
            db.session.execute(delete(model).where(model.message_id.in_(ids)))
        db.session.execute(delete(Message).where(Message.id.in_(ids)))


def results(box):
    found, trouble = sync.compare(box.id)
    assert trouble is None
    return {r["folder"]: (r["server"], r["stored"], r["missing"], r["extra"]) for r in found}


@pytest.mark.parametrize("kind", ["team", "personal"])
def test_a_planted_hole_is_found_within_one_cycle_and_mended(mailbox, dovecot, kind):
    box = mailbox(kind, "zofia" if kind == "team" else "marek")
    dovecot.deliver_many(box.address, mails(40))
    sync.pull(box.id)
    assert (folder_of(box.id).missing, folder_of(box.id).reconciled_at is None) == (0, False)
    plant_holes(3, 17, 40)
    sync.pull(box.id)
    assert len(numbers()) == 37, "not every look is a comparison"
    a_day_later()
    sync.pull(box.id)
    assert numbers() == list(range(40))
    assert (folder_of(box.id).missing, folder_of(box.id).extra) == (3, 0)
    a_day_later()
    sync.pull(box.id)
    assert (folder_of(box.id).missing, folder_of(box.id).extra) == (0, 0)


def test_what_is_here_and_not_there_any_more_is_marked_and_comes_back(mailbox, dovecot):
    box = mailbox()
    dovecot.deliver_many(box.address, mails(5))
    sync.pull(box.id)
    with unit():
        folder, message = folder_of(box.id), stored(Message)[0]
        folder.high_uid = 90
        db.session.add(Place(message_id=message.id, folder_id=folder.id, uidvalidity=folder.uidvalidity, uid=77, flags=[]))
        places.mark_gone(folder, ((2, 3),))
    assert results(box)["INBOX"] == (5, 4, 0, 1)
    assert {p.uid: bool(p.gone_at) for p in stored(Place)} == {1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 77: 1}
    assert results(box)["INBOX"] == (5, 5, 0, 0)
    assert len(stored(Message)) == 5


def test_mail_that_comes_while_it_compares_is_not_missing_and_not_extra(mailbox, dovecot, monkeypatch):
    """The cursor is read before the server is asked: what is beyond it is yet to come."""
    box = mailbox()
    dovecot.deliver_many(box.address, mails(5))
    sync.pull(box.id)
    real = reconcile.reconcile

    def late(pull, folder, selected):
        if folder["high"]:
            dovecot.deliver_many(box.address, mails(3, 5))
        return real(pull, folder, selected)
    monkeypatch.setattr(reconcile, "reconcile", late)
    assert results(box)["INBOX"] == (5, 5, 0, 0)
    monkeypatch.setattr(reconcile, "reconcile", real)
    sync.pull(box.id)
    assert results(box)["INBOX"] == (8, 8, 0, 0)


def test_a_server_that_lists_fewer_than_it_says_takes_nothing_away(mailbox, dovecot, monkeypatch):
    box = mailbox()
    dovecot.deliver_many(box.address, mails(5))
    sync.pull(box.id)
    real = Session.uids
    with monkeypatch.context() as patch:
        patch.setattr(Session, "uids", lambda *a, **k: real(*a, **k)[:2])
        results(box)
        assert not any(p.gone_at for p in stored(Place))
    assert results(box)["INBOX"] == (5, 5, 0, 0)


def test_a_healed_mail_is_news_unlike_history(mailbox, dovecot):
    box = mailbox()
    dovecot.deliver_many(box.address, mails(2))
    sync.pull(box.id)
    plant_holes(2)
    with unit():
        db.session.execute(delete(Conversation).where(Conversation.subject == "Number 1"))
    sync.compare(box.id)
    assert [c.status for c in stored(Conversation, Conversation.subject == "Number 1")] == ["open"]


def test_the_command_prints_what_it_found_and_mends_it(mailbox, dovecot, app):
    box, other = mailbox(), mailbox()
    dovecot.deliver_many(box.address, mails(6))
    dovecot.deliver_many(other.address, mails(1))
    sync.pull(box.id)
    plant_holes(2)
    run = app.test_cli_runner().invoke
    answer = run(args=["reconcile", box.address.upper()])
    assert answer.output.splitlines() == [f"{box.address}  INBOX  server=6 stored=5 missing=1 extra=0",
                                          f"{box.address}  Sent  server=0 stored=0 missing=0 extra=0"]
    assert answer.exit_code == 0
    assert "server=6 stored=6 missing=0" in run(args=["reconcile"]).output
    with unit():
        db.session.get(Connection, other.id).state = "paused"
    answer = run(args=["reconcile"])
    assert f"{other.address}  not compared: " in answer.output
    assert answer.exit_code == 1
    answer = run(args=["reconcile", "nobody@x.example"])
    assert (answer.output, answer.exit_code) == ("nobody@x.example isn’t connected.\n", 1)
