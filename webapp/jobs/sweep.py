"""What the clock does: find every row whose time has come and hint at it again. A lost queue costs seconds."""

from datetime import timedelta

from flask import current_app
from sqlalchemy import or_, select

from webapp.actions import outbox
from webapp.extensions import db
from webapp.jobs import look
from webapp.models import Connection, Outbox
from webapp.models.types import now
from webapp.queue import enqueue

STUCK = timedelta(seconds=150)   # a connecting step that has stood longer than a job may run


def replies():
    """Every second: what is to leave now."""
    for outbox_id in look(lambda: db.session.scalars(outbox.due().limit(200)).all()):
        enqueue("webapp.jobs.outbox.send", (outbox_id,), queue="out")


def everything():
    """Every half minute: mailboxes to poll, first syncs to go on with, copies, uncertain mail, stuck steps."""
    for connection_id in look(_mailboxes_due):
        enqueue("webapp.jobs.sync.pull", (connection_id,), queue="in")
    for outbox_id in look(lambda: db.session.scalars(outbox.copies_due().limit(200)).all()):
        enqueue("webapp.jobs.outbox.copy", (outbox_id,), queue="out")
    for outbox_id in look(_uncertain):
        enqueue("webapp.jobs.outbox.look_in_sent", (outbox_id,), queue="out")
    for connection_id in look(_stuck):
        enqueue("webapp.jobs.connect.connect", (connection_id,), queue="in")


def _mailboxes_due():
    poll = timedelta(seconds=current_app.config["SETTINGS"].poll_seconds)
    free = or_(Connection.lease_until.is_(None), Connection.lease_until < now())
    waited = or_(Connection.problem.is_(None), Connection.retry_at <= now())
    return db.session.scalars(select(Connection.id).where(
        Connection.state == "active", Connection.use == "mail", free, waited,
        or_(Connection.wanted, Connection.caught_up.is_(False), Connection.synced_at.is_(None),
            Connection.synced_at < now() - poll))).all()


def _uncertain():
    return db.session.scalars(select(Outbox.id).where(Outbox.state == "uncertain", Outbox.not_before
                                                      > now() - timedelta(days=1))).all()


def _stuck():
    """Connecting, and its running step is older than any job: the job was lost or killed."""
    limit = (now() - STUCK).isoformat()
    rows = db.session.execute(select(Connection.id, Connection.checks).where(
        Connection.state.in_(("connecting", "active")), Connection.created_at > now() - timedelta(days=1)))
    return [i for i, checks in rows if any(c["state"] == "run" and c["at"] < limit
                                           for name, c in (checks or {}).items() if name != "sync")]
