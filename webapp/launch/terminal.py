"""Lines for the person at the terminal, one for each step, with its seconds."""

import contextlib
import sys
import time


def say(line=""):
    """Print a line. A terminal that was closed meanwhile must not keep the children from being stopped."""
    with contextlib.suppress(OSError, ValueError):
        print(line, flush=True)


def complain(line):
    with contextlib.suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)


class Step:
    """`with Step("Valkey") as step:` prints one line when it is done; `step.note` is added to it."""

    def __init__(self, name):
        self.name, self.note, self._start = name, "", time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _traceback):
        if kind is None:
            note = f": {self.note}" if self.note else ""
            say(f"  {self.name}{note} ({time.monotonic() - self._start:.1f} s)")
