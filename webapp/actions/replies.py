"""Answering, and handing on: who would get it, under which subject, and the click itself."""

from sqlalchemy import select

from webapp.actions import drafts, letters, threads
from webapp.actions.letters import Letter
from webapp.extensions import db
from webapp.mail.compose import forward_subject, reply_subject
from webapp.mail.types import Mailbox
from webapp.models import Connection, Message
from webapp.rules import RuleBroken, recipients

ANSWERABLE = ("ok", "too_big")


def reply(actor, conversation, text, *, html=None, parent=None, to=None, cc=(), bcc=(), subject=None, sender="",
          files=(), kind="reply", **how):
    """Answer the customer, or hand a message on (`kind` "forward"). What is left out is as the rules choose. `how`: of
    letters.send. Returns the Outbox row; the writer's draft is gone. Raises RuleBroken."""
    drafted = drafts.draft_of(actor, conversation)
    parent = parent or last_message(conversation)
    if to is None:
        to = [list(m) for m in answer_to(parent, letters.sender_for(conversation.inbox, conversation, sender))]
    letter = Letter(kind=kind, text=text, html=html, parent=parent, to=to, cc=list(cc), bcc=list(bcc), sender=sender,
                    subject=subject_for(kind, conversation, parent) if subject is None else subject, files=list(files))
    row = letters.send(actor, conversation.inbox, conversation, letter, **how)
    if drafted is not None:
        drafts.drop(drafted)
    return row


def subject_for(kind, conversation, parent):
    return forward_subject(parent.subject) if kind == "forward" else reply_subject(conversation.subject)


def answer_to(parent, sender) -> list[Mailbox]:
    """Who gets the answer: the sender (or their Reply-To); after our own mail, those it went to."""
    pairs = parent.to if parent.outgoing else (parent.reply_to or [[parent.from_name, parent.from_address]])
    ours = _own(sender)
    to = [Mailbox(*p) for p in pairs if p[1] and p[1].lower() not in ours]
    if not to or (parent.sender_ambiguous and not parent.outgoing):
        raise RuleBroken("text", "nobody_to_answer")
    return to


def answer_all(parent, sender, inbox):
    """(to, cc) of an answer to everybody, without ourselves. Raises as `answer_to`."""
    asked = [list(m) for m in answer_to(parent, sender)]
    ours = db.session.scalars(select(Connection.address).where(Connection.inbox_id == inbox.id)).all()
    keys = {address.lower() for address in (*ours, *(s.address for s in letters.senders(inbox)))} | _own(sender)
    return recipients.of_all(asked, [] if parent.outgoing else parent.to, parent.cc, keys)


def _own(sender):
    """The addresses of its mailbox: whoever writes to one of them is not answered there."""
    return {sender.address.lower(), sender.connection.address.lower(),
            *(alias.address.lower() for alias in sender.connection.aliases)}


def chosen(conversation, message_id):
    """The message of that number, where it lies in the conversation and can be answered or handed on; else None."""
    message = db.session.get(Message, message_id) if message_id else None
    found = message is not None and message.conversation_id == conversation.id and (
        message.state in ANSWERABLE and not threads.is_to_leave(message))
    return message if found else None


def last_message(conversation):
    """The newest message that can be answered; robots only when nobody else wrote, and a report of failed delivery has
    nobody behind it. Raises RuleBroken("text", "nobody_to_answer")."""
    found = db.session.scalars(
        select(Message).where(Message.conversation_id == conversation.id, Message.state.in_(ANSWERABLE),
                              Message.bounce.is_(False), ~Message.is_to_leave())
        .order_by(Message.auto, Message.at.desc(), Message.id.desc()).limit(1)).first()
    if found is None:
        raise RuleBroken("text", "nobody_to_answer")
    return found
