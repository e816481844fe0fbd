"""Connecting an address, step by step. Each step is stored as it happens, so that the page can be left and found
again where it stands; a failing one says why and waits for a person."""

import contextlib
import time

from flask import current_app

from webapp.actions import connections, health, outbox
from webapp.extensions import db
from webapp.jobs import job, look, sync, unit
from webapp.jobs.mailbox import RETRY_AFTER, imap_endpoint, login, open_imap, open_smtp, policy, smtp_endpoint
from webapp.live import announce
from webapp.mail.address import login_key
from webapp.mail.discover import Servers, answers, candidates
from webapp.mail.types import Endpoint, MailError
from webapp.models import Connection
from webapp.models.connection import held
from webapp.models.types import now
from webapp.queue import enqueue
from webapp.rules import RuleBroken
from webapp.rules.connections import Holder, ask, check_address, check_published

# The server is there and cannot now: tried again by itself. What a person has to mend waits for the person.
PASSING = ("unavailable", "throttled", "in_use", "lost")


class _Stop(Exception):
    """A step failed and is shown, or a newer attempt has begun."""


@job
def connect(connection_id):
    found = look(lambda: _state(db.session.get(Connection, connection_id)))
    if found is None:
        return
    reconnecting, attempt = found
    with contextlib.suppress(_Stop):
        _Attempt(connection_id, reconnecting, attempt).run()


def _state(connection):
    """(does it hold its address already, attempt), or None when there is nothing to connect any more."""
    if connection is None or connection.state == "removed" or connection.secret is None:
        return None
    return connection.hold_id is not None, connection.attempt


class _Attempt:
    def __init__(self, connection_id, reconnecting, number):
        self.id, self.reconnecting, self.number = connection_id, reconnecting, number

    def run(self):
        with contextlib.ExitStack() as self.open:
            self._step("settings", self._find_settings)
            self._step("receive", self._sign_in_to_receive)
            self._step("send", self._sign_in_to_send)
            self._step("folders", self._list_folders)
            if self.session:
                sync.begin(self.id, self.session)
            else:
                enqueue("webapp.jobs.sync.pull", (self.id,), queue="in")

    def _step(self, name, do):
        with unit():
            connections.step(self._connection(), name, "run")
        started = time.monotonic()
        try:
            do(name, lambda: round(time.monotonic() - started, 1))
        except MailError as error:
            self._fail(name, error.code, error.facts, started)
        except RuleBroken as broken:
            self._fail(name, broken.code, broken.facts, started)

    def _fail(self, name, code, facts, started):
        db.session.rollback()
        with unit():
            connection = self._connection()
            connections.step(connection, name, "fail", code, round(time.monotonic() - started, 1), **facts)
            if self.reconnecting:
                health.problem(connection, code, RETRY_AFTER.get(code), **facts)
            elif code in PASSING:
                health.retry(connection, RETRY_AFTER[code])
        raise _Stop

    def _find_settings(self, name, seconds):
        address, typed, known = look(lambda: (self._connection().address, self._connection().source == "typed",
                                              bool(self._connection().imap_host)))
        if typed or known and self.reconnecting:
            found = None
        else:
            found = self._first_answering(address)
        with unit():
            connection = self._connection()
            if found:
                connections.found(connection, found.source, found.imap, found.smtp, found.user)
            connections.step(connection, name, "done", connection.source, seconds())

    def _first_answering(self, address):
        settings = current_app.config["SETTINGS"]
        presets = {d: Servers(Endpoint(*i), Endpoint(*s)) for d, (i, s) in settings.mail_presets().items()}
        for candidate in candidates(address, policy(), presets):
            if candidate.source == "srv":
                self._confirm(address, candidate)
            if candidate.source != "guess" or (answers(candidate.imap, policy()) and answers(candidate.smtp, policy())):
                return candidate
        raise RuleBroken("imap_host", "no_settings", domain=address.rpartition("@")[2])

    def _confirm(self, address, candidate):
        """Kept for the form in which a person confirms them."""
        try:
            check_published(address, (candidate.imap.host, candidate.smtp.host))
        except RuleBroken:
            with unit():
                connections.found(self._connection(), None, candidate.imap, candidate.smtp, candidate.user)
            raise

    def _sign_in_to_receive(self, name, seconds):
        endpoint, credentials = look(lambda: (imap_endpoint(self._connection()), login(self._connection())))
        self.login_key = login_key(endpoint.host, credentials.user)
        self.session = self.open.enter_context(open_imap(endpoint, credentials))
        tls = self.session.tls
        with unit():
            connection = self._connection()
            if not self.reconnecting:   # the rule, once more, now that the login is known; stored at the end
                holder = Holder(connection.kind, connection.person_id or connection.inbox_id)
                ask(holder, connection.use, held(check_address(connection.address), self.login_key, holder))
            connections.step(connection, name, "done", "tls", seconds(), version=tls.version,
                             not_after=tls.not_after.isoformat())

    def _sign_in_to_send(self, name, seconds):
        endpoint, credentials = look(lambda: (smtp_endpoint(self._connection()), login(self._connection())))
        with open_smtp(endpoint, credentials) as session:
            session.check()
        with unit():
            connections.step(self._connection(), name, "done", None, seconds())

    def _list_folders(self, name, seconds):
        folders = [f for f in self._folders() if f.selectable]
        with unit():
            connection = self._connection()
            if not self.reconnecting:
                connections.claim(connection, self.login_key)
            connections.set_folders(connection, folders)
            connections.step(connection, name, "done", None, seconds(), count=len(folders),
                             names=[f.name for f in sorted(folders, key=lambda f: f.role == "other")][:4])
            connections.step(connection, "sync", "done" if connection.caught_up else "run", started=now().isoformat())
            health.healthy(connection)
            outbox.retry_now(connection)
            announce("watch")

    def _folders(self):
        """On the session that is open already, for a sign-in takes long; it may have ended while we tried to send."""
        try:
            return self.session.folders()
        except MailError:
            self.session = None
            endpoint, credentials = look(lambda: (imap_endpoint(self._connection()), login(self._connection())))
            with open_imap(endpoint, credentials) as session:
                return session.folders()

    def _connection(self):
        connection = db.session.get(Connection, self.id)
        if connection.attempt != self.number:
            raise _Stop
        return connection
