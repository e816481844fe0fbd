"""What was done that somebody may have to answer for: an append-only chain.

Each row holds the SHA-256 of its own content and of the row before, so that a changed, missing or added row breaks the
chain from there on. The database refuses UPDATE and DELETE by triggers. `AuditHead` is one row that says which is the
newest: whoever appends locks it, so that two at once do not take the same number.
"""

import hashlib
import json
from datetime import UTC, datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.person import Person
from webapp.models.types import Moment, now

BEGINNING = "0" * 64


class Audit(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)          # 1, 2, 3 …: a gap is a missing row
    at: Mapped[datetime] = mapped_column(Moment, default=now)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)   # none: the product itself
    action: Mapped[str] = mapped_column(index=True)           # "hold.released"
    subject: Mapped[str] = mapped_column(index=True)          # "hold-7"
    facts: Mapped[dict] = mapped_column(JSON, default=dict)
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    actor: Mapped[Person | None] = relationship()


class AuditHead(db.Model):
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(default=0)
    digest: Mapped[str] = mapped_column(String(64), default=BEGINNING)


def digest_of(previous, number, at, actor_id, action, subject, facts):
    """SHA-256 over the canonical JSON of a row and the digest before it; the same on both databases."""
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    content = json.dumps([previous, number, moment, actor_id, action, subject, facts], sort_keys=True,
                         separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()
