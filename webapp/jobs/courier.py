"""New mail of a mailbox that is watched, read over the watching connection itself: no job, no other sign-in.

Only the plain case, which is nearly every mail: a few small messages beyond the cursor of an inbox that is followed.
Whatever else it may be is left to the job (webapp.jobs.sync), and so are flags, deletions and other folders.
"""

import logging
import queue
import time
from contextlib import contextmanager, suppress

from sqlalchemy import select

from webapp.actions import leases
from webapp.actions.contents import contents_of
from webapp.extensions import db
from webapp.jobs import look, unit
from webapp.jobs.intake import Intake, plain
from webapp.jobs.mailbox import imap_endpoint, login
from webapp.mail.apart import Apart, Died, Nursery
from webapp.mail.types import MailError, Oversized
from webapp.models import Connection, Folder
from webapp.models.types import now
from webapp.rules.connections import may_use

log = logging.getLogger(__name__)
FEW = 10               # messages
SMALL = 1_000_000      # bytes of all of them
RENEW = 500            # visits after which a parser is a new process: what it has lost of its memory is free again


def signed_in_with(connection):
    """(endpoint, login) for watching this mailbox now; None when it may not be watched, or not with what we have."""
    if (connection is None or connection.use != "mail" or connection.problem == "password_refused"
            or not may_use(connection.state, connection.holder_state, "sync", connection.kind)):
        return None
    try:
        return imap_endpoint(connection), login(connection)
    except MailError:       # the password does not open any more; the job says so
        return None


class Courier:
    """Make it before the first thread: its parsers are forked by a process of their own."""

    def __init__(self):
        self._nursery = Nursery(contents_of)
        self._parsers = queue.LifoQueue()       # (Apart, visits so far); the one used last is used next
        with suppress(Died, OSError), self._parser() as apart:     # warm, so that the first letter does not wait for it
            apart.ask([(b"\r\n", "whole")])
            apart.answer()

    def visit(self, connection_id, session, endpoint, credentials) -> bool:
        """Store what is new. False: a job has to look, at this or at more. Raises MailError, nothing else.

        `session`: signed in at `endpoint` with `credentials`, the inbox open; no other folder is opened.
        """
        began = time.monotonic()
        try:
            with self._parser() as apart:
                done = _Visit(connection_id, session, apart, (endpoint, credentials)).run()
            log.info("visit(%s) took %.3f s%s", connection_id, time.monotonic() - began, "" if done else "; job")
            return done
        except MailError:
            raise
        except Exception:
            log.exception("a visit to mailbox %s", connection_id)
            return False
        finally:
            db.session.remove()

    def close(self):
        self._nursery.close()
        while not self._parsers.empty():
            self._parsers.get()[0].stop()

    @contextmanager
    def _parser(self):
        try:
            apart, visits = self._parsers.get_nowait()
        except queue.Empty:
            apart, visits = Apart(contents_of, self._nursery), 0
        try:
            yield apart
        except BaseException:
            visits = RENEW      # it may owe answers
            raise
        finally:
            visits += 1
            if visits >= RENEW:
                apart.stop()
                visits = 0
            self._parsers.put((apart, visits))


class _Visit(Intake):
    """Nothing is held while the server is spoken to. All is stored in one transaction, in which it is asked once more
    whether that is right: nobody else works on this mailbox, and it is as it was."""

    def __init__(self, connection_id, session, apart, signed_in):
        super().__init__(connection_id, SMALL)
        self.session, self.apart, self.signed_in = session, apart, signed_in
        self.settled = True

    def run(self):
        """True when there is nothing more to do."""
        folder = look(self._begin)
        if folder is None:
            return False
        if folder["busy"]:
            with unit():        # else whoever has the lease looks again
                return not leases.pass_by(self.connection_id)
        uids = self.session.uids(folder["high"] + 1, None)
        if len(uids) > FEW:
            return False
        if uids and not self.personal:
            self.sizes = self.session.sizes(uids)
            if set(self.sizes) != set(uids) or sum(self.sizes.values()) > SMALL:
                return False
        if uids:
            self._store(folder, uids, high=uids[-1])
        return self.settled

    def write(self, folder, change):
        with unit():
            if not leases.pass_by(self.connection_id):
                return
            connection, row = self._inbox()
            if row is None or plain(row) != {k: v for k, v in folder.items() if k != "busy"}:
                self.settled = False
                return
            change(row)
            if row.high_uid > folder["high"] and row.uidnext is not None:
                row.uidnext = row.high_uid + 1      # what STATUS says when nothing came after it

    def _begin(self):
        """The inbox as `plain`, and whether somebody works on it. None: not for us."""
        connection, row = self._inbox()
        if row is None:
            return None
        self.personal = connection.kind == "personal"
        return {**plain(row), "busy": connection.lease_until is not None and connection.lease_until >= now()}

    def _inbox(self):
        """The connection and its inbox, if this is what was signed in with and it is followed; else two None."""
        connection, row = db.session.execute(select(Connection, Folder).join(Connection.folders).where(
            Connection.id == self.connection_id, Folder.chosen, Folder.role == "inbox")).first() or (None, None)
        followed = (row is not None and not connection.problem and connection.caught_up and not row.low_uid
                    and row.uidvalidity == self.session.selected.uidvalidity)
        return (connection, row) if followed and signed_in_with(connection) == self.signed_in else (None, None)

    def _fetch(self, uids, more):
        """A message that is larger than the server said comes again in the job, which may read large ones."""
        return (item for item in super()._fetch(uids, more) if not isinstance(item, Oversized))
