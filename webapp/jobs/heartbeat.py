"""A lease is short, so that the work of a killed worker is soon taken up again. While a job lives, it beats."""

import logging
import threading
import time
from contextlib import contextmanager

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from webapp.actions import leases
from webapp.extensions import db, unit
from webapp.queue import LONG_JOB_SECONDS

log = logging.getLogger(__name__)
EVERY = 8.0                   # seconds between two beats: three may fail before the lease runs out
LONGEST = LONG_JOB_SECONDS + 10    # then the queue has killed the job, or nobody watches over it any more


@contextmanager
def beating(connection_id, fence):
    """Renew the lease every few seconds, in a thread of its own: also during a literal that takes a minute.

    Only the lease's end moves; whether it is still ours is asked by the transaction that stores something.
    """
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(current_app._get_current_object(), connection_id, fence, stop),
                              name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(1)    # a beat that waits for the database finds another fence when its turn comes


def _beat(app, connection_id, fence, stop):
    end = time.monotonic() + LONGEST
    while not stop.wait(EVERY) and time.monotonic() < end:
        with app.app_context():
            try:
                with unit():
                    leases.hold_on(connection_id, fence)
            except leases.LeaseLost:
                return
            except SQLAlchemyError as error:
                log.warning("connection %s: a beat of its lease failed: %s", connection_id, error)
            finally:
                db.session.remove()
