"""How far back a mailbox is read, changed on purpose."""

from webapp.actions import leases
from webapp.actions.audit import note
from webapp.actions.connections import announce_health, step
from webapp.extensions import db
from webapp.models.types import now
from webapp.queue import later
from webapp.rules import RuleBroken
from webapp.rules.history import check_history, widens


def set_history(actor, connection, history):
    """Further back: what is older is read now. Less far: what is here stays; an unfinished first sync ends earlier."""
    check_history(history)
    db.session.refresh(connection, with_for_update=True)
    if connection.use != "mail" or connection.state not in ("active", "paused"):
        raise RuleBroken("history", "not_now")
    if history == connection.history:
        return
    if widens(connection.history, history):
        connection.caught_up = False
        for folder in connection.folders:
            if folder.chosen and folder.uidvalidity is not None:
                folder.low_uid = folder.start_uid + 1       # down once more; what is stored is passed over
        step(connection, "sync", "run", started=now().isoformat())
    note(actor, "connection.history_changed", f"connection-{connection.id}", address=connection.address,
         was=connection.history, history=history)
    connection.history = history
    db.session.flush()
    leases.revoke(connection.id)        # a job with the old choice in its hand stores nothing more
    announce_health(connection)
    if connection.state == "active":
        later("webapp.jobs.sync.pull", connection.id, queue="in")
