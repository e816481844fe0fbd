"""Who has a conversation on the screen, and who is writing in it. Lives in Redis for less than a minute: a hint, no
truth; what keeps two answers from leaving is asked at the sending."""

import logging
import time

import redis
from flask import current_app

from webapp.live import announce_now
from webapp.queue import reachable

log = logging.getLogger(__name__)
STATES = ("viewing", "writing")
LASTS = 40.0        # seconds after the last word of a screen; it speaks up every fifteen
_KEY = "postroom:presence:{}"


def here(person_id, conversation_id, state):
    """Screens hear of it when it is news."""
    _tell(conversation_id, person_id, f"{state}:{time.time():.1f}", state)


def gone(person_id, conversation_id):
    _tell(conversation_id, person_id, None, None)


def others(person_id, conversation_id) -> dict[int, str]:
    """{person id: viewing or writing} of everybody else who is there now."""
    try:
        with reachable:
            found = current_app.extensions["redis"].hgetall(_KEY.format(conversation_id))
    except (redis.RedisError, OSError):
        return {}
    now, present = time.time(), {}
    for key, value in found.items():
        state, _, at = value.decode().partition(":")
        if int(key) != person_id and state in STATES and now - float(at) < LASTS:
            present[int(key)] = state
    return present


def _tell(conversation_id, person_id, value, state):
    key = _KEY.format(conversation_id)
    try:
        with reachable:
            client = current_app.extensions["redis"]
            before = client.hget(key, person_id)
            pipeline = client.pipeline(transaction=False)
            pipeline.hdel(key, person_id) if value is None else pipeline.hset(key, person_id, value)
            pipeline.expire(key, int(LASTS) * 2)
            pipeline.execute()
    except (redis.RedisError, OSError) as error:
        return log.info("nobody hears who is in conversation %s: %s", conversation_id, error)
    was, _, at = before.decode().partition(":") if before else ("", "", "0")
    if was != (state or "") or time.time() - float(at) > LASTS:
        announce_now(f"presence-{conversation_id}")
