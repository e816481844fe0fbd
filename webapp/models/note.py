"""Notes: words among colleagues within a conversation. Nothing that sends mail reads this table."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.person import Person
from webapp.models.types import Moment, no_longer_than, now
from webapp.rules.bounds import NOTE_MAX

UNSEEN = "seen_at IS NULL"


class Note(db.Model):
    __table_args__ = (Index("ix_note_conversation", "conversation_id", "at", "id"), no_longer_than("text", NOTE_MAX))

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    text: Mapped[str]
    at: Mapped[datetime] = mapped_column(Moment, default=now)
    removed_at: Mapped[datetime | None] = mapped_column(Moment)     # by its author; its words are gone then
    author: Mapped[Person] = relationship()
    mentions: Mapped[list["Mention"]] = relationship(back_populates="note", cascade="all, delete-orphan")


class Mention(db.Model):
    """Somebody was called into a conversation by a note, by name or as one of a team."""

    __table_args__ = (Index("ix_mention_person", "person_id", "note_id"),
                      Index("ix_mention_unseen", "person_id", sqlite_where=text(UNSEEN),
                            postgresql_where=text(UNSEEN)))

    note_id: Mapped[int] = mapped_column(ForeignKey("note.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    seen_at: Mapped[datetime | None] = mapped_column(Moment)
    note: Mapped[Note] = relationship(back_populates="mentions")


class Follower(db.Model):
    """Who is told of everything that happens in a conversation."""

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, index=True)
