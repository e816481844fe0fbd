"""Who tries to get into a conversation, and mail whose Message-ID is none: every case that is kept as data, by number.

The cases themselves lie beside the project (tests/mail/test_cases.py); here is what each of them means with us.
"""

import json
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mailroom import CUSTOMER, arrive, connected, folder_of, letter, person, stored

from webapp.actions import replies, threads
from webapp.actions.receive import receive
from webapp.extensions import db, unit
from webapp.mail.parse import parse
from webapp.mail.types import Fetched
from webapp.models import Connection, Contact, Conversation, Message, Participant, Place

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "thread-attacks.jsonl"
ANNA, EVIL, US = "anna@customer.example", "evil@evil.example", "support@corp.example"


@pytest.fixture
def box(team):
    """Anna has written, Marek has answered."""
    connection_id = connected()
    arrive(connection_id, letter(sender=CUSTOMER, text="Number 0", subject="Hello", Message_ID="<0@x>"))
    with unit():
        replies.reply(person("marek"), stored(Conversation)[0], "Number 1")
    return connection_id


def ours():
    return stored(Message, Message.author_id.is_not(None))[0].message_id


def come(box, uid=50, **parts):
    """A newcomer; headers with long ids are written by hand."""
    raw = b"".join(f"{name.replace('_', '-')}: {parts.pop(name)}\r\n".encode("utf-8", "surrogateescape")
                   for name in ("In_Reply_To", "References", "Message_ID") if name in parts)
    arrive(box, raw + letter(**{"text": "Number 9", "subject": "Re: Hello", **parts}), first_uid=uid)
    return stored(Message)[-1]


def annas():
    return stored(Conversation)[0]


def stays_outside(message):
    conversation = annas()
    assert message.conversation_id != conversation.id and conversation.message_count == 2
    assert conversation.who == "Anna Nowak" and conversation.contact.addresses[0].address == ANNA
    assert {p.address_key for p in db.session.query(Participant).filter_by(conversation_id=conversation.id)} == {ANNA}
    assert not message.outgoing and message.author_id is None
    return True


def an_outsider_copies_a_real_message_id(box):
    assert stays_outside(come(box, sender=EVIL, In_Reply_To=f"<{ours()}>"))
    assert stored(Conversation)[-1].possible_reply_to_id == annas().id


def an_outsider_guesses_ids(box):
    unguessable, _at, domain = ours().partition("@")
    assert len(unguessable.split(".")[0]) >= 32, "128 bits and more"
    assert threads.is_our_id(ours()) and not threads.is_our_id(f"{'0' * 32}.{'0' * 32}@{domain}")
    assert stays_outside(come(box, sender=ANNA, In_Reply_To="<00000002@corp.example>"))


def a_number_in_the_subject(box):
    assert stays_outside(come(box, sender=EVIL, subject=f"[#{annas().id}] Hello"))


def another_customer_answers(box):
    assert stays_outside(come(box, sender="berta@other.example", References=f"<0@x> <{ours()}>"))


def a_token_in_the_address(box):
    message = come(box, sender=EVIL, to="support+token@corp.example")
    assert stays_outside(message) and stored(Contact)[-1].addresses[0].address == EVIL


def a_customer_who_got_an_agents_mail(box):
    message = come(box, sender=CUSTOMER, to="support+token@corp.example", In_Reply_To=f"<{ours()}>")
    assert message.conversation_id == annas().id
    assert not message.outgoing and message.author_id is None, "a customer's text, not Marek's"


def a_sender_spoofed_as_one_of_us(box):
    for uid, sender in ((50, "Marek <marek@corp.example>"), (51, f"Support <{US}>")):
        assert stays_outside(come(box, uid, sender=sender, In_Reply_To=f"<{ours()}>", text=f"Number {uid}"))


def the_same_message_id_again(box):
    later = come(box, sender=CUSTOMER, Message_ID="<0@x>", text="Number 7, another one")
    assert [m.text[:8] for m in stored(Message, Message.message_id == "0@x")] == ["Number 0", "Number 7"]
    assert later.conversation_id == annas().id


def twice_the_same_bytes_without_id(box):
    raw = letter(sender=EVIL, text="Number 8")
    arrive(box, raw, raw, first_uid=50)
    arrive(box, raw, first_uid=50)
    [message] = stored(Message, Message.text.like("Number 8%"))
    assert message.message_id is None and len(stored(Place, Place.message_id == message.id)) == 2


def two_mails_without_id(box):
    arrive(box, letter(sender=EVIL, text="Number 7"), letter(sender=EVIL, text="Number 8"), first_uid=50)
    assert len({m.conversation_id for m in stored(Message, Message.from_address == EVIL)}) == 2


def an_empty_message_id(box):
    come(box, 50, sender=EVIL, Message_ID="<>")
    come(box, 51, sender=EVIL, Message_ID="<>", In_Reply_To="<>", References="<> < >", text="Number 8")
    come(box, 52, sender=CUSTOMER, In_Reply_To="<>", text="Number 7")
    assert len(stored(Message)) == 5 and len(stored(Conversation)) == 4, "nothing is nobody's id"


def a_message_id_with_control_characters(box):
    for uid, odd in enumerate(("<a\0b@x>", "<a\r\n b@x>", "<zażółć@x>", "<\udcff\udcfe@x>", "<a@x\x07>"), 50):
        message = come(box, uid, sender=EVIL, Message_ID=odd, text=f"Number {uid}")
        assert message.text.startswith(f"Number {uid}")
        assert not set(message.message_id or "") & set("\r\n\0"), "it goes into no command as it is"


def five_thousand_references(box):
    many = "\r\n ".join(f"<{n}@nowhere>" for n in range(5000))
    message = come(box, sender=CUSTOMER, References=f"{many}\r\n <0@x>")
    assert message.conversation_id == annas().id and len(message.references) <= 120


def the_same_subject(box):
    assert stays_outside(come(box, sender="berta@other.example", subject="Re: Hello"))


def the_same_mail_in_two_folders(box):
    raw = letter(sender=EVIL, text="Number 8", Message_ID="<8@x>")
    arrive(box, raw, first_uid=50)
    arrive(box, raw, role="archive", first_uid=7)
    [message] = stored(Message, Message.text.like("Number 8%"))
    assert len(stored(Place, Place.message_id == message.id)) == 2


def the_same_mail_by_two_workers_at_once(box, app):
    item = Fetched(50, letter(sender=EVIL, text="Number 8"), datetime.now(UTC), frozenset())
    barrier = threading.Barrier(2)

    def work():
        with app.app_context(), suppress(Exception):        # one of them may be refused and comes again
            barrier.wait(10)
            with unit():
                receive(db.session.get(Connection, box), folder_of(box), [item])
    both = [threading.Thread(target=work) for _n in range(2)]
    db.session.rollback()
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(30)
    with unit():
        receive(db.session.get(Connection, box), folder_of(box), [item])
    assert len(stored(Message, Message.from_address == EVIL)) == len(stored(Place)) - 1 == 1


def a_date_that_is_none(box):
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5)
    for n, date in enumerate(("Thu, 1 Jan 1970 00:00:00 +0000", "Sat, 1 Jan 2050 00:00:00 +0000", None, "yesterday")):
        raw = letter(sender=CUSTOMER, text=f"Number 2{n}", Date=date, In_Reply_To="<0@x>")
        arrive(box, raw, first_uid=50 + n, at=at - timedelta(minutes=4 - n))
    shown = sorted(stored(Message, Message.text.like("Number 2%")), key=lambda m: m.at)
    assert [m.text[:9].strip() for m in shown] == [f"Number 2{n}" for n in range(4)]
    assert {m.conversation_id for m in shown} == {annas().id} and parse(raw).readable


MEANING = {
    "001": an_outsider_copies_a_real_message_id, "002": an_outsider_guesses_ids, "003": a_number_in_the_subject,
    "004": another_customer_answers, "005": a_token_in_the_address, "006": a_customer_who_got_an_agents_mail,
    "008": a_sender_spoofed_as_one_of_us, "010": the_same_message_id_again, "012": twice_the_same_bytes_without_id,
    "013": two_mails_without_id, "014": an_empty_message_id, "016": a_message_id_with_control_characters,
    "017": five_thousand_references, "019": the_same_subject, "022": the_same_mail_in_two_folders,
    "024": the_same_mail_by_two_workers_at_once, "025": a_date_that_is_none}


@pytest.mark.parametrize("number", MEANING)
def test_an_attack_ends_as_written(box, app, number):
    MEANING[number](*((box, app) if number == "024" else (box,)))


@pytest.mark.skipif(not CASES.exists(), reason="no folder shared/cases beside the project")
def test_every_case_has_its_meaning_here():
    assert {json.loads(line)["id"] for line in CASES.open()} == {f"thread-attacks-{number}" for number in MEANING}
