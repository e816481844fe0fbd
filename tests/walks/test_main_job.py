"""The main job without a browser: connect, receive, answer, hear back. Real Dovecot, real SMTP sink."""

import uuid
from email.message import EmailMessage

import pytest
from sqlalchemy import select

from webapp.actions import connections, replies
from webapp.extensions import db, unit
from webapp.jobs import connect as connect_job
from webapp.jobs import outbox as outbox_job
from webapp.jobs import sync
from webapp.models import Connection, Conversation, Inbox, Message, Outbox, Person, Place


def mail(sender="Anna Nowak <anna@customer.example>", to="support@corp.example", subject="Broken pallet",
         text="Hello,\n\nit is broken.\n", **headers):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes().replace(b"\n", b"\r\n") if b"\r\n" not in message.as_bytes() else message.as_bytes()


@pytest.fixture
def mailbox(app, dovecot, sink, team):
    """A fresh mailbox on the real servers that is allowed by the policy, and how to connect it."""
    import dataclasses
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = dataclasses.replace(
        settings, mail_loopback=f"127.0.0.1:{dovecot.imaps_port} 127.0.0.1:{sink.port}",
        mail_servers=f"corp.example=127.0.0.1:{dovecot.imaps_port}:tls,127.0.0.1:{sink.port}:tls")
    sink.reset()
    yield
    app.config["SETTINGS"] = settings


def connect(dovecot, sink, address, password="secret-1", kind="team"):
    dovecot.add_user(address, password)
    sink.add_user(address, password)
    with unit():
        zofia = db.session.scalar(select(Person).where(Person.name == "Zofia"))
        inbox = db.session.scalar(select(Inbox)) if kind == "team" else None
        connection_id = connections.begin(zofia, kind, address, password, inbox=inbox).id
    connect_job.connect(connection_id)
    return connection_id


def test_a_team_address_is_connected_read_answered_and_heard_back(app, mailbox, dovecot, sink):
    address = f"walk-{uuid.uuid4().hex[:8]}@corp.example"
    dovecot.add_user(address, "secret-1")
    dovecot.deliver(address, mail(to=address, Message_ID="<first@customer.example>"))
    connection_id = connect(dovecot, sink, address)
    connection = db.session.get(Connection, connection_id)
    assert {n: c["state"] for n, c in connection.checks.items()} == {
        "settings": "done", "receive": "done", "send": "done", "folders": "done", "sync": "done"}, connection.checks
    sync.pull(connection_id)
    conversation = db.session.scalar(select(Conversation))
    assert (conversation.subject, conversation.who, conversation.status) == ("Broken pallet", "Anna Nowak", "open")

    with unit():
        marek = db.session.scalar(select(Person).where(Person.name == "Marek"))
        row = replies.reply(marek, db.session.get(Conversation, conversation.id), "We will replace it.")
        outbox_id = row.id
    outbox_job.send(outbox_id)
    row = db.session.get(Outbox, outbox_id)
    assert row.state == "sent", (row.problem, row.problem_text)
    [sent] = sink.received
    assert list(sent.recipients) == ["anna@customer.example"]
    assert b"In-Reply-To: <first@customer.example>" in sent.raw

    outbox_job.copy(outbox_id)
    ours = db.session.scalar(select(Message).where(Message.outgoing))
    dovecot.deliver(address, mail(to=address, subject="Re: Broken pallet", text="Thank you!",
                                  Message_ID="<second@customer.example>", In_Reply_To=f"<{ours.message_id}>",
                                  References=f"<first@customer.example> <{ours.message_id}>"))
    sync.pull(connection_id)
    db.session.rollback()
    messages = db.session.scalars(select(Message).order_by(Message.id)).all()
    assert [m.conversation_id for m in messages] == [conversation.id] * 3
    places = db.session.scalars(select(Place).where(Place.message_id == ours.id)).all()
    assert len(places) == 1, "our own message gets its place from Sent, and no second copy"
