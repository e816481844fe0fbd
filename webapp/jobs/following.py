"""What happened to messages that are stored already: their flags, and that they are gone (SYNC 0, RFC 7162).

`pull` is the slice of work that asks (jobs.sync): its session has the folder open, its `write` stores under the lease.
"""

from datetime import timedelta

from webapp.actions import places
from webapp.jobs import look
from webapp.mail.types import Flagged, MailError
from webapp.models.types import now
from webapp.rules.history import oldest

WINDOW = 500                        # changes a commit
NEWEST = 300                        # whose flags are asked for again and again where the server tells no changes
FLAGS_EVERY = timedelta(minutes=5)
LOOK_ANYWAY = timedelta(minutes=30)     # whatever STATUS says: some servers' is old


def unchanged(folder, status, has_modseq):
    """Does STATUS say the same as when all of this folder was last followed? `folder`: jobs.intake.plain."""
    if status is None or folder["uidnext"] is None or folder["uidvalidity"] is None:
        return False
    same = (status.uidvalidity, status.uidnext, status.exists) == (
        folder["uidvalidity"], folder["uidnext"], folder["total"])
    told = has_modseq and status.highestmodseq is not None
    if told and status.highestmodseq != folder["modseq"]:
        return False
    lately = folder["flags_at"] is not None and now() - folder["flags_at"] < (LOOK_ANYWAY if told else FLAGS_EVERY)
    return same and lately


def follow(pull, folder, selected, new, status):
    """Flags and deletions up to what SELECT said. `new`: how many UIDs are beyond the cursor that `folder` had."""
    since = folder["modseq"] if selected.highestmodseq and (folder["modseq"] or 0) <= selected.highestmodseq else None
    flags = {}
    if since is None:
        flags = _flags(pull, folder, everything=bool(selected.highestmodseq))
    elif since < selected.highestmodseq:
        flags = _since(pull, folder, since)
    sure, more = True, selected.exists - new - folder["total"]      # what is deleted is told of; what was hidden is not
    if more > 0 or more and not (since and pull.session.tells_vanished):
        sure = _compare(pull, folder, selected, new)

    def done(row):
        places.set_flags(row, flags)
        row.highestmodseq, row.flags_at = selected.highestmodseq or None, now()
        row.uidnext = (status or selected).uidnext
        row.total = selected.exists if sure else row.total
    pull.write(folder, done)


def _since(pull, folder, modseq):
    """Stores what changed, and returns the last flags, which are for the commit that moves the mark. More changes than
    one answer may hold: the next look asks for all flags, which come in portions."""
    try:
        return _changes(pull, folder, modseq)
    except MailError as error:
        if error.facts.get("reason") == "answer_too_long":
            pull.write(folder, lambda row: setattr(row, "highestmodseq", None))
        raise


def _changes(pull, folder, modseq):
    flags = {}
    for change in pull.session.changes(modseq):
        if isinstance(change, Flagged):
            flags[change.uid] = change.flags
            if len(flags) >= WINDOW:
                flags = _store(pull, folder, flags)
        else:
            pull.write(folder, lambda row, ranges=change.ranges: places.mark_gone(row, ranges))
    return flags


def _flags(pull, folder, everything):
    """Of the newest; `everything`: of all, once, from where on changes are told."""
    most = 2**31 - 1 if everything else NEWEST
    uids = look(lambda: places.newest_uids(pull.row(folder), most))
    flags = {}
    for found in pull.session.flags(uids):
        flags[found.uid] = found.flags
        if len(flags) >= WINDOW:
            flags = _store(pull, folder, flags)
    return flags


def all_flags(pull, folder):
    _store(pull, folder, _flags(pull, folder, everything=True))


def _store(pull, folder, flags):
    pull.write(folder, lambda row: places.set_flags(row, flags))
    return {}


def _compare(pull, folder, selected, new):
    """By comparing all UIDs: what is gone, and what is there and was never listed when its time was (clusters show mail
    5 before mail 4). False when the server lists fewer than it says there are: then nothing is gone yet."""
    listed = pull.session.uids(1, folder["high"])
    if len(listed) + new < selected.exists:
        return False
    first = folder["low"] or 1
    missing, _extra, _stored = pull.write(
        folder, lambda row: places.compare(row, first, [u for u in listed if u >= first], folder["high"]))
    pull.fetch_missing(folder, in_scope(pull, folder, missing))
    return True


def in_scope(pull, folder, uids):
    """Without those that are older than this mailbox is read."""
    since = oldest(folder["history"], folder["connected"])
    if since is None or not uids:
        return uids
    older = [] if folder["history"] == "new" else pull.session.uids(1, folder["start"], since)
    wanted = set(older)
    return [uid for uid in uids if uid > folder["start"] or uid in wanted]
