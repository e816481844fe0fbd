"""A mail server says that ours did not arrive: shown where it belongs, and believed only by our own token."""

import pytest
from mailroom import arrive, connected, inbox, letter, person, report, stored

from webapp.actions import conversations, inboxes, replies
from webapp.extensions import db, unit
from webapp.mail.compose import mint_message_id
from webapp.models import Conversation, Event, Message, Outbox, OutboxRecipient


@pytest.fixture
def answered(app, team):
    """Anna wrote and was answered, and the conversation is closed."""
    box = connected()
    arrive(box, letter(Message_ID="<1@customer.example>"), at=None)
    number = stored(Conversation)[0].id
    with unit():
        replies.reply(person("zofia"), db.session.get(Conversation, number), "Sorry for that.")
        conversations.close(person("zofia"), db.session.get(Conversation, number))
    return box


def ours():
    return stored(Message, Message.outgoing)[0]


def said(about, address="anna@customer.example", status="5.1.1", action="failed", why="550 5.1.1 no such user", to=None):
    raw = report(about, **({"to": to} if to else {}))
    fields = (f"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; "
              f"{address}\r\nAction: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; {why}\r\n\r\n")
    return raw.replace(b"--b\r\nContent-Type: message/rfc822", fields.encode() + b"--b\r\nContent-Type: message/rfc822")


def test_it_is_shown_at_the_recipient_and_opens_the_conversation_again(answered):
    arrive(answered, said(ours().message_id), first_uid=2)
    [recipient] = stored(OutboxRecipient)
    assert (recipient.bounce, recipient.bounce_text) == ("hard", "550 5.1.1 no such user") and recipient.bounced_at
    [bounce] = stored(Message, Message.bounce)
    assert bounce.bounce_of_id == ours().id and bounce.auto_kind == "robot"
    [conversation] = stored(Conversation)
    assert conversation.status == "open" and stored(Event)[-1].kind == "reopened_by_mail"


def test_it_says_so_on_our_message(answered, browser_of):
    arrive(answered, said(ours().message_id, why="<script>alert(1)</script>"), first_uid=2)
    with browser_of("zofia") as client:
        page = client.get(f"/conversations/{stored(Conversation)[0].id}").text
    assert "anna@customer.example did not get it: there is no such address." in page
    assert "&lt;script&gt;alert(1)" in page and "<script>alert(1)" not in page


def test_soft_becomes_hard_and_never_back(answered):
    arrive(answered, said(ours().message_id, status="4.4.1", action="delayed", why="451 later"), first_uid=2)
    assert stored(OutboxRecipient)[0].bounce == "soft"
    arrive(answered, said(ours().message_id), first_uid=3)
    arrive(answered, said(ours().message_id, status="4.2.2", why="452 full"), first_uid=4)
    assert (stored(OutboxRecipient)[0].bounce, stored(OutboxRecipient)[0].bounce_text) == ("hard", "550 5.1.1 no such user")


def test_of_several_recipients_only_the_one_that_is_named(answered):
    number = stored(Outbox)[0].id
    with unit():
        db.session.add(OutboxRecipient(outbox_id=number, address="Bob@Customer.example"))
    arrive(answered, said(ours().message_id, address="bob@customer.example"), first_uid=2)
    assert [r.bounce for r in stored(OutboxRecipient)] == [None, "hard"]
    arrive(answered, said(ours().message_id, address="somebody@else.example"), first_uid=3)
    assert [r.bounce for r in stored(OutboxRecipient)] == [None, "hard"]


def test_mail_that_was_forwarded_there_fails_at_the_only_recipient(answered):
    arrive(answered, said(ours().message_id, address="anna@private.example"), first_uid=2)
    assert stored(OutboxRecipient)[0].bounce == "hard"


def test_in_words_alone(answered):
    raw = ("From: MAILER-DAEMON@mx.example\r\nReturn-Path: <>\r\nTo: support@corp.example\r\nSubject: failure notice\r\n\r\n"
           "<anna@customer.example>:\r\nNo mailbox here by that name. (#5.1.1)\r\n\r\n"
           f"--- Below this line is a copy of the message.\r\n\r\nMessage-ID: <{ours().message_id}>\r\n\r\nHello\r\n")
    arrive(answered, raw.encode(), first_uid=2)
    assert stored(OutboxRecipient)[0].bounce_text == "No mailbox here by that name. (#5.1.1)"


def test_a_report_without_our_token_changes_nothing(app, answered):
    """Forged: with another's token, with an id that is none of ours, by subject, with a token of a mail that is none."""
    real = ours().message_id
    for number, about in enumerate((mint_message_id("corp.example", b"not our key"), "1@customer.example",
                                    real.replace(real[:4], "0000"), f"x{real}",
                                    mint_message_id("corp.example", app.config["SECRET_KEY"].encode()))):
        arrive(answered, said(about), first_uid=2 + number)
    assert stored(OutboxRecipient)[0].bounce is None
    assert not stored(Message, Message.bounce_of_id.is_not(None))


def test_a_person_who_knows_the_token_is_no_mail_server(answered):
    arrive(answered, letter(text=f"<anna@customer.example>:\r\n(#5.1.1)\r\n\r\nMessage-ID: <{ours().message_id}>\r\n"),
           first_uid=2)
    assert stored(OutboxRecipient)[0].bounce is None


def test_a_report_to_another_inbox_changes_nothing(answered):
    with unit():
        inboxes.create_inbox(person("zofia"), "Sales")
    sales = connected(address="sales@corp.example", inbox_name="Sales")
    arrive(sales, said(ours().message_id, to="sales@corp.example"))
    assert stored(OutboxRecipient)[0].bounce is None and inbox("Sales")


def test_what_did_arrive_is_no_bounce(answered):
    arrive(answered, said(ours().message_id, status="2.0.0", action="delivered"), first_uid=2)
    assert stored(OutboxRecipient)[0].bounce is None
