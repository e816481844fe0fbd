"""Two tabs, or two people, at the same moment: each call in a thread, a context and a transaction of its own."""

import threading

import pytest

from webapp.extensions import db, unit


class Tab(threading.Thread):
    """`call()` and its commit, once started; `ended()` waits for it and fails when it failed."""

    def __init__(self, app, call):
        super().__init__(daemon=True)
        self._app, self._call, self.wrong = app, call, None

    def run(self):
        with self._app.app_context():
            try:
                with unit():
                    self._call()
            except Exception as error:
                self.wrong = error
            finally:
                db.session.remove()

    def ended(self, seconds=20):
        self.join(seconds)
        assert not self.is_alive()
        assert self.wrong is None, repr(self.wrong)


def at_once(app, *calls):
    tabs = [Tab(app, call) for call in calls]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.ended()


def needs_writers_side_by_side():
    if db.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time, from the first statement on")


def meanwhile(app, call):
    """Done by another tab, from its first statement to its commit, while ours has read and not written."""
    needs_writers_side_by_side()
    at_once(app, call)


def let_two_meet(monkeypatch, module, name):
    """Whoever calls this function waits for a second one there, so that both have read before either writes. On SQLite
    one waits for the other already, from the first statement on."""
    together, real = threading.Barrier(2), getattr(module, name)

    def meet(*arguments):
        if db.engine.dialect.name != "sqlite":
            together.wait(5)
        return real(*arguments)
    monkeypatch.setattr(module, name, meet)
