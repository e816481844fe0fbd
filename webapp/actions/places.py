"""Where messages lie on their server, as it changes there: flags, deletions, new numberings.

A deleted mail keeps its message; only its place is gone. A moved one is gone here and new there: receiving it finds
the message that it is by its bytes.
"""

from collections import Counter
from datetime import timedelta

from sqlalchemy import delete, insert, select, update

from webapp.extensions import db
from webapp.live import announce
from webapp.mail.parse import parse_header
from webapp.models import Message, Place
from webapp.models.types import now

MOST_AT_ONCE = 500      # rows a statement
CLOCKS = timedelta(minutes=15)   # that a server's may be behind ours
FEW = 50                # ranges that are cheaper one by one than by looking at every place


def set_flags(folder, flags):
    """`flags`: {uid: the flags that it has now}. UIDs without a place are passed over: they bring their flags along."""
    changed = [{"id": place_id, "flags": sorted(flags[uid])} for place_id, uid, known in _places(folder, flags)
               if sorted(flags[uid]) != known]
    if changed:
        db.session.execute(update(Place), changed)


def mark_gone(folder, ranges):
    """`ranges`: (first, last) UIDs that the server has no more; it may name any number that it lacks."""
    if len(ranges) > FEW:
        wanted, uids = sorted(ranges), []
        for uid in db.session.scalars(_live(folder, Place.uid).where(
                Place.uid.between(wanted[0][0], max(last for _first, last in wanted))).order_by(Place.uid)):
            while wanted and wanted[0][1] < uid:
                wanted.pop(0)
            if wanted and wanted[0][0] <= uid:
                uids.append(uid)
        _set_gone(folder, uids, now())
        return
    for first, last in ranges:
        db.session.execute(update(Place).where(*_of(folder), Place.gone_at.is_(None), Place.uid.between(first, last))
                           .values(gone_at=now()))


def compare(folder, first, listed, last, mend=True):
    """The server's UIDs from `first` to `last`, ascending, against ours. Marks what is there again and, with `mend`,
    what is gone. Returns (UIDs that are missing here, how many were extra, how many are stored)."""
    rows = db.session.execute(select(Place.uid, Place.gone_at.is_(None)).where(
        *_of(folder), Place.uid.between(first, last)).order_by(Place.uid))
    missing, extra, back, stored = [], [], [], 0
    theirs = iter(listed)
    their = next(theirs, None)
    for uid, here in rows:
        while their is not None and their < uid:
            missing.append(their)
            their = next(theirs, None)
        stored += here
        if their == uid:
            if not here:
                back.append(uid)
            their = next(theirs, None)
        elif here:
            extra.append(uid)
    while their is not None:
        missing.append(their)
        their = next(theirs, None)
    _set_gone(folder, extra if mend else (), now())
    _set_gone(folder, back, None)
    return missing, len(extra), stored


def leave(folder):
    """The server numbers this folder anew: its old places are gone."""
    db.session.execute(update(Place).where(Place.folder_id == folder.id, Place.gone_at.is_(None)).values(gone_at=now()))


def renumber(folder, selected, newest, ahead):
    """After `leave`: the sync goes down from `newest` once more. An unfinished new numbering leaves nothing behind,
    else a server that does this daily would fill the database."""
    if folder.renumbered_at and folder.low_uid:
        db.session.execute(delete(Place).where(*_of(folder)))
    connection = folder.connection
    known_until = (connection.synced_at or connection.created_at) - CLOCKS
    connection.history_until = max(connection.history_until or known_until, known_until)
    start_over(folder, selected, newest, ahead)


def start_over(folder, selected, newest, ahead):
    """The first sync goes down from `newest`, `ahead` messages."""
    folder.uidvalidity, folder.high_uid = selected.uidvalidity, newest
    folder.low_uid = newest + 1 if ahead else 0
    folder.start_uid, folder.ahead, folder.total = newest, ahead, selected.exists
    folder.highestmodseq, folder.uidnext, folder.flags_at = selected.highestmodseq, None, now()
    db.session.flush()


def recognise(folder, numbered):
    """Which of these (Numbered) are stored already: by Message-ID, size and date. Those get their place. Returns the
    UIDs of the others, and of all that are not certain: read again, their bytes tell."""
    marks = {n.uid: mark for n in numbered if (mark := _mark(n))}
    often = Counter(marks.values())
    found = _stored(folder, {mark[0] for mark in marks.values()})
    certain = {uid: found[mark][0] for uid, mark in marks.items() if often[mark] == 1 and len(found.get(mark, ())) == 1}
    taken = set(db.session.scalars(_live(folder, Place.message_id).where(Place.message_id.in_(certain.values()))))
    rows = [{"message_id": certain[n.uid], "folder_id": folder.id, "uidvalidity": folder.uidvalidity, "uid": n.uid,
             "flags": sorted(n.flags)} for n in numbered if n.uid in certain and certain[n.uid] not in taken]
    if rows:
        db.session.execute(insert(Place), rows)
    known = {row["uid"] for row in rows}
    return [n.uid for n in numbered if n.uid not in known]


def reconciled(folder, missing, extra):
    """What a comparison with the server found; it is mended already."""
    folder.reconciled_at, folder.missing, folder.extra = now(), missing, extra
    db.session.flush()
    announce(f"connection-{folder.connection_id}")
    if folder.connection.person_id:
        announce(f"person-{folder.connection.person_id}")


def newest_uids(folder, count):
    """UIDs of the newest places that are there, as many as `count`."""
    return list(db.session.scalars(_live(folder, Place.uid).order_by(Place.uid.desc()).limit(count)))


def stored_uids(folder, uids):
    """Which of these have a place, gone or not."""
    found = set()
    for part in _parts(uids):
        found.update(db.session.scalars(select(Place.uid).where(*_of(folder), *_among(part))))
    return found


def stored_below(folder, uid):
    """UIDs below this one that have a place, gone or not."""
    return set(db.session.scalars(select(Place.uid).where(*_of(folder), Place.uid < uid)))


def _mark(numbered):
    message_id = parse_header(numbered.header).message_id if numbered.header else None
    return (message_id, numbered.size, numbered.internal_date) if message_id and numbered.internal_date else None


def _stored(folder, message_ids):
    """{(Message-ID, size, date): [ids of the messages]} of this mailbox."""
    found = {}
    for part in _parts(message_ids):
        for row in db.session.execute(select(Message.id, Message.message_id, Message.size, Message.at).where(
                Message.connection_id == folder.connection_id, Message.message_id.in_(part))):
            found.setdefault((row.message_id, row.size, row.at), []).append(row.id)
    return found


def _of(folder):
    return Place.folder_id == folder.id, Place.uidvalidity == folder.uidvalidity


def _live(folder, what):
    return select(what).where(*_of(folder), Place.gone_at.is_(None))


def _places(folder, uids):
    for part in _parts(uids):
        yield from db.session.execute(select(Place.id, Place.uid, Place.flags).where(*_of(folder), *_among(part)))


def _set_gone(folder, uids, when):
    for part in _parts(uids):
        db.session.execute(update(Place).where(*_of(folder), *_among(part)).values(gone_at=when))


def _among(uids):
    """The bounds are for PostgreSQL: of a table that has just been filled it knows nothing, and would look at all."""
    return Place.uid.between(min(uids), max(uids)), Place.uid.in_(uids)


def _parts(values):
    values = list(values)
    return (values[start:start + MOST_AT_ONCE] for start in range(0, len(values), MOST_AT_ONCE))
