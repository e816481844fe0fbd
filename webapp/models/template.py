"""Templates: answers that are written once. Fields stand in braces, such as {{contact.first_name}}."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Moment, no_longer_than, now
from webapp.rules.bounds import TEMPLATE_MAX, TEMPLATE_NAME_MAX


class Template(db.Model):
    __table_args__ = (no_longer_than("name", TEMPLATE_NAME_MAX), no_longer_than("text", TEMPLATE_MAX))

    id: Mapped[int] = mapped_column(primary_key=True)
    inbox_id: Mapped[int | None] = mapped_column(ForeignKey("inbox.id", ondelete="CASCADE"), index=True)  # none: of all
    name: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    text: Mapped[str] = mapped_column(default="")
    html: Mapped[str | None]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    changed_at: Mapped[datetime] = mapped_column(Moment, default=now, onupdate=now)
