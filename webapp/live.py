"""Names of what changed, to the screens, after commit. Never HTML: the screen fetches through its own guarded view.

Each name has a version in Redis: when it last changed, in microseconds. A stream or a poll says which versions it knows
and hears of the others, so nothing is missed between rendering a page and listening, nor when Redis was emptied.
"""

import atexit
import logging
import queue
import threading
import time

import redis
from flask import current_app

from webapp.aftermath import after_commit
from webapp.queue import reachable

log = logging.getLogger(__name__)
CHANNEL = "postroom:changed"
VERSION = "postroom:version:{}"
KEPT = 86400         # seconds; a name that was not heard of for so long counts as changed
HEARTBEAT = 12.0
EACH = 20            # streams of one person in this process
_listeners, _over = [], threading.Event()


@atexit.register
def _stop_listening():
    """A thread that Python kills while it holds a lock of the Redis client hangs the process at its end, for good."""
    _over.set()
    for thread in _listeners:
        thread.join(5)


def announce(*names: str):
    """Tell open screens, once the current transaction has committed, that these things changed."""
    if names:
        after_commit(_publish, *dict.fromkeys(names))


def announce_now(*names: str):
    """The same of what is in no database, and so waits for no commit."""
    _publish(*names)


def _publish(*names):
    """All in one round trip: a batch of mail touches many conversations."""
    try:
        pipeline = current_app.extensions["redis"].pipeline(transaction=False)
        version = time.time_ns() // 1000
        for name in names:
            pipeline.set(VERSION.format(name), version, ex=KEPT)
            pipeline.publish(CHANNEL, f"{name}:{version}")
        with reachable:
            pipeline.execute()
    except (redis.RedisError, OSError) as error:
        log.warning("nobody hears of %s: %s", ", ".join(names), error)


def versions(names) -> dict[str, int]:
    """Version of each name; 0 for names never announced, and for all when Redis is away."""
    try:
        with reachable:
            found = current_app.extensions["redis"].mget([VERSION.format(n) for n in names]) if names else []
    except (redis.RedisError, OSError):
        found = [None] * len(names)
    return {name: int(value or 0) for name, value in zip(names, found, strict=True)}


def as_of() -> int:
    """The version that a page drawn now has seen: whatever changed later is told to it. A little early, since the
    clocks of two machines differ; then a fragment is fetched once more than needed."""
    return time.time_ns() // 1000 - 3_000_000


class Hub:
    """One Redis subscription a process, one small queue a stream. Full queues drop: the version still tells."""

    def __init__(self, client, limit):
        self._client, self._limit = client, limit
        self._streams, self._lock, self._thread = {}, threading.Lock(), None

    def listen(self, names, tab):
        """A queue that receives (name, version) for these names; None when this process carries enough streams.

        A page that was left is noticed only at the next write. So a second stream of the same tab ends the first, and
        of one person (`tab` is "person-tab") with more than EACH the oldest goes: most likely nobody reads it.
        """
        inbox = queue.Queue(maxsize=100)
        with self._lock:
            for key in [k for k in self._streams if k[0] == tab]:
                self._end(key)
            owner = tab.partition("-")[0]
            theirs = [k for k in self._streams if k[0].partition("-")[0] == owner]     # oldest first
            for key in theirs[:max(0, len(theirs) - EACH + 1)]:
                self._end(key)
            if len(self._streams) >= self._limit:
                return None
            self._streams[(tab, id(inbox))] = (frozenset(names), inbox)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="live", daemon=True)
                _listeners.append(self._thread)
                self._thread.start()
        return inbox

    def leave(self, tab, inbox):
        with self._lock:
            self._streams.pop((tab, id(inbox)), None)

    def close(self):
        """End every stream, so that a restart does not wait for them."""
        with self._lock:
            for key in list(self._streams):
                self._end(key)

    def _end(self, key):
        _names, inbox = self._streams.pop(key)
        _offer(inbox, None)

    def _run(self):
        while not _over.is_set():
            try:
                with self._client.pubsub(ignore_subscribe_messages=True) as pubsub:
                    self._hear(pubsub)
            except (redis.RedisError, OSError, ValueError) as error:
                log.warning("live updates pause: %s", error)
                _over.wait(2)

    def _hear(self, pubsub):
        pubsub.subscribe(CHANNEL)
        self._tell_all_to_look()
        while not _over.is_set():
            event = pubsub.get_message(timeout=1.0)
            if event:
                name, _, version = event["data"].decode().rpartition(":")
                self._tell(name, int(version))

    def _tell(self, name, version):
        with self._lock:
            for names, inbox in self._streams.values():
                if name in names:
                    _offer(inbox, (name, version))

    def _tell_all_to_look(self):
        with self._lock:
            for names, inbox in self._streams.values():
                for name in names:
                    _offer(inbox, (name, -1))


def _offer(inbox, item):
    try:
        inbox.put_nowait(item)
    except queue.Full:
        if item is None:
            inbox.get_nowait()
            inbox.put_nowait(None)
