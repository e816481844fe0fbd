"""The application for tests: on SQLite and on PostgreSQL, empty before each test, with three people in it.

Zofia owns (admin), Marek is a colleague (member), Ewa is a stranger (viewer).
"""

import contextlib
import contextvars
import dataclasses
import shutil
from types import SimpleNamespace

import pytest
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import MetaData, inspect, text

from webapp import create_app
from webapp.actions import inboxes, people
from webapp.config import Settings
from webapp.extensions import db, unit
from webapp.models.audit import BEGINNING

PASSWORD = "correct horse battery"


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database(request):
    return request.param


@pytest.fixture(scope="session")
def _app(database, request, tmp_path_factory):
    """One migrated database for each kind; tests empty it."""
    folder = tmp_path_factory.mktemp(database)
    url = request.getfixturevalue("postgres").create_database() if database == "postgresql" else ""
    valkey, authority = request.getfixturevalue("valkey"), request.getfixturevalue("authority")
    app = create_app(Settings(data_dir=str(folder), database_url=url, redis_url=valkey.url, undo_seconds=0,
                              base_url="http://localhost", mail_ca_file=str(authority.ca_file)),
                     TESTING=True, WTF_CSRF_ENABLED=False)
    app.test_client_class = _Browser
    with app.app_context():
        upgrade()
        app.extensions["blobs"].ensure()
    yield app
    with app.app_context():
        db.engine.dispose()
    app.extensions["blobs"].engine.dispose()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def app(_app):
    with _app.app_context():
        with db.engine.begin() as connection:
            _empty(connection)
        _app.extensions["redis"].flushdb()
        with unit():
            inboxes.ensure_default_inbox("Support")
        yield _app
        db.session.remove()


@pytest.fixture
def team(app):
    """Zofia (admin), Marek (member), Ewa (viewer), as plain ids and names, to be loaded by `person`."""
    with unit():
        made = [people.create_person(name, f"{name.lower()}@corp.example", role, PASSWORD)
                for name, role in (("Zofia", "admin"), ("Marek", "member"), ("Ewa", "viewer"))]
        ids = [p.id for p in made]
    return SimpleNamespace(zofia=ids[0], marek=ids[1], ewa=ids[2])


@pytest.fixture
def browser_of(app):
    """`browser_of("zofia")`: a test client in which that person is signed in."""

    @contextlib.contextmanager
    def signed_in(name):
        client = app.test_client()
        answer = client.post("/sign-in", data={"email": f"{name}@corp.example", "password": PASSWORD},
                             headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.status_code == 303, answer.text
        yield client

    return signed_in


@pytest.fixture
def by_mail(app):
    """Postroom sends mail of its own in this test; nobody has to listen."""
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = dataclasses.replace(before, notice_smtp="smtps://post:secret@127.0.0.1:1",
                                                 notice_from="Postroom <post@corp.example>")
    yield
    app.config["SETTINGS"] = before


class _Browser(FlaskClient):
    """Each request in a context of its own, as in the real server: the test's own `g` and session stay outside, or
    the person of the first request would be signed in for all."""

    def open(self, *args, **kwargs):
        return contextvars.Context().run(super().open, *args, **kwargs)


def _empty(connection):
    tables = [t for t in inspect(connection).get_table_names() if t not in ("alembic_version", "blob", "blob_use",
                                                                                 "audit_head")]
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = '20s'"))     # a test before left something open: say so
        connection.execute(text(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE"))
    else:
        _empty_sqlite(connection)
    connection.execute(text(f"UPDATE audit_head SET number = 0, digest = '{BEGINNING}'"))


def _empty_sqlite(connection):
    metadata = MetaData()
    metadata.reflect(connection)
    connection.execute(text("PRAGMA defer_foreign_keys=ON"))
    # The audit log refuses to be emptied.
    triggers = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
    for name, _sql in triggers:
        connection.execute(text(f"DROP TRIGGER {name}"))
    for table in reversed(metadata.sorted_tables):
        if table.name not in ("alembic_version", "audit_head") and not table.name.startswith("search_words_"):
            connection.execute(table.delete())
    for _name, sql in triggers:
        connection.execute(text(sql))
