"""One mail that may have to be answered by a machine. Asked again, it finds that done."""

from webapp.actions import autoreply
from webapp.jobs import job, unit


@job
def answer(message_id):
    with unit():
        autoreply.answer(message_id)
