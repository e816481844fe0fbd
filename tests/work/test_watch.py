"""The watch process itself, killed with -9 at any moment: mail is stored by it alone, and nothing is lost or doubled."""

import random
import time
from pathlib import Path

import pytest
from mailroom import letter
from servers.proxy import FaultProxy
from servers.valkey import Valkey
from torture.household import Household
from waiting import wait

from webapp.extensions import db
from webapp.jobs import sync
from webapp.models import Connection, Conversation, Message, Place

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds children through /proc")


@pytest.fixture
def address(dovecot):
    address = f"watched-{time.time_ns()}@corp.example"
    dovecot.add_user(address, "secret-1")
    return address


@pytest.fixture
def household(dovecot, address):
    """`household(*names)` with one mailbox, which is caught up, behind a proxy; as a context manager."""
    with FaultProxy(dovecot.imaps_port) as proxy, Valkey() as valkey:
        settings = {"redis_url": valkey.url, "mail_ca_file": str(dovecot.ca_file),
                    "mail_loopback": f"127.0.0.1:{proxy.port}"}

        def make(*names):
            house = Household(settings, names=names)
            house.proxy, house.valkey = proxy, valkey
            return house
        yield make


def connect(house, address):
    connection_id = house.connect(address, house.proxy.port)
    sync.pull(connection_id)
    assert db.session.get(Connection, connection_id).caught_up
    db.session.rollback()
    return connection_id


def count(model=Place):
    db.session.rollback()
    return db.session.scalar(db.select(db.func.count()).select_from(model))


def waits(house):
    """Jobs that wait in the queue: nobody works them off."""
    return house.valkey.client().llen("rq:queue:in")


def watched(house):
    """It idles: the job that each connect asks for is in the queue."""
    return waits(house) == 1


def test_the_watch_stores_new_mail_by_itself(dovecot, address, household):
    with household("watch") as house, house.app.app_context():
        connect(house, address)
        house.valkey.client().flushall()
        house.start()
        wait(lambda: watched(house), 20, "the watch")
        for n in range(1, 4):
            dovecot.deliver(address, letter(subject=f"Number {n}", Message_ID=f"<{n}@x>"))
            wait(lambda n=n: count() == n, 5, f"letter {n}")
        assert waits(house) == 1 and house.proxy.connections == 2     # of the first sync, and of the watch
        assert house.fell == {"watch": 0}


def test_a_watch_that_is_killed_in_the_middle_of_visits_loses_and_doubles_nothing(dovecot, address, household, capsys):
    dice, in_the_middle = random.Random(5), 0
    with household("watch", "jobs out in", "clock") as house, house.app.app_context():
        connect(house, address)
        house.start()
        wait(lambda: house.proxy.connections >= 2, 20, "the watch")
        for n in range(12):
            house.proxy.delay = dice.choice((0.0, 0.05, 0.15))      # of the connections that the next one makes
            time.sleep(dice.uniform(0.7, 1.2))
            dovecot.deliver(address, letter(subject=f"Number {n}", Message_ID=f"<{n}@x>"))
            before = count()
            time.sleep(0.5 + dice.uniform(0.0, 0.5))     # Dovecot waits half a second before it tells
            in_the_middle += count() == before
            house.kill("watch")
        house.proxy.delay = 0.0
        wait(lambda: count() == 12, 60, "all of the mail")
        assert count(Message) == 12
        assert sorted(m.subject for m in db.session.scalars(db.select(Message))) == sorted(
            f"Number {n}" for n in range(12))
        assert sum(db.session.scalars(db.select(Conversation.message_count))) == 12
    with capsys.disabled():
        print(f" [{in_the_middle} of 12 kills before the row] ", end="")
    assert in_the_middle >= 2, "nothing was interrupted"
