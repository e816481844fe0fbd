"""Pictures of messages that lie elsewhere: fetched for those who allowed it, kept painted anew, forgotten again."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Moment, now, one_of
from webapp.rules.bounds import PICTURE_SCOPES, PICTURE_STATES

WANTED = "state = 'wanted'"     # few of very many: the clock asks for them


class Picture(db.Model):
    """One remote picture of a message that somebody wanted to see: `number` in message.images, where its URL is.

    `sha256` names what came, and so what was painted of it (actions.paintings); `version` is the painter's. `at`: when
    it may be fetched next; of others when it last changed. `shown_at`: the day on which somebody last saw it.
    """

    __table_args__ = (
        UniqueConstraint("message_id", "number"), one_of("state", PICTURE_STATES),
        CheckConstraint("state <> 'stored' OR sha256 IS NOT NULL", name="stored_is_there"),
        Index("ix_picture_wanted", "at", sqlite_where=text(WANTED), postgresql_where=text(WANTED)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(default="wanted")
    why: Mapped[str | None]
    sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    version: Mapped[int] = mapped_column(default=0)
    size: Mapped[int] = mapped_column(BigInteger, default=0)     # bytes that came over the wire
    width: Mapped[int] = mapped_column(default=0)
    height: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime] = mapped_column(Moment, default=now)
    shown_at: Mapped[datetime] = mapped_column(Moment, default=now, index=True)


class PictureLeave(db.Model):
    """What a person allowed to load from elsewhere: the pictures of one message for a while, or of a sender or a domain
    until it is taken back. `value`: the message's id, the address, the domain."""

    __table_args__ = (UniqueConstraint("person_id", "scope", "value"), one_of("scope", PICTURE_SCOPES),
                      CheckConstraint("(scope = 'message') = (until IS NOT NULL)", name="once_ends"))

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    scope: Mapped[str]
    value: Mapped[str]
    until: Mapped[datetime | None] = mapped_column(Moment)
    made_at: Mapped[datetime] = mapped_column(Moment, default=now)


def valid_leaves(person_id):
    """SELECT of (scope, value) that this person allows now."""
    return select(PictureLeave.scope, PictureLeave.value).where(
        PictureLeave.person_id == person_id, PictureLeave.until.is_(None) | (PictureLeave.until > now()))


def lasting_leaves(person_id):
    """SELECT of the senders and domains that this person allows, domains first, each by name."""
    return select(PictureLeave).where(PictureLeave.person_id == person_id, PictureLeave.scope != "message").order_by(
        PictureLeave.scope, PictureLeave.value)
