"""What the person who asks is shown of a message's pictures. A page asks for its messages one by one: what the person
allows is read once a request."""

import hashlib
from typing import NamedTuple

from flask import g
from flask_login import current_user
from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Picture
from webapp.models.picture import valid_leaves
from webapp.rules.pictures import PICTURES_MOST, is_allowed, values_of
from webapp.web.senders import sender_is_proven, sender_warnings

# What speaks against a sender being the one that it names.
UNSURE = frozenset({"name_lied", "nobody", "hides", "not_proven", "no_proof"})


class Pictures(NamedTuple):
    """`count`: remote pictures in it. `by`: the scope by which this person sees them, None: they are blocked. `offers`:
    {scope: value} of what may be allowed for good. The rest counts what has become of those that are fetched."""

    count: int
    by: str | None = None
    offers: dict = {}
    stored: int = 0
    loading: int = 0
    failed: int = 0
    why: tuple = ()
    version: str | None = None      # changes with what the frame would show; None: as it was when it came

    @property
    def left_out(self):
        return max(0, self.count - PICTURES_MOST)


def init_app(app):
    app.add_template_global(pictures_of)


def pictures_of(message):
    """Pictures of a message, as the person who asks may see them. Asked for by its sheet and by the line below."""
    kept = g.setdefault("pictures", {})
    if message.id not in kept:
        kept[message.id] = _pictures_of(message)
    return kept[message.id]


def _pictures_of(message):
    count = sum(kind == "remote" for kind, _url in message.images)
    if not count:
        return Pictures(0)
    by = allowed_by(message)
    offers = {} if message.outgoing else values_of(message.from_address, is_sure(message))
    if by is None:
        return Pictures(count, None, offers)
    rows = rows_of(message)
    failed = [p for p in rows if p.state == "failed" or p.state == "wanted" and p.why]
    stored = [p.number for p in rows if p.state == "stored"]
    return Pictures(count, by, offers, len(stored), min(count, PICTURES_MOST) - len(stored) - len(failed), len(failed),
                    tuple(sorted({p.why for p in failed if p.why})), _version(stored))


def allowed_by(message):
    """The scope by which the person who asks sees the remote pictures of this message, or None."""
    if "picture_leaves" not in g:
        g.picture_leaves = {tuple(row) for row in db.session.execute(valid_leaves(current_user.id))}
    if not g.picture_leaves:
        return None
    return is_allowed(message.id, message.from_address, is_sure(message), g.picture_leaves)


def is_sure(message):
    """Does nothing speak against the sender being the one that it names?"""
    return bool(message.from_address) and sender_is_proven(message) and not UNSURE & {
        w.code for w in sender_warnings(message)}


def rows_of(message):
    return db.session.scalars(select(Picture).where(Picture.message_id == message.id).order_by(Picture.number)).all()


def _version(numbers):
    """Of the frame's URL: the browser may keep what it had for this person, and loads anew what has changed."""
    return hashlib.sha256(f"{current_user.id}|{numbers}".encode()).hexdigest()[:12]
