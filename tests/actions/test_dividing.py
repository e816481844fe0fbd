"""Who gets what is routed: those who are there. What nobody can get waits, and what is left behind is handed over."""

from datetime import date, timedelta

import pytest
from mailroom import connected, conversation, inbox, person, stored
from rulebook import come, cond, ids, is_away, routed, rule, to

from webapp.actions import conversations, people, regroup, routing
from webapp.extensions import db, unit
from webapp.jobs import sweep
from webapp.models import (
    Absence,
    Contact,
    Conversation,
    Event,
    Inbox,
    InboxMember,
    Notice,
    Routed,
    Team,
    TeamMember,
)
from webapp.models.types import now


@pytest.fixture
def box(app, team):
    return connected()


def absent(name):
    with unit():
        db.session.add(Absence(person_id=person(name).id, first=date(2020, 1, 1), last=date(2099, 1, 1), hand_over=True))
    sweep.waiting()


def test_nobody_is_there_so_it_waits_and_the_oldest_goes_first(box):
    rule(to("marek"))
    is_away("marek")
    one, two = come(box, 1).id, come(box, 2).id
    assert conversation(one).assignee is None and routed(one).facts["why"] == "nobody_available"
    sweep.waiting()
    assert conversation(one).assignee is None
    is_away("marek", False)
    with unit():
        inbox().open_most = 1
    sweep.waiting()
    assert (conversation(one).assignee.name, conversation(two).assignee) == ("Marek", None)
    with unit():
        conversations.close(person("marek"), conversation(one))
    sweep.waiting()
    assert conversation(two).assignee.name == "Marek" and routed(two).facts["to"] == person("marek").id
    assert db.session.scalars(routing.inboxes_that_wait()).all() == []


def test_what_somebody_took_on_meanwhile_waits_no_longer(box):
    rule(to("marek"))
    is_away("marek")
    number = come(box, 1).id
    with unit():
        conversations.assign(person("zofia"), conversation(number), person("zofia"))
    is_away("marek", False)
    sweep.waiting()
    assert conversation(number).assignee.name == "Zofia" and routed(number).waits is None


@pytest.mark.parametrize("why", ["absent", "off_hours", "viewer", "deactivated", "no_access"])
def test_who_is_not_there_or_may_not_gets_nothing(box, why):
    rule(to("marek", "zofia"))
    with unit():
        marek = person("marek")
        if why == "absent":
            db.session.add(Absence(person_id=marek.id, first=now().date() - timedelta(days=2),
                                   last=now().date() + timedelta(days=2)))
        elif why == "off_hours":
            marek.hours = {"zone": "UTC", "days": [[]] * 7}
        elif why == "viewer":
            marek.role = "viewer"
        elif why == "deactivated":
            people.deactivate(person("zofia"), marek)
        else:
            inbox().access = "members"
            db.session.add(InboxMember(inbox_id=inbox().id, person_id=person("zofia").id))
    assert [come(box, n).assignee.name for n in range(1, 4)] == ["Zofia"] * 3


def test_without_anybody_else_it_waits_for_the_owner(box):
    come(box, 1)
    with unit():
        db.session.query(Contact).one().owner_id = person("marek").id
    rule({"do": "owner", "people": [], "how": "turns"})
    is_away("marek")
    number = come(box, 2).id
    is_away("marek", False)
    sweep.waiting()
    assert conversation(number).assignee.name == "Marek"


def test_somebody_is_reminded_of_what_is_nobodys(box):
    with unit():
        routing.set_otherwise(person("zofia"), inbox(), {"do": "leave", "people": ids("zofia"), "minutes": "30"})
    one, two = come(box, 1).id, come(box, 2).id
    sweep.waiting()
    assert stored(Notice, Notice.kind == "unassigned") == [] and conversation(one).assignee is None
    with unit():
        conversations.assign(person("marek"), conversation(two), person("marek"))
        db.session.execute(db.update(Routed).values(remind_at=now()))
    sweep.waiting()
    sweep.waiting()
    [notice] = stored(Notice, Notice.kind == "unassigned")
    assert (notice.person_id, notice.facts["conversation"]) == (person("zofia").id, one)


def test_who_goes_on_leave_hands_over(box):
    rule(to("marek", "zofia"))
    for n in range(1, 5):
        come(box, n)
    mine = [c.id for c in stored(Conversation, Conversation.assignee_id == person("marek").id)]
    with unit():
        db.session.add(Absence(person_id=person("marek").id, first=date(2020, 1, 1), last=date(2099, 1, 1),
                               hand_over=True))
    sweep.waiting()
    assert len(mine) == 2 and {conversation(i).assignee.name for i in mine} == {"Zofia"}
    assert [e.kind for e in stored(Event, Event.conversation_id == mine[0])] == ["routed", "handed_over", "routed"]
    sweep.waiting()
    assert len(stored(Event)) == 8


def test_those_who_wait_for_somebody_else_keep_nobody_from_theirs(box, monkeypatch):
    monkeypatch.setattr("webapp.actions.routing.dividing.AT_ONCE", 2)
    rule(to("marek"), conditions=[cond("subject", "contains", "marek")])
    rule(to("zofia"))
    is_away("marek")
    is_away("zofia")
    waiting = [come(box, n, subject=f"marek {n}").id for n in range(1, 5)]
    last = come(box, 9).id
    is_away("zofia", False)
    sweep.waiting()
    assert conversation(last).assignee.name == "Zofia"
    assert all(conversation(n).assignee is None for n in waiting)


def test_who_can_act_no_more_is_not_waited_for(box):
    rule(to("marek"))
    with unit():
        person("marek").role = "viewer"
    come(box, 1)
    assert routed(1).facts["why"] == "nobody_there" and routed(1).waits is None


def test_nobody_is_reminded_of_what_lies_elsewhere_by_now(box):
    with unit():
        db.session.add(Inbox(name="Secret", access="members"))
        routing.set_otherwise(person("zofia"), inbox(), {"do": "leave", "people": ids("marek"), "minutes": "30"})
    number = come(box, 1).id
    with unit():
        conversations.move(person("zofia"), conversation(number), inbox("Secret"))
        db.session.execute(db.update(Routed).values(remind_at=now()))
    sweep.waiting()
    assert stored(Notice, Notice.kind == "unassigned") == []


@pytest.mark.parametrize("pass_by", [
    lambda c: (conversations.snooze(person("zofia"), c, now() + timedelta(days=1)), None),
    lambda c: (conversations.close(person("zofia"), c), None)], ids=["snoozed", "closed"])
def test_what_passes_puts_waiting_off_and_ends_it_not(box, pass_by):
    rule(to("marek"))
    is_away("marek")
    number = come(box, 1).id
    with unit():
        pass_by(conversation(number))
    sweep.waiting()
    with unit():
        conversations.reopen(person("zofia"), conversation(number))
    is_away("marek", False)
    sweep.waiting()
    assert conversation(number).assignee.name == "Marek"


def test_what_waits_goes_along_when_it_is_split_and_merged(box):
    rule(to("marek"))
    is_away("marek")
    number = come(box, 1, Message_ID="<1@x>").id
    other = come(box, 2).id
    with unit():
        regroup.merge(person("zofia"), conversation(number), conversation(other))
    is_away("marek", False)
    sweep.waiting()
    assert conversation(other).assignee.name == "Marek" and routing.newest_of(other) is not None


def test_in_a_deleted_inbox_nothing_is_given_away(box):
    rule(to("marek"))
    is_away("marek")
    number = come(box, 1).id
    with unit():
        inbox().deleted_at = now()
    is_away("marek", False)
    sweep.waiting()
    assert conversation(number).assignee is None


def test_what_is_handed_over_says_why_and_waits_where_it_lies(box):
    with unit():
        db.session.add(Inbox(name="Claims"))
    rule(to("marek", "zofia"))
    names = {come(box, n).assignee.name: n for n in (1, 2)}
    is_away("zofia")
    with unit():
        conversations.move(person("zofia"), conversation(names["Marek"]), inbox("Claims"))
    absent("marek")
    kept = routed(names["Marek"])
    assert (kept.inbox_id, kept.waits["people"], kept.facts.get("to")) == (
        inbox("Claims").id, sorted(ids("marek", "zofia")), None)
    is_away("zofia", False)
    sweep.waiting()
    assert conversation(names["Marek"]).assignee.name == "Zofia"
    assert routed(names["Marek"]).facts["to"] == person("zofia").id


def test_what_a_team_has_is_the_teams_again(box):
    with unit():
        db.session.add(night := Team(name="Night"))
        db.session.flush()
        db.session.add_all([TeamMember(team_id=night.id, person_id=i) for i in ids("marek", "zofia")])
    rule({"do": "team", "team": 1, "how": ""})
    number = come(box, 1).id
    with unit():
        conversations.assign(person("marek"), conversation(number), person("marek"))
    absent("marek")
    assert (conversation(number).assignee, conversation(number).team.name) == (None, "Night")
