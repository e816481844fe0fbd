"""Which folders of a mailbox are read."""

from webapp.actions import leases
from webapp.actions.audit import note
from webapp.actions.connections import announce_health, step
from webapp.extensions import db
from webapp.models.types import now
from webapp.queue import later
from webapp.rules import RuleBroken
from webapp.rules.folders import check_folders, is_needed


def choose(actor, connection, folder_ids):
    """Read INBOX, Sent and these. What was read of a folder stays when it is left out, and is not followed any more."""
    db.session.refresh(connection, with_for_update=True)
    if connection.use != "mail" or connection.state not in ("active", "paused"):
        raise RuleBroken("folders", "not_now")
    roles = {folder.id: folder.role for folder in connection.folders}
    check_folders(folder_ids, roles)
    wanted = set(folder_ids) | {folder.id for folder in connection.folders if folder.chosen and is_needed(folder.role)}
    added = [f for f in connection.folders if f.id in wanted and not f.chosen]
    left = [f for f in connection.folders if f.id not in wanted and f.chosen]
    if not added and not left:
        return
    for folder in (*added, *left):
        folder.chosen = folder.id in wanted
    if any(f.uidvalidity is None or f.low_uid for f in added):
        connection.caught_up = False
        step(connection, "sync", "run", started=now().isoformat())
    note(actor, "connection.folders_changed", f"connection-{connection.id}", address=connection.address,
         added=[f.name for f in added], left=[f.name for f in left])
    db.session.flush()
    leases.revoke(connection.id)        # a job that has the old ones in its hand stores nothing more
    announce_health(connection)
    if connection.state == "active":
        later("webapp.jobs.sync.pull", connection.id, queue="in")
