"""Comparing a folder's messages with ours, and mending both ways (DESIGN 9, P1): fetch what is missing, mark what is
gone. The cursor is read before the server is asked, and what lies beyond it is not compared: it is yet to come."""

from datetime import timedelta

from webapp.actions import places
from webapp.jobs import following
from webapp.models.types import now

EVERY, SPREAD = timedelta(hours=20), timedelta(hours=4)


def due(folder):
    """A folder whose first sync is done, once a day, not all at the same moment for ever."""
    every = EVERY - SPREAD * (folder["id"] * 37 % 100 / 100)
    return not folder["low"] and folder["uidvalidity"] is not None and (
        folder["reconciled_at"] is None or now() - folder["reconciled_at"] > every)


def reconcile(pull, folder, selected):
    """{folder, server, stored, missing, extra}: counts of what is in scope, as found; all of it is mended."""
    first, high = folder["low"] or 1, folder["high"]
    listed = pull.session.uids(first, None)
    whole = first > 1 or len(listed) >= selected.exists     # else it lists fewer than it says: nothing is gone for that
    left_out = set(pull.session.drafts()) if folder["mail"].role == "all" else ()      # rules.folders.is_left_out
    listed = [uid for uid in listed if uid <= high and uid not in left_out]
    absent, extra, stored = pull.write(
        folder, lambda row: places.compare(row, first, listed, high, mend=whole))
    missing = following.in_scope(pull, folder, absent)
    pull.fetch_missing(folder, missing)
    if not selected.highestmodseq:
        following.all_flags(pull, folder)
    if first == 1:      # while a first sync goes on, only its newest part was compared
        pull.write(folder, lambda row: places.reconciled(row, len(missing), extra if whole else 0))
    return {"folder": folder["mail"].name, "server": len(listed) - len(absent) + len(missing), "stored": stored,
            "missing": len(missing), "extra": extra}
