"""Watching every mailbox by IDLE, in one process. New mail is read at once over the connection that heard of it
(webapp.jobs.courier); whatever else changes becomes a job."""

import logging
import threading
import time

import redis

from webapp import live
from webapp.extensions import db
from webapp.jobs import look
from webapp.jobs.courier import Courier, signed_in_with
from webapp.jobs.mailbox import policy
from webapp.mail.idle import Watcher
from webapp.models import Connection
from webapp.queue import enqueue
from webapp.work import alive, stopper
from webapp.work.rehearsal import rehearse

log = logging.getLogger(__name__)
STOPPED_FOR = 600.0   # seconds before a mailbox that cannot be watched is tried again
LOOK_AGAIN = 15.0     # seconds between looks at the list of mailboxes, when nobody says that it changed


def run():
    from wsgi import app
    stop = stopper()
    with app.app_context():
        watched, stopped = {}, {}
        courier = _courier(app)
        watcher = Watcher(lambda key: _pull(app, key), lambda key, error: _trouble(stopped, key, error),
                          visit=lambda *facts: _visit(app, courier, facts))
        thread = threading.Thread(target=watcher.run, args=(stop,), name="idle")
        thread.start()
        while not stop.is_set():
            try:
                _try_stopped_again(watcher, watched, stopped)
                _follow(watcher, watched)
                alive("watch")
            except Exception:
                log.exception("the watch goes on")
            finally:
                db.session.remove()
            _wait_for_news(app, stop)
        thread.join(timeout=5)
        courier.close()


def _courier(app):
    """Before the first thread, and with everything warm: it forks."""
    rehearse()
    db.engine.dispose()
    app.extensions["blobs"].dispose()
    return Courier()


def _visit(app, courier, facts):
    with app.app_context():
        return courier.visit(*facts)


def _follow(watcher, watched):
    """Watch exactly the mailboxes that may sync, each with its present servers and password."""
    wanted = look(_wanted)
    for key in [k for k, facts in watched.items() if wanted.get(k) != facts]:
        watcher.remove(key)
        del watched[key]
    for key, facts in wanted.items():
        if key not in watched:
            watched[key] = facts
            watcher.add(key, *facts, policy())


def _trouble(stopped, key, error):
    """Called by the watcher's thread. After these it does not try again by itself; the clock polls meanwhile."""
    log.info("mailbox %s: %s", key, error)
    if error.code in ("no_idle", "password_refused", "not_allowed"):
        stopped[key] = time.monotonic()


def _try_stopped_again(watcher, watched, stopped):
    for key in [k for k, at in list(stopped.items()) if time.monotonic() - at > STOPPED_FOR]:
        del stopped[key]
        if watched.pop(key, None):
            watcher.remove(key)


def _wanted():
    rows = db.session.scalars(db.select(Connection).where(Connection.state == "active", Connection.use == "mail")).all()
    return {c.id: facts for c in rows if (facts := signed_in_with(c))}


def _pull(app, key):
    with app.app_context():
        enqueue("webapp.jobs.sync.pull", (key,), queue="in")


def _wait_for_news(app, stop):
    """Until somebody announces "watch", or for a while."""
    try:
        with app.extensions["redis"].pubsub(ignore_subscribe_messages=True) as pubsub:
            pubsub.subscribe(live.CHANNEL)
            for _ in range(int(LOOK_AGAIN)):
                event = pubsub.get_message(timeout=1.0)
                while event:
                    if event["data"].startswith(b"watch:"):
                        return
                    event = pubsub.get_message(timeout=0)
                if stop.is_set():
                    return
    except (redis.RedisError, OSError):
        stop.wait(5)
