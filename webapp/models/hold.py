"""Who holds an address. The two unique keys are the connection rules' last word."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.inbox import Inbox
from webapp.models.person import Person
from webapp.models.types import Moment, no_longer_than, now
from webapp.rules.bounds import ADDRESS_MAX


class Hold(db.Model):
    __table_args__ = (
        CheckConstraint("(person_id IS NULL) <> (inbox_id IS NULL)", name="one_holder"),
        UniqueConstraint("id", "person_id"), UniqueConstraint("id", "inbox_id"),  # targets of connection's keys
        no_longer_than("address", ADDRESS_MAX),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str]                                   # as typed, for showing
    address_key: Mapped[str] = mapped_column(unique=True)
    login_key: Mapped[str | None] = mapped_column(unique=True)  # IMAP host and user; none for a calendar alone
    # The hold outlives the person: no cascade, and no delete of a person who holds something.
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"), index=True)
    inbox_id: Mapped[int | None] = mapped_column(ForeignKey("inbox.id", ondelete="RESTRICT"), index=True)
    since: Mapped[datetime] = mapped_column(Moment, default=now)
    person: Mapped[Person | None] = relationship()
    inbox: Mapped[Inbox | None] = relationship()
