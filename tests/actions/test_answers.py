"""Who waits for an answer, until when it is due, and what is kept of it."""

from datetime import UTC, datetime, timedelta

import pytest
from mailroom import arrive, connected, inbox, letter, person, stored

from webapp.actions import acts, answers, automatic, conversations, outbox, regroup, replies
from webapp.extensions import db, unit
from webapp.jobs import sweep
from webapp.jobs.targets import recompute
from webapp.live import versions
from webapp.mail.types import Sent
from webapp.models import Answer, Closing, Connection, Conversation, Event, Inbox, Message, Outbox
from webapp.models.types import now

HOUR = timedelta(hours=1)
T = None        # when the first mail comes, set for each test


@pytest.fixture(autouse=True)
def _soon_an_hour_ago():
    """Mail from before an hour ago is history."""
    global T
    T = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=50)


@pytest.fixture
def box(app, team):
    """Support answers first mail within an hour, later mail within four."""
    box = connected()
    with unit():
        inbox().first_within, inbox().later_within = 60, 240
    return box


def write(n, answers_to=None, sender="Anna <anna@customer.example>", **headers):
    return letter(sender=sender, Message_ID=f"<{n}@customer.example>",
                  In_Reply_To=f"<{answers_to}>" if answers_to else None, **headers)


def own(n, answers_to):
    """Somebody answers in another mail program."""
    return letter(sender="support@corp.example", to="anna@customer.example", Message_ID=f"<{n}@corp.example>",
                  In_Reply_To=f"<{answers_to}>")


def the(number=1):
    db.session.rollback()
    return db.session.get(Conversation, number)


def reply(conversation_id=1, who="marek", leaves=True, **how):
    with unit():
        row_id = replies.reply(person(who), the(conversation_id), "Hello", **how).id
    if leaves:
        leave(row_id)
    return row_id


def leave(row_id):
    with unit():
        row = outbox.claim(row_id)
        outbox.data_sent(row_id, row.attempts)
        outbox.sent(row, Sent(tuple(r.address for r in row.recipients), {}))


def test_a_first_mail_is_due_and_writing_again_puts_nothing_off(box):
    arrive(box, write(1), at=T)
    assert (the().asked_at, the().due_at) == (T, T + HOUR)
    arrive(box, write(2, "1@customer.example"), first_uid=2, at=T + timedelta(minutes=30))
    assert (the().message_count, the().asked_at, the().due_at) == (2, T, T + HOUR)


def test_an_answer_clears_it_and_is_kept_when_it_leaves(box, team):
    arrive(box, write(1), at=T)
    row_id = reply(leaves=False)
    assert (the().asked_at, the().due_at, stored(Answer)) == (None, None, [])
    leave(row_id)
    [kept] = stored(Answer)
    assert (kept.person_id, kept.asked_at, kept.is_first, kept.target, kept.in_time) == (team.marek, T, True, 60, True)
    assert kept.answered_at == stored(Outbox)[0].sent_at and kept.seconds == int((kept.answered_at - T).total_seconds())
    with unit():
        answers.left(stored(Outbox)[0])     # told twice, kept once
    assert len(stored(Answer)) == 1


def test_later_answers_have_their_own_target(box):
    arrive(box, write(1), at=T)
    reply()
    again = now().replace(microsecond=0)
    with unit():        # as if our answer had left a while ago
        db.session.get(Message, 2).at = T + timedelta(minutes=10)
        the().last_out_at = T + timedelta(minutes=10)
    arrive(box, write(2, "1@customer.example"), first_uid=2, at=again)
    assert (the().asked_at, the().due_at) == (again, again + 4 * HOUR)


@pytest.mark.parametrize("headers", [{"Auto_Submitted": "auto-replied"}, {"List_Id": "<news.example>"},
                                     {"Precedence": "bulk"}, {"Return_Path": "<>"}])
def test_robots_and_lists_wait_for_nothing(box, headers):
    arrive(box, write(1, **headers), at=T)
    assert (the().asked_at, the().due_at) == (None, None)


def test_history_waits_for_nothing(box):
    arrive(box, write(1), at=T - 2 * HOUR)
    assert (the().status, the().asked_at) == ("open", None)


def test_what_a_machine_of_ours_writes_answers_nothing(box):
    with unit():
        inbox().auto_first, inbox().auto_first_text = True, "We have got it."
    arrive(box, write(1))
    from webapp.jobs import autoreply
    autoreply.answer(1)
    leave(stored(Outbox)[0].id)
    assert the().due_at and stored(Answer) == []


def test_a_refused_answer_is_none(box):
    arrive(box, write(1), at=T)
    row_id = reply(leaves=False)
    with unit():
        outbox.refused(outbox.claim(row_id), "smtp_refused", recipients={"anna@customer.example": (550, "no")})
    assert (the().asked_at, the().due_at, stored(Answer)) == (T, T + HOUR, [])


def test_an_answer_that_is_called_back_is_none(box):
    arrive(box, write(1), at=T)
    row_id = reply(leaves=False)
    with unit():
        assert outbox.undo(person("marek"), db.session.get(Outbox, row_id))
    assert the().due_at == T + HOUR


def test_what_is_handed_on_answers_nobody(box):
    arrive(box, write(1), at=T)
    reply(kind="forward", to=[["", "else@other.example"]])
    assert the().due_at == T + HOUR and stored(Answer) == []


def test_an_answer_from_another_program_counts_and_nobody_is_named(box):
    arrive(box, write(1), at=T)
    arrive(box, own(2, "1@customer.example"), role="sent", at=T + timedelta(minutes=20))
    [kept] = stored(Answer)
    assert (kept.person_id, kept.seconds, kept.in_time, the().due_at) == (None, 1200, True, None)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (3, 1, 0, 2), (2, 0, 3, 1), (1, 3, 0, 2)])
def test_it_does_not_matter_in_which_order_mail_is_read(box, order):
    mails = [(write(1), "inbox"), (own(2, "1@customer.example"), "sent"), (write(3, "2@corp.example"), "inbox"),
             (own(4, "3@customer.example"), "sent")]
    for n in order:
        raw, role = mails[n]
        arrive(box, raw, role=role, first_uid=n + 1, at=T + timedelta(minutes=10 * n))
    kept = sorted((k.asked_at, k.answered_at, k.is_first, k.target) for k in stored(Answer))
    ten = timedelta(minutes=10)
    assert kept == [(T, T + ten, True, 60), (T + 2 * ten, T + 3 * ten, False, 240)]
    [found] = stored(Conversation)
    assert (found.asked_at, found.due_at) == (None, None)


def test_closing_says_that_nobody_waits_and_opening_again_that_they_do(box, team):
    arrive(box, write(1), at=T)
    with unit():
        conversations.close(person("marek"), the(), act="a")
    assert (the().asked_at, the().due_at) == (None, None)
    [kept] = stored(Closing)
    assert (kept.person_id, kept.since, kept.inbox_id) == (team.marek, T, inbox().id)
    with unit():
        acts.take_back(person("marek"), the(), stored(Event)[0])
    assert the().due_at == T + HOUR and stored(Closing) == []


def test_what_was_closed_is_not_asked_again_by_the_next_mail(box):
    arrive(box, write(1), at=T)
    with unit():
        conversations.close(person("marek"), the())
    again = T + timedelta(minutes=40)
    arrive(box, write(2, "1@customer.example"), first_uid=2, at=again)
    assert (the().status, the().asked_at) == ("open", again)
    with unit():
        answers.derive(the())
    assert the().asked_at == again
    with unit():
        conversations.close(person("zofia"), the())
    first, second = stored(Closing)
    assert (first.since, first.at <= second.since <= second.at) == (T, True)


@pytest.mark.parametrize("do", ["spam", "trash", "snooze"])
def test_what_is_put_away_owes_nothing_until_it_is_back(box, do):
    arrive(box, write(1), at=T)
    act = {"spam": conversations.mark_spam, "trash": conversations.throw_away,
           "snooze": lambda actor, c: conversations.snooze(actor, c, None)}[do]
    with unit():
        act(person("marek"), the())
    assert the().due_at is None
    with unit():
        conversations.reopen(person("marek"), the())
    assert the().due_at == T + HOUR


def test_another_inbox_has_another_target(box):
    with unit():
        other = Inbox(name="Sales", first_within=30)
        db.session.add(other)
    arrive(box, write(1), at=T)
    with unit():
        conversations.move(person("zofia"), the(), inbox("Sales"), act="m")
    assert the().due_at == T + HOUR / 2
    with unit():
        acts.take_back(person("zofia"), the(), stored(Event)[0])
    assert the().due_at == T + HOUR


def test_merged_and_split_conversations_owe_what_their_mail_asks(box):
    arrive(box, write(1), at=T)
    arrive(box, write(2), first_uid=2, at=T + timedelta(minutes=5))
    with unit():
        regroup.merge(person("marek"), the(2), the(1))
    assert (the().asked_at, the(2).due_at) == (T, None)
    with unit():
        new = regroup.split(person("marek"), the(), db.session.get(Message, 2), following=False).id
    assert (the().asked_at, the(new).asked_at) == (T, T + timedelta(minutes=5))


def test_a_changed_target_is_counted_anew_some_at_a_time(box):
    for n in range(1, 6):
        arrive(box, write(n), first_uid=n, at=T)
    with unit():
        automatic.change_targets(person("zofia"), inbox(), ("2", "hours"), ("", "hours"))
    assert {c.due_at for c in stored(Conversation)} == {T + HOUR} and stored(Inbox)[0].due_after == 0
    with unit():
        assert answers.recompute(inbox().id, 2)
    assert [c.due_at for c in stored(Conversation)] == [T + 2 * HOUR] * 2 + [T + HOUR] * 3
    recompute(inbox().id)
    assert {c.due_at for c in stored(Conversation)} == {T + 2 * HOUR} and stored(Inbox)[0].due_after is None


def test_who_waited_before_there_was_a_target_is_found(box):
    arrive(box, write(1), at=T)
    with unit():        # as an upgrade leaves it
        db.session.execute(db.update(Conversation).values(asked_at=None, due_at=None))
        inbox().due_after = 0
    recompute(inbox().id)
    assert the().due_at == T + HOUR


def test_screens_hear_of_what_became_overdue(app, box):
    arrive(box, write(1), at=T)
    due = the().due_at
    assert answers.overdue_between(due - HOUR, due - timedelta(seconds=1)) == []
    assert answers.overdue_between(due - timedelta(seconds=1), due) == ["conversation-1", f"inbox-{inbox().id}"]
    with unit():
        the().due_at = now() - timedelta(seconds=5)
    before = versions(["conversation-1"])
    until = sweep.overdue(now() - timedelta(seconds=10))
    after = versions(["conversation-1"])
    assert after != before
    sweep.overdue(until)
    assert versions(["conversation-1"]) == after, "it is told once"


def test_the_target_of_then_is_kept(box):
    arrive(box, write(1), at=T)
    reply()
    with unit():
        automatic.change_targets(person("zofia"), inbox(), ("1", "minutes"), ("", "hours"))
        db.session.get(Connection, box).history_until = None
    with unit():
        answers.left(stored(Outbox)[0])
    assert [(k.target, k.in_time) for k in stored(Answer)] == [(60, True)]


def twice_asked(box):
    """One was closed without an answer; the customer has written again."""
    arrive(box, write(1), at=T)
    with unit():
        conversations.close(person("marek"), the())
    with unit():
        stored(Closing)[0].at = T + timedelta(minutes=30)
    again = T + timedelta(minutes=40)
    arrive(box, write(2, "1@customer.example"), first_uid=2, at=again)
    return again


def test_undoing_a_later_closing_leaves_settled_what_an_earlier_one_settled(box):
    again = twice_asked(box)
    with unit():
        conversations.close(person("marek"), the(), act="b")
    with unit():
        acts.take_back(person("marek"), the(), stored(Event, Event.act == "b")[0])
    assert (the().asked_at, the().due_at) == (again, again + 4 * HOUR if the().last_out_at else again + HOUR)


def test_opening_again_brings_back_who_waited_at_the_last_closing_alone(box):
    again = twice_asked(box)
    with unit():
        conversations.close(person("marek"), the())
    with unit():
        conversations.reopen(person("marek"), the())
    assert the().asked_at == again


def test_an_answer_counts_from_what_it_owed(box):
    again = twice_asked(box)
    reply()
    [kept] = stored(Answer)
    assert (kept.asked_at, kept.in_time) == (again, True)


@pytest.mark.parametrize("into", [1, 2])
def test_merging_with_a_closed_conversation_forgets_nobody_who_waits(box, into):
    arrive(box, write(1), at=T)
    arrive(box, write(2), first_uid=2, at=T + timedelta(minutes=5))
    with unit():
        conversations.close(person("marek"), the(2))
    with unit():
        regroup.merge(person("marek"), the(3 - into), the(into))
    with unit():
        answers.derive(the(into))
    assert (the(into).asked_at, the(into).due_at) == (T, T + HOUR)


# --- what a second look found

@pytest.fixture
def merged(box):
    """The old one was closed without an answer; the other one, into which it is put, waits."""
    arrive(box, write(1), at=T)
    with unit():
        conversations.close(person("marek"), the())
    arrive(box, write(2), first_uid=2, at=T + timedelta(minutes=40))
    with unit():
        regroup.merge(person("marek"), the(1), the(2))


def test_what_was_closed_before_a_merge_stays_done_with(merged):
    with unit():
        answers.derive(the(2))
    assert the(2).asked_at == T + timedelta(minutes=40)


def test_undoing_the_merge_of_a_closed_conversation_leaves_it_done_with(box, merged):
    with unit():
        regroup.put_back(person("marek"), stored(Event, Event.kind == "merged_in")[0])
    assert (the(1).status, the(1).asked_at, the(1).settled_id) == ("closed", None, 1)
    again = T + timedelta(minutes=45)
    arrive(box, write(3, "1@customer.example"), first_uid=3, at=again)
    assert the(1).asked_at == again and the(2).asked_at == T + timedelta(minutes=40)


def test_what_was_closed_and_is_put_off_is_asked_again_when_it_wakes(box):
    arrive(box, write(1), at=T)
    with unit():
        conversations.close(person("marek"), the())
    with unit():
        conversations.snooze(person("marek"), the(), now() + HOUR)
    with unit():
        conversations.wake(the())
    assert (the().asked_at, the().due_at) == (T, T + HOUR)


def test_who_writes_before_a_letter_for_later_leaves_still_waits(box):
    arrive(box, write(1), at=T)
    row_id = reply(leaves=False, at=now() + HOUR)
    with unit():
        db.session.get(Outbox, row_id).created_at = now() - timedelta(minutes=2)
    again = now().replace(microsecond=0) - timedelta(minutes=1)
    arrive(box, write(2, "1@customer.example"), first_uid=2, at=again)
    with unit():
        outbox.hurry(person("marek"), db.session.get(Outbox, row_id))
    leave(row_id)
    assert (the().asked_at, the().due_at) == (again, again + 4 * HOUR)
    assert [k.asked_at for k in stored(Answer)] == [T]


def test_a_letter_for_later_counts_also_when_somebody_has_closed_meanwhile(box):
    arrive(box, write(1), at=T)
    row_id = reply(leaves=False, at=now() + HOUR)
    with unit():
        conversations.close(person("zofia"), the())
    with unit():
        outbox.hurry(person("marek"), db.session.get(Outbox, row_id))
    leave(row_id)
    assert [k.asked_at for k in stored(Answer)] == [T]


def test_a_reply_time_of_a_rule_ends_with_what_it_was_said_of(box):
    arrive(box, write(1), at=T)
    with unit():
        the().within, the().assignee = 30, person("marek")
        answers.say_due(the())
    reply()
    arrive(box, write(2, "1@customer.example"), first_uid=2, at=now() + timedelta(seconds=1))
    assert (the().within, the().due_at) == (None, the().asked_at + 4 * HOUR)


def test_undoing_a_move_brings_the_reply_time_of_a_rule_back(box):
    with unit():
        db.session.add(Inbox(name="Claims"))
    arrive(box, write(1), at=T)
    with unit():
        the().within = 30
    with unit():
        conversations.move(person("zofia"), the(), inbox("Claims"), "a")
    assert the().within is None
    with unit():
        acts.take_back(person("zofia"), the(), stored(Event, Event.act == "a")[0])
    assert (the().within, the().due_at) == (30, T + timedelta(minutes=30))
