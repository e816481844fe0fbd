"""Split and merge by hand: what goes along, what comes later, what is put back, and what two people do at once."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from actions.test_threads import correspondence
from mailroom import arrive, connected, folder_of, inbox, letter, person, stored
from sqlalchemy import select

from webapp.actions import conversations, drafts, outbox, regroup, replies
from webapp.actions.receive import receive
from webapp.actions.summary import summarise
from webapp.extensions import db, unit
from webapp.models import (
    Connection,
    Contact,
    Conversation,
    Draft,
    DraftFile,
    Event,
    Message,
    Outbox,
    Participant,
    Seen,
    ThreadKey,
)
from webapp.rules import RuleBroken

T0 = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ANNA, BOB, US = "anna@customer.example", "bob@customer.example", "support@corp.example"


def mail(number, sender=ANNA, answers=None, subject="Pallet", **headers):
    if answers is not None:
        headers = {"In_Reply_To": f"<{answers}@x>", **headers}
    return letter(sender=sender, text=f"Number {number}", subject=subject, Message_ID=f"<{number}@x>", **headers)


def chain(box, length=4):
    """Anna's messages 0, 1, 2… each in answer to the one before."""
    for n in range(length):
        arrive(box, mail(n, answers=n - 1 if n else None), first_uid=n + 1, at=T0 + timedelta(hours=n))


def shown():
    """{conversation: numbers of its messages in order of time}."""
    found = {}
    for m in sorted(stored(Message, Message.conversation_id.is_not(None)), key=lambda m: (m.at, m.id)):
        found.setdefault(m.conversation_id, []).append(int(m.text.split()[1]))
    return found


def message(number):
    return db.session.scalar(select(Message).where(Message.text.like(f"Number {number}%")))


def conversation_of(number):
    return db.session.get(Conversation, message(number).conversation_id)


def split(number, following=True, actor="marek"):
    with unit():
        return regroup.split(person(actor), conversation_of(number), message(number), following).id


def merge(number, into, actor="marek"):
    with unit():
        return regroup.merge(person(actor), conversation_of(number), conversation_of(into)).id


def put_back(kind, actor="marek"):
    with unit():
        return regroup.put_back(person(actor), db.session.scalars(
            select(Event).where(Event.kind == kind).order_by(Event.id.desc())).first()).id


def state():
    """Everything that a conversation says of itself and what hangs on it, for comparing."""
    db.session.rollback()
    return {c.id: (c.subject, c.status, c.opened_at, c.last_at, c.last_snippet, c.last_outgoing, c.who, c.who_at,
                   c.message_count, c.has_attachments, c.last_in_id, c.contact_id, c.merged_into_id,
                   keys(c.id), participants(c.id))
            for c in db.session.scalars(select(Conversation).order_by(Conversation.id))}


def keys(number):
    return set(db.session.scalars(select(ThreadKey.message_id).where(ThreadKey.conversation_id == number)))


def participants(number):
    return set(db.session.scalars(select(Participant.address_key).where(Participant.conversation_id == number)))


@pytest.mark.parametrize(("following", "first", "second"), [(True, [0, 1], [2, 3]), (False, [0, 1, 3], [2])])
def test_a_message_is_taken_out_alone_or_with_what_follows(box, following, first, second):
    chain(box)
    old = conversation_of(0).id
    new = split(2, following)
    assert shown() == {old: first, new: second}
    one, other = db.session.get(Conversation, old), db.session.get(Conversation, new)
    assert (one.message_count, other.message_count) == (len(first), len(second))
    assert (other.opened_at, other.subject, other.who, other.status) == (T0 + timedelta(hours=2), "Pallet", ANNA, "open")
    assert other.contact_id == one.contact_id == stored(Contact)[0].id
    assert [(e.conversation_id, e.kind, e.facts["number"], e.facts["count"]) for e in stored(Event)] == [
        (new, "split_off", old, len(second)), (old, "split", new, len(second))]


def test_answers_follow_the_mail_that_they_answer_after_a_split(box):
    chain(box)
    old, new = conversation_of(0).id, split(2)
    arrive(box, mail(4, answers=1, References="<0@x> <1@x>"), first_uid=5, at=T0 + timedelta(hours=5))
    arrive(box, mail(5, answers=3, References="<0@x> <1@x> <2@x> <3@x>"), first_uid=6, at=T0 + timedelta(hours=6))
    assert shown() == {old: [0, 1, 4], new: [2, 3, 5]}, "one that refers to both joins the nearest and ties nothing"


def test_a_mail_that_was_only_mentioned_goes_with_those_who_mention_it(box):
    arrive(box, mail(0), at=T0)
    arrive(box, mail(2, References="<0@x> <1@x>"), first_uid=2, at=T0 + timedelta(hours=2))
    old, new = conversation_of(0).id, split(2, following=False)
    assert (keys(old), keys(new)) == ({"0@x"}, {"0@x", "1@x", "2@x"})
    arrive(box, mail(1, answers=0), first_uid=3, at=T0 + timedelta(hours=1))
    assert shown() == {old: [0, 1], new: [2]}
    assert [c.possible_reply_to_id for c in stored(Conversation)] == [None, None], "nobody calls it a stranger's"


def test_nothing_is_taken_out_of_a_conversation_that_would_be_empty_then(box):
    chain(box, 2)
    with pytest.raises(RuleBroken) as broken:
        split(0)
    assert broken.value.code == "nothing_stays"
    split(1)
    with pytest.raises(RuleBroken):
        split(1, following=False)
    assert len(stored(Conversation)) == 2


def test_a_merged_conversation_is_one_with_everything_and_its_number_leads_there(box):
    chain(box, 2)
    arrive(box, mail(7, sender=BOB, subject="Invoice"), first_uid=8, at=T0 + timedelta(hours=9))
    old, other = conversation_of(7).id, conversation_of(0).id
    assert merge(7, 0) == other
    gone, whole = stored(Conversation, Conversation.id == old)[0], db.session.get(Conversation, other)
    assert shown() == {other: [0, 1, 7]}
    assert (gone.status, gone.merged_into_id, gone.message_count, gone.last_in_id) == ("merged", other, 0, 0)
    assert (whole.message_count, whole.subject, whole.who, whole.last_snippet) == (3, "Pallet", BOB, "Number 7")
    assert participants(other) == {ANNA, BOB} and keys(other) == {"0@x", "1@x", "7@x"} and not keys(old)
    arrive(box, mail(8, sender=BOB, answers=7), first_uid=9, at=T0 + timedelta(hours=10))
    arrive(box, mail(9, sender=ANNA, answers=1), first_uid=10, at=T0 + timedelta(hours=11))
    assert shown() == {other: [0, 1, 7, 8, 9]}


def test_a_possible_reply_is_put_where_it_belongs_and_its_writer_takes_part_from_then_on(box):
    chain(box, 2)
    arrive(box, mail(7, sender=BOB, answers=1), first_uid=8, at=T0 + timedelta(hours=9))
    assert conversation_of(7).possible_reply_to_id == conversation_of(0).id
    whole = merge(7, 0)
    arrive(box, mail(8, sender=BOB, answers=1), first_uid=9, at=T0 + timedelta(hours=10))
    assert shown() == {whole: [0, 1, 7, 8]}
    assert not stored(Conversation, Conversation.possible_reply_to_id.is_not(None))


def test_what_was_merged_is_put_back_as_it_was(box):
    chain(box, 3)
    arrive(box, mail(7, sender=BOB, subject="Invoice", Cc="c@customer.example"), first_uid=8, at=T0 + timedelta(hours=1.5))
    with unit():
        conversations.close(person("marek"), conversation_of(7))
    before = state()
    merge(7, 0)
    assert conversation_of(0).status == "open"
    assert put_back("merged_in") == conversation_of(7).id
    assert state() == before
    with pytest.raises(RuleBroken) as broken:
        put_back("merged_in")
    assert broken.value.code == "nothing_to_put_back"
    assert state() == before


def test_what_was_split_off_is_put_back_and_an_empty_conversation_leads_home(box):
    chain(box)
    before = state()
    old, new = conversation_of(0).id, split(2)
    assert put_back("split_off") == old
    after = state()
    assert after.pop(new)[1] == "merged" and after == before
    assert db.session.get(Conversation, new).merged_into_id == old
    arrive(box, mail(5, answers=3), first_uid=9, at=T0 + timedelta(hours=8))
    assert shown() == {old: [0, 1, 2, 3, 5]}


def test_what_came_later_stays_when_a_merge_is_undone(box):
    chain(box, 2)
    arrive(box, mail(7, sender=BOB), first_uid=8, at=T0 + timedelta(hours=9))
    old, other = conversation_of(7).id, merge(7, 0)
    arrive(box, mail(8, sender=BOB, answers=7), first_uid=9, at=T0 + timedelta(hours=10))
    put_back("merged_in")
    assert shown() == {old: [7], other: [0, 1, 8]}
    arrive(box, mail(9, sender=BOB, answers=7), first_uid=10, at=T0 + timedelta(hours=11))
    assert shown() == {old: [7, 9], other: [0, 1, 8]}


def test_a_waiting_reply_goes_along_leaves_once_and_is_called_back_where_it_lies_now(box):
    chain(box, 2)
    arrive(box, mail(7, sender=BOB), first_uid=8, at=T0 + timedelta(hours=9))
    with unit():
        row = replies.reply(person("marek"), conversation_of(1), "Number 50").id
    raw = db.session.get(Outbox, row).raw_sha256
    where = merge(1, 7)
    assert shown()[where] == [0, 1, 7, 50]
    [queued] = stored(Outbox)
    assert (queued.id, queued.raw_sha256, queued.message.references) == (row, raw, ["0@x", "1@x"])
    answer = mail(8).replace(b"Message-ID:", b"In-Reply-To: <%s>\r\nMessage-ID:" % queued.message.message_id.encode())
    arrive(box, answer, first_uid=9, at=datetime.now(UTC))
    assert shown()[where] == [0, 1, 7, 50, 8]
    with unit():
        assert outbox.undo(person("marek"), db.session.get(Outbox, row))
    assert [(d.conversation_id, d.text) for d in stored(Draft)] == [(where, "Number 50")]


def test_drafts_go_with_the_newest_message_and_two_of_one_person_are_joined(box):
    chain(box)
    with unit():
        drafts.enclose(drafts.save_draft(person("marek"), conversation_of(0), "Mine"), [("a.txt", "text/plain", b"a")])
    old, new = conversation_of(0).id, split(2)
    assert [d.conversation_id for d in stored(Draft)] == [new]
    with unit():
        drafts.save_draft(person("marek"), db.session.get(Conversation, old), "Older")
    merge(2, 0)
    assert [(d.conversation_id, d.text) for d in stored(Draft)] == [(old, "Older\n\nMine")]
    assert [f.draft_id for f in stored(DraftFile)] == [stored(Draft)[0].id], "its files, too"


@pytest.mark.parametrize(("read", "unread_after"), [((0, 7), False), ((0,), True), ((7,), True), ((), True)])
def test_what_somebody_has_not_read_is_not_read_after_a_merge(box, team, read, unread_after):
    chain(box, 2)
    arrive(box, mail(7, sender=BOB), first_uid=8, at=T0 + timedelta(hours=9))
    for number in read:
        with unit():
            conversations.see(person("ewa"), conversation_of(number))
    whole = db.session.get(Conversation, merge(7, 0))
    mark = db.session.get(Seen, (whole.id, team.ewa))
    assert (whole.last_in_id > (mark.last_in_id if mark else 0)) == unread_after


def test_who_has_read_all_has_read_both_parts(box, team):
    chain(box)
    with unit():
        conversations.see(person("ewa"), conversation_of(0))
    old, new = conversation_of(0).id, split(2)
    for number in (old, new):
        assert db.session.get(Seen, (number, team.ewa)).last_in_id >= db.session.get(Conversation, number).last_in_id > 0


def test_pressed_twice_or_by_two_at_once_it_happens_once(box):
    chain(box)
    source, four = conversation_of(0).id, message(2).id
    split(2)
    with pytest.raises(RuleBroken) as broken, unit():
        regroup.split(person("zofia"), db.session.get(Conversation, source), db.session.get(Message, four), True)
    assert (broken.value.code, broken.value.facts["number"]) == ("moved_meanwhile", conversation_of(2).id)
    arrive(box, mail(7, sender=BOB), first_uid=8, at=T0 + timedelta(hours=9))
    lone, first, second = conversation_of(7).id, conversation_of(0).id, conversation_of(2).id
    for actor in ("marek", "zofia"):
        with unit():
            regroup.merge(person(actor), db.session.get(Conversation, lone), db.session.get(Conversation, first))
    assert [e.kind for e in stored(Event)].count("merged_in") == 1
    with pytest.raises(RuleBroken) as broken, unit():
        regroup.merge(person("zofia"), db.session.get(Conversation, lone), db.session.get(Conversation, second))
    assert (broken.value.code, broken.value.facts["number"]) == ("moved_meanwhile", first)


def test_a_conversation_is_put_neither_into_itself_nor_into_another_inbox(box):
    from webapp.actions import inboxes
    with unit():
        inboxes.create_inbox(person("zofia"), "Sales")
    sales = connected(address="sales@corp.example", inbox_name="Sales")
    chain(box, 1)
    arrive(sales, letter(to="sales@corp.example", text="Number 9"))
    for into, code in ((0, "same_conversation"), (9, "other_inbox")):
        with pytest.raises(RuleBroken) as broken:
            merge(0, into)
        assert broken.value.code == code
    assert conversation_of(9).inbox_id == inbox("Sales").id


def test_merged_parts_of_merged_parts_lead_to_where_the_mail_is(box):
    for n in range(3):
        arrive(box, mail(n), first_uid=n + 1, at=T0 + timedelta(hours=n))
    ids = [conversation_of(n).id for n in range(3)]
    merge(0, 1)
    merge(1, 2)
    assert shown() == {ids[2]: [0, 1, 2]}
    put_back("merged_in")
    assert shown() == {ids[1]: [0, 1], ids[2]: [2]}


@pytest.mark.parametrize("order", ["sent", "shuffled"])
def test_what_is_derived_from_the_messages_is_what_the_mail_left_one_by_one(box, order):
    mails = correspondence(120, 9, strangers=True)
    for item, role in mails if order == "sent" else random.Random(9).sample(mails, len(mails)):
        with unit():
            receive(db.session.get(Connection, box), folder_of(box, role), [item])
    before = state()
    with unit():
        for conversation in db.session.scalars(select(Conversation)).all():
            summarise(conversation, conversation.last_in_id)
    assert len(before) > 10 and state() == before


def test_random_splits_merges_and_undoings_lose_nothing_and_stay_derivable(box):
    rng = random.Random(4)
    for item, role in correspondence(60, 5, strangers=False):
        with unit():
            receive(db.session.get(Connection, box), folder_of(box, role), [item])
    numbers = sorted(n for all_ in shown().values() for n in all_)
    for _turn in range(40):
        one, other = rng.sample(numbers, 2)
        try:
            act, *arguments = rng.choice(((split, one, rng.random() < 0.5), (merge, one, other), (put_back, "merged_in"),
                                          (put_back, "split_off")))
            act(*arguments)
        except (RuleBroken, AttributeError):
            db.session.rollback()
    assert sorted(n for all_ in shown().values() for n in all_) == numbers
    before = state()
    assert all((row[8] == 0) == (row[1] == "merged") for row in before.values())
    own = dict(db.session.execute(select(ThreadKey.message_id, ThreadKey.conversation_id).where(ThreadKey.own)).all())
    assert {m.message_id: m.conversation_id for m in stored(Message)} == own
    with unit():
        for conversation in db.session.scalars(select(Conversation)).all():
            summarise(conversation, conversation.last_in_id)
    assert state() == before
