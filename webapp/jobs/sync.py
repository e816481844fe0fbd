"""Reading a mailbox: what is new, then the first sync downwards, newest first, in windows that new mail overtakes."""

import logging
import time
from datetime import timedelta

from flask import current_app
from sqlalchemy import select

from webapp.actions import connections, health, leases
from webapp.actions.receive import keep_place, receive
from webapp.extensions import db
from webapp.jobs import job, look, patiently, unit
from webapp.jobs.mailbox import RETRY_AFTER, imap_endpoint, login, open_imap
from webapp.live import announce
from webapp.mail.types import Folder as MailFolder
from webapp.mail.types import MailError
from webapp.models import Connection, Folder, Place
from webapp.models.types import now
from webapp.queue import enqueue
from webapp.rules.connections import may_use

log = logging.getLogger(__name__)

WINDOW = 100           # messages a batch: flat memory, and new mail waits for at most one
FIRST_WINDOW = 25      # the very first one: something to read at once
# Seconds that a job may go on with the first sync. Then it makes room for others, and the next one takes over.
SHORT, LONG = 5, 40
LONGEST_WAIT = timedelta(hours=1)


@job
def pull(connection_id):
    """What is new, and of a first sync the beginning. Short: replies and other mailboxes' mail wait behind it."""
    _bring_up_to_date(connection_id, SHORT)


@job
def backfill(connection_id):
    """Go on with a first sync, in the queue of what may take long. New mail overtakes it window by window."""
    _bring_up_to_date(connection_id, LONG)


def _bring_up_to_date(connection_id, seconds):
    """Somebody else on this connection? Then they are told to look again."""
    fence = patiently(lambda: _take(connection_id))
    if fence is None:
        return
    again = False
    try:
        again = _Pull(connection_id, fence, seconds).run()
    except MailError as error:
        _trouble(connection_id, error)
    except leases.LeaseLost:
        log.warning("connection %s: lease lost", connection_id)
        return
    except Exception:
        again = True       # a bug or a database in trouble: the row says that there is more to do
        raise
    finally:
        db.session.rollback()
        with unit():
            wanted = leases.release(connection_id, fence, wanted=again)
    if again:
        enqueue("webapp.jobs.sync.backfill", (connection_id,), queue="slow")
    elif wanted:
        enqueue("webapp.jobs.sync.pull", (connection_id,), queue="in")


def _take(connection_id):
    with unit():
        connection = db.session.get(Connection, connection_id)
        if connection is None or not may_use(connection.state, connection.holder_state, "sync", connection.kind):
            return None
        return leases.take(connection_id)


def _trouble(connection_id, error):
    db.session.rollback()
    with unit():
        connection = db.session.get(Connection, connection_id)
        health.problem(connection, error.code, _wait(connection, error.code), **error.facts)
        if not connection.caught_up and connection.checks:
            connections.step(connection, "sync", "fail", error.code, **error.facts)


def _wait(connection, code):
    """Until the next try: longer while the same trouble lasts, half of that time, so that it costs others little."""
    first = RETRY_AFTER.get(code)
    if first is None or connection.problem != code:
        return first
    return max(first, min((now() - connection.problem_since) / 2, LONGEST_WAIT))


class _Pull:
    """One slice of work on one connection, on one IMAP session."""

    def __init__(self, connection_id, fence, seconds):
        self.connection_id, self.fence = connection_id, fence
        self.max_bytes = current_app.config["SETTINGS"].max_message_mb * 1_000_000
        self.until = time.monotonic() + seconds
        self.older = {}      # folder id -> UIDs below its low mark, ascending; asked once a session

    def run(self):
        """True when the first sync has more to do."""
        connection = db.session.get(Connection, self.connection_id)
        endpoint, credentials = imap_endpoint(connection), login(connection)
        self.personal = connection.kind == "personal"
        folder_ids = [f.id for f in sorted(connection.folders, key=lambda f: f.role != "inbox") if f.chosen]
        db.session.rollback()
        with open_imap(endpoint, credentials) as self.session:
            self._catch_up(folder_ids)
            while time.monotonic() < self.until:
                with unit():
                    wanted = leases.clear_wanted(self.connection_id, self.fence)
                if wanted:
                    self._catch_up(folder_ids)
                more = [self._backfill(i) for i in folder_ids]   # a window of each in turn
                if not any(more):
                    return self._finish()
        return True

    def _catch_up(self, folder_ids):
        for folder_id in folder_ids:
            folder, selected = self._select(folder_id)
            uids = self.session.uids(folder["high"] + 1, None)
            for start in range(0, len(uids), WINDOW):
                window = uids[start:start + WINDOW]
                self._store(folder_id, window, high=window[-1])
        with unit():
            leases.hold_on(self.connection_id, self.fence)
            health.healthy(db.session.get(Connection, self.connection_id))

    def _select(self, folder_id):
        """Open a folder on the server. First time, or numbers started anew: the cursor starts at the newest."""
        folder = look(lambda: _plain(db.session.get(Folder, folder_id)))
        selected = self.session.select(folder["mail"])
        if folder["uidvalidity"] != selected.uidvalidity or folder["total"] != selected.exists:
            with unit():
                leases.hold_on(self.connection_id, self.fence)
                row = db.session.get(Folder, folder_id)
                row.total = selected.exists
                if row.uidvalidity != selected.uidvalidity:
                    self._start_over(row, selected)
                announce(f"connection-{self.connection_id}")
                db.session.flush()
                folder = _plain(row)
        return folder, selected

    def _start_over(self, row, selected):
        """Places of an older UIDVALIDITY stay as they are; digests keep messages from doubling."""
        newest = (selected.uidnext or (max(self.session.uids(1, None), default=0) + 1)) - 1
        row.uidvalidity, row.high_uid, row.low_uid = selected.uidvalidity, newest, newest + 1
        row.highestmodseq = selected.highestmodseq
        row.connection.caught_up = False
        self.older.pop(row.id, None)

    def _backfill(self, folder_id):
        """One window downwards. False when this folder is done."""
        folder = look(lambda: _plain(db.session.get(Folder, folder_id)))
        if not folder["low"]:
            return False
        self.session.select(folder["mail"])
        if folder_id not in self.older:
            self.older[folder_id] = [u for u in self.session.uids(1, folder["low"] - 1) if u < folder["low"]]
        uids = self.older[folder_id]
        size = FIRST_WINDOW if folder["low"] == folder["high"] + 1 else WINDOW
        window = uids[-size:]
        rest = uids[:-size]
        self._store(folder_id, window, low=window[0] if rest else 0)
        self.older[folder_id] = rest
        return bool(rest)

    def _store(self, folder_id, uids, **cursor):
        """Fetch these and store them. The cursor passes them in the commit of the last ones."""
        uidvalidity, placed = look(lambda: _placed(db.session.get(Folder, folder_id), uids))
        for batch, is_last in _by_bytes(self._fetch([u for u in uids if u not in placed])):
            withheld = self._withheld(uids) if is_last else ()
            with unit():
                leases.hold_on(self.connection_id, self.fence)
                row = db.session.get(Folder, folder_id)
                if row.uidvalidity != uidvalidity:
                    raise leases.LeaseLost(self.connection_id)
                receive(row.connection, row, batch)
                for uid in withheld:
                    keep_place(row.connection, row, uid)
                if is_last:
                    row.high_uid = cursor.get("high", row.high_uid)
                    row.low_uid = cursor.get("low", row.low_uid)
        self.session.missing = frozenset()

    def _fetch(self, uids):
        if not uids:
            return iter(())
        return self.session.fetch_headers(uids) if self.personal else self.session.fetch(uids, self.max_bytes)

    def _withheld(self, uids):
        """UIDs that the server lists and did not send, twice. What it no longer lists is proven gone."""
        missing = sorted(self.session.missing & set(uids))
        listed = set(self.session.uids(missing[0], missing[-1])) if missing else set()
        return [u for u in missing if u in listed]

    def _finish(self):
        with unit():
            leases.hold_on(self.connection_id, self.fence)
            connection = db.session.get(Connection, self.connection_id)
            if not connection.caught_up:
                connection.caught_up = True
                if connection.checks:
                    connections.step(connection, "sync", "done")
            health.healthy(connection)
        return False


def _plain(row):
    return {"uidvalidity": row.uidvalidity, "high": row.high_uid, "low": row.low_uid, "total": row.total,
            "mail": MailFolder(row.name, row.wire_name, row.role, True, row.delimiter)}


def _by_bytes(items, limit=8_000_000):
    """(batch, is it the last one) of a stream, none much larger than `limit` bytes: memory stays flat. What came before
    a trouble is given too: else the same trouble would come again and again at the same place."""
    batch, size = [], 0
    try:
        for item in items:
            batch.append(item)
            size += len(getattr(item, "raw", b"") or getattr(item, "header", b""))
            if size > limit:
                yield batch, False
                batch, size = [], 0
    except MailError:
        yield batch, False
        raise
    yield batch, True


def _placed(row, uids):
    """UIDVALIDITY, and which of these UIDs are stored already: a part of a window, before its cursor moved."""
    return row.uidvalidity, set(db.session.scalars(select(Place.uid).where(
        Place.folder_id == row.id, Place.uidvalidity == row.uidvalidity, Place.uid.in_(uids))))
