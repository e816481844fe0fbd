"""Comparing a folder's messages with ours, and mending both ways (DESIGN 9, P1): fetch what is missing, mark what is
gone. The cursor is read before the server is asked, and what lies beyond it is not compared: it is yet to come."""

from datetime import timedelta

from webapp.actions import places
from webapp.jobs import following
from webapp.models.types import now
from webapp.rules.history import oldest

EVERY = timedelta(hours=20)


def due(folder):
    """A folder whose first sync is done, once a day."""
    return not folder["low"] and folder["uidvalidity"] is not None and (
        folder["reconciled_at"] is None or now() - folder["reconciled_at"] > EVERY)


def reconcile(pull, folder, selected):
    """{folder, server, stored, missing, extra}: counts of what is in scope, as found; all of it is mended."""
    first, high = folder["low"] or 1, folder["high"]
    listed = pull.session.uids(first, None)
    whole = first > 1 or len(listed) >= selected.exists     # else it lists fewer than it says: nothing is gone for that
    listed = [uid for uid in listed if uid <= high]
    absent, extra, stored = pull.write(
        folder, lambda row: places.compare(row, first, listed, high, mend=whole))
    missing = _in_scope(pull, folder, absent)
    pull.fetch_missing(folder, missing)
    if not selected.highestmodseq:
        following.all_flags(pull, folder)
    pull.write(folder, lambda row: places.reconciled(row, len(missing), extra if whole else 0))
    return {"folder": folder["mail"].name, "server": len(listed) - len(absent) + len(missing), "stored": stored,
            "missing": len(missing), "extra": extra}


def _in_scope(pull, folder, uids):
    """Without those that are older than this mailbox is read."""
    since = oldest(folder["history"], folder["connected"])
    if since is None or not uids:
        return uids
    older = [] if folder["history"] == "new" else pull.session.uids(1, folder["start"], since)
    wanted = set(older)
    return [uid for uid in uids if uid > folder["start"] or uid in wanted]
