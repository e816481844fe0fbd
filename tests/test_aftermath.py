"""What follows a commit follows the outermost one, and only what was really committed."""

import pytest

from webapp import queue
from webapp.aftermath import after_commit
from webapp.extensions import db, unit
from webapp.models import Inbox


@pytest.fixture
def happened(app):
    return []


def add(name, happened):
    db.session.add(Inbox(name=name))
    db.session.flush()
    after_commit(happened.append, name)


def test_it_happens_once_after_the_commit_and_not_before(happened):
    add("One", happened)
    assert happened == []
    db.session.commit()
    db.session.commit()
    assert happened == ["One"]


def test_a_released_savepoint_waits_for_the_outermost_commit(happened):
    add("One", happened)
    with db.session.begin_nested():
        add("Two", happened)
        with db.session.begin_nested():
            add("Three", happened)
    assert happened == []
    db.session.commit()
    assert happened == ["One", "Two", "Three"]


def test_a_savepoint_that_is_rolled_back_takes_its_own_along_and_those_released_into_it(happened):
    add("One", happened)
    savepoint = db.session.begin_nested()
    add("Two", happened)
    with db.session.begin_nested():
        add("Three", happened)
    savepoint.rollback()
    add("Four", happened)
    db.session.commit()
    assert happened == ["One", "Four"]


def test_a_savepoint_that_fails_leaves_what_came_before_it(happened):
    add("One", happened)
    with pytest.raises(RuntimeError), db.session.begin_nested():
        add("Two", happened)
        raise RuntimeError
    db.session.commit()
    assert happened == ["One"]


@pytest.mark.parametrize("end", ["rollback", "close", "remove", "outer rolled back"])
def test_without_a_commit_nothing_happens_not_even_after_the_next_one(happened, end):
    add("One", happened)
    if end == "outer rolled back":
        with db.session.begin_nested():
            add("Two", happened)
        db.session.rollback()
    else:
        getattr(db.session, end)()
    with unit():
        add("Next", happened)
    assert happened == ["Next"]


def test_without_a_statement_before_it_it_still_belongs_to_the_transaction(happened):
    after_commit(happened.append, "early")
    db.session.add(Inbox(name="One"))
    db.session.commit()
    assert happened == ["early"]


def test_a_commit_that_fails_starts_nothing(happened, team):
    with pytest.raises(Exception, match="UNIQUE|unique"), unit():
        after_commit(happened.append, "never")
        db.session.add(Inbox(name="Support"))
    assert happened == []


def test_a_job_is_enqueued_after_the_commit_and_a_queue_that_is_away_is_no_error(app, caplog):
    client = app.extensions["redis"]
    with unit():
        queue.later("webapp.jobs.sync.pull", 7)
        assert client.llen("rq:queue:in") == 0
    assert client.llen("rq:queue:in") == 1
    import redis
    app.extensions["redis"] = redis.Redis(unix_socket_path="/nowhere/v.sock", retry=None)
    try:
        with unit():
            queue.later("webapp.jobs.sync.pull", 8)
    finally:
        app.extensions["redis"] = client
    assert "queue away" in caplog.text
