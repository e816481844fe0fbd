"""The clock: every second what is to leave, every five what a killed worker left, every half minute all that is due."""

import logging
import time

from webapp.extensions import db
from webapp.jobs import sweep
from webapp.models.types import now
from webapp.work import alive, stopper

log = logging.getLogger(__name__)


def run():
    from wsgi import app
    stop, next_look, next_sweep = stopper(), 0.0, 0.0
    looked = now()
    with app.app_context():
        while not stop.wait(1.0):
            try:
                sweep.replies()
                if time.monotonic() >= next_look:
                    next_look = time.monotonic() + 5
                    sweep.abandoned()
                    sweep.snoozed()
                    sweep.waiting()
                    looked = sweep.overdue(looked)
                if time.monotonic() >= next_sweep:
                    next_sweep = time.monotonic() + 30
                    alive("clock")
                    sweep.everything()
            except Exception:
                log.exception("the clock goes on")
            finally:
                db.session.remove()
