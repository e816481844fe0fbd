"""What a person has written and not sent: an answer, something handed on, or a new message."""

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.conversation import Conversation
from webapp.models.inbox import Inbox
from webapp.models.person import Person
from webapp.models.types import Moment, now, one_of
from webapp.rules.bounds import DRAFT_KINDS


class Draft(db.Model):
    """One a conversation and person; of new messages any number. Colleagues who may act there can read it."""

    __table_args__ = (UniqueConstraint("conversation_id", "person_id"), one_of("kind", DRAFT_KINDS),
                      CheckConstraint("conversation_id IS NOT NULL OR inbox_id IS NOT NULL", name="belongs_somewhere"),
                      Index("ix_draft_person", "person_id", "saved_at", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    inbox_id: Mapped[int | None] = mapped_column(ForeignKey("inbox.id", ondelete="CASCADE"))     # of a new message
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    # Of a new message: the composer that it is written in, which may be open in two windows.
    token: Mapped[str | None] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(default="reply")
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="SET NULL"))  # what it answers
    sender: Mapped[str] = mapped_column(default="")          # the address to send from; empty: as the rules choose
    to: Mapped[list] = mapped_column(JSON, default=list)     # [[name, address], ...]
    cc: Mapped[list] = mapped_column(JSON, default=list)
    bcc: Mapped[list] = mapped_column(JSON, default=list)
    subject: Mapped[str] = mapped_column(default="")
    text: Mapped[str] = mapped_column(default="")
    html: Mapped[str | None]                                 # none: written without formatting
    saved_at: Mapped[datetime] = mapped_column(Moment, default=now, onupdate=now)

    conversation: Mapped[Conversation | None] = relationship()
    inbox: Mapped[Inbox | None] = relationship()
    person: Mapped[Person] = relationship()
    files: Mapped[list["DraftFile"]] = relationship(back_populates="draft", order_by="DraftFile.id",
                                                    cascade="all, delete-orphan", passive_deletes=True)


class DraftFile(db.Model):
    """A file that is to go along. Its bytes lie in the blob store, once for all that share them."""

    id: Mapped[int] = mapped_column(primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("draft.id", ondelete="CASCADE"), index=True)
    filename: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    content_id: Mapped[str | None]                           # of a picture that stands within the text
    draft: Mapped[Draft] = relationship(back_populates="files")


class LeftFile(db.Model):
    """The bytes of a file that was taken out of a draft, or went with it: triggers of the database note it
    (migration 0009). To be forgotten when nothing names them any more: actions.left_files."""

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    at: Mapped[datetime] = mapped_column(Moment, index=True)     # the last time
