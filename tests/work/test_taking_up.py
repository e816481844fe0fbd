"""A worker and its work horse are killed in the middle of a mailbox: an idle second worker goes on within a minute.

Stock RQ gives such a job back after more than 200 seconds. Here the clock finds the lease that ran out.
"""

import time
from pathlib import Path

import pytest
from mailroom import letter
from servers.proxy import FaultProxy
from servers.valkey import Valkey
from torture.household import Household
from waiting import wait

from webapp.extensions import db
from webapp.models import Connection, Place

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds work horses through /proc")
FIRST, SECOND = "jobs in", "jobs in slow"


def test_work_whose_worker_and_horse_were_killed_is_taken_up_within_a_minute(dovecot, capsys):
    address = f"killed-{time.time_ns()}@corp.example"
    dovecot.add_user(address, "secret-1")
    dovecot.deliver_many(address, [letter(subject=f"Number {n}", Message_ID=f"<{n}@x>") for n in range(60)])
    with FaultProxy(dovecot.imaps_port) as proxy, Valkey() as valkey:
        proxy.delay = 0.5       # slow, so that the first worker is caught at work
        settings = {"redis_url": valkey.url, "mail_ca_file": str(dovecot.ca_file),
                    "mail_loopback": f"127.0.0.1:{proxy.port}"}
        with Household(settings, names=(FIRST, SECOND, "clock")) as house, house.app.app_context():
            connection_id = house.connect(address, proxy.port)
            house.start()
            busy = wait(lambda: at_work(house, connection_id), 30, "the first worker to begin")
            fence = lease(connection_id)[0]
            assert house.kill_for_good(busy) == 1
            killed = time.monotonic()
            proxy.delay = 0.0
            wait(lambda: lease(connection_id)[0] > fence, 60, "somebody to take it up")
            taken_up = time.monotonic() - killed
            wait(lambda: db.session.scalar(db.select(db.func.count()).select_from(Place)) == 60 or db.session.rollback(),
                 20, "all of the mail")
    with capsys.disabled():
        print(f" [taken up after {taken_up:.1f} s] ", end="")
    assert taken_up < 60


def lease(connection_id):
    db.session.rollback()
    row = db.session.get(Connection, connection_id)
    found = row.fence, row.lease_until
    db.session.rollback()
    return found


def at_work(house, connection_id):
    """The worker whose horse holds the lease: the only one that is at work."""
    busy = [name for name in (FIRST, SECOND) if house.horses(name)]
    return lease(connection_id)[1] and len(busy) == 1 and busy[0]
