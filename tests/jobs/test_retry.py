"""A first connect that meets a passing trouble goes on by itself, as the screen promises."""

from datetime import timedelta

import pytest
from mailroom import letter, stored
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy.exc import OperationalError

from webapp import queue
from webapp.extensions import db, unit
from webapp.jobs import connect as connect_job
from webapp.jobs import sweep, sync
from webapp.jobs.mailbox import LONG_SESSION_SECONDS
from webapp.mail.types import MailError
from webapp.models import Connection, Message
from webapp.models.types import now


def begun(team):
    from webapp.actions import connections
    from webapp.models import Person
    with unit():
        return connections.begin(db.session.get(Person, team.zofia), "personal", "zofia@corp.example", "secret",
                                 servers={"imap_host": "mail.corp.example", "imap_port": 993, "imap_security": "tls",
                                          "user_name": "zofia", "smtp_host": "mail.corp.example", "smtp_port": 465,
                                          "smtp_security": "tls"}).id


def failing(code):
    def open_imap(endpoint, credentials, seconds=None):
        raise MailError(code, host=endpoint.host)
    return open_imap


def test_an_unavailable_server_is_tried_again_by_the_clock(app, team, monkeypatch):
    connection_id = begun(team)
    monkeypatch.setattr(connect_job, "open_imap", failing("unavailable"))
    connect_job.connect(connection_id)
    connection = db.session.get(Connection, connection_id)
    assert connection.checks["receive"]["state"] == "fail"
    assert connection.retry_at > now()
    db.session.rollback()
    assert sweep._connecting_again() == []
    with unit():
        db.session.get(Connection, connection_id).retry_at = now() - timedelta(seconds=1)
    assert sweep._connecting_again() == [connection_id]


def test_a_refused_password_waits_for_a_person(app, team, monkeypatch):
    connection_id = begun(team)
    monkeypatch.setattr(connect_job, "open_imap", failing("password_refused"))
    connect_job.connect(connection_id)
    assert db.session.get(Connection, connection_id).retry_at is None


def test_an_older_attempt_writes_nothing_once_a_newer_one_has_begun(app, team, monkeypatch):
    from webapp.actions import connections
    from webapp.models import Person
    connection_id = begun(team)

    def overtaken(endpoint, credentials):
        with unit():
            connection = db.session.get(Connection, connection_id)
            connections.try_again(db.session.get(Person, team.zofia), connection, password="the right one")
        raise MailError("password_refused", host=endpoint.host)

    monkeypatch.setattr(connect_job, "open_imap", overtaken)
    connect_job.connect(connection_id)
    checks = db.session.get(Connection, connection_id).checks
    assert {name: step["state"] for name, step in checks.items()} == {"settings": "run"}


def test_a_password_that_the_server_repeats_is_neither_shown_nor_stored(app, team, monkeypatch):
    from webapp.jobs import mailbox

    class Echo:
        @staticmethod
        def open(endpoint, credentials, *_):
            raise MailError("password_refused", host=endpoint.host, answer=f"no: {credentials.password}?")

    connection_id = begun(team)
    monkeypatch.setattr(mailbox, "Session", Echo)
    connect_job.connect(connection_id)
    facts = db.session.get(Connection, connection_id).checks["receive"]["facts"]
    assert facts["answer"] == "no: •••?"


def test_a_fault_of_ours_is_told_instead_of_looking_connected_for_ever(mailbox, dovecot, monkeypatch):
    box = mailbox()
    dovecot.deliver_many(box.address, [letter()])
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(sync._Pull, "_catch_up", lambda *_: 1 / 0)
        sync.pull(box.id)
    db.session.rollback()
    connection = db.session.get(Connection, box.id)
    assert (connection.problem, connection.lease_until) == ("internal", None)
    assert connection.retry_at > now()
    sync.pull(box.id)
    db.session.rollback()
    assert db.session.get(Connection, box.id).problem is None
    assert len(stored(Message)) == 1


def test_a_database_that_is_away_is_no_fault_of_the_mailbox(mailbox, monkeypatch):
    box = mailbox()

    def away(*_):
        raise OperationalError("SELECT 1", {}, Exception("the server closed the connection"))
    monkeypatch.setattr(sync._Pull, "_catch_up", away)
    with pytest.raises(OperationalError):
        sync.pull(box.id)
    db.session.rollback()
    assert db.session.get(Connection, box.id).problem is None


def test_what_may_take_long_has_the_time_for_a_large_message_over_a_thin_wire(mailbox, app, monkeypatch):
    box, sessions = mailbox(), []
    monkeypatch.setattr(sync, "open_imap", lambda _e, _c, seconds=None: sessions.append(seconds) or 1 / 0)
    for look_at in (sync.pull, sync.backfill):
        with pytest.raises(ZeroDivisionError):
            look_at(box.id)
    assert sessions == [None, LONG_SESSION_SECONDS]
    app.extensions["redis"].flushdb()
    for name in ("in", "slow"):
        queue.enqueue("webapp.jobs.sync.backfill", (box.id,), queue=name)
    waiting = [Queue(name, connection=app.extensions["redis"], serializer=JSONSerializer).jobs[0].timeout
               for name in ("in", "slow")]
    assert waiting == [queue.JOB_SECONDS, queue.LONG_JOB_SECONDS]
    assert waiting[1] > LONG_SESSION_SECONDS
