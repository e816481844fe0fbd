"""Appending to the audit log, and checking its chain."""

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Audit, AuditHead
from webapp.models.audit import BEGINNING, digest_of
from webapp.models.types import now


def note(actor, action, subject, **facts):
    """`actor` did `action` to `subject` ("inbox-3"); part of the transaction that does it. Facts are plain values: what
    the words need later, names included, since people go. Never a secret."""
    head = db.session.scalar(select(AuditHead).with_for_update().execution_options(populate_existing=True))
    if head is None:
        head = AuditHead(id=1, number=0, digest=BEGINNING)
        db.session.add(head)
    at, actor_id, number = now(), actor.id if actor is not None else None, head.number + 1
    digest = digest_of(head.digest, number, at, actor_id, action, subject, facts)
    row = Audit(number=number, at=at, actor_id=actor_id, action=action, subject=subject, facts=facts,
                previous=head.digest, digest=digest)
    db.session.add(row)
    head.number, head.digest = number, digest
    db.session.flush()
    return row


def verify():
    """(rows read, newest digest, what is wrong as a list of (number, reason)). Reasons: "missing" (this number, and
    those up to the next row that is there), "changed" (its content does not give its digest), "unchained" (it does not
    follow the row before), "head" (rows are missing at the end, or were added behind the product's back)."""
    wrong, previous, number, count = [], BEGINNING, 0, 0
    for row in db.session.scalars(select(Audit).order_by(Audit.number).execution_options(yield_per=1000)):
        if row.number != number + 1:
            wrong.append((number + 1, "missing"))
        elif row.previous != previous:
            wrong.append((row.number, "unchained"))
        if row.digest != digest_of(row.previous, row.number, row.at, row.actor_id, row.action, row.subject, row.facts):
            wrong.append((row.number, "changed"))
        number, previous, count = row.number, row.digest, count + 1
    head = db.session.scalar(select(AuditHead))
    if (head.number, head.digest) != (number, previous) if head else number:
        wrong.append((number, "head"))
    return count, previous, wrong


def number_of(digest):
    """Which row has this digest; None when none has: then the log was written anew since somebody noted it down."""
    return db.session.scalar(select(Audit.number).where(Audit.digest == digest.strip().lower()))
