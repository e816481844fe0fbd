"""What stops a connected mailbox, since when, and who is told (BEHAVIOUR 18)."""

from datetime import timedelta

from sqlalchemy import or_, select

from webapp.actions.connections import announce_health, step
from webapp.actions.notices import tell
from webapp.extensions import db
from webapp.live import announce
from webapp.models import Connection
from webapp.models.person import active_admins
from webapp.models.types import now
from webapp.rules.connections import TELL_AFTER


def problem(connection, code, retry_after: timedelta | None = None, /, **facts):
    """Something stops this connection. Shown with its remedy; `retry_after` None: it waits for a person."""
    if connection.problem is None:
        connection.problem_since = now()
    if retry_after is None and (connection.problem is None or connection.retry_at is not None):
        connection.told_at = None       # what they were told would pass by itself now needs somebody
    connection.problem, connection.problem_facts = code, facts
    connection.retry_at = now() + retry_after if retry_after else None
    db.session.flush()
    announce_health(connection)


def retry(connection, wait: timedelta):
    """Connecting goes on by itself after `wait`."""
    connection.retry_at = now() + wait
    db.session.flush()
    announce(f"connection-{connection.id}")


def healthy(connection):
    connection.synced_at = now()
    if connection.checks.get("sync", {}).get("state") == "fail":
        step(connection, "sync", "done" if connection.caught_up else "run", started=now().isoformat())
    if connection.problem or connection.told_at:
        told, since = connection.told_at, connection.problem_since
        connection.problem = connection.problem_facts = connection.problem_since = connection.retry_at = None
        connection.told_at = None
        if told:
            _tell(connection, "mailbox.works_again", f"works-{connection.id}-{told.isoformat()}",
                  since=since.isoformat() if since else None)
        announce_health(connection)
    db.session.flush()


def to_tell():
    """SELECT of the ids of stopped mailboxes whose people do not know yet: at once when only a person can mend it, else
    after a while, for most troubles pass."""
    return select(Connection.id).where(
        Connection.state == "active", Connection.problem.is_not(None), Connection.told_at.is_(None),
        or_(Connection.retry_at.is_(None), Connection.problem_since < now() - TELL_AFTER))


def tell_stopped(connection):
    """By mail and on the screen, once: a personal mailbox's owner; a team mailbox's connector and all admins."""
    waits = connection.retry_at is None
    key = f"stopped-{connection.id}-{connection.problem_since.isoformat()}-{'waits' if waits else 'passes'}"
    connection.told_at = now()
    facts = {k: v for k, v in (connection.problem_facts or {}).items() if isinstance(v, str | int | float)}
    _tell(connection, "mailbox.stopped", key, problem=connection.problem, facts=facts,
          host=connection.imap_host, waits=waits)


def _tell(connection, notice, key, **facts):
    for person in _people(connection):
        tell(person, notice, key=f"{key}-{person.id}", address=connection.address, connection=connection.id,
             kind=connection.kind, inbox=connection.inbox.name if connection.inbox_id else None, **facts)


def _people(connection):
    if connection.person_id:
        return [connection.person] if connection.person.state == "active" else []
    people = {p.id: p for p in db.session.scalars(active_admins())}
    if connection.connected_by.state == "active":
        people.setdefault(connection.connected_by_id, connection.connected_by)
    return list(people.values())
