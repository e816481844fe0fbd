"""Old spam goes for good, a conversation at a time, then its bytes."""

from webapp.actions import erasing
from webapp.extensions import db
from webapp.jobs import job, look, unit

BYTES_AT_ONCE = 200


@job
def spam(conversation_id):
    with unit():
        erasing.erase(conversation_id)
    for message_id in look(lambda: db.session.scalars(erasing.to_forget().limit(BYTES_AT_ONCE)).all()):
        forget(message_id)


@job
def forget(message_id):
    with unit():
        erasing.forget(message_id)
