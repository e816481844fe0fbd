"""A server that hangs keeps one worker at most: its mailboxes take the slow queue until it answers again."""

from datetime import timedelta

import pytest
from mailroom import connected
from rq import Queue
from rq.serializers import JSONSerializer

from webapp.extensions import db, unit
from webapp.jobs import sweep, sync
from webapp.models import Connection
from webapp.models.types import now


@pytest.fixture
def three(app, team, monkeypatch):
    """Two mailboxes of one server, one of another; reading them is only noted."""
    tried = []
    monkeypatch.setattr(sync, "_bring_up_to_date", lambda connection_id, *_, **__: tried.append(connection_id))

    def add(name, host):
        connection_id = connected("team", f"{name}@corp.example", servers={
            "imap_host": host, "imap_port": 993, "imap_security": "tls", "smtp_host": host, "smtp_port": 465,
            "smtp_security": "tls", "user_name": name})
        set_(connection_id, checks={})      # as long after the checklist
        return connection_id
    made = [add("a", "hangs.example"), add("b", "hangs.example"), add("c", "answers.example")]
    app.extensions["redis"].flushdb()       # the jobs that connect them
    return made, tried


def set_(connection_id, **values):
    with unit():
        for name, value in values.items():
            setattr(db.session.get(Connection, connection_id), name, value)


def timed_out(connection_id):
    set_(connection_id, problem="timed_out", retry_at=now() + timedelta(minutes=1), problem_since=now())


def waiting(app, name):
    queue = Queue(name, connection=app.extensions["redis"], serializer=JSONSerializer)
    return sorted((job.func_name.rpartition(".")[2], *job.args) for job in queue.jobs)


def test_after_one_timed_out_the_other_mailboxes_of_that_server_take_the_slow_queue(app, three):
    (a, b, c), tried = three
    timed_out(a)
    for connection_id in (b, c):
        sync.pull(connection_id)
    assert tried == [c]
    assert waiting(app, "slow") == [("backfill", b)]
    sync.backfill(b)
    assert tried == [c, b]


def test_the_mailbox_itself_is_read_when_its_watch_hears_of_mail(app, three):
    (a, _b, _c), tried = three
    timed_out(a)
    sync.pull(a)
    assert tried == [a]


def test_a_server_that_answered_another_mailbox_just_now_does_not_hang(app, three):
    (a, b, _c), tried = three
    timed_out(a)
    set_(b, synced_at=now())
    sync.pull(b)
    assert tried == [b]


def test_the_clock_sends_whatever_was_not_read_the_last_time_by_the_slow_queue(app, three):
    (a, b, c), _tried = three
    set_(a, problem="timed_out", retry_at=now() - timedelta(seconds=1), problem_since=now())
    set_(c, synced_at=now() - timedelta(hours=1))
    sweep.everything()
    assert waiting(app, "in") == [("pull", c)]
    assert waiting(app, "slow") == [("backfill", a), ("backfill", b)]
