"""What people do with a conversation is told in its history, counted exactly, and can be taken back."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from mailroom import arrive, conversation, inbox, letter, person, stored
from sqlalchemy import delete, func, select

from webapp.actions import acts, conversations, inboxes, people, regroup, replies, tags, tallies, teams
from webapp.extensions import db, unit
from webapp.jobs import sweep
from webapp.models import Connection, Conversation, ConversationTag, Event, Seen, Tag, Tally, Team
from webapp.models.tally import counts
from webapp.models.types import now
from webapp.rules import RuleBroken
from webapp.rules.bounds import CONVERSATION_STATES, TAGS_MAX

SOON = timedelta(hours=2)


def do(number, act, *more, by="zofia"):
    """One click; its name."""
    name = acts.new_act()
    with unit():
        act(person(by), conversation(number), *more, name)
    return name


def back(name, by="zofia"):
    with unit():
        return [acts.take_back(person(by), conversation(e.conversation_id), e) for e in acts.events_of(person(by), name)]


def kinds(number):
    return [e.kind for e in stored(Event, Event.conversation_id == number)]


@pytest.mark.parametrize(("act", "status", "kind"), [
    (conversations.close, "closed", "closed"), (conversations.mark_spam, "spam", "spam"),
    (conversations.throw_away, "trash", "trashed")])
def test_each_status_can_be_taken_back(one, act, status, kind):
    name = do(one, act)
    assert conversation(one).status == status
    assert back(name) == [True]
    assert conversation(one).status == "open" and kinds(one) == [kind, "taken_back"]
    assert back(name) == [False], "once"


def test_a_snooze_ends_by_itself_by_an_answer_or_by_hand(one, box):
    until = (now() + SOON).astimezone()
    name = do(one, conversations.snooze, until)
    assert conversation(one).status == "snoozed" and conversation(one).snoozed_until == until
    assert back(name) == [True] and conversation(one).snoozed_until is None
    do(one, conversations.snooze, now() + timedelta(seconds=0.2))
    sweep.snoozed()
    assert conversation(one).status == "snoozed"
    with unit():
        conversation(one).snoozed_until = now() - timedelta(seconds=1)
    sweep.snoozed()
    sweep.snoozed()
    assert conversation(one).status == "open" and conversation(one).woke_at and kinds(one).count("woke") == 1
    do(one, conversations.snooze, None)
    arrive(box, letter(Message_ID="<2@x>", In_Reply_To="<1@x>"), first_uid=2, at=now() + timedelta(seconds=1))
    assert conversation(one).status == "open" and kinds(one)[-1] == "woke_by_mail"
    do(one, conversations.snooze, now() + SOON)
    do(one, conversations.reopen)
    assert conversation(one).status == "open" and conversation(one).snoozed_until is None and kinds(one)[-1] == "unsnoozed"
    with pytest.raises(RuleBroken):
        do(one, conversations.snooze, now() - SOON)


def test_a_robot_wakes_nobody(one, box):
    do(one, conversations.snooze, None)
    arrive(box, letter(Message_ID="<3@x>", In_Reply_To="<1@x>", Auto_Submitted="auto-replied"), first_uid=3)
    assert conversation(one).status == "snoozed"


def test_an_answer_waits_for_the_customer_and_theirs_opens_it_again(one, box):
    with unit():
        replies.reply(person("marek"), conversation(one), "It is on its way.")
    assert (conversation(one).status, conversation(one).assignee_id, conversation(one).last_out_at is not None) == ("waiting", person("marek").id, True)
    arrive(box, letter(Message_ID="<4@x>", In_Reply_To="<1@x>"), first_uid=4, at=now() + timedelta(seconds=1))
    assert conversation(one).status == "open" and "reopened_by_mail" not in kinds(one)


def test_what_is_thrown_away_comes_back_with_an_answer_and_spam_does_not(one, box):
    for act, then in ((conversations.throw_away, "open"), (conversations.mark_spam, "spam")):
        do(one, act)
        uid = 10 + len(stored(Event))
        arrive(box, letter(Message_ID=f"<{uid}@x>", In_Reply_To="<1@x>"), first_uid=uid, at=now() + timedelta(seconds=1))
        assert conversation(one).status == then


def test_somebody_has_it_or_a_team_and_all_of_it_goes_back(one):
    with unit():
        crew = teams.create_team(person("zofia"), "Crew")
        number = crew.id
    first = do(one, conversations.assign, person("marek"))
    second = do(one, conversations.assign_team, db.session.get(type(crew), number))
    assert (conversation(one).assignee_id, conversation(one).team_id) == (None, number)
    assert back(second) == [True] and (conversation(one).assignee_id, conversation(one).team_id) == (person("marek").id, None)
    assert back(first) == [True] and conversation(one).assignee_id is None
    assert kinds(one) == ["assigned", "assigned_team", "taken_back", "taken_back"]


def test_what_a_colleague_changed_since_stays(one):
    name = do(one, conversations.assign, person("marek"))
    do(one, conversations.assign, person("zofia"), by="marek")
    assert back(name) == [False] and conversation(one).assignee_id == person("zofia").id
    assert acts.events_of(person("marek"), name) == [], "and nobody takes back another's click"


def _moved_from_board(one):
    """Zofia moves Marek's conversation out of Board, where both may act."""
    with unit():
        inboxes.create_inbox(person("zofia"), "Board")
        conversations.move(person("zofia"), conversation(one), inbox("Board"))
    do(one, conversations.assign, person("marek"))
    return do(one, conversations.move, inbox())


def _taken_off_marek(one):
    do(one, conversations.assign, person("marek"))
    return do(one, conversations.assign, None)


def _taken_off_team(one):
    with unit():
        crew = teams.create_team(person("zofia"), "Crew")
        conversations.assign_team(person("zofia"), conversation(one), crew)
    return do(one, conversations.assign_team, None)


def _tag_taken_off(one):
    do(one, tags.tag, "late")
    return do(one, tags.untag, stored(Tag)[0])


def _merge_away(one):
    arrive(stored(Connection)[0].id, letter(Message_ID="<9@x>", subject="Other"), first_uid=9)
    other = conversation(stored(Conversation)[1].id)
    conversations.close(person("zofia"), other)
    regroup.merge(person("zofia"), conversation(one), other)


def _fill_with_tags(one):
    for n in range(TAGS_MAX):
        tags.tag(person("zofia"), conversation(one), f"tag {n}")


@pytest.mark.parametrize(("click", "meanwhile"), [
    (_moved_from_board, lambda _one: inboxes.delete_inbox(person("zofia"), inbox("Board"), "Board")),
    (_moved_from_board, lambda _one: setattr(inbox("Board"), "access", "members")),
    (_taken_off_marek, lambda _one: people.deactivate(person("zofia"), person("marek"))),
    (_taken_off_marek, lambda _one: people.set_role(person("zofia"), person("marek"), "viewer")),
    (_taken_off_team, lambda _one: teams.delete_team(person("zofia"), stored(Team)[0])),
    (_tag_taken_off, lambda _one: db.session.execute(delete(Tag))), (_tag_taken_off, _fill_with_tags),
    (lambda one: do(one, conversations.close), _merge_away)],
    ids=["inbox gone", "inbox closed to the actor", "assignee gone", "assignee reads only", "team gone", "tag gone",
         "many tags", "merged"])
def test_what_may_not_be_any_more_is_not_brought_back(one, click, meanwhile):
    name = click(one)
    with unit():
        meanwhile(one)
    before = [acts.as_it_is(c) for c in stored(Conversation)]
    with unit():
        [event] = acts.events_of(person("zofia"), name)
        found = conversation(event.conversation_id)
        assert acts.take_back(person("zofia"), conversation(found.merged_into_id or found.id), event) is False
    assert [acts.as_it_is(c) for c in stored(Conversation)] == before and "taken_back" not in kinds(one)


def test_what_went_back_is_seen_at_once_where_it_went(one):
    with unit():
        inboxes.create_inbox(person("zofia"), "Board")
    name = do(one, conversations.move, inbox("Board"))
    with unit():
        found = conversation(one)
        assert found.inbox.name == "Board"
        assert acts.take_back(person("zofia"), found, acts.events_of(person("zofia"), name)[0])
        assert found.inbox.name == "Support"


def test_tags_are_one_however_they_are_written(one):
    name = do(one, tags.tag, "  #Pilne ")
    do(one, tags.tag, "PILNE")
    assert [t.name for t in stored(Tag)] == ["Pilne"] and [t.name for t in conversation(one).tags] == ["Pilne"]
    assert back(name) == [True] and conversation(one).tags == []
    do(one, tags.tag, "pilne")
    off = do(one, tags.untag, stored(Tag)[0])
    assert conversation(one).tags == [] and back(off) == [True] and len(conversation(one).tags) == 1
    for bad in ("", " # ", "x" * 41):
        with pytest.raises(RuleBroken):
            do(one, tags.tag, bad)
    for n in range(30):
        try:
            do(one, tags.tag, f"tag {n}")
        except RuleBroken as broken:
            assert broken.code == "many_tags" and n == 19
            break
    else:
        pytest.fail("no end of tags")


def test_it_moves_to_another_inbox_and_later_mail_follows(one, box):
    with unit():
        inboxes.create_inbox(person("zofia"), "Claims")
    name = do(one, conversations.move, inbox("Claims"))
    arrive(box, letter(Message_ID="<7@x>", In_Reply_To="<1@x>", subject="Re: Broken pallet"), first_uid=7)
    assert conversation(one).inbox_id == inbox("Claims").id and conversation(one).message_count == 2 and len(stored(Conversation)) == 1
    with unit():
        replies.reply(person("marek"), conversation(one), "Ours now.")
    arrive(box, letter(Message_ID="<8@x>", In_Reply_To=f"<{stored(Conversation)[0].id}@none>", References="<7@x>"), first_uid=8)
    assert conversation(one).message_count == 4
    assert back(name) == [True] and conversation(one).inbox_id == inbox("Support").id
    with pytest.raises(RuleBroken):
        do(one, conversations.move, inbox("Support"))


def test_who_may_not_act_there_loses_it_when_it_moves(one):
    with unit():
        inboxes.create_inbox(person("zofia"), "Board")
        inbox("Board").access = "members"
    do(one, conversations.assign, person("marek"))
    do(one, conversations.move, inbox("Board"))
    assert conversation(one).assignee_id is None


def test_read_again_from_here_on(one, box):
    arrive(box, *(letter(Message_ID=f"<{n}@x>", In_Reply_To="<1@x>") for n in (20, 21)), first_uid=20, at=now() + SOON)
    with unit():
        conversations.see(person("zofia"), conversation(one))
    from webapp.models import Message
    second = stored(Message)[1]
    with unit():
        conversations.mark_unread(person("zofia"), conversation(one), db.session.get(Message, second.id))
    assert stored_seen("zofia") == stored(Message)[0].id
    with unit():
        conversations.mark_unread(person("zofia"), conversation(one), db.session.get(Message, stored(Message)[0].id))
    assert stored_seen("zofia") == 0


def stored_seen(name):
    db.session.rollback()
    return db.session.scalar(select(Seen.last_in_id).where(Seen.person_id == person(name).id))


def counted():
    """{(inbox, status, assignee): n} by the tallies, without zeros; and by counting."""
    db.session.rollback()
    ids = [i.id for i in db.session.scalars(select(type(inbox())))]
    told = {(i, s, a): int(n) for i, s, a, n in db.session.execute(counts(ids, CONVERSATION_STATES)) if n}
    there = {(i, s, a or 0): n for i, s, a, n in db.session.execute(select(
        Conversation.inbox_id, Conversation.status, Conversation.assignee_id, func.count())
        .group_by(Conversation.inbox_id, Conversation.status, Conversation.assignee_id))}
    return told, there


def test_counts_are_exact_whatever_happens(box):
    dice = random.Random(7)
    with unit():
        inboxes.create_inbox(person("zofia"), "Claims")
    arrive(box, *(letter(Message_ID=f"<{n}@x>") for n in range(25)))
    ids = [c.id for c in stored(Conversation)]
    for _round in range(60):
        number, act = dice.choice(ids), dice.choice((
            lambda a, c: conversations.close(a, c), lambda a, c: conversations.reopen(a, c),
            lambda a, c: conversations.snooze(a, c, now() + SOON), lambda a, c: conversations.mark_spam(a, c),
            lambda a, c: conversations.assign(a, c, person(dice.choice(("zofia", "marek")))),
            lambda a, c: conversations.assign(a, c, None), lambda a, c: replies.reply(a, c, "Yes"),
            lambda a, c: c.inbox_id == inbox("Claims").id or conversations.move(a, c, inbox("Claims"))))
        with unit():
            act(person("zofia"), conversation(number))
        if dice.random() < 0.1:
            with unit():
                tallies.fold()
    told, there = counted()
    assert told == there
    with unit():
        tallies.fold()
    assert counted()[0] == there and len(stored(Tally)) == len(there)


def test_what_was_rolled_back_is_not_counted(one):
    with pytest.raises(RuntimeError), unit():
        conversations.close(person("zofia"), conversation(one))
        raise RuntimeError
    told, there = counted()
    assert told == there == {(inbox().id, "open", 0): 1}


def test_a_conversation_that_is_merged_away_leaves_its_tags_and_followers_to_the_other(one, box):
    from webapp.actions import notes
    from webapp.models import Follower, Note
    arrive(box, letter(Message_ID="<50@x>", subject="Other"), first_uid=50)
    other = stored(Conversation)[1].id
    do(other, tags.tag, "late")
    with unit():
        conversations.follow(person("marek"), conversation(other))
        notes.write(person("zofia"), conversation(other), "Look here")
    with unit():
        regroup.merge(person("zofia"), conversation(other), conversation(one))
    assert [t.name for t in conversation(one).tags] == ["late"] and db.session.scalar(select(func.count()).select_from(ConversationTag)) == 2
    db.session.rollback()
    assert {f.conversation_id for f in db.session.scalars(select(Follower))} == {one, other}
    assert [n.conversation_id for n in stored(Note)] == [one]
    with unit():
        event = next(e for e in db.session.scalars(select(Event)) if e.kind == "merged_in")
        regroup.put_back(person("zofia"), event)
    assert [n.conversation_id for n in stored(Note)] == [other]


def test_when_a_snooze_ends_it_is_said_in_utc(one):
    do(one, conversations.snooze, datetime.now(UTC) + SOON)
    [event] = stored(Event)
    assert event.facts["now"]["snoozed_until"] == event.facts["until"]
