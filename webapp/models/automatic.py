"""What happens without anybody: whose mail is spam or never is, and which answers went out by themselves."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Moment, no_longer_than, now, one_of
from webapp.rules.bounds import ADDRESS_MAX, SENDER_RULE_KINDS


class SenderRule(db.Model):
    """Mail of this address or domain is spam (deny), or never is (allow). `pattern`: rules.spam.pattern_of."""

    __table_args__ = (one_of("kind", SENDER_RULE_KINDS), no_longer_than("pattern", ADDRESS_MAX),
                      UniqueConstraint("inbox_id", "pattern"))

    id: Mapped[int] = mapped_column(primary_key=True)
    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id", ondelete="CASCADE"))
    kind: Mapped[str]
    pattern: Mapped[str]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    made_at: Mapped[datetime] = mapped_column(Moment, default=now)


class AutoReply(db.Model):
    """One answer that left by itself: caps are counted here (DEFENCE 4.5)."""

    __table_args__ = (Index("ix_auto_reply_address", "inbox_id", "address_key", "at"),
                      Index("ix_auto_reply_domain", "inbox_id", "domain", "at"),
                      Index("ix_auto_reply_inbox", "inbox_id", "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id", ondelete="CASCADE"))
    address_key: Mapped[str]
    domain: Mapped[str]
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="SET NULL"))   # what it answered
    at: Mapped[datetime] = mapped_column(Moment, default=now)
