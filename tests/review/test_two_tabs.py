"""Two admins, or two tabs, at the same moment: the second looks again before it writes."""

import threading

import pytest
from mailroom import connected, person, stored
from sqlalchemy import select
from tabs import Tab, at_once, let_two_meet, meanwhile, needs_writers_side_by_side

from webapp.actions import audit, connections, holds, inboxes, notices, people, sign_in
from webapp.extensions import db, unit
from webapp.models import Connection, Hold, Inbox, Notice, Person
from webapp.rules import RuleBroken


@pytest.mark.parametrize("act", [people.reactivate, people.remove_person])
def test_who_was_removed_meanwhile_is_neither_reactivated_nor_removed_again(app, team, act):
    with unit():
        people.deactivate(person("zofia"), person("marek"))
    with pytest.raises(RuleBroken), unit():
        zofia, marek = person("zofia"), person("marek")
        meanwhile(app, lambda: people.remove_person(person("zofia"), person("marek")))
        act(zofia, marek)
    assert stored(Person, Person.name == "Marek")[0].state == "removed"


def invited():
    return db.session.scalar(select(Person).where(Person.email_key == "olga@corp.example"))


def test_who_accepted_meanwhile_is_not_removed_by_withdrawing_the_invitation(app, team):
    with unit():
        people.invite(person("zofia"), "olga@corp.example")
    with pytest.raises(RuleBroken), unit():
        zofia, olga = person("zofia"), invited()
        meanwhile(app, lambda: setattr(invited(), "state", "active"))
        people.withdraw(zofia, olga)
    assert stored(Person, Person.email_key == "olga@corp.example")[0].state == "active"


def with_a_new_password(actor, connection):
    connections.try_again(actor, connection, password="secret-2")


@pytest.mark.parametrize("act", [holds.pause, holds.switch, holds.make_default, connections.disconnect,
                                 with_a_new_password])
def test_what_was_disconnected_meanwhile_stays_disconnected(app, team, act):
    box = connected("personal", "zofia@corp.example")
    with unit():
        zofia, mine = person("zofia"), db.session.get(Connection, box)
        assert mine.hold
        meanwhile(app, lambda: connections.disconnect(person("zofia"), db.session.get(Connection, box)))
        try:
            act(zofia, mine)
        except RuleBroken:
            db.session.rollback()
    row = stored(Connection, Connection.id == box)[0]
    assert (row.state, row.hold_id, row.secret) == ("removed", None, None)


def test_an_admin_who_signs_in_while_they_are_told_something_waits_for_nobody(app, team, monkeypatch):
    """Signing in locks the person, then the log's head; whoever tells an admin has the head, and refers to the person."""
    needs_writers_side_by_side()
    noted, locked = threading.Event(), threading.Event()
    with unit():
        wanted = sign_in.want("zofia@corp.example", "192.0.2.1")

    def note(*arguments, **facts):
        locked.set()
        noted.wait(5)
        return audit.note(*arguments, **facts)
    monkeypatch.setattr(sign_in, "note", note)

    def tell():
        locked.wait(5)
        audit.note(None, "person.created", "person-1")
        noted.set()
        notices.tell(person("zofia"), "reactivated")
    at_once(app, lambda: sign_in.complete(wanted, "192.0.2.1"), tell)


def test_an_address_is_released_and_paused_at_once_without_a_deadlock(app, team, monkeypatch):
    needs_writers_side_by_side()
    box = connected("personal", "marek@corp.example", "marek")
    hold_id, real, noted = db.session.get(Connection, box).hold_id, holds.note, []

    def note(actor, action, *arguments, **facts):
        row = real(actor, action, *arguments, **facts)
        if action == "hold.released":
            noted.append(Tab(app, pause))
            noted[0].start()
            noted[0].join(1)        # it stands before the row that we are about to write, or before the log's head
        return row
    monkeypatch.setattr(holds, "note", note)

    def pause():
        try:
            holds.pause(person("marek"), db.session.get(Connection, box))
        except RuleBroken:
            db.session.rollback()
    db.session.rollback()
    with unit():
        holds.release(person("zofia"), db.session.get(Hold, hold_id))
    noted[0].ended()
    assert stored(Connection, Connection.id == box)[0].state == "removed"


def test_a_double_click_on_joining_an_inbox_joins_once(app, team, monkeypatch):
    with unit():
        made = inboxes.create_inbox(person("zofia"), "Boardroom", "members", [person("marek")]).id
    let_two_meet(monkeypatch, inboxes, "check_admin")

    def click():
        inboxes.join_inbox(person("zofia"), db.session.get(Inbox, made))
    at_once(app, click, click)
    assert len(stored(Notice, Notice.kind == "inbox.joined")) == 1
