"""A long first sync makes room: its beginning in the queue of new mail, the rest in the slow one (DESIGN 9, P4)."""

import pytest
from mailroom import folder_of, letter, stored
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from webapp.extensions import db, unit
from webapp.jobs import intake, sync
from webapp.models import Connection, Folder, Message, Place


@pytest.fixture
def waiting(app):
    """`waiting("slow")`: [(name, ids)] of the jobs in that queue."""
    def look(name):
        queue = Queue(name, connection=app.extensions["redis"], serializer=JSONSerializer)
        return [(job.func_name, tuple(job.args)) for job in queue.jobs]
    return look


@pytest.fixture
def box(mailbox, dovecot, app):
    made = mailbox()
    dovecot.deliver_many(made.address, [letter(subject=f"Number {n}", Message_ID=f"<{n}@x>") for n in range(60)])
    app.extensions["redis"].flushdb()
    return made


def test_a_first_sync_that_takes_longer_goes_on_in_the_slow_queue(box, waiting, monkeypatch):
    monkeypatch.setattr(sync, "SHORT", 0)
    sync.pull(box.id)
    assert waiting("slow") == [("webapp.jobs.sync.backfill", (box.id,))]
    assert waiting("in") == []
    sync.backfill(box.id)
    db.session.rollback()
    assert db.session.get(Connection, box.id).caught_up
    assert len(stored(Message)) == 60
    assert len(waiting("slow")) == 1, "nothing is left to do, nothing more is enqueued"


def test_the_cursor_moves_in_the_commit_of_what_it_passes(box, request):
    """After each commit somebody else looks: the oldest stored UID is the cursor, or the cursor says done."""
    looks, folder_id = [], folder_of(box.id).id
    db.session.rollback()

    def look(session):
        if session.get_nested_transaction() is None:
            with db.engine.connect() as other:
                oldest = other.scalar(select(func.min(Place.uid)).where(Place.folder_id == folder_id))
                low = other.scalar(select(Folder.low_uid).where(Folder.id == folder_id))
            looks.append((oldest, low))

    event.listen(Session, "after_commit", look)
    request.addfinalizer(lambda: event.remove(Session, "after_commit", look))
    sync.pull(box.id)
    stored_some = [(oldest, low) for oldest, low in looks if oldest]
    assert stored_some[0] == (60 - sync.FIRST_WINDOW + 1, 60 - sync.FIRST_WINDOW + 1)
    assert all(low in (oldest, 0) for oldest, low in stored_some)
    assert stored_some[-1] == (1, 0)


def test_what_is_asked_for_meanwhile_cuts_the_stream_short_and_nothing_is_left_out(mailbox, dovecot, monkeypatch):
    """New mail waits for the commands that are under way, not for a window of 2,000."""
    box = mailbox()
    dovecot.deliver_many(box.address, [letter(Message_ID=f"<{n}@x>") for n in range(650)])
    looks, order = [], []

    def wanted(connection_id):
        looks.append(connection_id)
        if len(looks) != 5:         # two for the first window; two of the second one's commands are under way
            return False
        dovecot.deliver_many(box.address, [letter(Message_ID="<new@x>")])
        with unit():
            db.session.get(Connection, connection_id).wanted = True
        return True

    def received(connection, folder, reads, real=intake.receive):
        real(connection, folder, reads)
        order.extend((r.parsed.message_id, folder.low_uid, folder.ahead) for r in reads)

    monkeypatch.setattr(sync.leases, "is_wanted", wanted)
    monkeypatch.setattr(intake, "receive", received)
    sync.pull(box.id)
    names = [name for name, _low, _ahead in order]
    assert names.index("new@x") == sync.FIRST_WINDOW + 200
    assert len(names) == len(set(names)) == 651 == len(stored(Message))
    numbers = [int(name.split("@")[0]) for name in names if name != "new@x"]
    assert [min(numbers[i:i + 100]) for i in (50, 150, 250)] == [500, 400, 300], "the newest first"
    folder = folder_of(box.id)
    assert (folder.low_uid, folder.ahead) == (0, 0)
