"""New mail is routed: once, by the rules of its inbox, to those who are there; and why is kept."""

from datetime import date, timedelta

import pytest
from mailroom import arrive, connected, conversation, inbox, letter, person, stored
from tabs import at_once

from webapp.actions import conversations, people, regroup, replies, routing
from webapp.extensions import db, unit
from webapp.jobs import routing as jobs
from webapp.jobs import sweep
from webapp.models import (
    Absence,
    Audit,
    AutoReply,
    Contact,
    Conversation,
    Event,
    Inbox,
    InboxMember,
    Message,
    Notice,
    Route,
    Routed,
    RouteHit,
    Tag,
    Team,
    TeamMember,
    Template,
)
from webapp.models.types import now
from webapp.rules import RuleBroken


@pytest.fixture
def box(app, team):
    return connected()


def ids(*names):
    return [person(name).id for name in names]


def rule(*actions, conditions=(), match="all", go_on=False, where="Support"):
    with unit():
        return routing.save(person("zofia"), inbox(where), {
            "match": match, "conditions": list(conditions), "actions": list(actions), "go_on": go_on}).id


def cond(field, how, *values, name=""):
    return {"field": field, "how": how, "values": list(values), "name": name}


def to(*names, how="turns"):
    return {"do": "assign", "people": ids(*names), "how": how}


def come(box, n, **headers):
    """A mail comes and is routed; its conversation."""
    arrive(box, letter(**{"Message_ID": f"<{n}@customer.example>", "subject": f"Pallet {n}"} | headers), first_uid=n)
    message = stored(Message)[-1]
    jobs.route(message.id)
    db.session.rollback()
    return db.session.get(Message, message.id).conversation


def routed(number):
    db.session.rollback()
    return routing.newest_of(number)


def is_away(name, away=True):
    with unit():
        person(name).is_away = away


def test_those_who_are_named_get_one_after_the_other(box):
    rule(to("marek", "zofia"))
    assert [come(box, n).assignee.name for n in range(1, 6)] == ["Zofia", "Marek"] * 2 + ["Zofia"] or [
        come(box, n).assignee.name for n in range(6, 10)] == ["Zofia", "Marek"] * 2
    names = [c.assignee.name for c in stored(Conversation)]
    assert abs(names.count("Marek") - names.count("Zofia")) <= 1
    assert all(a != b for a, b in zip(names, names[1:], strict=False))
    [event] = stored(Event, Event.conversation_id == 1)
    assert (event.kind, event.actor_id, event.facts["rule"], event.facts["why"]) == ("routed", None, 1, "turns")


def test_whoever_has_the_fewest_open_gets_it(box):
    rule(to("marek", "zofia", how="least"))
    first = come(box, 1).assignee.name
    assert {first, come(box, 2).assignee.name} == {"Marek", "Zofia"}
    with unit():
        conversations.close(person("zofia"), conversation(1))
    assert come(box, 3).assignee.name == first


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


def test_a_team_gets_it_as_such_or_one_of_its_members(box):
    with unit():
        db.session.add(night := Team(name="Night"))
        db.session.flush()
        db.session.add(TeamMember(team_id=night.id, person_id=person("marek").id))
        number = night.id
    first = rule({"do": "team", "team": number, "how": ""}, conditions=[cond("subject", "contains", "pallet 1")])
    rule({"do": "team", "team": number, "how": "turns"})
    assert come(box, 1).team.name == "Night" and conversation(1).assignee is None
    assert (come(box, 2).assignee.name, conversation(2).team) == ("Marek", None)
    assert [e.kind for e in stored(Event)] == ["routed_team", "routed"]
    assert [h.route_id for h in db.session.query(RouteHit).order_by(RouteHit.message_id)] == [first, first + 1]


def test_the_contacts_owner_gets_it_else_the_others(box):
    come(box, 1)
    rule({"do": "owner", "people": ids("zofia"), "how": "turns"})
    assert come(box, 2).assignee.name == "Zofia"
    with unit():
        db.session.query(Contact).one().owner_id = person("marek").id
    assert come(box, 3).assignee.name == "Marek" and routed(conversation(3).id).facts["why"] == "owner"
    is_away("marek")
    assert come(box, 4).assignee.name == "Zofia"


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


def test_what_no_rule_gives_away_goes_where_the_inbox_says(box):
    rule({"do": "close"}, conditions=[cond("subject", "contains", "newsletter")])
    with unit():
        routing.set_otherwise(person("zofia"), inbox(), to("marek"))
    assert (come(box, 1).assignee.name, routed(1).facts["rule"]) == ("Marek", None)
    closed = come(box, 2, subject="Our newsletter")
    assert (closed.status, closed.assignee) == ("closed", None)


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


def test_everything_else_that_a_rule_does(box):
    with unit():
        db.session.add_all([Tag(name="damage", key="damage"), Inbox(name="Claims"),
                            Template(name="Got it", text="Dear {{contact.first_name}}, {{my.name}} has it.",
                                     made_by_id=person("zofia").id)])
    claims = inbox("Claims").id
    rule({"do": "tag", "tag": 1}, {"do": "target", "minutes": 30}, {"do": "tell", "people": ids("zofia")},
         {"do": "answer", "template": 1}, go_on=True)
    rule({"do": "move", "inbox": claims}, to("marek"), conditions=[cond("words", "contains", "broken")])
    made = come(box, 1)
    assert ([t.name for t in made.tags], made.within, made.inbox.name, made.assignee.name) == (
        ["damage"], 30, "Claims", "Marek")
    assert made.due_at == made.asked_at + timedelta(minutes=30)
    [notice] = stored(Notice, Notice.kind == "routed")
    assert notice.person_id == person("zofia").id and notice.facts["rule"] == 1
    [ours] = stored(Message, Message.outgoing)
    assert "Dear Anna, Support has it." in ours.text and ours.auto and len(stored(AutoReply)) == 1
    assert [e.kind for e in stored(Event)] == ["moved_inbox", "tagged", "routed"]
    assert [d["do"] for d in routed(1).facts["did"]] == ["move", "tag", "target", "answer", "tell"]


@pytest.mark.parametrize("action, status, whose", [
    ({"do": "spam"}, "spam", None), ({"do": "close"}, "closed", None),
    ({"do": "snooze", "hours": "3"}, "snoozed", "Marek")])
def test_what_is_over_is_nobodys_and_what_is_put_off_somebodys(box, action, status, whose):
    rule(action, to("marek"))
    made = come(box, 1)
    assert (made.status, made.assignee and made.assignee.name) == (status, whose)


def test_an_answer_by_a_rule_is_under_the_same_caps_and_the_only_one(box):
    with unit():
        db.session.add(Template(name="Got it", text="We have it.", made_by_id=person("zofia").id))
        inbox().auto_first, inbox().auto_first_text = True, "By the inbox."
    rule({"do": "answer", "template": 1})
    for n in (1, 2):
        number = come(box, n).id
        from webapp.jobs import autoreply as answering
        answering.answer(stored(Message, ~Message.outgoing)[-1].id)
        assert number
    come(box, 3, sender="robot@x.example", Auto_Submitted="auto-generated")
    assert [m.text for m in stored(Message, Message.outgoing)] == ["We have it."]
    assert routed(2).facts["failed"][0]["do"] == "answer"


def test_it_is_done_once_whoever_asks_again(app, box):
    rule(to("marek", "zofia"))
    arrive(box, letter(Message_ID="<1@x>"))
    at_once(app, lambda: routing.route(1), lambda: routing.route(1))
    assert routing.route(1) is False
    assert len(stored(Event)) == 1


def test_two_workers_give_no_turn_away_twice(app, box):
    rule(to("marek", "zofia"))
    for n in range(1, 9):
        arrive(box, letter(Message_ID=f"<{n}@x>", subject=f"P {n}"), first_uid=n)
    for n in range(1, 9, 2):
        at_once(app, lambda n=n: routing.route(n), lambda n=n: routing.route(n + 1))
    names = [c.assignee.name for c in stored(Conversation)]
    assert (names.count("Marek"), names.count("Zofia")) == (4, 4)


def test_a_lost_job_is_found_again(box):
    rule(to("marek"))
    arrive(box, letter(Message_ID="<1@x>"))
    assert db.session.scalars(routing.due()).all() == [1]


def test_history_later_mail_and_what_somebody_has_are_not_routed(box):
    rule(to("marek"))
    arrive(box, letter(Message_ID="<1@x>"), at=now() - timedelta(days=2))
    assert stored_routed() == []
    made = come(box, 2, Message_ID="<2@x>")
    with unit():
        conversations.assign(person("zofia"), conversation(made.id), None)
    come(box, 3, Message_ID="<3@x>", In_Reply_To="<2@x>")
    assert stored_routed() == [2] and conversation(made.id).assignee is None
    with unit():
        conversations.close(person("zofia"), conversation(made.id))
    assert come(box, 4, Message_ID="<4@x>", In_Reply_To="<2@x>").assignee.name == "Marek", "it was opened again"
    with unit():
        replies.reply(person("zofia"), conversation(made.id), "Hello")
    come(box, 5, Message_ID="<5@x>", In_Reply_To="<2@x>")
    assert stored_routed() == [2, 4]


def stored_routed():
    db.session.rollback()
    return db.session.scalars(db.select(Routed.message_id).order_by(Routed.message_id)).all()


def test_without_rules_nothing_is_noted(box):
    come(box, 1)
    assert stored_routed() == []


def test_somebody_was_faster(box):
    rule(to("marek"))
    arrive(box, letter(Message_ID="<1@x>"))
    with unit():
        conversations.assign(person("zofia"), conversation(1), person("zofia"))
    jobs.route(1)
    assert conversation(1).assignee.name == "Zofia" and routed(1).facts["why"] == "taken"


def test_why_is_kept_as_it_was(box):
    rule({"do": "close"}, conditions=[cond("subject", "contains", "invoice", "bill")])
    second = rule(to("marek"), conditions=[cond("words", "contains", "broken"), cond("files", "none")])
    come(box, 1)
    with unit():
        routing.remove(person("zofia"), inbox(), db.session.get(Route, second))
    one, two = routed(1).facts["steps"]
    assert (one["verdict"], one["found"]) == ("failed", [[cond("subject", "contains", "invoice", "bill"), None]])
    assert (two["n"], two["verdict"], two["found"][0][1]) == (2, "matched", "broken")


def test_what_a_rule_names_and_is_gone_is_kept_too(box):
    with unit():
        db.session.add(Tag(name="damage", key="damage"))
    rule({"do": "tag", "tag": 1}, to("marek"))
    with unit():
        db.session.delete(db.session.get(Tag, 1))
    assert come(box, 1).assignee.name == "Marek"
    assert [f["do"] for f in routed(1).facts["failed"]] == ["tag"]


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


def test_rules_are_an_admins_and_in_the_log(box):
    with pytest.raises(RuleBroken) as broken:
        routing.save(person("marek"), inbox(), {"match": "all", "conditions": [], "actions": [to("marek")]})
    assert broken.value.code == "admins_only_here"
    db.session.rollback()
    numbers = [rule(to(name)) for name in ("marek", "zofia", "marek")]
    with unit():
        routing.move(person("zofia"), inbox(), db.session.get(Route, numbers[2]), 1)
        routing.switch(person("zofia"), inbox(), db.session.get(Route, numbers[0]), False)
        routing.set_limit(person("zofia"), inbox(), "5")
    assert [r.id for r in routing.rules_of(inbox().id)] == [numbers[2], numbers[0], numbers[1]]
    assert [a.action for a in stored(Audit) if a.action.startswith("route.")] == [
        "route.saved"] * 3 + ["route.moved", "route.switched", "route.limit"]


@pytest.mark.parametrize("action, code", [
    (lambda: {"do": "assign", "people": [person("marek").id, 999]}, "no_access"),
    (lambda: {"do": "team", "team": 999}, "no_choice"), (lambda: {"do": "move", "inbox": inbox().id}, "no_choice"),
    (lambda: {"do": "tag", "tag": 99}, "no_choice")])
def test_a_rule_that_names_what_is_not_there_is_refused(box, action, code):
    with pytest.raises(RuleBroken) as broken:
        rule(action())
    assert (broken.value.field, broken.value.code) == ("action0", code)


def test_header_language_and_files_are_read_from_what_is_stored(box):
    rule(to("marek"), conditions=[cond("header", "contains", "highest", name="X-Priority"), cond("language", "is", "de"),
                                  cond("files", "contains", ".pdf"), cond("recipient", "is", "corp.example")])
    made = come(box, 1, X_Priority="1 (Highest)", text="Guten Tag, meine Lieferung ist leider beschädigt angekommen.",
                files=[("Rechnung.pdf", "application/pdf", b"x")])
    assert made.assignee.name == "Marek"
    assert come(box, 2).assignee is None


def test_known_and_new_contacts(box):
    rule(to("zofia"), conditions=[cond("contact", "new")])
    rule(to("marek"), conditions=[cond("contact", "known")])
    assert [come(box, n).assignee.name for n in (1, 2)] == ["Zofia", "Marek"]




# --- what a review found

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


def test_what_a_rule_moves_goes_where_the_other_inbox_says(box):
    with unit():
        db.session.add(Inbox(name="Claims"))
    with unit():
        routing.set_otherwise(person("zofia"), inbox(), to("marek"))
        routing.set_otherwise(person("zofia"), inbox("Claims"), to("zofia"))
    rule({"do": "move", "inbox": inbox("Claims").id})
    assert come(box, 1).assignee.name == "Zofia" and routed(1).facts["inbox"] == inbox().id


def test_two_inboxes_that_move_to_the_same_give_no_turn_twice(app, box):
    with unit():
        db.session.add(Inbox(name="Claims"))
    other = connected(address="sales@corp.example", inbox_name="Claims")
    move = {"do": "move", "inbox": inbox("Claims").id}
    rule(move, to("marek", "zofia"))
    rule(to("marek", "zofia"), where="Claims")
    for n in range(1, 7):
        arrive(box if n % 2 else other, letter(Message_ID=f"<{n}@x>", subject=f"P {n}"), first_uid=n)
    for n in range(1, 7, 2):
        at_once(app, lambda n=n: routing.route(n), lambda n=n: routing.route(n + 1))
    names = [c.assignee.name for c in stored(Conversation)]
    assert (names.count("Marek"), names.count("Zofia")) == (3, 3)


def test_an_admin_who_does_not_read_an_inbox_lets_no_rule_take_mail_out_of_it(box):
    with unit():
        db.session.add(Inbox(name="Claims"))
        inbox().access = "members"
        db.session.flush()
        db.session.add(InboxMember(inbox_id=inbox().id, person_id=person("marek").id))
    with pytest.raises(RuleBroken) as broken:
        rule({"do": "move", "inbox": inbox("Claims").id})
    assert broken.value.code == "join_first"
    db.session.rollback()
    first = rule({"do": "close"})
    with unit():        # of somebody who may
        db.session.add(Route(inbox_id=inbox().id, position=9, match="all", conditions=[], go_on=False,
                             actions=[{"do": "move", "inbox": inbox("Claims").id}]))
    for change in (lambda: routing.remove(person("zofia"), inbox(), db.session.get(Route, first)),
                   lambda: routing.switch(person("zofia"), inbox(), db.session.get(Route, first), False),
                   lambda: routing.move(person("zofia"), inbox(), db.session.get(Route, first), 2)):
        with pytest.raises(RuleBroken) as broken, unit():
            change()
        assert broken.value.code == "join_first"


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


def absent(name):
    with unit():
        db.session.add(Absence(person_id=person(name).id, first=date(2020, 1, 1), last=date(2099, 1, 1), hand_over=True))
    sweep.waiting()


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


def test_a_reply_time_of_a_rule_is_for_that_mail_alone(box):
    rule({"do": "target", "minutes": 30}, conditions=[cond("subject", "contains", "urgent")])
    number = come(box, 1, subject="urgent", Message_ID="<1@x>").id
    assert conversation(number).within == 30
    with unit():
        conversations.close(person("zofia"), conversation(number))
    come(box, 2, subject="Thanks", In_Reply_To="<1@x>")
    assert (conversation(number).status, conversation(number).within, conversation(number).due_at) == ("open", None, None)
