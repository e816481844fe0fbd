"""One child process of `run`: how it is started, watched, restarted and ended."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from webapp.launch import leftovers
from webapp.launch.logs import Log
from webapp.launch.processes import STEP, end, family

LONGEST_WAIT = 30  # seconds between two tries
STEADY = 60  # seconds: who lived that long is forgiven what it did before
TETHER = Path(__file__).with_name("tether.py")


@dataclass
class Spec:
    """What to run. `grace` is how many seconds it gets to stop; `silent` keeps its warnings in the file."""

    name: str
    command: list
    grace: float = 5
    silent: bool = False
    environ: dict = field(default_factory=dict)


class Child:
    """A Spec and the process that runs it now, if any."""

    def __init__(self, spec, root, folder, environ, table):
        self.spec, self.root, self.table = spec, root, table
        self.run_folder = Path(folder) / "run"
        self.environ = {**environ, **spec.environ, leftovers.MARK: str(self.run_folder)}
        self.log = Log(Path(folder) / "log", spec.name)
        self.process = None
        self.failures = 0
        self.start_at = 0.0  # monotonic time before which it must not start again
        self._started_at = 0.0

    def start(self):
        """In a session of its own, so that Ctrl-C reaches `run` alone, which then stops all in order.

        Must be called from the main thread: the kernel ties a child to the thread that started it.
        """
        tether = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid())]
        with self.log.opened() as output:
            self.process = subprocess.Popen([*tether, *self.spec.command], cwd=self.root, env=self.environ,
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                            start_new_session=True)
        self._started_at = time.monotonic()
        row = self.table.get(self.process.pid)
        if row:
            leftovers.note(self.run_folder, self.spec.name, row)

    @property
    def pid(self):
        return self.process.pid if self.process else None

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def fell(self, now):
        """Called once when it is found dead. Returns (how it ended, seconds until the next try)."""
        code = self.process.poll()
        self._sweep()
        self.process = None
        self.failures = 1 if now - self._started_at > STEADY else self.failures + 1
        wait = min(2 ** (self.failures - 1), LONGEST_WAIT)
        self.start_at = now + wait
        return _ended(code), wait

    def stop(self, hard=lambda: False):
        """Ask it to end, after its grace kill it, and with it all that came from it. True if it ended by itself.

        `hard` is asked all the time: once it says True there is no grace left.
        """
        if self.process is None:
            return True
        offspring = family(self.table, self.pid)
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + self.spec.grace
        while self.alive() and time.monotonic() < deadline and not hard():
            time.sleep(STEP)
        by_itself = not self.alive()
        if not by_itself:
            self.process.kill()
        self.process.wait()
        end(self.table, [*offspring, *family(self.table, self.pid)], grace=0 if hard() else 1)
        self.process = None
        leftovers.forget(self.run_folder, self.spec.name)
        return by_itself

    def _sweep(self):
        """What a dead child left in its session would hold its port or its mailbox."""
        end(self.table, family(self.table, self.process.pid), grace=1)
        leftovers.forget(self.run_folder, self.spec.name)


def _ended(code):
    if code is not None and code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"
