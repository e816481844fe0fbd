"""From an open IMAP session into the database: fetch, parse apart, put away, store with the cursor of the folder."""

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from webapp.actions import places
from webapp.actions.reading import put_away, reading
from webapp.actions.receive import blobs, keep_place, receive
from webapp.extensions import db
from webapp.jobs import look, numbering
from webapp.mail.imap.items import LARGEST_SIZE
from webapp.mail.types import Folder as MailFolder
from webapp.mail.types import MailError
from webapp.models import Folder

# Messages, about how many bytes, and seconds a commit: what a slow server or slow mail has given so far is not lost.
# The first of a stream is small: somebody may be waiting for it.
BATCH, BATCH_BYTES, BATCH_SECONDS = 150, 5_000_000, 5.0
FIRST_BYTES = 1_500_000


class Intake:
    """`session`, `apart`, `personal` are set before anything is stored. By what right is said by `write`.
    """

    session = apart = personal = None
    sizes = None        # {UID: size} when they are known already

    def __init__(self, connection_id, max_bytes):
        self.connection_id, self.max_bytes = connection_id, max_bytes

    def write(self, folder, change):
        """Store something of this folder: `change(row)`, in a transaction of its own."""
        raise NotImplementedError

    def row(self, folder):
        return db.session.get(Folder, folder["id"])

    def _folder(self, folder_id):
        return look(lambda: plain(db.session.get(Folder, folder_id)))

    def _store(self, folder, uids, more=None, **cursor):
        """Fetch these and store them, in this order. The cursor passes them in the commit of the last ones. `more`: see
        Session.fetch. Returns (were all of them known before, those that were not asked for)."""
        placed = look(lambda: places.stored_uids(self.row(folder), uids))
        wanted = [u for u in uids if u not in placed]
        if folder["renumbered_at"] and "low" in cursor and wanted:
            wanted = numbering.unknown(self, folder, wanted)
        left = len(wanted)
        for reads, is_last in self._read(wanted, more):
            left -= len(reads)
            unasked = self.session.unasked if is_last else ()
            withheld = self._withheld(wanted) if is_last else ()
            # Only what was there moves the cursor up: a server may list a UID that it will give out years later.
            until = min(unasked, default=uids[-1] + 1) if "high" in cursor and is_last else 0
            passed = [u for u in uids if u < until]
            top = max((u for u in passed if u not in self.session.missing), default=0)

            def keep(row, reads=reads, is_last=is_last, withheld=withheld, top=top, left=left, unasked=unasked,
                     passed=passed):
                receive(row.connection, row, reads)
                if "low" in cursor:
                    row.ahead = cursor["ahead"] + left
                for uid in withheld:
                    keep_place(row.connection, row, uid)
                if is_last:
                    row.total = min(row.total + len(passed), LARGEST_SIZE)
                    row.high_uid = max(row.high_uid, top)
                    row.low_uid, row.ahead = cursor.get("low", row.low_uid), cursor.get("ahead", row.ahead)
                if unasked and "low" in cursor:
                    row.low_uid, row.ahead = max(unasked) + 1, cursor["ahead"] + len(unasked)
            self.write(folder, keep)
        unasked = self.session.unasked
        self.session.missing = self.session.unasked = frozenset()
        return not wanted, unasked

    def _read(self, uids, more=None):
        """(batch for `receive`, is it the last one). All is parsed and put away before the database is held: a batch is
        packed and put away while the next one comes over the wire."""
        under_way, beside, trouble = deque(), 0, None
        with ThreadPoolExecutor(1, thread_name_prefix="put-away") as other:
            try:
                for reads, is_last in _by_bytes(reading(self._fetch(uids, more), self.apart, other)):
                    under_way.append((other.submit(put_away, reads, blobs()), reads, is_last))
                    while len(under_way) > beside:
                        yield _when_done(*under_way.popleft())
                    beside = 1      # but the first at once: somebody may be waiting for it
            except MailError as error:
                trouble = error
            yield from (_when_done(*batch) for batch in under_way)
        if trouble:
            raise trouble

    def _fetch(self, uids, more):
        if not uids:
            return iter(())
        if self.personal:
            return self.session.fetch_headers(uids, more)
        return self.session.fetch(uids, self.max_bytes, self.sizes, more)

    def _withheld(self, uids):
        """UIDs that the server lists and did not send, twice. What it no longer lists is proven gone."""
        missing = sorted(self.session.missing & set(uids))
        listed = set(self.session.uids(missing[0], missing[-1])) if missing else set()
        return [u for u in missing if u in listed]


def plain(row):
    """A folder's row as values that outlive the transaction."""
    return {"id": row.id, "uidvalidity": row.uidvalidity, "high": row.high_uid, "low": row.low_uid,
            "start": row.start_uid, "total": row.total, "uidnext": row.uidnext, "modseq": row.highestmodseq,
            "flags_at": row.flags_at, "renumbered_at": row.renumbered_at, "renumberings": row.renumberings,
            "reconciled_at": row.reconciled_at, "history": row.connection.history,
            "connected": row.connection.created_at,
            "mail": MailFolder(row.name, row.wire_name, row.role, True, row.delimiter)}


def _when_done(done, reads, is_last):
    done.result()
    return reads, is_last


def _by_bytes(reads):
    """(batch, is it the last one) of a stream, none much larger than BATCH_BYTES: memory stays flat. What came before
    a trouble is given too: else the same trouble would come again and again at the same place."""
    batch, size, began, most = [], 0, time.monotonic(), FIRST_BYTES
    try:
        for read in reads:
            batch.append(read)
            size += read.came
            if size > most or len(batch) >= BATCH or time.monotonic() - began > BATCH_SECONDS:
                yield batch, False
                batch, size, began, most = [], 0, time.monotonic(), min(2 * most, BATCH_BYTES)
    except MailError:
        yield batch, False
        raise
    yield batch, True
