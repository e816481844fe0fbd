"""Many rows at once land exactly as an ORM object each would have written them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from mailroom import connected, stored
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from webapp.extensions import db, unit
from webapp.models import Message, Participant
from webapp.models.rows import Row, next_ids, write_rows

ODD = 'quote " \' back\\slash %s ? :name {json} \u2028 żółw 日本 👩‍👩‍👧 \t\n end'
AT = datetime(2026, 11, 27, 23, 59, 59, 123456, tzinfo=timezone(timedelta(hours=1)))


@pytest.fixture
def box(team):
    return connected()


def message(box, number, **more):
    return {"id": number, "connection_id": box, "digest": f"{number:064d}", "size": 2**31 - 1, "at": AT, **more}


def test_odd_values_come_back_as_they_were(box):
    [number] = next_ids(Message, 1)
    nested = [["Zoë \\ \"x\"", "zoe@x.example"], ["", "null"], [ODD, "{}"]]
    with unit():
        write_rows(Message, [message(box, number, subject=ODD, to=nested, invitation={"a": [None, True, 1.5, ODD]},
                                     authentication=None, auto=True)])
    [one] = stored(Message)
    assert (one.subject, one.to, one.auto) == (ODD, nested, True)
    assert one.invitation == {"a": [None, True, 1.5, ODD]}
    assert one.authentication is None and one.html is None
    assert one.at == AT.astimezone(UTC), "a zone of its own is turned into UTC, to the microsecond"
    assert db.session.scalar(db.text("SELECT count(*) FROM message WHERE invitation IS NOT NULL "
                                     "AND authentication IS NULL AND html IS NULL")) == 1


def test_what_is_not_said_takes_its_default_and_each_row_its_own(box):
    first, second = next_ids(Message, 2)
    with unit():
        write_rows(Message, [message(box, first), message(box, second)])
    one, two = stored(Message)
    assert (one.state, one.references, one.subject, one.outgoing, one.parser_version) == ("ok", [], "", False, 0)
    one.references.append("<x@y>")
    assert two.references == []


def test_rows_may_be_values_that_are_filled_in_by_and_by(box):
    [number] = next_ids(Message, 1)
    row = Row(**message(box, number, subject="first"))
    row.subject = "then this"
    with unit():
        write_rows(Message, [row])
    assert stored(Message)[0].subject == "then this"


def parts():
    return db.session.execute(db.select(Participant.conversation_id, Participant.address_key)).all()


def test_what_is_there_already_stays_or_is_refused(box):
    from mailroom import arrive, letter
    arrive(box, letter())
    [known] = parts()
    again = {"conversation_id": known[0], "address_key": known[1]}
    with unit():
        write_rows(Participant, [again, {**again, "address_key": "new@x.example"}], known_ok=True)
    assert len(parts()) == 2
    with pytest.raises(IntegrityError), unit():
        write_rows(Participant, [again])
    write_rows(Participant, [])


@pytest.mark.parametrize("column", ["bounce_of_id", "moved_id"])
def test_the_few_messages_that_point_somewhere_are_found_by_an_index(app, column):
    query = f"SELECT id FROM message WHERE {column} IN (1, 2)"
    with db.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            plan = connection.execute(text("EXPLAIN QUERY PLAN " + query)).all()
        else:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            plan = connection.execute(text("EXPLAIN " + query)).all()
    assert f"ix_message_{column.removesuffix('_id')}" in str(plan)
