"""A mail server that hangs costs a worker a minute for each of its mailboxes. Those take the slow queue, one worker's,
until it answers again: mail from everywhere else does not wait behind them (DESIGN 9, P4)."""

from datetime import timedelta

from sqlalchemy import exists, select

from webapp.extensions import db
from webapp.models import Connection
from webapp.models.types import now

RECENT = timedelta(minutes=2)


def hangs(connection_id) -> bool:
    """Did another mailbox of the same server time out, and has none of them been read of late?"""
    other, read = Connection.__table__.alias(), Connection.__table__.alias()
    return bool(db.session.scalar(select(Connection.id).where(
        Connection.id == connection_id,
        exists().where(_same_server(other), other.c.id != connection_id, other.c.problem == "timed_out",
                       other.c.retry_at > now() - RECENT),
        ~exists().where(_same_server(read), read.c.problem.is_(None), read.c.synced_at > now() - RECENT))))


def uncertain(connection_ids) -> set:
    """Of these, the ones that were not read the last time, or never: nobody knows whether their server answers."""
    return set(db.session.scalars(select(Connection.id).where(
        Connection.id.in_(connection_ids), Connection.problem.is_not(None) | Connection.synced_at.is_(None))))


def _same_server(table):
    return (table.c.imap_host == Connection.imap_host) & (table.c.imap_port == Connection.imap_port) & (
        table.c.state == "active")
