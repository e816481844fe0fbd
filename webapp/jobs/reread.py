"""Reading stored mail again: one message that somebody asked for, or all that an older version has read."""

import logging
import time

from webapp.actions import reread
from webapp.actions.contents import contents_of, read_alone
from webapp.extensions import db
from webapp.jobs import job, look, patiently, unit
from webapp.mail.apart import Apart
from webapp.models import Message
from webapp.queue import enqueue

log = logging.getLogger(__name__)
SECONDS = 20     # that a job may go on; then it makes room for others, and the next one takes over


@job
def again(message_id):
    """An unreadable message that somebody wants to be read again."""
    with Apart(contents_of) as apart:
        _read(message_id, apart)


@job
def older(connection_id):
    """All of a connection that an older version has read, in small batches. What is left is found in the rows."""
    for message_id in look(lambda: reread.to_fetch(connection_id)):
        enqueue("webapp.jobs.personal.fetch_body", (message_id,), queue="slow")
    until = time.monotonic() + SECONDS
    with Apart(contents_of) as apart:
        while batch := look(lambda: reread.older(connection_id)):
            for message_id in batch:
                if time.monotonic() > until:
                    enqueue("webapp.jobs.reread.older", (connection_id,), queue="slow")
                    return
                _read(message_id, apart)
    with unit():
        reread.done(connection_id)


def _read(message_id, apart):
    """Nothing of the database is held while the parser works."""
    name = look(lambda: _raw_name(message_id))
    if name is None:
        return
    try:
        raw = look(lambda: reread.raw_of(name))
    except (KeyError, ValueError):
        log.error("the raw bytes of message %s are not there", message_id)
        patiently(lambda: _write(reread.give_up, message_id))
        return
    contents = read_alone(raw, apart)
    patiently(lambda: _write(reread.fill, message_id, raw, contents))


def _write(change, *arguments):
    with unit():
        change(*arguments)


def _raw_name(message_id):
    message = db.session.get(Message, message_id)
    return message and message.raw_sha256
