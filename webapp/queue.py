"""Work for later. `later("webapp.jobs.outbox.send", 7)` enqueues after the outermost commit, or never.

The queue is a hint: each piece of work is also a row that the clock finds again, so a lost job costs seconds.
"""

import logging

import redis
from flask import current_app
from rq import Queue
from rq.serializers import JSONSerializer

from webapp.aftermath import after_commit

log = logging.getLogger(__name__)

QUEUES = ("out", "in", "slow")   # replies leave; mail arrives and addresses connect; first syncs and bodies
JOB_SECONDS = 120


def connect(settings):
    """The Redis client of this process. Decoding is left to RQ."""
    return redis.Redis.from_url(settings.redis_url, socket_timeout=30, socket_connect_timeout=5,
                                health_check_interval=30)


def client():
    return current_app.extensions["redis"]


def later(name: str, *ids: int, queue: str = "in"):
    """Run the job `name` with these ids once the current transaction has committed."""
    after_commit(enqueue, name, ids, queue)


def enqueue(name, ids=(), queue="in"):
    """Enqueue at once. A queue that is away is no error: the clock sweeps."""
    try:
        Queue(queue, connection=client(), serializer=JSONSerializer).enqueue(
            name, *ids, job_timeout=JOB_SECONDS, result_ttl=0, failure_ttl=86400)
    except (redis.RedisError, OSError) as error:
        log.warning("queue away, %s%s waits for the sweep: %s", name, tuple(ids), error)
