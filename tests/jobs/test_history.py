"""How far back: chosen when connecting, changed later; new mail always (issue: everything, a year, three months, none)."""

from datetime import timedelta

import pytest
from mailroom import folder_of, letter, person, stored

from webapp.actions import history
from webapp.extensions import db, unit
from webapp.jobs import sync
from webapp.models import Audit, Connection, Message, Place
from webapp.models.types import now
from webapp.rules import RuleBroken

AGES = {"today": 0.2, "month": 40, "half": 200, "old": 500}


def fill(dovecot, box):
    for name, days in AGES.items():
        dovecot.deliver(box.address, letter(subject=name, Message_ID=f"<{name}@x>"), date=now() - timedelta(days=days))


def subjects():
    return {m.subject for m in stored(Message)}


def choose(box, choice):
    with unit():
        history.set_history(person("zofia"), db.session.get(Connection, box.id), choice)


@pytest.mark.parametrize(("choice", "expected"), [
    ("all", {"today", "month", "half", "old"}), ("year", {"today", "month", "half"}), ("quarter", {"today", "month"}),
    ("new", set())])
def test_of_what_is_there_already_only_what_was_chosen_is_read_and_new_mail_always(mailbox, dovecot, choice, expected):
    box = mailbox()
    fill(dovecot, box)
    with unit():
        db.session.get(Connection, box.id).history = choice
    sync.pull(box.id)
    assert subjects() == expected
    assert db.session.get(Connection, box.id).caught_up
    dovecot.deliver(box.address, letter(subject="late"), date=now() - timedelta(days=900))
    sync.pull(box.id)
    assert subjects() == expected | {"late"}
    results, trouble = sync.compare(box.id)
    count = len(expected) + 1
    assert (trouble, [(r["server"], r["stored"], r["missing"]) for r in results]) == (
        None, [(count, count, 0), (0, 0, 0)]), "what was not wanted is not missing"


def test_further_back_reads_what_is_older_and_less_far_takes_nothing_away(mailbox, dovecot):
    box = mailbox()
    fill(dovecot, box)
    with unit():
        db.session.get(Connection, box.id).history = "quarter"
    sync.pull(box.id)
    choose(box, "all")
    db.session.rollback()
    assert not db.session.get(Connection, box.id).caught_up
    sync.pull(box.id)
    assert subjects() == set(AGES)
    assert len(stored(Place)) == 4
    choose(box, "new")
    sync.pull(box.id)
    assert subjects() == set(AGES)
    assert folder_of(box.id).low_uid == 0
    assert [(a.action, a.facts["was"], a.facts["history"]) for a in stored(Audit) if "history" in a.action] == [
        ("connection.history_changed", "quarter", "all"), ("connection.history_changed", "all", "new")]


@pytest.mark.parametrize("choice", ["quarter", "new"])
def test_a_new_numbering_reads_nothing_that_was_not_wanted(mailbox, dovecot, choice):
    box = mailbox()
    fill(dovecot, box)
    with unit():
        db.session.get(Connection, box.id).history = choice
    sync.pull(box.id)
    dovecot.deliver(box.address, letter(subject="since", Message_ID="<since@x>"))
    sync.pull(box.id)
    before = subjects()
    dovecot.new_uidvalidity(box.address)
    sync.pull(box.id)
    assert subjects() == before
    assert len({p.message_id for p in stored(Place, Place.gone_at.is_(None))}) == len(before)


def test_a_running_first_sync_with_the_old_choice_stores_nothing_more(mailbox, dovecot, monkeypatch):
    box = mailbox()
    fill(dovecot, box)
    real = sync._Pull._backfill
    with unit():
        db.session.get(Connection, box.id).history = "quarter"

    def meanwhile(self, folder_id):
        choose(box, "all")
        monkeypatch.setattr(sync._Pull, "_backfill", real)
        return real(self, folder_id)
    monkeypatch.setattr(sync._Pull, "_backfill", meanwhile)
    sync.pull(box.id)
    assert subjects() == set()
    sync.pull(box.id)
    assert subjects() == set(AGES)


def test_only_what_is_offered_can_be_chosen(mailbox):
    box = mailbox()
    for choice in ("", "everything", "ALL"):
        with pytest.raises(RuleBroken), unit():
            history.set_history(person("zofia"), db.session.get(Connection, box.id), choice)
