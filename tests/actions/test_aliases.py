"""Addresses that a mailbox writes from besides its own: held like any, chosen like any, and ours when mail comes."""

from email import message_from_bytes, policy

import pytest
from mailroom import arrive, connected, inbox, letter, person, stored
from sqlalchemy import select

from webapp.actions import aliases, autoreply, connections, letters, replies
from webapp.actions.receive import blobs
from webapp.extensions import db, unit
from webapp.models import Alias, Audit, Connection, Conversation, Hold, Inbox, Message, Outbox, Participant
from webapp.models.connection import held
from webapp.rules import RuleBroken

SALES = "sales@corp.example"


@pytest.fixture
def box(team):
    box = connected()
    add(box)
    return box


def add(box, address=SALES):
    with unit():
        aliases.add(person("zofia"), db.session.get(Connection, box), address)


def refused(what):
    with pytest.raises(RuleBroken) as broken, unit():
        what()
    return broken.value.code


def answer(**how):
    with unit():
        row = replies.reply(person("marek"), stored(Conversation)[0], "We will.", **how)
        return row.sender, message_from_bytes(blobs().get_raw(row.raw_sha256), policy=policy.default)


@pytest.mark.parametrize("to, cc, sender", [
    (SALES, None, SALES), ("support@corp.example", SALES, "support@corp.example"),
    ("hidden@elsewhere.example", None, "support@corp.example"), ("SALES@corp.example", None, SALES)])
def test_whoever_writes_to_one_is_answered_from_it(box, to, cc, sender):
    arrive(box, letter(to=to, Cc=cc, Message_ID="<1@x>"))
    envelope, mail = answer()
    assert envelope == sender and mail["From"].addresses[0].addr_spec == sender
    assert mail["To"].addresses[0].addr_spec == "anna@customer.example"
    assert mail["Message-ID"].endswith("@corp.example>")


def test_it_is_chosen_in_the_composer_and_kept_for_the_next_answer(box):
    arrive(box, letter(Message_ID="<1@x>"))
    assert [s.address for s in letters.senders(inbox())] == ["support@corp.example", SALES]
    assert answer(sender=SALES)[0] == SALES
    assert answer()[0] == SALES


def test_an_answer_to_all_leaves_out_every_address_of_ours(box):
    arrive(box, letter(to=f"{SALES}, jan@y.example", Cc="support@corp.example", Message_ID="<1@x>"))
    with unit():
        parent = stored(Message)[0]
        to, cc = replies.answer_all(parent, letters.sender_for(inbox(), parent.conversation), inbox())
    assert [a for _n, a in to + cc] == ["anna@customer.example", "jan@y.example"]


def test_it_takes_no_part_in_a_conversation(box):
    arrive(box, letter(to=f"{SALES}, jan@y.example", Message_ID="<1@x>"))
    assert {p.address_key for p in db.session.query(Participant)} == {"anna@customer.example", "jan@y.example"}


def test_nobody_else_connects_it_or_writes_from_it(box):
    assert held(SALES).name == "Support" and held(SALES).uses == frozenset()
    with unit():
        db.session.add(Inbox(name="Boardroom"))
    other = connected(address="oferty@corp.example", inbox_name="Boardroom")
    assert refused(lambda: aliases.add(person("zofia"), db.session.get(Connection, other), SALES)) == "taken"
    assert refused(lambda: connections.begin(person("marek"), "personal", SALES, "secret-1")) == "taken"
    assert refused(lambda: aliases.add(person("zofia"), db.session.get(Connection, box), SALES)) == "sends_already"
    assert refused(lambda: aliases.add(person("zofia"), db.session.get(Connection, box), "no address")
                   ) == "not_an_address"
    assert refused(lambda: aliases.add(person("zofia"), db.session.get(Connection, box), "oferty@corp.example")
                   ) == "taken"


def test_its_own_inbox_may_connect_it_and_then_it_is_a_mailbox(box):
    connected(address=SALES)
    assert db.session.query(Alias).count() == 0
    assert held(SALES).uses == {"mail"}
    assert [s.address for s in letters.senders(inbox())] == ["support@corp.example", SALES]


def test_it_is_free_when_it_is_taken_off_and_when_its_mailbox_goes(box):
    with unit():
        connection = db.session.get(Connection, box)
        aliases.remove(person("zofia"), connection, connection.aliases[0])
    assert held(SALES) is None
    add(box)
    with unit():
        connections.disconnect(person("zofia"), db.session.get(Connection, box))
    assert db.session.query(Hold).count() == 0 and db.session.query(Alias).count() == 0
    assert [a.action for a in stored(Audit) if a.action.startswith("alias")] == [
        "alias.added", "alias.removed"] * 2


def test_an_automatic_answer_leaves_from_it_too(box):
    with unit():
        inbox().auto_first, inbox().auto_first_text = True, "We have your mail."
    arrive(box, letter(to=SALES, Message_ID="<1@x>"))
    with unit():
        autoreply.answer(db.session.scalar(select(Message.id)))
    assert [row.sender for row in stored(Outbox)] == [SALES]


def test_it_is_connected_with_a_login_of_its_own_alone(box):
    """Its mailbox would be that of the address that it belongs to: all mail twice."""
    login = db.session.scalar(select(Hold.login_key).where(Hold.login_key.is_not(None)))
    with unit():
        same = connections.begin(person("zofia"), "team", SALES, "secret-1", inbox=inbox()).id
    assert refused(lambda: connections.claim(db.session.get(Connection, same), login)) == "same_mailbox"


def test_what_goes_with_its_mailbox_is_in_the_log(box):
    with unit():
        connections.disconnect(person("zofia"), db.session.get(Connection, box))
    [row] = stored(Audit, Audit.action == "alias.removed")
    assert row.facts == {"address": SALES, "of": "support@corp.example"} and row.actor_id == person("zofia").id
