"""What the virus scanner said of an attachment's content: one row for all that share the bytes."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Moment, now, one_of
from webapp.rules.bounds import SCAN_STATES


class Scan(db.Model):
    __table_args__ = (one_of("state", SCAN_STATES),)

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    state: Mapped[str]
    name: Mapped[str] = mapped_column(default="")      # of what was found in it, in the scanner's words
    at: Mapped[datetime] = mapped_column(Moment, default=now)
