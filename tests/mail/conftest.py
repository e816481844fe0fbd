"""What the protocol tests share: where a server is, and who signs in."""

import itertools
from pathlib import Path

import pytest
from fakes.imap import FakeImap

from webapp.mail.types import Endpoint, Login, Policy

ZOFIA = Login("zofia@example.test", "secret")
_people = itertools.count(1)


def at(port: int, security: str = "tls") -> Endpoint:
    return Endpoint("127.0.0.1", port, security)


def policy_for(ca_file: str | None, *ports: int, read_seconds: float = 5.0) -> Policy:
    return Policy(ca_file=ca_file, loopback=frozenset(("127.0.0.1", port) for port in ports), connect_seconds=3.0,
                  read_seconds=read_seconds)


@pytest.fixture
def person(dovecot) -> Login:
    """Somebody with an empty mailbox on the real server."""
    login = Login(f"zofia{next(_people)}@example.test", "secret")
    dovecot.add_user(*login)
    return login


@pytest.fixture
def there(dovecot):
    """Endpoint and policy of the real IMAP server."""
    return at(dovecot.imaps_port), policy_for(dovecot.ca_file, dovecot.imaps_port)


@pytest.fixture(scope="session")
def server_pair(authority):
    return authority.issue(label="fake")


@pytest.fixture
def fake(server_pair, authority):
    with FakeImap(server_pair) as server:
        server.endpoint, server.policy = at(server.port), policy_for(authority.ca_file, server.port)
        yield server


def cases(name: str) -> list[dict]:
    """Rows of a hostile-input file that lies beside the repository, when it does; else none."""
    import json
    path = Path(__file__).resolve().parents[3] / "shared" / "cases" / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
