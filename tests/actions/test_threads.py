"""Which conversation a message belongs to: by Message-ID both ways, in any order, and only if its sender may."""

import itertools
import random
from datetime import UTC, datetime, timedelta

import pytest
from mailroom import arrive, connected, folder_of, inbox, letter, person, report, stored
from sqlalchemy import select

from webapp.actions import conversations, replies, threads
from webapp.actions.receive import receive
from webapp.extensions import db, unit
from webapp.mail.compose import mint_message_id
from webapp.mail.types import Fetched
from webapp.models import Connection, Contact, Conversation, Event, Message, Participant, ThreadKey

T0 = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ANNA, US = "anna@customer.example", "support@corp.example"


def thread(length, style):
    """Anna's mails of one thread, oldest first, as (uid, raw). `style`: which header ties them."""
    raws = []
    for n in range(length):
        headers = {"Message_ID": f"<{n}@x>"}
        if n and style == "references":
            headers["References"] = " ".join(f"<{i}@x>" for i in range(n))
        elif n:
            headers["In_Reply_To"] = f"<{n - 1}@x>"
        raws.append(Fetched(n + 1, letter(text=f"Number {n}", subject="Re: " * bool(n) + "Pallet", **headers),
                            T0 + timedelta(hours=n), frozenset()))
    return raws


def shown():
    """Messages of each conversation, oldest first, by their texts' numbers."""
    return [[int(m.text.split()[1]) for m in stored(Message, Message.conversation_id == c.id)
             ] for c in stored(Conversation)]


@pytest.mark.parametrize("style", ["references", "in-reply-to"])
@pytest.mark.parametrize("batch", [1, 7, 40])
def test_a_long_thread_read_newest_first_is_one_conversation(box, style, batch):
    mails = thread(40, style)[::-1]
    for start in range(0, 40, batch):
        arrive(box, *mails[start:start + batch])
    [conversation] = stored(Conversation)
    assert (conversation.message_count, conversation.subject, conversation.last_snippet) == (40, "Pallet", "Number 39")
    assert (conversation.opened_at, conversation.last_at) == (T0, T0 + timedelta(hours=39))


@pytest.mark.parametrize("style", ["references", "in-reply-to"])
def test_every_order_of_four_messages_ends_in_one_conversation(box, style):
    for order in itertools.permutations(thread(4, style)):
        for mail in order:
            receive(db.session.get(Connection, box), folder_of(box), [mail])
        [conversation] = db.session.scalars(select(Conversation))
        assert {m.conversation_id for m in db.session.scalars(select(Message))} == {conversation.id}, order
        assert (conversation.message_count, conversation.last_at, conversation.opened_at, conversation.who) == (
            4, T0 + timedelta(hours=3), T0, "Anna Nowak"), order
        assert conversation.last_in_id > 0
        db.session.rollback()


def test_two_conversations_that_a_late_message_ties_together_become_one(box):
    first, missing, last = thread(3, "in-reply-to")
    arrive(box, first)
    arrive(box, last)
    assert len(stored(Conversation)) == 2
    arrive(box, missing)
    assert [sorted(s) for s in shown()] == [[0, 1, 2]]
    [conversation] = stored(Conversation)
    assert (conversation.message_count, conversation.subject) == (3, "Pallet")
    assert {k.conversation_id for k in db.session.query(ThreadKey)} == {conversation.id}
    assert {p.address_key for p in db.session.query(Participant)} == {ANNA}


def test_a_conversation_that_people_worked_in_is_never_merged_away(box):
    first, missing, last = thread(3, "in-reply-to")
    arrive(box, first)
    arrive(box, last)
    for conversation in stored(Conversation):
        with unit():
            conversations.assign(person("marek"), db.session.get(Conversation, conversation.id), person("marek"))
    arrive(box, missing)
    assert [c.assignee_id is not None for c in stored(Conversation)] == [True, True]
    assert sum(c.message_count for c in stored(Conversation)) == 3


# thread-attacks: who may join. Each: the newcomer's headers -> joins Anna's conversation?
JOINS = {
    "the customer answers": ({"sender": ANNA, "In_Reply_To": "<0@x>"}, True),
    "the customer answers from another spelling": ({"sender": "ANNA@Customer.Example", "References": "<0@x>"}, True),
    "the colleague in Cc answers": ({"sender": "cc@customer.example", "In_Reply_To": "<0@x>"}, True),
    "001 an outsider copies a Message-ID": ({"sender": "evil@evil.example", "In_Reply_To": "<0@x>"}, False),
    "002 a guessed id": ({"sender": ANNA, "In_Reply_To": "<12345@corp.example>"}, False),
    "003 a number in the subject": ({"sender": ANNA, "subject": "[#1] Pallet"}, False),
    "004 another customer refers to it": ({"sender": "berta@other.example", "References": "<0@x>"}, False),
    "006 no From at all": ({"sender": None, "In_Reply_To": "<0@x>"}, False),
    "008 two senders": ({"sender": f"{ANNA}, evil@evil.example", "In_Reply_To": "<0@x>"}, False),
    "008 a name that lies": ({"sender": f'"{ANNA}" <evil@evil.example>', "In_Reply_To": "<0@x>"}, False),
    "008 spoofed as ourselves": ({"sender": US, "In_Reply_To": "<0@x>"}, False),
    "010 the same Message-ID, other content": ({"sender": ANNA, "Message_ID": "<0@x>"}, True),
    "010 the same Message-ID from an outsider": ({"sender": "evil@evil.example", "Message_ID": "<0@x>"}, False),
    "019 the same subject": ({"sender": "berta@other.example", "subject": "Re: Pallet"}, False),
    "a robot's report by a stranger's id": (
        {"sender": "mailer-daemon@evil.example", "Return_Path": "<>", "In_Reply_To": "<0@x>"}, False),
}


@pytest.mark.parametrize("case", JOINS)
def test_only_who_takes_part_joins(box, case):
    headers, joins = JOINS[case]
    arrive(box, letter(sender=f"Anna <{ANNA}>", Cc="cc@customer.example", subject="Pallet", text="Number 0",
                       Message_ID="<0@x>"))
    arrive(box, letter(text="Number 1", **{"subject": "Pallet", **headers}), first_uid=2)
    assert shown() == ([[0, 1]] if joins else [[0], [1]])
    if not joins:
        first, second = stored(Conversation)
        refers = any(i == "<0@x>" for i in headers.values())
        assert second.possible_reply_to_id == (first.id if refers else None)
        assert first.who == "Anna"
    # Whatever the newcomer was: the customer's next answer still finds her own conversation.
    arrive(box, letter(sender=ANNA, text="Number 2", Message_ID="<2@x>", References="<0@x>"), first_uid=3)
    assert 2 in shown()[0]


def test_a_stranger_read_before_the_mail_that_he_refers_to_takes_nothing_over(box):
    arrive(box, letter(sender="evil@evil.example", text="Number 9", Message_ID="<9@x>", References="<0@x>"))
    arrive(box, letter(sender=ANNA, text="Number 0", Message_ID="<0@x>"), first_uid=2)
    arrive(box, letter(sender=ANNA, text="Number 1", Message_ID="<1@x>", References="<0@x>"), first_uid=3)
    assert shown() == [[9], [0, 1]]


def test_the_same_references_in_another_inbox_stay_there(box):
    from webapp.actions import inboxes
    with unit():
        inboxes.create_inbox(person("zofia"), "Sales")
    sales = connected(address="sales@corp.example", inbox_name="Sales")
    arrive(box, letter(text="Number 0", Message_ID="<0@x>"))
    arrive(sales, letter(to="sales@corp.example", text="Number 1", Message_ID="<1@x>", References="<0@x>"))
    assert shown() == [[0], [1]]
    assert [c.inbox_id for c in stored(Conversation)] == [inbox("Support").id, inbox("Sales").id]


def test_a_delivery_report_joins_only_by_an_id_that_we_minted_and_ties_nothing_else(box, app):
    arrive(box, letter(sender=ANNA, text="Number 0", Message_ID="<0@x>"))
    arrive(box, letter(sender="berta@other.example", text="Number 1", Message_ID="<1@x>"), first_uid=2)
    with unit():
        replies.reply(person("marek"), stored(Conversation)[0], "Number 5")
    ours = stored(Message)[-1].message_id
    forged = mint_message_id("corp.example", b"not our key")
    elsewhere = {"References": "<1@x>"}
    arrive(box, report(ours, "Number 6", Message_ID="<r1@mx>", **elsewhere), first_uid=3)
    arrive(box, report(ours, "Number 7", **elsewhere), first_uid=4)                # without a Message-ID of its own
    arrive(box, report(forged, "Number 8", Message_ID="<r2@mx>", **elsewhere), first_uid=5)
    assert shown() == [[0, 5, 6, 7], [1], [8]]
    assert all(m.bounce for m in stored(Message, Message.text.like("%Number 6%")))
    assert [c.name for c in stored(Contact)] == ["", ""], "a mailer daemon is no contact"


@pytest.mark.parametrize(("case", "opens"), [("new", True), ("history", False), ("robot", False), ("ours", False)])
def test_a_closed_conversation_is_opened_by_new_mail_but_not_by_history_or_a_robot(box, case, opens):
    arrive(box, letter(sender=ANNA, Message_ID="<0@x>"))
    with unit():
        conversations.close(person("marek"), stored(Conversation)[0])
    at = datetime.now(UTC) - timedelta(days=2) if case == "history" else None
    extra = {"Auto_Submitted": "auto-replied"} if case == "robot" else {}
    arrive(box, letter(sender=US if case == "ours" else ANNA, to=ANNA if case == "ours" else US, Message_ID="<1@x>",
                       In_Reply_To="<0@x>", **extra), first_uid=2, at=at, role="sent" if case == "ours" else "inbox")
    [conversation] = stored(Conversation)
    assert (conversation.message_count, conversation.status) == (2, "open" if opens else "closed")
    assert [e.kind for e in stored(Event)] == ["closed"] + ["reopened_by_mail"] * opens


@pytest.mark.parametrize(("age", "status"), [(0, "open"), (29, "open"), (31, "closed"), (4000, "closed")])
def test_imported_mail_opens_a_conversation_only_when_it_is_recent(box, age, status):
    with unit():
        db.session.get(Connection, box).created_at = datetime.now(UTC)
    arrive(box, letter(), at=datetime.now(UTC) - timedelta(days=age, minutes=5))
    assert stored(Conversation)[0].status == status


@pytest.mark.parametrize(("subject", "base"), [
    ("Re: Fwd: AW: Pallet", "Pallet"), ("ODP: re[2]: Pallet", "Pallet"), ("Refund: Pallet", "Refund: Pallet"),
    ("Re:", ""), ("", ""), ("[#12] Pallet", "[#12] Pallet")])
def test_prefixes_are_taken_off_subjects_and_nothing_else(subject, base):
    assert threads.base_subject(subject) == base


def test_mail_that_was_read_elsewhere_is_not_new_and_our_own_never_is(box):
    arrive(box, letter(sender=ANNA, Message_ID="<0@x>"), flags=["\\Seen"])
    arrive(box, letter(sender=US, to=ANNA, Message_ID="<1@x>", In_Reply_To="<0@x>"), role="sent")
    [conversation] = stored(Conversation)
    assert (conversation.last_in_id, conversation.last_outgoing, conversation.who) == (0, True, "anna@customer.example")



def correspondence(count, seed, strangers):
    """(item, role) of many threads with us, in the order in which they were written: customers, the colleagues whom they
    copy in and who answer to all or to us alone, our own replies; with `strangers`, also mail from people who got hold of
    a Message-ID, and a tenth of all never reached us."""
    rng, talks, written = random.Random(seed), [], []
    for number in range(count):
        if not talks or rng.random() < 0.3:
            people = [f"{name}{number}@customer.example" for name in ("anna", "bob", "cecil")]
            talks.append({"ids": [], "people": people, "known": people[:1]})
        talk = rng.choice(talks)
        ours, evil = bool(talk["ids"]) and rng.random() < 0.4, bool(talk["ids"]) and strangers and rng.random() < 0.1
        sender = f"evil{number}@evil.example" if evil else US if ours else rng.choice(talk["known"])
        copied = [] if evil else rng.sample(talk["people"], rng.randint(0, 2))
        headers = {"Message_ID": f"<{number}@x>", "Cc": ", ".join(copied) or None}
        if talk["ids"]:
            style = rng.choice(("both", "references", "reply"))
            headers |= {"In_Reply_To": talk["ids"][-1]} if style != "references" else {}
            headers |= {"References": " ".join(talk["ids"])} if style != "reply" else {}
        raw = letter(sender=sender, to=rng.choice(talk["known"]) if ours and not evil else US, subject="Pallet",
                     text=f"Number {number}", **headers)
        if not evil:
            talk["known"] = list(dict.fromkeys([*talk["known"], *copied]))
            talk["ids"].append(headers["Message_ID"])
        if not (strangers and talk["ids"] and rng.random() < 0.1):
            written.append((Fetched(number + 1, raw, T0 + timedelta(minutes=number), frozenset()),
                            "sent" if ours and not evil else "inbox"))
    return written


def grouped(box, mails, batch):
    """Which mails are together after they were read in this order, in batches."""
    for start in range(0, len(mails), batch):
        for role in ("inbox", "sent"):
            receive(db.session.get(Connection, box), folder_of(box, role),
                    [item for item, where in mails[start:start + batch] if where == role])
    together = {}
    for message in db.session.scalars(select(Message)):
        together.setdefault(message.conversation_id, set()).add((message.message_id, message.from_address))
    counts = dict(db.session.execute(select(Conversation.id, Conversation.message_count)).all())
    assert counts == {number: len(inside) for number, inside in together.items()}
    db.session.rollback()
    return sorted(map(sorted, together.values()))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_in_which_mail_is_read_does_not_matter(box, caplog, seed):
    sent = correspondence(250, seed, strangers=False)
    shuffled = random.Random(seed).sample(sent, len(sent))
    expected = grouped(box, sent, 1)
    assert len(expected) < 0.6 * len(sent)
    for mails, batch in ((sent, 40), (sent[::-1], 1), (sent[::-1], 40), (shuffled, 1), (shuffled, 40)):
        assert grouped(box, mails, batch) == expected
    assert not caplog.messages, "no batch had to be taken apart"


@pytest.mark.parametrize("order", ["sent", "reversed", "shuffled"])
def test_a_stranger_with_a_message_id_is_alone_in_whatever_order_mail_is_read(box, caplog, order):
    mails = correspondence(250, 4, strangers=True)
    mails = {"sent": mails, "reversed": mails[::-1], "shuffled": random.Random(4).sample(mails, len(mails))}[order]
    for together in grouped(box, mails, 40):
        assert len(together) == 1 or not any("evil" in sender for _id, sender in together)
    assert not caplog.messages


def test_a_delivery_report_joins_our_mail_in_every_order(box, app):
    ours = mint_message_id("corp.example", app.config["SECRET_KEY"].encode())
    tied = f"In-Reply-To: <0@x>\r\nMessage-ID: <{ours}>\r\n".encode()
    mails = [("inbox", letter(sender=ANNA, text="Number 0", Message_ID="<0@x>")),
             ("sent", tied + letter(sender=US, to=ANNA, text="Number 1")),
             ("inbox", report(ours, "Number 2"))]
    for order in itertools.permutations(enumerate(mails, 1)):
        for uid, (role, raw) in order:
            receive(db.session.get(Connection, box), folder_of(box, role),
                    [Fetched(uid, raw, T0 + timedelta(hours=uid), frozenset())])
        [conversation] = db.session.scalars(select(Conversation))
        assert conversation.message_count == 3 and conversation.possible_reply_to_id is None, order
        db.session.rollback()


@pytest.mark.parametrize("batch", [1, 3])
def test_who_is_copied_in_only_later_joins_with_what_he_wrote_before(box, batch):
    bob, cecil = "bob@customer.example", "cecil@customer.example"
    mails = [letter(sender=bob, text="Number 0", Message_ID="<0@x>", References="<gone@x>"),
             letter(sender=cecil, text="Number 1", Message_ID="<1@x>", References="<gone@x> <0@x>"),
             letter(sender=bob, Cc=cecil, text="Number 2", Message_ID="<2@x>", References="<gone@x> <0@x> <1@x>")]
    for order in (mails, mails[::-1]):
        for start in range(0, 3, batch):
            receive(db.session.get(Connection, box), folder_of(box),
                    [Fetched(n, raw, T0 + timedelta(hours=n), frozenset())
                     for n, raw in enumerate(order[start:start + batch], start + 1)])
        assert [c.message_count for c in db.session.scalars(select(Conversation))] == [3]
        db.session.rollback()


def test_our_address_in_from_makes_nobody_take_part(box):
    arrive(box, letter(sender=ANNA, text="Number 0", Message_ID="<0@x>"))
    arrive(box, letter(sender=US, to=ANNA, text="Number 1", Message_ID="<1@x>", In_Reply_To="<0@x>"), role="sent")
    arrive(box, letter(sender=US, text="Number 2", Message_ID="<2@x>", In_Reply_To="<1@x>"), first_uid=3)
    assert shown() == [[0, 1], [2]]
