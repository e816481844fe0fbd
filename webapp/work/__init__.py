"""The long-running processes behind worker.py: they loop, and leave what happens to jobs and actions."""

import contextlib
import signal
import threading

import redis
from flask import current_app


def stopper():
    """An event that SIGTERM and Ctrl-C set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def alive(name):
    """A sign of life that `run doctor` reads."""
    with contextlib.suppress(redis.RedisError, OSError):
        current_app.extensions["redis"].set(f"postroom:alive:{name}", 1, ex=60)
