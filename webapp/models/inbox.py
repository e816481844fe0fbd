"""Team inboxes and who belongs to the restricted ones."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, exists, or_, select, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Moment, no_longer_than, now, one_of
from webapp.rules.bounds import INBOX_ACCESS, INBOX_NAME_MAX


class Inbox(db.Model):
    __table_args__ = (one_of("access", INBOX_ACCESS), no_longer_than("name", INBOX_NAME_MAX))

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    is_default: Mapped[bool] = mapped_column(default=False)
    access: Mapped[str] = mapped_column(default="everyone")
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)


Index("uq_inbox_name", Inbox.name, unique=True)
Index("uq_inbox_default", Inbox.is_default, unique=True, sqlite_where=text("is_default"),
      postgresql_where=text("is_default"))


class InboxMember(db.Model):
    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)


def is_member(person_id):
    return exists().where(InboxMember.inbox_id == Inbox.id, InboxMember.person_id == person_id)


def visible_inboxes(person):
    """SELECT of the inboxes that this person may see; the look-up is the permission (rules.access)."""
    query = select(Inbox).order_by(Inbox.is_default.desc(), Inbox.id)
    if person.role == "admin":
        return query
    return query.where(or_(Inbox.access == "everyone", is_member(person.id)))
