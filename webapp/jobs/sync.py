"""Reading a mailbox: what is new, then the first sync downwards, newest first, in windows that new mail overtakes."""

import logging
import time
from contextlib import nullcontext
from datetime import timedelta

from flask import current_app
from sqlalchemy.exc import InterfaceError, OperationalError

from webapp.actions import connections, health, leases, places, withheld
from webapp.actions.contents import contents_of
from webapp.extensions import db
from webapp.jobs import detour, following, job, look, numbering, patiently, reconcile, unit
from webapp.jobs.heartbeat import beating
from webapp.jobs.intake import Intake
from webapp.jobs.mailbox import LONG_SESSION_SECONDS, RETRY_AFTER, imap_endpoint, login, open_imap
from webapp.live import announce
from webapp.mail.apart import Apart
from webapp.mail.types import MailError
from webapp.models import Connection, Folder
from webapp.models.types import now
from webapp.queue import enqueue
from webapp.rules.connections import may_use
from webapp.rules.history import oldest

log = logging.getLogger(__name__)

WINDOW = 2000          # messages that are read down in one stream, unless new mail or the end of the job cuts it short
FIRST_WINDOW = 50      # the very first one: something to read at once
# Seconds that a job may go on with the first sync. Then it makes room for others, and the next one takes over.
SHORT, LONG = 5, 40
LONGEST_WAIT = timedelta(hours=1)


@job
def pull(connection_id):
    """What is new, and of a first sync the beginning. Short: replies and other mailboxes' mail wait behind it."""
    if look(lambda: detour.hangs(connection_id)):
        enqueue("webapp.jobs.sync.backfill", (connection_id,), queue="slow")
        return
    _bring_up_to_date(connection_id, SHORT)


def begin(connection_id, session):
    """`pull`, on the session with which the address was just connected: a second sign-in would take as long as the
    first mail. No job: `session` is open, and stays so."""
    _bring_up_to_date(connection_id, SHORT, session=session)


@job
def backfill(connection_id):
    """Go on with a first sync, in the queue of what may take long. New mail overtakes it. The session is long: a large
    message arrives over a thin wire, too."""
    _bring_up_to_date(connection_id, LONG, session_seconds=LONG_SESSION_SECONDS)


def compare(connection_id):
    """Compare every folder with the server now, and mend: ([what reconcile.reconcile gives], why not all of them, or
    None)."""
    results = []
    if not _bring_up_to_date(connection_id, LONG, results):
        return results, "busy or not to be read; try again in a minute"
    problem = look(lambda: db.session.get(Connection, connection_id).problem)
    return results, problem


def _bring_up_to_date(connection_id, seconds, compared=None, session_seconds=None, session=None):
    """Somebody else on this connection? Then they are told to look again. True when it was ours."""
    fence = patiently(lambda: _take(connection_id))
    if fence is None:
        return False
    again = False
    try:
        with beating(connection_id, fence):
            again = _Pull(connection_id, fence, seconds, compared, session_seconds).run(session)
    except MailError as error:
        _trouble(connection_id, error)
    except leases.LeaseLost:
        log.warning("connection %s: lease lost", connection_id)
        return False
    except Exception as error:
        again = True       # the row says that there is more to do
        if not isinstance(error, (OperationalError, InterfaceError)):      # then the database is in trouble, not we
            _trouble(connection_id, MailError("internal"))
        raise
    finally:
        db.session.rollback()
        with unit():
            wanted = leases.release(connection_id, fence, wanted=again)
    if again:
        enqueue("webapp.jobs.sync.backfill", (connection_id,), queue="slow")
    elif wanted:
        enqueue("webapp.jobs.sync.pull", (connection_id,), queue="in")
    return True


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


class _Pull(Intake):
    """One slice of work on one connection, on one IMAP session."""

    def __init__(self, connection_id, fence, seconds, compared=None, session_seconds=None):
        super().__init__(connection_id, current_app.config["SETTINGS"].max_message_mb * 1_000_000)
        self.fence, self.session_seconds = fence, session_seconds
        self.began, self.until = now(), time.monotonic() + seconds
        self.compared = compared     # a list: compare every folder now, and put the results there
        self.older = {}      # folder id -> UIDs below its low mark, ascending; asked once a session
        self.settled = set()   # folders, numbered anew, whose newest messages are all known again
        self.lost = {}       # folder id -> why the server does not open it
        self.current = None    # the folder that is open on the server, and what it said when it was opened
        self.listed = False    # folders are asked for once
        self.behind = set()    # folders with more new mail than was read in one go

    def run(self, session=None):
        """True when there is more to do. `session`: one that is open already."""
        connection = db.session.get(Connection, self.connection_id)
        endpoint, credentials = imap_endpoint(connection), login(connection)
        self.personal = connection.kind == "personal"
        first = {"inbox": 0, "sent": 1}      # what was sent is known as ours before it is met elsewhere
        folder_ids = [f.id for f in sorted(connection.folders, key=lambda f: first.get(f.role, 2)) if f.chosen]
        db.session.rollback()
        session = nullcontext(session) if session else open_imap(endpoint, credentials, self.session_seconds)
        with session as self.session, Apart(contents_of) as self.apart:
            self._catch_up(folder_ids)
            if self.compared is not None:
                self.compared += [self._compare(i) for i in folder_ids if i not in self.lost]
                self._done()
                return bool(self.behind) or any(self._folder(i)["low"] for i in folder_ids)
            while time.monotonic() < self.until:
                with unit():
                    wanted = leases.clear_wanted(self.connection_id, self.fence)
                if wanted or self.behind:
                    self._catch_up(folder_ids)
                more = [self._backfill(i) for i in folder_ids]   # a window of each in turn
                if any(more) or self.behind:
                    continue
                self._finish()
                self._ask_again(folder_ids)
                due = next((i for i in folder_ids if i not in self.lost and reconcile.due(self._folder(i))), None)
                if due is None:
                    return self._done()
                self._list_folders()
                self._compare(due)
        return True

    def _done(self):
        for trouble in self.lost.values():     # all the others are read: now it is said
            raise trouble
        return False

    def _catch_up(self, folder_ids):
        """What is new and what changed. Where nothing did, one round trip says so of all folders together."""
        folders = [self._folder(i) for i in folder_ids]
        for folder, status in zip(folders, self.session.statuses([f["mail"] for f in folders]), strict=True):
            if not following.unchanged(folder, status, self.session.has_modseq):
                self._follow(folder["id"], status)
        with unit():
            leases.hold_on(self.connection_id, self.fence)
            if not self.lost:
                health.healthy(db.session.get(Connection, self.connection_id))

    def _follow(self, folder_id, status):
        """New mail first: whoever moved a message has it in its new place before it is gone from the old one."""
        try:
            folder, selected, known = self._select(folder_id)
        except MailError as error:
            if error.code != "gone":
                raise
            self.lost[folder_id] = error       # one folder that is not there any more stops no other
            return
        if known:
            new = self._read_new(folder)
            if folder_id not in self.behind:       # else it is looked at again, from where it stands
                following.follow(self, folder, selected, new, status)
        elif status:
            self.write(folder, lambda row: setattr(row, "uidnext", status.uidnext))

    def _read_new(self, folder):
        """What lies beyond the cursor, or as much of it as there is time for, and until something else is new: somebody
        may have moved ten thousand messages here. Returns how many the server listed."""
        self.behind.discard(folder["id"])
        uids = self.session.uids(folder["high"] + 1, None)
        for start in range(0, len(uids), WINDOW):
            window = uids[start:start + WINDOW]
            _known, left = self._store(folder, window, self._some(start), high=window[-1])
            if left or start + WINDOW < len(uids) and not self._more():
                self.behind.add(folder["id"])
                break
        return len(uids)

    def _some(self, already):
        """`_more`, but for the first of it: however late it is, each look gets a bit further."""
        asked = iter(() if already else (True, True))
        return lambda: next(asked, False) or self._more()

    def _select(self, folder_id):
        """Open a folder on the server: (it as `plain`, what the server says, was it known by this numbering). First
        time, or numbers started anew: the cursor starts at the newest message that is listed, for UIDNEXT may lie."""
        folder = self._folder(folder_id)
        self.current = None
        selected = self.session.select(folder["mail"])
        self.current = folder_id, selected
        known = folder["uidvalidity"] == selected.uidvalidity
        if not known:
            listed = self.session.uids(1, None)
            first = not folder["high"] and folder["uidnext"] is None     # never followed so far
            newest = min(max(listed, default=0), (selected.uidnext or 2**32) - 1)   # a listed UID may not be there
            older = self._in_scope({**folder, "renumbered_at": None if first else now()}, listed)
            self.older[folder_id] = [u for u in older if u <= newest]
            with unit():
                leases.hold_on(self.connection_id, self.fence)
                begin = numbering.begin if folder["high"] else places.start_over     # empty: nothing to find
                begin(db.session.get(Folder, folder_id), selected, newest, len(self.older[folder_id]))
                announce(f"connection-{self.connection_id}")
            folder = self._folder(folder_id)
            self.settled.discard(folder_id)
        return folder, selected, known

    def _in_scope(self, folder, uids):
        """Those UIDs of the first sync that are to be read."""
        since = oldest(folder["history"], folder["connected"])
        if since is None or not uids:
            return uids
        if folder["history"] == "new" and not folder["renumbered_at"]:
            return []
        return self.session.uids(1, uids[-1], since)

    def _backfill(self, folder_id):
        """One window downwards. False when this folder is done, or not worth going on with now."""
        folder = self._folder(folder_id)
        if not folder["low"] or folder_id in self.lost or folder_id in self.settled and numbering.waits(folder):
            return False
        if self.current is None or self.current[0] != folder_id:
            folder, *_ = self._select(folder_id)
        if folder_id not in self.older:
            below = self._in_scope(folder, self.session.uids(1, folder["low"] - 1))
            stored = look(lambda: places.stored_below(self.row(folder), folder["low"]))
            self.older[folder_id] = [u for u in below if u < folder["low"] and u not in stored]
        uids = self.older[folder_id]
        size = FIRST_WINDOW if folder["low"] == folder["high"] + 1 else WINDOW
        window, rest = uids[-size:], uids[:-size]
        known, left = self._store(folder, window[::-1], self._more, low=window[0] if rest else 0, ahead=len(rest))
        if known:
            self.settled.add(folder_id)
        self.older[folder_id] = rest + sorted(left)
        return bool(self.older[folder_id])

    def _more(self):
        """May a first sync go on, or is there something new, or is it another job's turn?"""
        return time.monotonic() < self.until and not look(lambda: leases.is_wanted(self.connection_id))

    def _list_folders(self):
        """New ones, to be chosen from."""
        if not self.listed:
            found, self.listed = self.session.folders(), True
            with unit():
                leases.hold_on(self.connection_id, self.fence)
                connections.set_folders(db.session.get(Connection, self.connection_id), found)

    def _compare(self, folder_id):
        folder, selected, _known = self._select(folder_id)
        if self._read_new(folder):      # STATUS may have hidden it, when SEARCH did so before
            folder = self._folder(folder_id)
        return reconcile.reconcile(self, folder, selected)

    def _ask_again(self, folder_ids):
        """For what the server did not hand over before."""
        for folder in (self._folder(i) for i in folder_ids if i not in self.lost):
            uids, gone = look(lambda folder=folder: withheld.withheld(self.row(folder), self.began))
            if gone:
                self.write(folder, withheld.forget)
            if not uids:
                continue
            folder, *_ = self._select(folder["id"])
            for reads, _is_last in self._read(uids):
                self.write(folder, lambda row, reads=reads: withheld.hand_over(row, reads))
            gone = self.session.missing - set(self._withheld(uids))
            if gone:
                self.write(folder, lambda row, gone=gone: (
                    places.mark_gone(row, [(uid, uid) for uid in gone]), withheld.forget(row)))
            self.session.missing = frozenset()

    def fetch_missing(self, folder, uids):
        for start in range(0, len(uids), WINDOW):
            self._store(folder, uids[start:start + WINDOW])

    def write(self, folder, change):
        """Store something of this folder: `change(row)`, under the lease, and only while its numbering is this one."""
        with unit():
            leases.hold_on(self.connection_id, self.fence)
            row = self.row(folder)
            if row.uidvalidity != folder["uidvalidity"]:
                raise leases.LeaseLost(self.connection_id)
            return change(row)

    def _finish(self):
        with unit():
            leases.hold_on(self.connection_id, self.fence)
            connection = db.session.get(Connection, self.connection_id)
            done = not any(f.chosen and f.low_uid for f in connection.folders)
            if done and not connection.caught_up:
                connection.caught_up = True
                if connection.checks:
                    connections.step(connection, "sync", "done")
            if not self.lost:
                health.healthy(connection)
