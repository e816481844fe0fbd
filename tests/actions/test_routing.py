"""New mail is routed: once, by the rules of its inbox; and why is kept."""

from datetime import timedelta

import pytest
from mailroom import arrive, connected, conversation, inbox, letter, person, stored
from rulebook import come, cond, ids, is_away, routed, rule, to
from tabs import at_once

from webapp.actions import conversations, replies, routing
from webapp.extensions import db, unit
from webapp.jobs import routing as jobs
from webapp.models import (
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


def stored_routed():
    db.session.rollback()
    return db.session.scalars(db.select(Routed.message_id).order_by(Routed.message_id)).all()


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


def test_what_no_rule_gives_away_goes_where_the_inbox_says(box):
    rule({"do": "close"}, conditions=[cond("subject", "contains", "newsletter")])
    with unit():
        routing.set_otherwise(person("zofia"), inbox(), to("marek"))
    assert (come(box, 1).assignee.name, routed(1).facts["rule"]) == ("Marek", None)
    closed = come(box, 2, subject="Our newsletter")
    assert (closed.status, closed.assignee) == ("closed", None)


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


def test_of_two_workers_one_does_it_also_where_nobody_gets_anything(app, box):
    with unit():
        db.session.add(Tag(name="damage", key="damage"))
    rule({"do": "tag", "tag": 1})
    arrive(box, letter(Message_ID="<1@x>"))
    did = []
    at_once(app, *[lambda: did.append(routing.route(1))] * 2)
    assert sorted(did) == [False, True]


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


def test_a_reply_time_of_a_rule_is_for_that_mail_alone(box):
    rule({"do": "target", "minutes": 30}, conditions=[cond("subject", "contains", "urgent")])
    number = come(box, 1, subject="urgent", Message_ID="<1@x>").id
    assert conversation(number).within == 30
    with unit():
        conversations.close(person("zofia"), conversation(number))
    come(box, 2, subject="Thanks", In_Reply_To="<1@x>")
    assert (conversation(number).status, conversation(number).within, conversation(number).due_at) == ("open", None, None)
