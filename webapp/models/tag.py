"""Tags: words of the organisation's own, by which conversations are found again."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Moment, no_longer_than, now
from webapp.rules.bounds import TAG_MAX


class Tag(db.Model):
    __table_args__ = (no_longer_than("name", TAG_MAX),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)        # rules.tags.tag_key: one tag however it is written
    made_at: Mapped[datetime] = mapped_column(Moment, default=now)


class ConversationTag(db.Model):
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tag.id", ondelete="CASCADE"), primary_key=True, index=True)
