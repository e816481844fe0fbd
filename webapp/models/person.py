"""People of the organisation, and the sessions in which they are signed in."""

import hashlib
from datetime import datetime

from flask_login import UserMixin
from sqlalchemy import JSON, ForeignKey, false, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.types import Moment, no_longer_than, now, one_of
from webapp.rules.bounds import ADDRESS_MAX, LANGUAGES, NAME_MAX, PERSON_STATES, ROLES, THEMES, TITLE_MAX


class Person(UserMixin, db.Model):
    __table_args__ = (one_of("role", ROLES), one_of("state", PERSON_STATES), one_of("language", LANGUAGES),
                      one_of("theme", THEMES), no_longer_than("name", NAME_MAX), no_longer_than("email", ADDRESS_MAX),
                      no_longer_than("title", TITLE_MAX))

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str]                                   # the sign-in, as typed
    email_key: Mapped[str] = mapped_column(unique=True)  # outlives removal: recreating brings the same person back
    password_hash: Mapped[str | None]
    title: Mapped[str] = mapped_column(default="")       # what they do here
    role: Mapped[str] = mapped_column(default="member")
    state: Mapped[str] = mapped_column(default="active")
    language: Mapped[str] = mapped_column(default="en")
    theme: Mapped[str] = mapped_column(default="system")
    time_zone: Mapped[str] = mapped_column(default="Europe/Warsaw")
    mail_mentions: Mapped[bool] = mapped_column(default=True)     # told by mail, too, when a note names them
    mail_following: Mapped[bool] = mapped_column(default=True)    # and of what happens in conversations they follow
    single_keys: Mapped[bool] = mapped_column(default=True)       # one key alone does something (WCAG 2.1.4)
    # Who gets new conversations by themselves: rules.availability. Hours: rules.hours, in their own zone.
    is_away: Mapped[bool] = mapped_column(default=False, server_default=false())
    hours: Mapped[dict | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    last_seen_at: Mapped[datetime | None] = mapped_column(Moment)
    # When and by whom the present state was reached, when it is not "active".
    state_at: Mapped[datetime | None] = mapped_column(Moment)
    state_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    state_by: Mapped["Person | None"] = relationship(remote_side=[id], foreign_keys=[state_by_id])

    @property
    def is_active(self):
        return self.state == "active"

    @property
    def is_admin(self):
        return self.role == "admin"

    @property
    def first_name(self):
        return self.name.split(" ")[0]


class SignIn(db.Model):
    """One signed-in browser. The cookie holds a random token; here lies its hash."""

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    last_seen_at: Mapped[datetime] = mapped_column(Moment, default=now)
    agent: Mapped[str] = mapped_column(default="")       # the browser, as it calls itself
    ip: Mapped[str] = mapped_column(default="")          # where it was last seen
    person: Mapped[Person] = relationship(lazy="joined")


class Try(db.Model):
    """Something that may be tried only so often, counted before it is made: a sign-in, a reset, a connection.
    `subject` is a hash of what is limited, such as an address or an IP."""

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(Moment, default=now, index=True)


def active_people():
    return select(Person).where(Person.state == "active").order_by(Person.name)


def active_admins():
    return active_people().where(Person.role == "admin")


def token_hash(token):
    """What is stored of a sign-in's random token."""
    return hashlib.sha256(token.encode()).hexdigest()
