"""Answering, and handing on: who would get it, under which subject, and the click itself."""

from sqlalchemy import or_, select

from webapp.actions import drafts, letters, threads
from webapp.actions.letters import Letter
from webapp.extensions import db
from webapp.mail.compose import forward_subject, reply_subject
from webapp.mail.types import Mailbox
from webapp.models import Connection, Message
from webapp.models.types import now
from webapp.rules import RuleBroken, recipients

ANSWERABLE = ("ok", "too_big")


def reply(actor, conversation, text, *, html=None, parent=None, to=None, cc=(), bcc=(), subject=None, sender="",
          files=(), kind="reply", **how):
    """Answer the customer, or hand a message on (`kind` "forward"). What is left out is as the rules choose. `how`: of
    letters.send. Returns the Outbox row; the writer's draft is gone. Raises RuleBroken."""
    drafted = drafts.draft_of(actor, conversation)
    parent = parent or last_message(conversation)
    if to is None:
        to = [list(m) for m in answer_to(parent, letters.sending_connection(conversation.inbox, conversation, sender))]
    letter = Letter(kind=kind, text=text, html=html, parent=parent, to=to, cc=list(cc), bcc=list(bcc), sender=sender,
                    subject=subject_for(kind, conversation, parent) if subject is None else subject, files=list(files))
    row = letters.send(actor, conversation.inbox, conversation, letter, **how)
    if drafted is not None:
        drafts.drop(drafted)
    return row


def subject_for(kind, conversation, parent):
    return forward_subject(parent.subject) if kind == "forward" else reply_subject(conversation.subject)


def answer_to(parent, connection) -> list[Mailbox]:
    """Who gets the answer: the sender (or their Reply-To); after our own mail, those it went to."""
    pairs = parent.to if parent.outgoing else (parent.reply_to or [[parent.from_name, parent.from_address]])
    to = [Mailbox(*p) for p in pairs if p[1] and p[1].lower() != connection.address.lower()]
    if not to or (parent.sender_ambiguous and not parent.outgoing):
        raise RuleBroken("text", "nobody_to_answer")
    return to


def answer_all(parent, connection, inbox):
    """(to, cc) of an answer to everybody, without ourselves. Raises as `answer_to`."""
    asked = [list(m) for m in answer_to(parent, connection)]
    ours = db.session.scalars(select(Connection.address).where(Connection.inbox_id == inbox.id)).all()
    keys = {address.lower() for address in (*ours, connection.address)}
    return recipients.of_all(asked, [] if parent.outgoing else parent.to, parent.cc, keys)


def answerable(message):
    """Can this message be answered at all? A report of failed delivery has nobody behind it; nobody has what is still
    to leave."""
    return message.state in ANSWERABLE and not message.bounce and not threads.is_to_leave(message)


def last_message(conversation):
    """The newest message that can be answered; robots only when nobody else wrote."""
    found = db.session.scalars(
        select(Message).where(Message.conversation_id == conversation.id, Message.state.in_(ANSWERABLE),
                              Message.bounce.is_(False), or_(Message.author_id.is_(None), Message.at <= now()))
        .order_by(Message.auto, Message.at.desc(), Message.id.desc()).limit(1)).first()
    if found is None:
        raise RuleBroken("text", "nobody_to_answer")
    return found
