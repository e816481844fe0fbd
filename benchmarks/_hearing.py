"""When something is heard of: by another client of the mail server, or of what the product announces.

Each of these is the target of a daemon thread; it ends when its connection is closed.
"""

import contextlib
import time

import redis


def hear_exists(client, heard, clock=time.monotonic):
    """IDLE by hand, so that each line gets its time. `client`: signed in; `heard`: a list of `clock()`."""
    with contextlib.suppress(OSError, ValueError):
        client.select("INBOX", readonly=True)
        client.send(b"W IDLE\r\n")
        while line := client.readline():
            if b" EXISTS" in line:
                heard.append(clock())


def announcements(url):
    listener = redis.Redis.from_url(url).pubsub(ignore_subscribe_messages=True)
    listener.subscribe("postroom:changed")
    return listener


def hear(listener, name, heard, clock=time.monotonic):
    """`listener`: of `announcements`; `name`: such as inbox-1."""
    with contextlib.suppress(redis.RedisError, OSError, ValueError, AttributeError):
        for event in listener.listen():
            if event["data"].decode().rpartition(":")[0] == name:
                heard.append(clock())
