"""The audit log: a chain that nobody changes unseen."""

import threading

import pytest
from mailroom import person, stored
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from webapp.actions import audit
from webapp.extensions import db, unit
from webapp.models import Audit
from webapp.models.audit import BEGINNING


@pytest.fixture
def rows(team):
    """Five rows; the digest of each."""
    for n in range(5):
        with unit():
            audit.note(person("zofia"), "inbox.created", f"inbox-{n}", inbox=f"Zażółć {n}", parts=[1, {"a": None}])
    return [row.digest for row in stored(Audit)]


@pytest.fixture
def behind(app):
    """`behind("DELETE …")`: as somebody does who has the database in hand and takes the triggers off."""
    def run(statement):
        db.session.rollback()       # a trigger is not taken off while somebody reads
        with db.engine.begin() as connection:
            sqlite = connection.dialect.name == "sqlite"
            kept = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all(
                ) if sqlite else [("audit_no_change", "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit "
                                   "FOR EACH ROW EXECUTE FUNCTION audit_append_only()")]
            for name, _sql in kept:
                connection.execute(text(f"DROP TRIGGER {name}{'' if sqlite else ' ON audit'}"))
            connection.execute(text(statement))
            for _name, sql in kept:
                connection.execute(text(sql))
        db.session.rollback()
    return run


def test_a_log_that_nobody_touched_is_whole(rows):
    assert audit.verify() == (5, rows[-1], [])
    assert [row.previous for row in stored(Audit)] == [BEGINNING, *rows[:-1]]


def test_an_empty_log_is_whole(app):
    assert audit.verify() == (0, BEGINNING, [])


@pytest.mark.parametrize("statement", ["UPDATE audit SET action = 'x'", "DELETE FROM audit WHERE number = 5",
                                       "UPDATE audit SET facts = facts WHERE number = 1"])
def test_the_database_itself_refuses_to_change_or_to_take_back(rows, statement):
    with pytest.raises(DatabaseError, match="append-only"), db.engine.begin() as connection:
        connection.execute(text(statement))
    assert audit.verify()[2] == []


@pytest.mark.parametrize("change", [
    "action = 'inbox.renamed'", "subject = 'inbox-9'", "actor_id = NULL", "facts = '{}'", "at = '2020-01-01 00:00:00'"])
def test_a_changed_row_is_found(rows, behind, change):
    behind(f"UPDATE audit SET {change} WHERE number = 3")
    assert audit.verify()[2] == [(3, "changed")]


def test_a_row_that_was_changed_with_a_digest_that_fits_does_not_fit_the_next(rows, behind):
    row = stored(Audit)[2]
    digest = audit.digest_of(row.previous, 3, row.at, row.actor_id, "inbox.renamed", row.subject, row.facts)
    behind(f"UPDATE audit SET action = 'inbox.renamed', digest = '{digest}' WHERE number = 3")
    assert audit.verify()[2] == [(4, "unchained")]


def test_a_row_that_was_taken_out_is_found(rows, behind):
    behind("DELETE FROM audit WHERE number = 2")
    assert audit.verify()[::2] == (4, [(2, "missing")])


def test_a_row_whose_number_was_given_to_the_next_is_found(rows, behind):
    behind("DELETE FROM audit WHERE number = 2")
    behind("UPDATE audit SET number = 2 WHERE number = 3")
    assert (2, "unchained") in audit.verify()[2] and (2, "changed") in audit.verify()[2]


def test_a_tail_that_was_cut_off_is_found(rows, behind):
    behind("DELETE FROM audit WHERE number > 3")
    assert audit.verify() == (3, rows[2], [(3, "head")])


def test_a_tail_that_was_cut_off_with_care_is_found_by_a_digest_that_was_written_down(app, rows, behind):
    behind("DELETE FROM audit WHERE number > 3")
    behind(f"UPDATE audit_head SET number = 3, digest = '{rows[2]}'")
    assert audit.verify()[2] == []
    command = app.test_cli_runner()
    done = command.invoke(args=["audit", "--expect", rows[4]])
    assert done.exit_code == 1 and "another log" in done.output and "unbroken" not in done.output
    assert command.invoke(args=["audit", "--expect", rows[1]]).exit_code == 0


def test_the_command_says_how_many_the_newest_digest_and_what_is_wrong(app, rows, behind):
    done = app.test_cli_runner().invoke(args=["audit"])
    assert done.exit_code == 0
    assert done.output.splitlines() == [f"5 rows, newest digest {rows[-1]}", "unbroken"]
    behind("UPDATE audit SET action = 'x' WHERE number = 2")
    done = app.test_cli_runner().invoke(args=["audit"])
    assert done.exit_code == 1 and "number 2 was changed" in done.output and "unbroken" not in done.output


def test_who_append_at_once_make_one_chain(app, team):
    barrier, troubles = threading.Barrier(4), []

    def append(thread):
        with app.app_context():
            barrier.wait(5)
            try:
                for n in range(10):
                    with unit():
                        audit.note(person("zofia"), "inbox.created", f"inbox-{thread}", n=n)
            except Exception as error:
                troubles.append(error)
            finally:
                db.session.remove()
    threads = [threading.Thread(target=append, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    db.session.rollback()
    assert troubles == []
    assert audit.verify()[::2] == (40, [])


def test_what_is_rolled_back_was_never_noted(rows):
    with pytest.raises(ZeroDivisionError), unit():
        audit.note(person("zofia"), "inbox.created", "inbox-9")
        raise ZeroDivisionError
    with unit():
        with pytest.raises(ZeroDivisionError), db.session.begin_nested():
            audit.note(person("zofia"), "inbox.created", "inbox-9")
            raise ZeroDivisionError
        audit.note(None, "inbox.created", "inbox-10")
    assert audit.verify()[::2] == (6, [])
