"""One mail that may have to be answered by a machine. Asked again, it finds that done."""

from webapp.actions import autoreply, routing
from webapp.jobs import job, unit


@job
def answer(message_id):
    with unit():        # a rule may answer, and then nothing else does
        routing.route(message_id)
    with unit():
        autoreply.answer(message_id)
