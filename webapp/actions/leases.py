"""One worker a connection, by a lease in the database (DEFENCE 4.2). Each lease has a number, the fence; whoever
holds an older one may not commit any more."""

from datetime import timedelta

from sqlalchemy import or_, select, update

from webapp.extensions import db
from webapp.models import Connection
from webapp.models.types import now

# Short: what a killed worker held is free again after this. A living one renews it (webapp.jobs.heartbeat), and at
# each commit; one that was only slow, and comes too late, is stopped by its fence.
LENGTH = timedelta(seconds=30)


class LeaseLost(Exception):
    """Another worker has taken over. Nothing of ours may be stored."""


def take(connection_id):
    """The fence of a new lease, or None when somebody else has it; then they are told that there is more to do."""
    taken = db.session.execute(
        update(Connection).where(Connection.id == connection_id,
                                 or_(Connection.lease_until.is_(None), Connection.lease_until < now()))
        .values(lease_until=now() + LENGTH, fence=Connection.fence + 1, wanted=False)
        .returning(Connection.fence)).scalar()
    if taken is None:
        db.session.execute(update(Connection).where(Connection.id == connection_id).values(wanted=True))
    return taken


def pass_by(connection_id) -> bool:
    """For what is stored in this one transaction, without a lease: True when nobody works on the connection; until the
    transaction ends nobody begins to, and whose lease has run out has lost it. Else they are told to look again."""
    free = db.session.execute(
        update(Connection).where(Connection.id == connection_id,
                                 or_(Connection.lease_until.is_(None), Connection.lease_until < now()))
        .values(fence=Connection.fence + 1)).rowcount == 1
    if not free:
        db.session.execute(update(Connection).where(Connection.id == connection_id).values(wanted=True))
    return free


def hold_on(connection_id, fence):
    """Renew inside the transaction that stores something. Raises LeaseLost."""
    renewed = db.session.execute(
        update(Connection).where(Connection.id == connection_id, Connection.fence == fence,
                                 Connection.lease_until.is_not(None))
        .values(lease_until=now() + LENGTH)).rowcount
    if renewed != 1:
        raise LeaseLost(connection_id)


def release(connection_id, fence, wanted=False) -> bool:
    """Give the lease back; `wanted`: there is more to do. True when there is, or somebody asked meanwhile."""
    return bool(db.session.execute(
        update(Connection).where(Connection.id == connection_id, Connection.fence == fence)
        .values(lease_until=None, **({"wanted": True} if wanted else {})).returning(Connection.wanted)).scalar())


def is_wanted(connection_id) -> bool:
    """Has somebody asked to look again, since that was last taken note of? Or is the connection gone."""
    return db.session.scalar(select(Connection.wanted).where(Connection.id == connection_id)) is not False


def clear_wanted(connection_id, fence) -> bool:
    """True when there was something to do; it is taken note of now, before looking."""
    return db.session.execute(
        update(Connection).where(Connection.id == connection_id, Connection.fence == fence,
                                 Connection.wanted.is_(True)).values(wanted=False)).rowcount == 1


def revoke(connection_id):
    """Whoever has the lease has lost it: at their next write they stop."""
    db.session.execute(update(Connection).where(Connection.id == connection_id)
                       .values(lease_until=None, fence=Connection.fence + 1))
