"""People outside: made by the mail that comes from them (BEHAVIOUR 2.15)."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.person import Person
from webapp.models.types import Moment, now
from webapp.rules.lookalike import domain_of, skeleton

__all__ = ["Contact", "ContactAddress", "KnownDomain", "domain_of", "skeleton"]


class Contact(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    owner: Mapped[Person | None] = relationship()
    addresses: Mapped[list["ContactAddress"]] = relationship(back_populates="contact", order_by="ContactAddress.id")


class KnownDomain(db.Model):
    """A domain from which a contact has written, since when, and what it looks like (rules.lookalike.skeleton)."""

    domain: Mapped[str] = mapped_column(primary_key=True)        # as people read it, lower case
    skeleton: Mapped[str] = mapped_column(index=True)
    since: Mapped[datetime] = mapped_column(Moment, default=now)


class ContactAddress(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"), index=True)
    address: Mapped[str]
    address_key: Mapped[str] = mapped_column(unique=True)
    contact: Mapped[Contact] = relationship(back_populates="addresses")
