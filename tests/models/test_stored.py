"""What the database itself refuses, sealed passwords, and the blob store."""

import hashlib
import os

import pytest
from mailroom import connected, person, stored
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from webapp.extensions import db, unit
from webapp.models import Connection, Hold, Inbox, Person
from webapp.models.secret import SecretLost, seal, unseal
from webapp.rules import bounds


@pytest.mark.parametrize(("statement", "why"), [
    ("UPDATE person SET role = 'owner'", "role"), ("UPDATE person SET state = 'asleep'", "state"),
    ("UPDATE person SET language = 'de'", "language"), ("UPDATE person SET theme = 'neon'", "theme"),
    (f"UPDATE person SET name = '{'x' * (bounds.NAME_MAX + 1)}'", "name"),
    ("UPDATE connection SET state = 'gone'", "state"), ("UPDATE connection SET use = 'fax'", "use"),
    ("UPDATE connection SET hold_id = NULL", "held while connected"),
    ("UPDATE connection SET state = 'removed'", "held while connected"),
    ("UPDATE connection SET person_id = 1", "one holder"), ("UPDATE connection SET inbox_id = NULL", "one holder"),
    ("UPDATE hold SET person_id = 1", "one holder"), ("UPDATE hold SET inbox_id = NULL", "one holder"),
    ("UPDATE connection SET use = 'calendar'", "calendars hang on people"),
    ("UPDATE connection SET inbox_id = NULL, person_id = 1", "the hold's own holder"),
    ("DELETE FROM hold", "a connection hangs on it"), ("DELETE FROM inbox", "it holds an address"),
    ("DELETE FROM person", "they connected something"),
    (f"UPDATE inbox SET name = '{'x' * (bounds.INBOX_NAME_MAX + 1)}'", "name"),
    ("UPDATE inbox SET access = 'nobody'", "access"),
    ("INSERT INTO inbox (name, is_default, access, created_at) VALUES ('Support', FALSE, 'everyone', '2026-01-01')", "name"),
    ("INSERT INTO inbox (name, is_default, access, created_at) VALUES ('Two', TRUE, 'everyone', '2026-01-01')", "default"),
])
def test_the_database_refuses_what_the_rules_refuse(team, statement, why):
    connected()
    with pytest.raises(IntegrityError), unit():
        db.session.execute(text(statement))


def test_deleting_a_person_who_holds_something_is_refused_even_when_others_connected_it(team):
    connected("personal", "marek@corp.example", "marek")
    with unit():
        db.session.execute(text(f"UPDATE connection SET connected_by_id = {team.zofia}, hold_id = NULL, state = 'removed', "
                                f"person_id = {team.zofia}"))
    with pytest.raises(IntegrityError), unit():
        db.session.execute(text(f"DELETE FROM person WHERE id = {team.marek}"))
    assert len(stored(Hold)) == 1


def test_a_sealed_password_opens_only_in_its_own_place(app):
    sealed = seal("hasło 🔑", "connection", 7, "secret")
    assert unseal(sealed, "connection", 7, "secret") == "hasło 🔑"
    assert seal("hasło 🔑", "connection", 7, "secret") != sealed, "a nonce of its own each time"
    for place in (("connection", 8, "secret"), ("connection", 7, "other"), ("person", 7, "secret")):
        with pytest.raises(SecretLost):
            unseal(sealed, *place)
    for broken in (sealed[:-1] + bytes([sealed[-1] ^ 1]), b"\x02" + sealed[1:], b"\x01" + os.urandom(4) + sealed[5:], b"",
                   sealed[:9]):
        with pytest.raises(SecretLost):
            unseal(broken, "connection", 7, "secret")


def test_blobs_are_stored_once_and_come_back_whole(app):
    store, raw = app.extensions["blobs"], b"From: x\r\n\r\n" + os.urandom(200_000)
    assert store.put_raw([raw, raw, b""]) == [hashlib.sha256(r).hexdigest() for r in (raw, raw, b"")]
    assert store.put_raw([raw]) == [hashlib.sha256(raw).hexdigest()]
    assert store.get_raw(hashlib.sha256(raw).hexdigest()) == raw
    with pytest.raises(KeyError):
        store.get_raw("0" * 64)


def test_the_models_are_what_the_migrations_make(app):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": lambda name, _kind, _p: (
            name not in ("blob", "blob_use") and not str(name).startswith("search_words"))})
        assert compare_metadata(context, db.metadata) == []


def test_times_are_utc_and_aware_on_both_databases(team):
    made = person("zofia").created_at
    assert made.utcoffset().total_seconds() == 0
    assert stored(Person)[0].created_at == made
    assert stored(Inbox)[0].created_at.tzinfo is not None
    assert stored(Connection) == []
