"""Keeps the children of `run` alive, and stops them in order.

Signals only set a flag: every wait looks at it, so nothing is ever torn down in the middle of a start.
"""

import signal
import time

from webapp.launch import leftovers
from webapp.launch.child import Child
from webapp.launch.processes import ProcessTable
from webapp.launch.terminal import say

STEP = 0.02  # seconds between two looks while starting or stopping
WATCH = 0.2  # seconds between two looks while all is well
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """Somebody asked to stop while something was still starting."""


class DidNotStart(Exception):
    """One sentence, then the last lines of the child's log."""


class Supervisor:
    """`start` children, `watch` until a signal, then `stop`.

    root: the project; folder: the data folder; `stop_order` names the children: who is not in it stops first.
    """

    def __init__(self, root, folder, environ, stop_order=(), table=None):
        self.root, self.folder, self.environ = root, folder, environ
        self.stop_order = list(stop_order)
        self.table = table or ProcessTable()
        self.children = []
        self.asked = 0  # how often we were asked to stop

    def listen(self):
        for number in SIGNALS:
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number, _frame):
        self.asked += 1

    def start(self, spec):
        """Start a child that is to live as long as we do."""
        child = self._child(spec)
        child.start()
        self.children.append(child)
        return child

    def once(self, spec, seconds):
        """Run a child to its end. Raises DidNotStart unless it ends with 0 in time."""
        child = self._child(spec)
        child.start()
        try:
            self.wait(lambda: not child.alive(), seconds, child, may_end=True)
            code = child.process.poll()
        finally:
            child.stop()
        if code:
            raise DidNotStart(self._why(child, f"ended with code {code}"))
        return child

    def wait(self, condition, seconds, child, may_end=False):
        """Wait for a condition. Raises Stopped on a signal, DidNotStart when the child dies or the time is over."""
        deadline = time.monotonic() + seconds
        while not condition():
            if self.asked:
                raise Stopped
            if not child.alive() and not may_end:
                raise DidNotStart(self._why(child, "ended at once"))
            if time.monotonic() > deadline:
                raise DidNotStart(self._why(child, f"was not ready after {seconds} s"))
            time.sleep(STEP)

    def watch(self):
        """Until a signal: restart who dies, show warnings."""
        while not self.asked:
            for child in self.children:
                self._look_after(child)
            time.sleep(WATCH)

    def stop(self):
        """Stop all, in order. A second signal means: now."""
        for child in self._in_order():
            if child.process is None:
                leftovers.forget(child.run_folder, child.spec.name)
                continue
            by_itself = child.stop(hard=lambda: self.asked > 1)
            say(f"  {child.spec.name} stopped" + ("" if by_itself else " (killed: it did not stop in time)"))
        self.children = []

    def _look_after(self, child):
        self._show(child)
        now = time.monotonic()
        if child.process is None and now >= child.start_at:
            child.start()
        elif child.process is not None and not child.alive():
            how, wait = child.fell(now)
            say(f"{child.spec.name} {how}: starting it again in {wait} s (see {self._log(child)})")

    def _show(self, child):
        lines = child.log.lines()
        if not child.spec.silent:
            for line in child.log.warnings(lines):
                say(f"{child.spec.name}: {line[:300]}")

    def _child(self, spec):
        child = Child(spec, self.root, self.folder, self.environ, self.table)
        child.log.rotate()
        return child

    def _in_order(self):
        def rank(child):
            return self.stop_order.index(child.spec.name) if child.spec.name in self.stop_order else -1
        return sorted(self.children, key=rank)

    def _why(self, child, what):
        """The sentence, the alarms of its log (a traceback may have pushed them far up), and the log's end."""
        said = child.log.tail(count=500)
        alarms = list(dict.fromkeys(child.log.warnings(said)))[-5:]
        return "\n".join([f"{child.spec.name} {what}.", *(f"  {line[:300]}" for line in alarms),
                          f"The end of {self._log(child)}:", *(f"    {line}" for line in said[-10:])])

    def _log(self, child):
        try:
            return child.log.path.relative_to(self.root)
        except ValueError:
            return child.log.path

