"""Two of us that answer each other, over real servers: DEFENCE 4.5, cases loop-headers-055, 058, 062, 064."""

import re
import uuid
from types import SimpleNamespace

import pytest
from mailroom import connected, inbox, letter, person, stored

from webapp.actions import autoreply, inboxes
from webapp.extensions import db, unit
from webapp.jobs import autoreply as job
from webapp.jobs import outbox, sync
from webapp.models import Outbox


@pytest.fixture
def two(mailbox, dovecot, sink, monkeypatch):
    """Two inboxes that answer every mail, and know nothing of each other, as if they were two installations."""
    with unit():
        inboxes.create_inbox(person("zofia"), "Sales")
    first, address = mailbox(), f"sales-{uuid.uuid4().hex[:8]}@corp.example"
    for server in (dovecot, sink):
        server.add_user(address, "secret-1")
    second = connected("team", address, inbox_name="Sales", servers={**first.servers, "user_name": address})
    boxes = [first, SimpleNamespace(address=address, id=second)]
    with unit():
        for found in (inbox(), inbox("Sales")):
            found.auto_first, found.auto_first_text = True, "Thank you."
            found.auto_away, found.auto_away_text = True, "We are away."
            found.hours = {"zone": "UTC", "days": [[["00:00", "00:01"]]] + [[]] * 6}
    known = autoreply._mail
    monkeypatch.setattr(autoreply, "_mail", lambda *args: (mail := known(*args))._replace(own=mail.here))
    return boxes


def round_of(boxes, dovecot, sink, change=lambda raw: raw):
    """All that is due is answered and sent, and what the sink got is delivered to the other one."""
    for message_id in db.session.scalars(autoreply.due()).all():
        db.session.rollback()
        job.answer(message_id)
    for row in stored(Outbox, Outbox.state == "queued"):
        outbox.send(row.id)
    for mail in sink.received:
        for box in boxes:
            if box.address in mail.recipients:
                dovecot.deliver(box.address, change(mail.raw))
    sink.reset()
    for box in boxes:
        sink.add_user(box.address, "secret-1")
        sync.pull(box.id)


@pytest.mark.parametrize("stripped", [False, True])
def test_they_stop(two, dovecot, sink, stripped):
    """Also where something between them takes off every header that tells."""
    def strip(raw):
        return re.sub(rb"(?im)^(auto-submitted|x-auto-response-suppress|precedence|subject):[^\r\n]*\r\n", b"", raw)
    first, second = two
    dovecot.deliver(second.address, letter(sender=first.address, to=second.address, Message_ID="<1@first.example>"))
    sync.pull(second.id)
    for _round in range(6):
        round_of(two, dovecot, sink, strip if stripped else lambda raw: raw)
    by = [row.connection_id for row in stored(Outbox)]
    assert by == ([second.id, first.id] if stripped else [second.id])
