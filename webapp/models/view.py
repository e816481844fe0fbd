"""A list that somebody put together from filters, kept under a name."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Moment, no_longer_than, now
from webapp.rules.bounds import VIEW_NAME_MAX


class SavedView(db.Model):
    __table_args__ = (no_longer_than("name", VIEW_NAME_MAX),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    query: Mapped[dict] = mapped_column(JSON, default=dict)      # rules.listing.Listing as plain values
    shared: Mapped[bool] = mapped_column(default=False)          # with everyone; each sees what they may see
    made_at: Mapped[datetime] = mapped_column(Moment, default=now)


def visible_views(person):
    """SELECT of one's own views and those that colleagues share."""
    return select(SavedView).where(or_(SavedView.person_id == person.id, SavedView.shared)).order_by(SavedView.name)
