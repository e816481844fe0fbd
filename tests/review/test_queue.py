"""The queue is a hint: it may be lost, hang or stand still, and must not swell meanwhile."""

import time

import pytest
from mailroom import arrive, connected, letter, person, stored
from rq import Queue

from webapp import queue
from webapp.actions import replies
from webapp.extensions import db, unit
from webapp.jobs import sweep
from webapp.models import Connection, Conversation
from webapp.models.types import now


def lengths(app):
    return {name: len(Queue(name, connection=app.extensions["redis"])) for name in queue.QUEUES}


def test_hints_do_not_pile_up_while_no_worker_takes_them(app, team):
    """The clock looks every second. A night without workers must not leave a million jobs, each of them a fork."""
    box = connected()
    arrive(box, letter())
    with unit():
        replies.reply(person("marek"), db.session.get(Conversation, stored(Conversation)[0].id), "Hello")
    app.extensions["redis"].flushdb()
    for _ in range(10):
        sweep.replies()
        sweep.everything()
    assert lengths(app) == {"out": 1, "in": 0, "pictures": 0, "slow": 1}      # never read so far: it may hang


def test_a_hint_that_was_lost_is_given_again_soon(app, team):
    queue.enqueue("webapp.jobs.sync.pull", (1,))
    app.extensions["redis"].delete("rq:queue:in")
    assert 0 < app.extensions["redis"].ttl(queue.marker("webapp.jobs.sync.pull", (1,), "in")) <= 60


def test_a_hint_given_while_the_job_runs_is_not_lost(app, team):
    queue.enqueue("webapp.jobs.sync.pull", (1,))
    queue.started("webapp.jobs.sync.pull", (1,))
    queue.enqueue("webapp.jobs.sync.pull", (1,))
    assert lengths(app)["in"] == 2


def test_a_reconnecting_step_that_was_lost_is_begun_again_however_old_the_connection(app, team):
    from datetime import timedelta

    from webapp.actions import connections
    box = connected()
    with unit():
        connection = db.session.get(Connection, box)
        connections.try_again(person("zofia"), connection, password="new one")
        connection.created_at = now() - timedelta(days=30)
        connection.caught_up, connection.synced_at = True, now()
        connection.checks = {"settings": {"state": "run", "at": (now() - timedelta(minutes=5)).isoformat()}}
    app.extensions["redis"].flushdb()
    sweep.everything()
    jobs = Queue("in", connection=app.extensions["redis"]).job_ids
    assert len(jobs) == 1


@pytest.fixture
def hanging(app):
    """A Redis that takes connections and never answers: stopped, swapping, behind a firewall that drops."""
    import dataclasses
    import socket

    from webapp import queue
    listener = socket.create_server(("127.0.0.1", 0))
    before = app.extensions["redis"]
    url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
    app.extensions["redis"] = queue.connect(dataclasses.replace(app.config["SETTINGS"], redis_url=url))
    yield
    app.extensions["redis"] = before
    queue.reachable.until = 0.0
    listener.close()


def test_a_redis_that_hangs_holds_nobody_up_for_long(team, browser_of, hanging):
    """Names and hints are told after the commit: the answer is there and must not wait for somebody who sleeps."""
    box = connected()
    began = time.monotonic()
    arrive(box, letter())
    with browser_of("marek") as browser:
        assert browser.post("/conversations/1/close").status_code == 303
        assert browser.post("/conversations/1/reply", data={"text": "Hello"}).status_code == 303
    assert time.monotonic() - began < 12
