"""Who holds an address. The two unique keys are the connection rules' last word. And who waits for one."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
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
    connections: Mapped[list["Connection"]] = relationship(  # noqa: F821  its uses
        primaryjoin="Hold.id == foreign(Connection.hold_id)", viewonly=True)


class Alias(db.Model):
    """A held address without a mailbox of its own: mail to it lies in that of a team connection, which writes from it
    as well. It is known at the provider; we cannot make it."""

    hold_id: Mapped[int] = mapped_column(ForeignKey("hold.id", ondelete="CASCADE"), primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id", ondelete="CASCADE"), index=True)
    hold: Mapped[Hold] = relationship(lazy="joined", innerjoin=True)

    address = property(lambda self: self.hold.address)


class HoldRequest(db.Model):
    """Somebody asked the admins for an address that another holds. Ended when it is free, and they are told."""

    __table_args__ = (
        no_longer_than("address", ADDRESS_MAX),
        Index("uq_hold_request_open", "person_id", "address_key", unique=True, sqlite_where=text("ended_at IS NULL"),
              postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    address: Mapped[str]
    address_key: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]                                      # what it is wanted as: "personal" or "team"
    asked_at: Mapped[datetime] = mapped_column(Moment, default=now)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    person: Mapped[Person] = relationship()
