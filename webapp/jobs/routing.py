"""One mail that is to be routed. Asked again, it finds that done."""

from webapp.actions import routing
from webapp.jobs import job, unit


@job
def route(message_id):
    with unit():
        routing.route(message_id)
