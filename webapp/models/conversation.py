"""A conversation of an inbox, who takes part, what happened, who has seen how far."""

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, exists, or_, select, text, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.contact import Contact
from webapp.models.inbox import Inbox, is_member
from webapp.models.person import Person
from webapp.models.tag import Tag
from webapp.models.team import Team
from webapp.models.types import Moment, now, one_of
from webapp.rules.bounds import CONVERSATION_STATES

SPAM = "status = 'spam'"
SENT, ASLEEP = "last_out_at IS NOT NULL", "snoozed_until IS NOT NULL"     # few of very many
DUE = "due_at IS NOT NULL"


class Conversation(db.Model):
    __table_args__ = (
        one_of("status", CONVERSATION_STATES),
        # The three indexes that keep lists flat at a million rows (SYNC 6).
        Index("ix_conversation_list", "inbox_id", "status", "last_at", "id"),
        Index("ix_conversation_mine", "assignee_id", "status", "last_at", "id"),
        Index("ix_conversation_all", "status", "last_at", "id"),
        Index("ix_conversation_spam", "status_at", sqlite_where=text(SPAM), postgresql_where=text(SPAM)),
        Index("ix_conversation_newest", "inbox_id", "last_in_id"),
        Index("ix_conversation_sent", "inbox_id", "last_out_at", "id", sqlite_where=text(SENT),
              postgresql_where=text(SENT)),
        Index("ix_conversation_asleep", "snoozed_until", sqlite_where=text(ASLEEP), postgresql_where=text(ASLEEP)),
        Index("ix_conversation_opened", "inbox_id", "opened_at", "status"),
        Index("ix_conversation_due", "inbox_id", "due_at", "id", sqlite_where=text(DUE), postgresql_where=text(DUE)),
        CheckConstraint("snoozed_until IS NULL OR status = 'snoozed'", name="only_snoozed_has_an_end"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id"))
    subject: Mapped[str] = mapped_column(default="")
    # open: somebody of us is to act; waiting: we have answered; snoozed: until a time, or until an answer.
    status: Mapped[str] = mapped_column(default="open")
    status_at: Mapped[datetime] = mapped_column(Moment, default=now)      # since when
    snoozed_until: Mapped[datetime | None] = mapped_column(Moment)        # none, and snoozed: until an answer
    woke_at: Mapped[datetime | None] = mapped_column(Moment)              # back from snooze, and nobody has acted since
    # Since when a customer waits for an answer, and is it our first; until when they are to have it (rules.targets).
    # What was there when somebody closed it waits no longer: all up to this message.
    asked_at: Mapped[datetime | None] = mapped_column(Moment)
    asks_first: Mapped[bool] = mapped_column(default=True, server_default=true())
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    within: Mapped[int | None]            # minutes, said by a rule: a target of its own in place of its inbox's
    settled_id: Mapped[int] = mapped_column(default=0, server_default="0")
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id", ondelete="SET NULL"), index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    opened_at: Mapped[datetime] = mapped_column(Moment, default=now)
    # What the list shows, kept with every message so that a row needs no second query.
    last_at: Mapped[datetime] = mapped_column(Moment, default=now)
    last_outgoing: Mapped[bool] = mapped_column(default=False)
    last_out_at: Mapped[datetime | None] = mapped_column(Moment)          # of our newest mail
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
    team: Mapped[Team | None] = relationship()
    tags: Mapped[list[Tag]] = relationship(secondary="conversation_tag", order_by=Tag.name)


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
    act: Mapped[str | None] = mapped_column(String(32), index=True)     # what one click did, to be taken back together
    actor: Mapped[Person | None] = relationship()


class Seen(db.Model):
    """How far a person has read a conversation: the newest incoming message that was on their screen."""

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    last_in_id: Mapped[int]


def visible_conversations(person):
    """SELECT of conversations in the inboxes that this person may read (rules.access). Those of a deleted inbox stay
    with their contacts, for the same people."""
    is_open = exists().where(Inbox.id == Conversation.inbox_id, Inbox.access == "everyone")
    return select(Conversation).where(or_(is_open, is_member(person.id, Conversation.inbox_id)))
