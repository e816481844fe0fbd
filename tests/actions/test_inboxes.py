"""Inboxes: made within the plan, renamed, opened and closed, joined, deleted."""

import threading
import time
from dataclasses import replace

import pytest
from mailroom import arrive, connected, folder_of, inbox, letter, person, stored
from sqlalchemy import select

from webapp.actions import connections, conversations, inboxes, leases, people, receive, replies
from webapp.extensions import db, unit
from webapp.mail.types import Fetched
from webapp.models import (
    Audit,
    Connection,
    Conversation,
    Event,
    Hold,
    Inbox,
    InboxMember,
    Message,
    Notice,
    Outbox,
    Team,
    TeamMember,
)
from webapp.models.conversation import visible_conversations
from webapp.models.inbox import known_inboxes, readable_inboxes
from webapp.models.types import now
from webapp.rules import RuleBroken
from webapp.rules.connections import check_plan


@pytest.fixture
def sales(team):
    """A restricted inbox: Marek's by name, Olga's by her team. Zofia is an admin and not in it."""
    with unit():
        olga = people.create_person("Olga", "olga@corp.example", "member")
        group = Team(name="Field")
        db.session.add(group)
        db.session.flush()
        db.session.add(TeamMember(team_id=group.id, person_id=olga.id))
        return inboxes.create_inbox(person("zofia"), "Sales", "members", [person("marek")], [group]).id


@pytest.fixture
def limit(app, monkeypatch):
    def set_to(number):
        monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], plans=f"test={number}", plan="test"))
    return set_to


def noted(action):
    return [(row.actor.name, row.subject, row.facts) for row in stored(Audit, Audit.action == action)]


def told(kind):
    """{name of a person: facts}"""
    return {row.person.name: row.facts for row in stored(Notice, Notice.kind == kind)}


def refusal(act, *arguments):
    with pytest.raises(RuleBroken) as broken, unit():
        act(*arguments)
    return broken.value.field, broken.value.code


def readable(name):
    return [i.name for i in db.session.scalars(readable_inboxes(person(name)))]


def test_a_restricted_inbox_is_read_by_its_people_and_teams_and_only_known_to_admins(sales):
    assert {n: readable(n) for n in ("zofia", "marek", "olga", "ewa")} == {
        "zofia": ["Support"], "marek": ["Support", "Sales"], "olga": ["Support", "Sales"], "ewa": ["Support"]}
    assert [i.name for i in db.session.scalars(known_inboxes(person("zofia")))] == ["Support", "Sales"]
    assert noted("inbox.created") == [("Zofia", f"inbox-{sales}", {
        "inbox": "Sales", "access": "members", "people": ["Marek"], "teams": ["Field"]})]


@pytest.mark.parametrize(("name", "code"), [
    ("", "inbox_name"), (" \u202e\x00 ", "inbox_name"), ("x" * 61, "inbox_name"), ("SALES", "inbox_exists"),
    ("Sa\u200bles", None), ("  Sales\u202e ", "inbox_exists")])
def test_a_name_is_safe_to_show_and_one_of_its_kind(sales, name, code):
    if code is None:
        with unit():
            inboxes.create_inbox(person("zofia"), name)
        assert inbox("Sa les")
        return
    assert refusal(inboxes.create_inbox, person("zofia"), name) == ("new_inbox", code)
    assert refusal(inboxes.rename_inbox, person("zofia"), inbox("Support"), name) == ("name", code)


def test_renaming_is_noted_with_both_names_and_the_same_name_is_no_change(sales):
    with unit():
        inboxes.rename_inbox(person("zofia"), inbox("Sales"), "Sales")
        inboxes.rename_inbox(person("zofia"), inbox("Sales"), " sales ")
    assert [facts for _who, _what, facts in noted("inbox.renamed")] == [{"inbox": "sales", "was": "Sales"}]


def test_at_the_limit_none_is_made_and_what_a_lowered_limit_leaves_goes_on(sales, limit):
    limit(2)
    with pytest.raises(RuleBroken) as broken, unit():
        inboxes.create_inbox(person("zofia"), "Third")
    assert (broken.value.code, broken.value.facts) == ("plan_limit", {"used": 2, "limit": 2})
    limit(1)
    box = connected(address="sales@corp.example", inbox_name="Sales")
    arrive(box, letter(to="sales@corp.example"))
    assert len(stored(Conversation, Conversation.inbox_id == sales)) == 1
    with unit():
        inboxes.rename_inbox(person("zofia"), inbox("Sales"), "Still here")


def test_a_deleted_inbox_makes_room_in_the_plan_and_frees_its_name(sales, limit):
    limit(2)
    with unit():
        inboxes.delete_inbox(person("zofia"), inbox("Sales"), "Sales")
        inboxes.create_inbox(person("zofia"), "Sales")
    assert [i.deleted_at is None for i in stored(Inbox, Inbox.name == "Sales")] == [False, True]


def test_of_two_admins_who_make_the_last_inbox_at_once_one_wins(app, team, limit, monkeypatch):
    limit(2)

    def slowly(used, limit):        # whoever has counted takes a while to store
        check_plan(used, limit)
        time.sleep(0.3)
    monkeypatch.setattr(inboxes, "check_plan", slowly)
    barrier, answers = threading.Barrier(2), []

    def make(name):
        with app.app_context():
            barrier.wait(5)
            try:
                with unit():
                    inboxes.create_inbox(person("zofia"), name)
                answers.append("made")
            except RuleBroken as broken:
                answers.append(broken.code)
            finally:
                db.session.remove()
    threads = [threading.Thread(target=make, args=(name,)) for name in ("North", "South")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(answers) == ["made", "plan_limit"]
    assert len(stored(Inbox)) == 2


@pytest.mark.parametrize("act", ["create", "rename", "access", "join", "delete"])
@pytest.mark.parametrize("name", ["marek", "ewa"])
def test_only_admins_change_inboxes(sales, act, name):
    who, box = person(name), inbox("Sales")
    acts = {"create": (inboxes.create_inbox, who, "New"), "rename": (inboxes.rename_inbox, who, box, "New"),
            "access": (inboxes.change_access, who, box, "everyone"), "join": (inboxes.join_inbox, who, box),
            "delete": (inboxes.delete_inbox, who, box, "Sales")}
    assert refusal(*acts[act])[1] == "admins_only_here"


def test_an_admin_who_joins_is_noted_and_every_other_member_is_told(sales):
    with unit():
        inboxes.join_inbox(person("zofia"), inbox("Sales"))
        inboxes.join_inbox(person("zofia"), inbox("Sales"))     # a second click
    assert readable("zofia") == ["Support", "Sales"]
    assert noted("inbox.joined") == [("Zofia", f"inbox-{sales}", {"inbox": "Sales", "opened": False})]
    facts = {"name": "Zofia", "inbox": "Sales", "inbox_id": sales, "opened": False}
    assert told("inbox.joined") == {"Marek": facts, "Olga": facts}


def test_joining_by_the_list_of_people_or_by_a_team_or_by_opening_it_to_all_is_joining_too(sales):
    zofia, marek = person("zofia"), person("marek")
    with unit():
        inboxes.change_access(zofia, inbox("Sales"), "members", [marek, zofia])
    assert [facts["opened"] for _w, _s, facts in noted("inbox.joined")] == [False]
    assert set(told("inbox.joined")) == {"Marek", "Olga"}      # Olga was a member until this moment
    with unit():
        inboxes.change_access(zofia, inbox("Sales"), "members", [marek])
        inboxes.change_access(zofia, inbox("Sales"), "everyone")
    assert [facts["opened"] for _w, _s, facts in noted("inbox.joined")] == [False, True]
    assert told("inbox.joined")["Marek"]["opened"] is True
    with unit():
        inboxes.change_access(zofia, inbox("Sales"), "members", [marek])
        group = db.session.scalar(select(Team))
        with inboxes.access_changes(zofia, [inbox("Sales")]):
            db.session.add(InboxMember(inbox_id=sales, person_id=person("ewa").id))
    assert len(noted("inbox.joined")) == 2                     # somebody else came in
    with unit(), inboxes.access_changes(zofia, [inbox("Sales")]):
        inboxes._set_members(inbox("Sales"), "members", [marek], [group])
        db.session.add(TeamMember(team_id=group.id, person_id=zofia.id))
    assert len(noted("inbox.joined")) == 3


def test_a_member_who_changes_access_or_an_admin_who_makes_an_inbox_has_not_joined(sales):
    with unit():
        inboxes.create_inbox(person("zofia"), "Mine", "members", [person("zofia")])
        inboxes.change_access(person("zofia"), inbox("Mine"), "everyone")
    assert noted("inbox.joined") == []


def test_a_restricted_inbox_has_somebody_in_it(sales):
    assert refusal(inboxes.change_access, person("zofia"), inbox("Sales"), "members") == ("access", "nobody_left")
    assert refusal(inboxes.create_inbox, person("zofia"), "Empty", "members") == ("access", "nobody_left")


def test_a_change_of_access_says_who_before_and_after_and_none_is_noted_when_nothing_changed(sales):
    zofia, marek = person("zofia"), person("marek")
    with unit():
        inboxes.change_access(zofia, inbox("Sales"), "members", [marek], [db.session.scalar(select(Team))])
    assert noted("inbox.access_changed") == []
    with unit():
        inboxes.change_access(zofia, inbox("Sales"), "members", [person("ewa"), marek])
    [(_who, _subject, facts)] = noted("inbox.access_changed")
    assert facts == {"inbox": "Sales", "access": "members", "people": ["Ewa", "Marek"], "teams": [],
                     "was": {"access": "members", "people": ["Marek"], "teams": ["Field"]}}


def test_who_loses_access_is_taken_off_the_open_conversations_and_nobody_else_is(sales):
    box = connected(address="sales@corp.example", inbox_name="Sales")
    arrive(box, *(letter(to="sales@corp.example", sender=f"{n}@customer.example", Message_ID=f"<{n}@x>") for n in "abc"))
    with unit():
        one, two, three = db.session.scalars(select(Conversation).order_by(Conversation.id)).all()
        conversations.assign(person("marek"), one, person("olga"))
        conversations.assign(person("marek"), two, person("marek"))
        conversations.assign(person("marek"), three, person("olga"))
        conversations.close(person("marek"), three)
    with unit():
        inboxes.change_access(person("zofia"), inbox("Sales"), "members", [person("marek")])
    one, two, three = stored(Conversation)
    assert (one.assignee_id, two.assignee.name, three.assignee.name) == (None, "Marek", "Olga")
    [event] = stored(Event, Event.kind == "access_lost")
    assert (event.conversation_id, event.actor.name, event.facts["name"]) == (one.id, "Zofia", "Olga")


def test_screens_hear_of_it_those_who_gain_and_those_who_lose(app, sales, monkeypatch):
    heard = []
    monkeypatch.setattr("webapp.live._publish", lambda *names: heard.extend(names))
    with unit():
        inboxes.change_access(person("zofia"), inbox("Sales"), "members", [person("ewa")],
                              [db.session.scalar(select(Team))])
    people_heard = {name for name in heard if name.startswith("person-")}
    assert people_heard == {f"person-{person('marek').id}", f"person-{person('ewa').id}"}
    assert f"inbox-{sales}" in heard


def test_the_first_inbox_stays_and_another_wants_its_name_typed(sales):
    assert refusal(inboxes.delete_inbox, person("zofia"), inbox("Support"), "Support") == ("inbox", "default_inbox")
    assert refusal(inboxes.delete_inbox, person("zofia"), inbox("Sales"), "sales") == ("typed", "other_name")


def test_deleting_frees_the_addresses_and_keeps_the_conversations_for_those_who_could_read_them(sales):
    box = connected(address="sales@corp.example", inbox_name="Sales")
    arrive(box, letter(to="sales@corp.example"))
    with unit():
        reply = replies.reply(person("marek"), db.session.scalar(select(Conversation)), "Soon").id
        inboxes.delete_inbox(person("zofia"), inbox("Sales"), " Sales ")
    assert stored(Hold) == [] and stored(Connection)[0].state == "removed"
    assert "Sales" not in readable("marek")
    for name, sees in (("marek", 1), ("olga", 1), ("zofia", 0), ("ewa", 0)):
        assert len(db.session.scalars(visible_conversations(person(name))).all()) == sees, name
    assert noted("inbox.deleted") == [("Zofia", f"inbox-{sales}", {
        "inbox": "Sales", "addresses": ["sales@corp.example"], "conversations": 1})]
    connected("personal", "sales@corp.example", "marek")       # free for somebody else
    assert db.session.get(Outbox, reply).state == "queued"     # its job refuses it


def test_mail_that_a_job_has_in_its_hands_while_the_inbox_goes_is_not_stored(sales):
    box = connected(address="sales@corp.example", inbox_name="Sales")
    with unit():
        fence = leases.take(box)
    with unit():
        inboxes.delete_inbox(person("zofia"), inbox("Sales"), "Sales")
    with pytest.raises(leases.LeaseLost), unit():
        leases.hold_on(box, fence)
        receive.receive(db.session.get(Connection, box), folder_of(box),
                        [Fetched(1, letter(to="sales@corp.example"), now(), frozenset())])
    with unit():
        assert leases.release(box, fence, wanted=True) is False
    assert stored(Message) == []


def test_an_address_that_was_just_being_connected_holds_nothing_when_the_inbox_is_gone(sales):
    with unit():
        box = connections.begin(person("zofia"), "team", "sales@corp.example", "secret-1", inbox=inbox("Sales")).id
        inboxes.delete_inbox(person("zofia"), inbox("Sales"), "Sales")
    with pytest.raises(RuleBroken), unit():     # what its job comes to in the end
        connections.claim(db.session.get(Connection, box), "imap.corp.example sales@corp.example")
    assert (stored(Hold), stored(Connection)[0].state) == ([], "removed")
