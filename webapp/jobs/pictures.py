"""Fetching the remote pictures of a message, for somebody who allowed it. Whatever happens to the job, rows say what is
left, and the clock finds them."""

import hashlib
import logging
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from flask import current_app

from webapp.actions import paintings, pictures
from webapp.jobs import job, patiently, unit
from webapp.mail.repaint import NotPainted, Painter
from webapp.mail.web import MOST_BYTES, Reach, WebError, get
from webapp.queue import enqueue

log = logging.getLogger(__name__)
THREADS = 8
SLICE = 12.0                    # seconds in which fetches begin; then others get their turn at this worker
PAINTING = 15.0                 # seconds of painting for one message in one go: a letter of bombs gets no more
TOGETHER, AT_LEAST = 10, 0.5    # pictures that are stored at once, and seconds after which fewer are
FIRST_TOLD, TOLD_EVERY = 1.0, 3.0     # seconds until those who wait see the first ones, and between two looks then


@job
def fetch(message_id):
    """All of a message's pictures that are wanted now, and those that nobody has asked for yet."""
    _write(lambda: pictures.look_at(message_id))
    wanted, most_bytes = _write(lambda: pictures.claim(message_id))
    if not wanted:
        return
    try:
        left = _Fetching(message_id, wanted, most_bytes).run()
    finally:
        _write(lambda: pictures.fetched(message_id))
    if left:
        enqueue(pictures.JOB, (message_id,), queue=pictures.QUEUE)


class _Fetching:
    """One go at a message's pictures: a few threads fetch, this one paints and stores."""

    def __init__(self, message_id, wanted, most_bytes):
        self._id, self._left_bytes = message_id, most_bytes
        self._numbers = {}        # URL -> its numbers: a spacer that stands there thirty times is fetched once
        for number, url in wanted:
            self._numbers.setdefault(url, []).append(number)
        # Said in code alone: by tests, and by the demo, whose customers have no web.
        self._get = current_app.config.get("WEB_GET", get)
        self._reach = current_app.config.get("WEB_REACH") or Reach()
        self._until = time.monotonic() + SLICE
        self._stored = time.monotonic()
        self._told = self._stored + FIRST_TOLD - TOLD_EVERY
        self._painting = 0.0
        self._outcomes, self._made = [], {}      # not written yet: actions with their arguments, pictures by SHA-256

    def run(self):
        """True: some had no turn."""
        urls, running = list(self._numbers)[::-1], {}
        with Painter() as painter, ThreadPoolExecutor(THREADS, thread_name_prefix="picture") as pool:
            while True:
                while urls and len(running) < THREADS and self._goes_on():
                    url = urls.pop()
                    running[pool.submit(self._get, url, self._reach)] = url
                if not running:
                    break
                for done in wait(running, return_when=FIRST_COMPLETED).done:     # each ends in its time
                    self._take(running.pop(done), done, painter)
                self._write_now_and_then()
        rest = {number: url for url in urls for number in self._numbers[url]}
        if rest and self._left_bytes <= 0:
            self._outcomes.append((pictures.fail, rest, "too_many"))
        elif rest:
            self._outcomes.append((pictures.put_back, rest))
        self._write_all()
        return bool(rest) and self._left_bytes > 0

    def _goes_on(self):
        return self._left_bytes > 0 and time.monotonic() < self._until

    def _take(self, url, done, painter):
        asked, came = dict.fromkeys(self._numbers[url], url), 0
        try:
            raw = done.result()
            came = len(raw)
            if len(raw) > self._left_bytes:
                self._left_bytes = 0
                raise WebError("too_many")
            self._left_bytes -= len(raw)
            name = hashlib.sha256(raw).hexdigest()
            made = self._painted(name, raw, painter)
            self._outcomes.append((pictures.store, asked, name, len(raw), made.width, made.height))
        except (WebError, NotPainted) as no:
            if isinstance(no, WebError) and no.code == "too_large":
                came = MOST_BYTES       # they came, although nobody wants them
                self._left_bytes -= came
            self._outcomes.append((pictures.fail, asked, no.code, came))
        except Exception:
            log.exception("a picture of message %s", self._id)
            self._outcomes.append((pictures.fail, asked, "unreachable", came))

    def _painted(self, name, raw, painter):
        """What was refused once is not tried again for every mail that has it."""
        made = self._made.get(name) or paintings.known(name)
        if made is None and self._painting > PAINTING:
            raise NotPainted("too_many")
        if made is None:
            began = time.monotonic()
            try:
                made = painter.paint(raw)
            except NotPainted as no:
                made = no
            self._painting += time.monotonic() - began
            self._made[name] = made
        if isinstance(made, NotPainted):
            raise made
        return made

    def _write_now_and_then(self):
        now = time.monotonic()
        if len(self._outcomes) >= TOGETHER or now - self._stored > AT_LEAST:
            self._write_all()
            if now - self._told > TOLD_EVERY:
                self._told = now
                _write(lambda: pictures.fetched(self._id))

    def _write_all(self):
        """Pictures first, then the rows that name them."""
        for name, made in self._made.items():
            paintings.keep(name, made)
        outcomes, self._outcomes, self._made, self._stored = self._outcomes, [], {}, time.monotonic()

        def write():
            for action, asked, *facts in outcomes:
                action(self._id, asked, *facts)
        if outcomes:
            _write(write)


def _write(change):
    def once():
        with unit():
            return change()
    return patiently(once)
