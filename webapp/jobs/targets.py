"""A target or working hours changed: what is due is counted anew, some conversations at a time."""

import time

from webapp.actions import answers
from webapp.jobs import job, unit
from webapp.queue import enqueue

SECONDS = 20    # that a job may go on; then it makes room for others
BATCH = 100     # conversations of one transaction


@job
def recompute(inbox_id):
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        with unit():
            more = answers.recompute(inbox_id, BATCH)
        if not more:
            return
    enqueue(answers.JOB, (inbox_id,), queue="slow")
