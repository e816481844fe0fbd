"""Mailboxes on the real servers, allowed by the policy and found by the checklist."""

import dataclasses
import uuid
from types import SimpleNamespace

import pytest
from mailroom import connected


@pytest.fixture
def allowed(app):
    """`allowed(port, ...)`: mail servers on these ports of this machine may be reached; further settings by name."""
    before = app.config["SETTINGS"]

    def allow(*ports, **settings):
        pairs = " ".join(f"127.0.0.1:{port}" for port in ports)
        app.config["SETTINGS"] = dataclasses.replace(before, mail_loopback=pairs, **settings)
    yield allow
    app.config["SETTINGS"] = before


@pytest.fixture
def mailbox(allowed, dovecot, sink, team):
    """`mailbox("team")`: a new mailbox on Dovecot and the sink, connected; its address and connection id."""
    allowed(dovecot.imaps_port, sink.port)
    sink.reset()

    def make(kind="team", actor="zofia", imap_port=None, smtp_port=None):
        address = f"{kind}-{uuid.uuid4().hex[:8]}@corp.example"
        dovecot.add_user(address, "secret-1")
        sink.add_user(address, "secret-1")
        allowed(*{dovecot.imaps_port, sink.port, imap_port or dovecot.imaps_port, smtp_port or sink.port})
        servers = {"imap_host": "127.0.0.1", "imap_port": imap_port or dovecot.imaps_port, "imap_security": "tls",
                   "smtp_host": "127.0.0.1", "smtp_port": smtp_port or sink.port, "smtp_security": "tls",
                   "user_name": address}
        connection_id = connected(kind, address, actor, servers=servers)
        return SimpleNamespace(address=address, id=connection_id, servers=servers)
    return make
