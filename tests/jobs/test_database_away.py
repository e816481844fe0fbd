"""The database is locked by another writer, or restarted, in the middle of a sync: nothing is lost, and it goes on."""

import sqlite3
import threading
import time

import pytest
from mailroom import folder_of, letter, stored
from sqlalchemy.exc import OperationalError

from webapp.extensions import db, unit
from webapp.jobs import intake, sync
from webapp.models import Connection, Message, Place


@pytest.fixture
def box(mailbox, dovecot):
    box = mailbox()
    dovecot.deliver_many(box.address, [letter(subject=f"Number {n}", Message_ID=f"<{n}@x>") for n in range(150)])
    return box


def in_the_middle(monkeypatch, stroke, at=2):
    """`stroke()` before the second batch is stored."""
    real, count = intake.receive, []

    def receive(*arguments):
        count.append(1)
        if len(count) == at:
            stroke()
        return real(*arguments)
    monkeypatch.setattr(intake, "receive", receive)


def everything_is_there(box):
    assert sorted(int(m.subject.split()[1]) for m in stored(Message)) == list(range(150))
    assert len(stored(Place)) == 150
    connection = db.session.get(Connection, box.id)
    assert (connection.caught_up, connection.problem, connection.lease_until) == (True, None, None)
    assert folder_of(box.id).low_uid == 0


def test_another_writer_holds_sqlite_for_twenty_seconds(box, database, app, monkeypatch):
    if database != "sqlite":
        pytest.skip("PostgreSQL has no such lock")
    path = app.config["SETTINGS"].folder / "postroom.db"
    began, tries, released = threading.Event(), 0, []

    def hold():
        other = sqlite3.connect(path, timeout=30, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        began.set()
        time.sleep(20)
        other.execute("ROLLBACK")
        released.append(time.monotonic())
        other.close()

    holder = threading.Thread(target=hold)
    real = sync._Pull._backfill

    def slowly(self, folder_id):
        if not holder.ident:
            holder.start()
            began.wait(5)
        return real(self, folder_id)
    monkeypatch.setattr(sync._Pull, "_backfill", slowly)
    while not stored_all(box) and tries < 5:      # the queue gives a failed job back; the clock finds it, too
        tries += 1
        try:
            sync.backfill(box.id)
        except OperationalError:
            db.session.rollback()
    holder.join()
    assert released and tries <= 3
    everything_is_there(box)


def stored_all(box):
    db.session.rollback()
    return db.session.get(Connection, box.id).caught_up


def test_postgresql_is_restarted(box, database, app, postgres, monkeypatch):
    if database != "postgresql":
        pytest.skip("SQLite is nobody's server")
    in_the_middle(monkeypatch, postgres.restart)
    try:
        sync.backfill(box.id)
    except OperationalError:
        db.session.rollback()
    for _ in range(2):        # the clock finds it: wanted, or not caught up
        if not stored_all(box):
            sync.backfill(box.id)
    everything_is_there(box)


def test_postgresql_is_away_for_a_while_and_the_lease_comes_back(box, database, app, postgres, monkeypatch):
    if database != "postgresql":
        pytest.skip("SQLite is nobody's server")

    def away():
        postgres.stop()
        threading.Timer(3.0, postgres.start).start()
    in_the_middle(monkeypatch, away)
    try:
        sync.backfill(box.id)
    except OperationalError:
        db.session.rollback()
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            db.session.rollback()
            db.session.execute(db.text("SELECT 1"))
            break
        except OperationalError:
            time.sleep(0.2)
    with unit():      # it may not have been given back: then it runs out, after half a minute
        db.session.get(Connection, box.id).lease_until = None
    sync.backfill(box.id)
    everything_is_there(box)
