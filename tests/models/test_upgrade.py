"""A database of the first version, with a row in every table, comes through the upgrade whole."""

from datetime import datetime

import pytest
import sqlalchemy as sa
from flask_migrate import upgrade
from sqlalchemy.exc import DatabaseError

from webapp import create_app
from webapp.actions import audit
from webapp.config import Settings
from webapp.extensions import db, unit

AT = datetime(2026, 10, 5, 12, 30, 15, 123456)
FACTS = {"name": "Zażółć “gęślą” 🎈\u0000", "half": 0.1, "none": None, "list": [1, True, "é"], "deep": {"b": 1, "a": 2}}
# What no general value fits: the enumerated ones, and who holds what.
PERSON = {"role": "admin", "state": "active", "language": "pl", "theme": "dark", "removed_at": None}
ROWS = {
    "person": [{"id": 1, "email_key": "a@x.example", **PERSON},
               {"id": 2, "email_key": "b@x.example", **PERSON, "state": "removed", "removed_at": AT}],
    "inbox": [{"id": 1, "is_default": True, "access": "members"}],
    "hold": [{"id": 1, "address_key": "a@x.example", "login_key": "one", "inbox_id": None},
             {"id": 2, "address_key": "s@x.example", "login_key": "two", "person_id": None},
             {"id": 3, "address_key": "b@x.example", "login_key": "three", "inbox_id": None, "person_id": 2}],
    "connection": [{"id": i, "use": "mail", "state": "active", "hold_id": hold, "person_id": person, "inbox_id": inbox}
                   for i, hold, person, inbox in ((1, 1, 1, None), (2, 2, None, 1), (3, 3, 2, None))]
    + [{"id": 4, "use": "mail", "state": "removed", "hold_id": None, "inbox_id": None}],
    "conversation": [{"id": 1, "status": "open"}],
    "folder": [{"id": 1, "role": "inbox"}],
    "message": [{"id": 1, "state": "ok"}],
    "outbox": [{"id": 1, "state": "sent", "copy_state": "done"}],
    "audit": [{"id": i, "facts": {**FACTS, "i": i}} for i in (1, 2, 5)],
}


@pytest.fixture(params=["sqlite", "postgresql"])
def first(request, tmp_path):
    """An application whose database is at the first migration."""
    url = request.getfixturevalue("postgres").create_database() if request.param == "postgresql" else ""
    app = create_app(Settings(data_dir=str(tmp_path), database_url=url, base_url="http://localhost"), TESTING=True)
    with app.app_context():
        upgrade(revision="0001")
        yield app
        db.session.remove()
        db.engine.dispose()


def reflected():
    metadata = sa.MetaData()
    metadata.reflect(db.engine)
    return {t.name: t for t in metadata.sorted_tables if t.name not in ("alembic_version", "blob")}


def value(column):
    """Something of the column's type; a foreign key points to the first row."""
    if column.foreign_keys:
        return None if column.table.name == list(column.foreign_keys)[0].column.table.name else 1
    kind = column.type
    if isinstance(kind, sa.JSON):
        return FACTS
    for python, made in ((sa.Boolean, True), (sa.Integer, 1), (sa.DateTime, AT), (sa.LargeBinary, b"\x00\xff\x01")):
        if isinstance(kind, python):
            return made
    return "ż ' \" 🎈"


def fill():
    tables = reflected()
    with db.engine.begin() as connection:
        for name, table in tables.items():
            for given in ROWS.get(name, [{}]):
                connection.execute(table.insert().values(**{c.name: value(c) for c in table.columns} | given))
        if db.engine.dialect.name == "postgresql":
            for name, table in tables.items():
                if "id" in table.c:
                    connection.execute(sa.text(f"SELECT setval(pg_get_serial_sequence('\"{name}\"', 'id'), 100)"))


def rows():
    with db.engine.connect() as connection:
        return {name: connection.execute(table.select().order_by(*table.primary_key)).mappings().all()
                for name, table in reflected().items()}


def names_of(inspector, table):
    """Names of everything that guards or finds a table's rows, and what its foreign keys do."""
    return {
        "checks": {c["name"] for c in inspector.get_check_constraints(table)},
        "uniques": {c["name"] for c in inspector.get_unique_constraints(table)},
        "indexes": {i["name"] for i in inspector.get_indexes(table) if not i.get("duplicates_constraint")},
        "keys": {(tuple(k["constrained_columns"]), k["referred_table"], k["options"].get("ondelete"))
                 for k in inspector.get_foreign_keys(table)},
        "needed": {c["name"] for c in inspector.get_columns(table) if not c["nullable"]},
    }


def wanted_of(table):
    of = lambda kind: {str(c.name) for c in table.constraints if isinstance(c, kind)}  # noqa: E731
    return {
        "checks": of(sa.CheckConstraint), "uniques": of(sa.UniqueConstraint),
        "indexes": {str(i.name) for i in table.indexes},
        "keys": {(tuple(k.column_keys), k.referred_table.name, k.ondelete) for k in table.foreign_key_constraints},
        "needed": {c.name for c in table.columns if not c.nullable},
    }


def test_every_row_is_there_after_the_upgrade_with_every_value(first):
    fill()
    before = rows()
    assert all(before.values()), "a table is empty"
    upgrade()
    after = rows()
    for name, old in before.items():
        if name == "sign_in_failure":
            assert name not in after
            continue
        renamed = {"removed_at": "state_at"} if name == "person" else {}
        kept = [{renamed.get(k, k): v for k, v in row.items()} for row in old]
        there = [{k: row[k] for k in kept[0]} for row in after[name]]
        if name == "conversation":      # open, and the last word was ours: they wait for the customer
            kept = [{**row, "status": "waiting"} if row["status"] == "open" else row for row in kept]
        if name == "thread_key":        # who speaks of what is read from the messages
            there = [row for row, whole in zip(there, after[name], strict=True) if whole["by"] == "?"]
        assert there == kept, name
    assert [row["is_default"] for row in after["connection"]] == [True, False, True, False]
    assert after["sign_in"][0]["last_seen_at"] == AT


def test_every_check_key_and_index_of_the_models_is_there_after_the_upgrade(first):
    fill()
    upgrade()
    inspector = sa.inspect(db.engine)
    for name, table in db.metadata.tables.items():
        assert names_of(inspector, name) == wanted_of(table), name


def test_the_log_of_before_is_a_chain_that_goes_on_and_cannot_be_changed(first):
    fill()
    upgrade()
    assert audit.verify()[0::2] == (3, [])
    db.session.rollback()
    with unit():
        audit.note(None, "person.created", "person-1", **FACTS)
    assert audit.verify()[0::2] == (4, [])
    db.session.rollback()
    for change in ("UPDATE audit SET subject = 'x' WHERE id = 1", "DELETE FROM audit WHERE id = 1"):
        with pytest.raises(DatabaseError), db.engine.begin() as connection:
            connection.execute(sa.text(change))


def test_what_the_database_refused_before_it_refuses_after(first):
    fill()
    upgrade()
    for change in ("UPDATE connection SET state = 'nonsense' WHERE id = 1",
                   "UPDATE connection SET hold_id = 2 WHERE id = 1", "UPDATE person SET role = 'king' WHERE id = 1",
                   "UPDATE person SET state = 'gone' WHERE id = 1", "UPDATE person SET email_key = 'a@x.example'",
                   "UPDATE inbox SET access = 'nobody'", "DELETE FROM person WHERE id = 2",
                   "UPDATE connection SET is_default = TRUE, person_id = 1"):
        with pytest.raises(DatabaseError), db.engine.begin() as connection:
            connection.execute(sa.text(change))
