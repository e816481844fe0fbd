"""Every hostile and odd mail in one folder of a real server, an ordinary letter between each two of them.

All of it is accounted for, hash for hash, none costs the others anything, and another mailbox does not notice.
"""

import hashlib
import time

import hostile
import pytest
from flask import current_app
from mailroom import folder_of, letter, stored

from webapp.actions.contents import contents_of
from webapp.extensions import db
from webapp.jobs import intake, sync
from webapp.models import Connection, Conversation, Message, Place

BETWEEN = 10.0       # seconds from one message that is stored to the next


@pytest.fixture
def moments(monkeypatch):
    """When each batch was stored, by the clock."""
    found, receive = [], intake.receive

    def received(connection, folder, reads):
        receive(connection, folder, reads)
        found.append((time.monotonic(), [read.uid for read in reads]))
    monkeypatch.setattr(intake, "receive", received)
    return found


def test_a_folder_of_hostile_mail_is_read_whole_and_costs_nobody_else(mailbox, dovecot, moments):
    box, neighbour = mailbox(), mailbox()
    mails = hostile.between_letters(hostile.hostile())
    hostile.put_in(dovecot, box.address, mails)
    dovecot.deliver(neighbour.address, letter(subject="To the neighbour"))
    theirs = hostile.on_server(dovecot, box.address)
    assert len(theirs) == len(mails)
    began = time.monotonic()
    while not db.session.get(Connection, box.id).caught_up:
        sync.pull(box.id)
        assert time.monotonic() - began < 120
    sync.pull(neighbour.id)
    blobs = current_app.extensions["blobs"]
    rows = db.session.execute(db.select(Place.uid, Message).join(Message).where(
        Place.folder_id == folder_of(box.id).id)).all()
    assert {uid: hashlib.sha256(blobs.get_raw(m.raw_sha256)).hexdigest() for uid, m in rows} == theirs
    assert {m.state for _uid, m in rows} <= {"ok", "unreadable"}
    assert all(m.conversation_id for _uid, m in rows)
    letters = [m for _uid, m in rows if m.subject.startswith("Ordinary letter ")]
    assert len(letters) == len(mails) // 2 + 1
    assert {(m.state, m.from_address, m.text.strip()) for m in letters} == {
        ("ok", "anna@customer.example", f"Hello, this is number {m.subject.split()[-1]}.") for m in letters}
    at = [began, *(moment for moment, uids in moments if uids)]
    assert max(later - earlier for earlier, later in zip(at, at[1:], strict=False)) < BETWEEN
    [own] = stored(Message, Message.connection_id == neighbour.id)
    assert (own.subject, own.state) == ("To the neighbour", "ok")
    assert sum(c.message_count for c in stored(Conversation)) == len(stored(Message))


@pytest.mark.parametrize("name", hostile.hostile())
def test_one_message_costs_the_parser_little(name):
    seconds, memory, survived = hostile.cost(contents_of, hostile.hostile()[name])
    assert survived
    assert seconds < hostile.CPU_SECONDS
    assert memory < hostile.MEMORY
