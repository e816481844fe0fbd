"""What reports count, kept when it happens: answers, and closings. What they were measured by may change later; what
was, stays."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Moment


class Answer(db.Model):
    """A mail of ours that answered customers' mail. One a message, whoever tells of it again."""

    __table_args__ = (Index("ix_answer_report", "inbox_id", "answered_at", "is_first", "work_seconds", "person_id",
                            "in_time"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), unique=True)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id", ondelete="SET NULL"), index=True)
    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))      # none: written in another mail program
    asked_at: Mapped[datetime] = mapped_column(Moment)          # the first mail that nobody had answered
    answered_at: Mapped[datetime] = mapped_column(Moment)       # when the server took the answer
    seconds: Mapped[int]                # by the clock
    work_seconds: Mapped[int]           # of working time, by the hours of then; of none: by the clock
    is_first: Mapped[bool]              # nobody of us had written in the conversation before
    target: Mapped[int | None]          # minutes, of then
    in_time: Mapped[bool | None]        # none: there was no target


class Closing(db.Model):
    """Somebody closed a conversation. `since`: when its first mail came; of one that was closed before, the first after
    that, or when somebody opened it again. `settled_before`: the conversation's settled_id until then."""

    __table_args__ = (Index("ix_closing_report", "inbox_id", "at", "seconds", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id", ondelete="SET NULL"), unique=True)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id", ondelete="SET NULL"), index=True)
    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    since: Mapped[datetime] = mapped_column(Moment)
    at: Mapped[datetime] = mapped_column(Moment)
    seconds: Mapped[int]
    settled_before: Mapped[int] = mapped_column(default=0, server_default="0")
