"""Files that left a draft: with the draft, which was sent or discarded, or by hand. Their bytes are forgotten after a
day, unless a draft, a mail, or a letter that can still be called back has them.

The row of such a file is locked from the question to the end. Whoever puts the same file into a draft deletes that row
first, so one waits for the other, and stores the bytes anew.
"""

from datetime import timedelta

from sqlalchemy import delete, select

from webapp.actions.blobs import blobs
from webapp.extensions import db
from webapp.models import DraftFile, LeftFile, Outbox
from webapp.models.types import now

KEPT = timedelta(days=1)
AT_ONCE = 100


def come_back(names):
    """Files with this SHA-256 are about to be stored for a draft."""
    db.session.execute(delete(LeftFile).where(LeftFile.sha256.in_(names)))


def anything_left():
    """Is there something for `forget_left` to do?"""
    return db.session.scalar(_left().limit(1)) is not None


def forget_left():
    rows = db.session.scalars(_left().order_by(LeftFile.at).limit(AT_ONCE).with_for_update(skip_locked=True)).all()
    names = {row.sha256 for row in rows}
    waiting = names & _can_be_called_back()     # first: one that is called back meanwhile is found in its draft
    drafted = set(db.session.scalars(select(DraftFile.sha256).where(DraftFile.sha256.in_(names))))
    blobs().forget_parts(names - drafted - waiting)
    for row in rows:
        if row.sha256 in waiting:
            row.at = now()
        else:
            db.session.delete(row)
    db.session.flush()


def _left():
    return select(LeftFile).where(LeftFile.at <= now() - KEPT)


def _can_be_called_back():
    """SHA-256 of the files of letters that wait to leave."""
    waiting = db.session.scalars(select(Outbox.written).where(Outbox.state == "queued", Outbox.written.is_not(None)))
    return {file[3] for written in waiting for file in written["files"]}
