"""A short lease lives as long as its job, and no longer: the clock finds what a killed worker left."""

import time
from datetime import timedelta

import pytest
from mailroom import connected

from webapp.actions import leases
from webapp.extensions import db, unit
from webapp.jobs import heartbeat, sweep
from webapp.models import Connection
from webapp.models.types import now


@pytest.fixture
def leased(app, team):
    connection_id = connected()
    with unit():
        return connection_id, leases.take(connection_id)


def until(connection_id):
    db.session.rollback()
    return db.session.get(Connection, connection_id).lease_until


def test_while_the_job_lives_its_lease_is_renewed_and_afterwards_not(leased, monkeypatch):
    connection_id, fence = leased
    monkeypatch.setattr(heartbeat, "EVERY", 0.05)
    first = until(connection_id)
    with heartbeat.beating(connection_id, fence):
        time.sleep(0.5)
        second = until(connection_id)
        db.session.rollback()
    last = until(connection_id)
    db.session.rollback()
    time.sleep(0.3)
    assert first < second <= last == until(connection_id)


def test_the_beat_of_an_older_lease_touches_nothing(leased, monkeypatch):
    connection_id, fence = leased
    monkeypatch.setattr(heartbeat, "EVERY", 0.05)
    with unit():
        leases.revoke(connection_id)
        assert leases.take(connection_id) == fence + 2
    taken = until(connection_id)
    db.session.rollback()
    with heartbeat.beating(connection_id, fence):
        time.sleep(0.3)
    assert until(connection_id) == taken


def test_a_lease_that_ran_out_is_hinted_at_within_seconds_and_a_living_one_is_not(leased, monkeypatch):
    connection_id, _fence = leased
    hinted = []
    monkeypatch.setattr(sweep, "enqueue", lambda name, ids, queue: hinted.append((name, ids, queue)))
    sweep.abandoned()
    assert hinted == []
    with unit():
        db.session.get(Connection, connection_id).lease_until = now() - timedelta(seconds=1)
    sweep.abandoned()
    assert hinted == [("webapp.jobs.sync.pull", (connection_id,), "in")]


def test_three_beats_may_fail_before_a_lease_runs_out():
    assert leases.LENGTH.total_seconds() > 3 * heartbeat.EVERY
