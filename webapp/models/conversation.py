"""A conversation of an inbox, who takes part, what happened, who has seen how far."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, exists, func, or_, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.contact import Contact
from webapp.models.inbox import Inbox, is_member
from webapp.models.person import Person
from webapp.models.types import Moment, now, one_of
from webapp.rules.bounds import CONVERSATION_STATES


class Conversation(db.Model):
    __table_args__ = (
        one_of("status", CONVERSATION_STATES),
        # The three indexes that keep lists flat at a million rows (SYNC 6).
        Index("ix_conversation_list", "inbox_id", "status", "last_at", "id"),
        Index("ix_conversation_mine", "assignee_id", "status", "last_at", "id"),
        Index("ix_conversation_all", "status", "last_at", "id"),
        Index("ix_conversation_newest", "inbox_id", "last_in_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id"))
    subject: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="open")
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    opened_at: Mapped[datetime] = mapped_column(Moment, default=now)
    # What the list shows, kept with every message so that a row needs no second query.
    last_at: Mapped[datetime] = mapped_column(Moment, default=now)
    last_outgoing: Mapped[bool] = mapped_column(default=False)
    last_snippet: Mapped[str] = mapped_column(default="")
    who: Mapped[str] = mapped_column(default="")          # the customer, as shown
    who_address: Mapped[str] = mapped_column(default="")  # and where they write from: a name alone can lie
    who_at: Mapped[datetime | None] = mapped_column(Moment)   # when the mail came that says so; none: we wrote first
    message_count: Mapped[int] = mapped_column(default=0)
    has_attachments: Mapped[bool] = mapped_column(default=False)
    last_in_id: Mapped[int] = mapped_column(default=0)    # newest incoming message; unread when seen is less
    # A stranger's mail that refers to this other conversation, which it may not join.
    possible_reply_to_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"), index=True)
    # A colleague put all of it into this other one; it is empty and its number leads there.
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"), index=True)

    inbox: Mapped[Inbox] = relationship()
    assignee: Mapped[Person | None] = relationship(foreign_keys=[assignee_id])
    contact: Mapped[Contact | None] = relationship()


class ThreadKey(db.Model):
    """Mail of a conversation speaks of this Message-ID: it is its own, or it mentions it (rules.threading.Says). Many
    conversations may speak of one, and have mail with the same."""

    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id", ondelete="CASCADE"), primary_key=True)
    message_id: Mapped[str] = mapped_column(String(998), primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True,
                                                 index=True)
    own: Mapped[bool] = mapped_column(primary_key=True)
    by: Mapped[str] = mapped_column(primary_key=True)


class Participant(db.Model):
    """An address that wrote, or was written to, in a conversation. Only these may join by reference."""

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True)
    address_key: Mapped[str] = mapped_column(primary_key=True)


class Event(db.Model):
    """What happened to a conversation: assigned, closed, reopened. `facts` are what the words need."""

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    facts: Mapped[dict] = mapped_column(JSON, default=dict)
    at: Mapped[datetime] = mapped_column(Moment, default=now)
    actor: Mapped[Person | None] = relationship()


class Seen(db.Model):
    """How far a person has read a conversation: the newest incoming message that was on their screen."""

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    last_in_id: Mapped[int]


class Draft(db.Model):
    """What a person has typed and not sent, one a conversation."""

    __table_args__ = (UniqueConstraint("conversation_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    text: Mapped[str]
    saved_at: Mapped[datetime] = mapped_column(Moment, default=now, onupdate=now)


def visible_conversations(person):
    """SELECT of conversations in the inboxes that this person may read (rules.access). Those of a deleted inbox stay
    with their contacts, for the same people."""
    is_open = exists().where(Inbox.id == Conversation.inbox_id, Inbox.access == "everyone")
    return select(Conversation).where(or_(is_open, is_member(person.id, Conversation.inbox_id)))


def open_counts(inbox_ids):
    """SELECT inbox_id, open conversations, unassigned ones."""
    return (select(Conversation.inbox_id, func.count(), func.count().filter(Conversation.assignee_id.is_(None)))
            .where(Conversation.inbox_id.in_(inbox_ids), Conversation.status == "open")
            .group_by(Conversation.inbox_id))
