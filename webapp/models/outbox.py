"""Mail on its way out: final bytes, recipients, and a state that only conditional updates change (DESIGN 8)."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.connection import Connection
from webapp.models.message import Message
from webapp.models.person import Person
from webapp.models.types import Moment, now, one_of
from webapp.rules.bounds import OUTBOX_STATES


class Outbox(db.Model):
    __table_args__ = (one_of("state", OUTBOX_STATES), one_of("copy_state", ("none", "due", "done")),
                      Index("ix_outbox_due", "state", "not_before"),
                      Index("ix_outbox_claimed", "connection_id", "claimed_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"))
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), unique=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))     # none: it left by itself
    # Of the composer that it was sent from: a second click, or a second window, can't send the same again.
    token: Mapped[str | None] = mapped_column(String(64), unique=True)
    written: Mapped[dict | None] = mapped_column(JSON(none_as_null=True))    # the draft that it was, to be one again
    state: Mapped[str] = mapped_column(default="queued")
    not_before: Mapped[datetime] = mapped_column(Moment)
    raw_sha256: Mapped[str] = mapped_column(String(64), index=True)
    sender: Mapped[str]                                  # envelope, not headers
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None] = mapped_column(Moment)
    problem: Mapped[str | None]
    problem_text: Mapped[str] = mapped_column(default="")
    copy_state: Mapped[str] = mapped_column(default="none")
    copy_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    claimed_at: Mapped[datetime | None] = mapped_column(Moment)   # last handed to a server: what the limits count
    sent_at: Mapped[datetime | None] = mapped_column(Moment)

    connection: Mapped[Connection] = relationship()
    message: Mapped[Message] = relationship()
    author: Mapped[Person | None] = relationship()
    recipients: Mapped[list["OutboxRecipient"]] = relationship(back_populates="outbox", order_by="OutboxRecipient.id")

    @hybrid_property
    def is_for_later(self):
        """Did its writer choose a time? Then it is counted in with its first attempt (threads.left). In a SELECT its
        message is to be joined."""
        return self.message.at > self.created_at

    @is_for_later.inplace.expression
    @classmethod
    def _is_for_later(cls):
        return Message.at > cls.created_at


class OutboxRecipient(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    outbox_id: Mapped[int] = mapped_column(ForeignKey("outbox.id", ondelete="CASCADE"), index=True)
    address: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting")   # waiting, accepted, refused
    code: Mapped[int | None]
    text: Mapped[str] = mapped_column(default="")
    bounce: Mapped[str | None]                              # a report came later that it did not arrive: hard, soft
    bounce_text: Mapped[str] = mapped_column(default="")
    bounced_at: Mapped[datetime | None] = mapped_column(Moment)
    outbox: Mapped[Outbox] = relationship(back_populates="recipients")
