"""The rehearsal before the fork: it plays an arrival and leaves nothing behind."""

from sqlalchemy import func, select

from webapp.extensions import db
from webapp.work import rehearsal


def counts():
    with db.engine.connect() as connection:
        return {table.name: connection.scalar(select(func.count()).select_from(table))
                for table in db.metadata.sorted_tables}


def test_the_rehearsal_runs_to_its_end_and_leaves_neither_rows_nor_news(app, monkeypatch):
    before, played = counts(), []
    real = rehearsal._play
    monkeypatch.setattr(rehearsal, "_play", lambda: played.append(real()))
    rehearsal.rehearse()
    assert len(played) == 1, "it broke off: then every job starts cold"
    assert counts() == before
    assert app.extensions["redis"].keys("postroom:version:*") == []


def test_a_database_that_is_not_ready_stops_no_worker(app, monkeypatch):
    from sqlalchemy.exc import OperationalError

    def broken():
        raise OperationalError("INSERT", {}, Exception("no such table: person"))

    monkeypatch.setattr(rehearsal, "_play", broken)
    rehearsal.rehearse()
    assert not db.session.registry.has()
