"""Real servers, one of each for the whole run. A missing one skips its tests, and fails them where CI=true."""

import os
from pathlib import Path

import pytest
from servers import Missing, remove, short_folder
from servers.ca import Authority
from servers.dovecot import Dovecot
from servers.postgres import Postgres
from servers.sink import SmtpSink
from servers.valkey import Valkey

HERE = Path(__file__).parent
pytest_plugins = [name for name in ("app_fixtures",) if (HERE / f"{name}.py").exists()]


def _running(make):
    """Start a server for the session; turn Missing into a skip, or into a failure in CI."""
    try:
        server = make()
    except Missing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"not installed: {missing}", pytrace=False)
        pytest.skip(f"not installed: {missing}")
    with server:
        yield server


@pytest.fixture(scope="session")
def authority():
    """The CA that the session's servers share; `authority.ca_file` for Policy.ca_file."""
    folder = short_folder("ca")
    yield Authority(folder)
    remove(folder)


@pytest.fixture(scope="session")
def dovecot(authority):
    yield from _running(lambda: Dovecot(authority=authority))


@pytest.fixture(scope="session")
def sink(authority):
    """Keeps its mail and knobs from test to test: call `sink.reset()` first."""
    yield from _running(lambda: SmtpSink(authority=authority))


@pytest.fixture(scope="session")
def postgres():
    yield from _running(Postgres)


@pytest.fixture(scope="session")
def valkey():
    yield from _running(Valkey)
