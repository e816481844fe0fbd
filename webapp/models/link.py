"""Links that work once: their rows, and the signed token that stands in the URL."""

from datetime import datetime

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.person import Person
from webapp.models.types import Moment, now, one_of
from webapp.rules.bounds import LINK_PURPOSES


class Link(db.Model):
    """A link that works once: an invitation, a new password, a new sign-in address. The URL holds the id and a
    signature; nothing in the database opens it. A reset is asked for by address, and its person found later by a job:
    the page takes the same time for everybody."""

    __table_args__ = (one_of("purpose", LINK_PURPOSES),)

    id: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    email: Mapped[str] = mapped_column(default="")       # reset: as typed; email: the new one
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    made_at: Mapped[datetime] = mapped_column(Moment, default=now)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)
    person: Mapped[Person | None] = relationship(foreign_keys=[person_id])


def token_of(link):
    """What stands in the URL. Made anew for each mail, kept nowhere."""
    return _signer().dumps([link.id, link.purpose])


def link_of(token):
    """The link behind a token while it may be used; None when it is altered, unknown, used or too old: nobody is told
    which."""
    try:
        link_id, purpose = _signer().loads(token)
    except (BadData, ValueError, TypeError):
        return None
    link = db.session.get(Link, link_id)
    return link if usable(link) and link.purpose == purpose else None


def usable(link):
    return link is not None and link.used_at is None and link.expires_at > now()


def _signer():
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="postroom-link")
