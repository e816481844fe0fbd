"""Later: ids in, open the network, call one action, commit. Each job may run twice, die anywhere, or never come.

No database transaction is open while a mail server is spoken to: `unit` wraps each short write, and commits.
"""

import functools
import logging
import time

from flask import current_app
from sqlalchemy.exc import OperationalError

from webapp.extensions import db, unit
from webapp.queue import started

__all__ = ["job", "look", "patiently", "unit"]
log = logging.getLogger(__name__)


def look(call):
    """Read something in a transaction of its own, and leave none open. Give it plain values to return."""
    try:
        return call()
    finally:
        db.session.rollback()


def job(function):
    """A job of the queue: runs inside the application, leaves the session clean, whatever happens."""

    name = f"{function.__module__}.{function.__name__}"

    @functools.wraps(function)
    def run(*ids):
        began = time.monotonic()
        if current_app:
            started(name, ids)
            return function(*ids)
        from wsgi import app  # the worker has it loaded already; a bare RQ process loads it here
        with app.app_context():
            try:
                started(name, ids)
                return function(*ids)
            finally:
                db.session.remove()
                log.info("%s%s took %.2f s", function.__name__, ids, time.monotonic() - began)

    return run


def patiently(call, tries=3):
    """A short write, tried again when the database was locked or just restarted."""
    for attempt in range(tries):
        try:
            return call()
        except OperationalError:
            db.session.rollback()
            if attempt == tries - 1:
                raise
            time.sleep(0.5 * (attempt + 1))
