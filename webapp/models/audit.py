"""What was done that somebody may have to answer for. Rows are added, never changed."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Moment, now


class Audit(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment, default=now)
    actor_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    action: Mapped[str]
    subject: Mapped[str]
    facts: Mapped[dict] = mapped_column(JSON, default=dict)
