"""A connection of Zofia's whose servers misbehave."""

import dataclasses
from types import SimpleNamespace

import pytest
from fakes.imap import FakeImap
from mailroom import connected

from webapp.extensions import db, unit
from webapp.models import Connection


@pytest.fixture
def fake(app, team, authority):
    """`fake`: an IMAP server to be told to misbehave. `fake.box("team")`: a mailbox on it, connected; its id."""
    before = app.config["SETTINGS"]
    with FakeImap(authority.issue(label="fake")) as server:
        app.config["SETTINGS"] = dataclasses.replace(before, mail_loopback=f"127.0.0.1:{server.port}", max_message_mb=1)

        def box(kind="team"):
            address = f"{kind}@corp.example"
            server.users[address] = "secret-1"
            connection_id = connected(kind, address, servers={
                "imap_host": "127.0.0.1", "imap_port": server.port, "imap_security": "tls", "smtp_host": "127.0.0.1",
                "smtp_port": server.port, "smtp_security": "tls", "user_name": address})
            with unit():
                for folder in db.session.get(Connection, connection_id).folders:
                    folder.uidvalidity = None
            return connection_id
        server.box = box
        yield server
    app.config["SETTINGS"] = before


@pytest.fixture
def row():
    """The connection as it is stored now."""
    def read(connection_id):
        db.session.rollback()
        connection = db.session.get(Connection, connection_id)
        return SimpleNamespace(problem=connection.problem, retry_at=connection.retry_at, caught_up=connection.caught_up)
    return read
