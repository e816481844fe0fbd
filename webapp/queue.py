"""Work for later. `later("webapp.jobs.outbox.send", 7)` enqueues after the outermost commit, or never.

The queue is a hint: each piece of work is also a row that the clock finds again, so a lost job costs seconds.
"""

import contextlib
import logging
import time

import redis
from flask import current_app
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from webapp.aftermath import after_commit

log = logging.getLogger(__name__)

# Replies leave; mail arrives and addresses connect; pictures from strangers' servers; first syncs and bodies.
QUEUES = ("out", "in", "pictures", "slow")
JOB_SECONDS, LONG_JOB_SECONDS = 120, 300     # the second: of those in the queue "slow"
WAITS_SECONDS = 30     # after that a hint is given anew, for a worker may have died with it
PAUSE = 5.0            # seconds in which a Redis that timed out is not asked again
CROWDED = 2000         # jobs in a queue beyond which the clock adds none: the rows are there tomorrow, too


def connect(settings):
    """A Redis client of this process. Decoding is left to RQ."""
    again = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))    # not after a time-out: somebody waits
    return redis.Redis.from_url(settings.redis_url, socket_timeout=5, socket_connect_timeout=5, retry=again,
                                health_check_interval=30)


class _Reachable:
    """`with reachable:` around each question that somebody waits for: one that timed out is not followed by more."""

    until = 0.0

    def __enter__(self):
        if time.monotonic() < self.until:
            raise redis.ConnectionError("did not answer a moment ago")

    def __exit__(self, kind, *_):
        if kind and issubclass(kind, redis.TimeoutError):
            self.until = time.monotonic() + PAUSE


reachable = _Reachable()


def client():
    return current_app.extensions["redis"]


def later(name: str, *ids: int, queue: str = "in"):
    """Run the job `name` with these ids once the current transaction has committed."""
    after_commit(enqueue, name, ids, queue)


def enqueue(name, ids=(), queue="in"):
    """Enqueue at once, unless the same job waits in that queue already. A queue that is away is no error: the clock
    sweeps."""
    try:
        with reachable:
            if client().set(marker(name, ids, queue), 1, nx=True, ex=WAITS_SECONDS):
                Queue(queue, connection=client(), serializer=JSONSerializer).enqueue(
                    name, *ids, job_timeout=LONG_JOB_SECONDS if queue == "slow" else JOB_SECONDS, result_ttl=0,
                    failure_ttl=86400)
    except (redis.RedisError, OSError) as error:
        log.warning("queue away, %s%s waits for the sweep: %s", name, tuple(ids), error)


def marker(name, ids, queue):
    """The key that says: this job waits in that queue."""
    return f"postroom:waits:{queue}:{name}:{','.join(map(str, ids))}"


def started(name, ids):
    """The job begins to look: what is told from now on is a new hint."""
    with contextlib.suppress(redis.RedisError, OSError), reachable:
        client().delete(*(marker(name, ids, queue) for queue in QUEUES))


def crowded(queue):
    try:
        return len(Queue(queue, connection=client(), serializer=JSONSerializer)) > CROWDED
    except (redis.RedisError, OSError):
        return True
