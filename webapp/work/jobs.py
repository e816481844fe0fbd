"""RQ workers. A job runs in a forked child that can be killed; the application is loaded before the fork."""

import importlib
import logging

from rq import Queue, Worker
from rq.serializers import JSONSerializer

from webapp.extensions import db
from webapp.queue import connect
from webapp.work.rehearsal import rehearse

JOBS = ("webapp.jobs.connect", "webapp.jobs.notices", "webapp.jobs.outbox", "webapp.jobs.personal",
        "webapp.jobs.pictures", "webapp.jobs.reread", "webapp.jobs.sync")


class _Worker(Worker):
    max_connection_wait_time = 5.0      # seconds between two tries when the queue is away; RQ's minute is long for mail

    def main_work_horse(self, *args, **kwargs):
        db.engine.dispose(close=False)      # never share a connection with the parent
        self.app.extensions["blobs"].dispose()
        return super().main_work_horse(*args, **kwargs)


def run(queues):
    from wsgi import app
    for name in JOBS:
        importlib.import_module(name)      # before the fork: no job pays for importing
    logging.getLogger("rq.worker").setLevel(logging.WARNING)
    if app.config["SETTINGS"].demo:
        from webapp.demo import pictures
        app.config["WEB_GET"] = pictures.get
    with app.app_context():
        rehearse()
        _Worker.app = app
        waiting = connect(app.config["SETTINGS"])     # of its own: RQ makes its time-outs long
        worker = _Worker([Queue(q, connection=waiting, serializer=JSONSerializer) for q in queues],
                         connection=waiting, serializer=JSONSerializer, maintenance_interval=60)
        worker.work(logging_level="WARNING", with_scheduler=False)
