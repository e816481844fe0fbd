"""Answering a customer. Row, recipients, final bytes and Message-ID are written at the click."""

from datetime import timedelta

from flask import current_app
from sqlalchemy import select

from webapp.actions import outbox, threads
from webapp.actions.conversations import assign, see
from webapp.actions.drafts import drop_draft
from webapp.actions.receive import blobs
from webapp.extensions import db
from webapp.mail.compose import build_message, envelope_address, mint_message_id, references_for, reply_subject
from webapp.mail.text import snippet, to_html
from webapp.mail.types import Mailbox
from webapp.models import Connection, Message
from webapp.models.types import now
from webapp.rules import RuleBroken
from webapp.rules.connections import may_use
from webapp.rules.sending import check_reply

ANSWERABLE = ("ok", "too_big")


def reply(actor, conversation, text):
    """Answer the customer. Row, recipients, final bytes and Message-ID are written here and now; the mail leaves after
    the undo time. Returns the Outbox row. Raises RuleBroken("text", ...)."""
    check_reply(text)
    connection = _sending_connection(conversation)
    parent = _last_message(conversation)
    to = answer_to(parent, connection)
    settings = current_app.config["SETTINGS"]
    at = now().replace(microsecond=0)
    message_id = mint_message_id(connection.address.rpartition("@")[2], current_app.config["SECRET_KEY"].encode())
    references = references_for(parent.message_id, tuple(parent.references))
    subject = reply_subject(conversation.subject)
    sender = Mailbox(from_name(connection, actor), connection.address)
    recipients, raw = _written(sender=sender, to=to, subject=subject, text=text, html=to_html(text),
                               in_reply_to=parent.message_id, references=references, message_id=message_id, date=at)
    [sha256] = blobs().put_raw([raw])
    message = Message(connection_id=connection.id, digest=sha256, raw_sha256=sha256, size=len(raw), outgoing=True,
                      author_id=actor.id, message_id=message_id, references=list(references), subject=subject,
                      from_name=sender.name, from_address=sender.address, to=[list(m) for m in to], at=at,
                      text=text, snippet=snippet(text))
    message.connection = connection
    db.session.add(message)
    db.session.flush()
    threads.file_own(conversation, message)
    if conversation.assignee_id is None:      # whoever answers takes it on (BEHAVIOUR 5.11)
        assign(actor, conversation, actor)
    drop_draft(actor, conversation)
    see(actor, conversation)
    return outbox.enqueue(actor, connection, message, recipients, at + timedelta(seconds=settings.undo_seconds))


def _written(*, to, **parts):
    """(envelope addresses, final bytes); a customer's address that mail can't be sent to is said at the field."""
    try:
        return [envelope_address(m.address) for m in to], build_message(to=to, **parts)
    except ValueError:
        raise RuleBroken("text", "nobody_to_answer") from None


def from_name(connection, actor):
    """The team's name for a team address, the person's own otherwise."""
    return connection.from_name or (actor.name if connection.person_id else connection.inbox.name)


def answer_to(parent, connection) -> list[Mailbox]:
    """Who gets the answer: the sender (or their Reply-To); after our own mail, those it went to."""
    pairs = parent.to if parent.outgoing else (parent.reply_to or [[parent.from_name, parent.from_address]])
    to = [Mailbox(*p) for p in pairs if p[1] and p[1].lower() != connection.address.lower()]
    if not to or (parent.sender_ambiguous and not parent.outgoing):
        raise RuleBroken("text", "nobody_to_answer")
    return to


def answerable(message):
    """Can this message be answered at all? A report of failed delivery has nobody behind it."""
    return message.state in ANSWERABLE and not message.bounce


def _sending_connection(conversation):
    """The address that the customer wrote to, or else the inbox's own newest."""
    latest = db.session.scalar(select(Message.connection_id).where(Message.conversation_id == conversation.id)
                               .order_by(Message.at.desc(), Message.id.desc()).limit(1))
    connection = db.session.get(Connection, latest)
    if not may_use(connection.state, connection.holder_state, "send", connection.kind):
        connection = db.session.scalar(select(Connection).where(
            Connection.inbox_id == conversation.inbox_id, Connection.state == "active").order_by(Connection.id))
    if connection is None:
        raise RuleBroken("text", "no_address", inbox=conversation.inbox.name)
    return connection


def _last_message(conversation):
    """The newest message that can be answered; robots only when nobody else wrote."""
    found = db.session.scalars(
        select(Message).where(Message.conversation_id == conversation.id, Message.state.in_(ANSWERABLE),
                              Message.bounce.is_(False))
        .order_by(Message.auto, Message.at.desc(), Message.id.desc()).limit(1)).first()
    if found is None:
        raise RuleBroken("text", "nobody_to_answer")
    return found
