"""A mailbox's password changes at the provider: its people hear of it by mail and on the screen, reconnect it, and what
came meanwhile is there. On Dovecot and the SMTP sink, by the jobs that the clock and the queue would run."""

import dataclasses
import uuid
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from mailroom import connected, letter, person, stored

from webapp.actions import connections
from webapp.actions.people import create_person
from webapp.extensions import db, unit
from webapp.jobs import connect, notices, sweep, sync
from webapp.models import Connection, Message, Notice
from webapp.models.types import now

POST = "post@corp.example"


@pytest.fixture
def settings(app, dovecot, sink, team):
    before = app.config["SETTINGS"]
    sink.reset()
    sink.add_user(POST, "secret-1")
    app.config["SETTINGS"] = dataclasses.replace(
        before, mail_loopback=f"127.0.0.1:{dovecot.imaps_port} 127.0.0.1:{sink.port}",
        notice_smtp=f"smtps://post%40corp.example:secret-1@127.0.0.1:{sink.port}", notice_from=f"Postroom <{POST}>")
    yield
    app.config["SETTINGS"] = before


def mailbox(dovecot, sink, kind, actor):
    address = f"{kind}-{uuid.uuid4().hex[:8]}@corp.example"
    for server in (dovecot, sink):
        server.add_user(address, "secret-1")
    servers = {"imap_host": "127.0.0.1", "imap_port": dovecot.imaps_port, "imap_security": "tls",
               "smtp_host": "127.0.0.1", "smtp_port": sink.port, "smtp_security": "tls", "user_name": address}
    return address, connected(kind, address, actor, servers=servers)


def told(sink, kind):
    """Names of those who have the notice, on the screen and by mail."""
    for notice in stored(Notice, Notice.mail_state == "queued"):
        notices.send(notice.id)
    mails = {message_from_bytes(r.raw, policy=policy.default)["To"].split(" <")[0] for r in sink.received}
    shown = {n.person.name for n in stored(Notice, Notice.kind == kind, Notice.shown)}
    sink.received.clear()
    assert mails == shown
    return shown


@pytest.mark.parametrize(("kind", "actor", "people"), [("personal", "marek", {"Marek"}), ("team", "zofia", {"Zofia", "Adam"})])
def test_a_changed_password_is_told_mended_and_caught_up(settings, browser_of, dovecot, sink, kind, actor, people):
    with unit():
        create_person("Adam", "adam@corp.example", "admin")
    address, box = mailbox(dovecot, sink, kind, actor)
    sync.pull(box)
    dovecot.add_user(address, "changed-2")
    dovecot.deliver(address, letter(to=address, subject="While it was stopped"))
    assert box in sweep._mailboxes_due() or _polled_later(box), "the clock looks every two minutes"
    sync.pull(box)
    sweep.stopped()
    assert told(sink, "mailbox.stopped") == people
    with browser_of(actor) as client:
        page = client.get("/mailboxes" if kind == "personal" else "/inboxes/1/settings").text
        assert "Sign in again" in page or "Stopped" in page or "accept this password" in page
        assert f"{address} has stopped" in client.get("/notices").text
    sweep.stopped()
    assert len(stored(Notice)) == len(people), "once"
    sink.add_user(address, "changed-2")
    with unit():
        connections.try_again(person(actor), db.session.get(Connection, box), password="changed-2")
    connect.connect(box)
    sync.pull(box)
    assert [m.subject for m in stored(Message)] == ["While it was stopped"]
    assert told(sink, "mailbox.works_again") == people
    assert stored(Connection)[0].problem is None


def _polled_later(box):
    with unit():
        db.session.get(Connection, box).synced_at = now() - timedelta(minutes=3)
    return box in sweep._mailboxes_due()
