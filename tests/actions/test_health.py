"""A mailbox that stops is told to its people, once, within minutes; and that it works again."""

from datetime import timedelta

import pytest
from mailroom import connected, person, stored

from webapp.actions import health
from webapp.extensions import db, unit
from webapp.jobs import sweep
from webapp.models import Connection, Notice
from webapp.models.types import now
from webapp.rules.connections import TELL_AFTER


def stop(box, code="password_refused", wait=None):
    with unit():
        health.problem(db.session.get(Connection, box), code, wait)


def later(box, seconds):
    with unit():
        db.session.get(Connection, box).problem_since -= timedelta(seconds=seconds)


def told():
    sweep.stopped()
    return [(n.kind, n.person.name) for n in stored(Notice)]


@pytest.mark.parametrize(("kind", "address", "by", "people"), [
    ("personal", "marek@corp.example", "marek", ["Marek"]), ("team", "support@corp.example", "zofia", ["Zofia", "Adam"])])
def test_a_refused_password_is_told_at_once_to_those_whose_mailbox_it_is(team, kind, address, by, people):
    from webapp.actions.people import create_person
    with unit():
        create_person("Adam", "adam@corp.example", "admin")
    box = connected(kind, address, by)
    stop(box)
    assert sorted(told()) == sorted(("mailbox.stopped", name) for name in people)
    assert len(told()) == len(people), "once"


def test_a_trouble_that_may_pass_is_told_after_a_while_and_when_it_needs_somebody_again(team):
    box = connected("personal", "marek@corp.example", "marek")
    stop(box, "timed_out", timedelta(minutes=1))
    assert told() == []
    later(box, TELL_AFTER.total_seconds())
    stop(box, "refused", timedelta(minutes=1))      # another word for the same stop
    assert told() == [("mailbox.stopped", "Marek")]
    stop(box, "password_refused")
    assert told() == [("mailbox.stopped", "Marek")] * 2


def test_it_says_when_it_works_again_if_it_said_that_it_stopped(team):
    box = connected("personal", "marek@corp.example", "marek")
    for expected in (0, 2):
        stop(box, "timed_out", timedelta(minutes=1))
        if expected:
            later(box, 100)
            sweep.stopped()
        with unit():
            health.healthy(db.session.get(Connection, box))
        assert len(stored(Notice)) == expected
    assert [n.kind for n in stored(Notice)] == ["mailbox.stopped", "mailbox.works_again"]
    row = stored(Connection)[0]
    assert (row.problem, row.told_at, row.problem_since, row.retry_at) == (None, None, None, None)


def test_somebody_who_is_not_here_is_not_told(team):
    box = connected("personal", "marek@corp.example", "marek")
    with unit():
        person("marek").state = "deactivated"
    stop(box)
    assert told() == []


def test_the_stop_is_dated_from_its_beginning(team):
    box = connected("personal", "marek@corp.example", "marek")
    stop(box, "timed_out", timedelta(minutes=1))
    later(box, 600)
    stop(box, "unavailable", timedelta(minutes=1))
    assert now() - stored(Connection)[0].problem_since > timedelta(minutes=9)
