"""Taking stored mail into the index of words, beside everything else."""

import time

from webapp.actions import indexing
from webapp.jobs import job, unit
from webapp.queue import enqueue

JOB = "webapp.jobs.indexing.catch_up"
SECONDS = 20    # that a job may go on; then it makes room for others
BATCH = 100     # documents of one transaction

anything_left = indexing.anything_wordless


@job
def catch_up():
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        with unit():
            found = indexing.wordless(BATCH)
        if not found:
            return
    enqueue(JOB, queue="slow")
