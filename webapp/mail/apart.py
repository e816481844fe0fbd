"""A function of bytes, called in a child process: what a hostile message does to it, it does to that one call alone.

The child is a fork, so it starts in a few milliseconds and knows the code already. It ends itself when one call takes
too much CPU time (also inside C and Rust code, where no exception can reach), and when its parent is gone.
"""

import contextlib
import io
import multiprocessing.connection
import os
import pickle
import resource
import signal
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from webapp.mail.types import Mailbox, Parsed, Part

CPU_SECONDS = 2.0          # of one call
SECONDS = 30.0             # of the wall clock: then it is not the child's fault alone, but we go on
MEMORY = 600_000_000       # bytes of address space that it may need beyond what it has at the start
_KNOWN = {(c.__module__, c.__qualname__): c for c in (Mailbox, Parsed, Part, datetime, timedelta, timezone)}


class Died(Exception):
    """The child did not survive the call, or did not answer in time."""


class Apart:
    """Use as `with Apart(function) as apart`. `ask` several times, then `answer` as often: answers come in order.

    A call: (bytes, one plain value); results: plain values, Parsed and its parts. At most one `ask` may wait for its
    answers, and is worked on meanwhile. The child is started by the first.
    """

    def __init__(self, function: Callable):
        self._function, self._pid, self._end = function, None, None

    def __enter__(self) -> "Apart":
        return self

    def __exit__(self, *_exc) -> None:
        self._stop()

    def ask(self, calls: list[tuple]) -> None:
        """Begin `function(*call)` for each. All earlier answers must have been read."""
        if self._pid is None:
            self._start()
        with contextlib.suppress(OSError):      # `answer` will say so
            self._end.send_bytes(pickle.dumps([how for _raw, how in calls]))
            for raw, _how in calls:             # as they are: a copy of 50 MB would count
                self._end.send_bytes(raw)

    def answer(self):
        """The next result. Died: this one and those after it in the same `ask` have none; ask again for those."""
        deadline = time.monotonic() + SECONDS
        try:
            if not self._end.poll(deadline - time.monotonic()):
                raise Died
            return _Plain(io.BytesIO(self._end.recv_bytes())).load()
        except Exception as error:  # noqa: BLE001 - its end, or rubbish: what it says is not to be trusted
            self._stop()
            raise Died from error

    def _start(self) -> None:
        ours, theirs = multiprocessing.connection.Pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _live(self._function, theirs)
        theirs.close()
        self._end = ours

    def _stop(self) -> None:
        if self._pid is None:
            return
        self._end.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)
        self._pid = self._end = None


class _Plain(pickle.Unpickler):
    """Of what the child says only plain values are believed: it has read strangers' bytes."""

    def find_class(self, module, name):
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name}") from None


def _live(function, end) -> None:
    """The child. Never returns, and never runs what its parent would run at its end."""
    try:
        _let_go(end.fileno())
        while True:
            hows = pickle.loads(end.recv_bytes())
            calls = [(end.recv_bytes(), how) for how in hows]     # all, so that the parent can go on
            for call in calls:
                signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)     # SIGPROF ends a process that does not catch it
                result = function(*call)
                signal.setitimer(signal.ITIMER_PROF, 0)
                end.send_bytes(pickle.dumps(result))
    except BaseException:  # noqa: BLE001 - EOFError: the parent is done. Anything else: it will hear of our end
        os._exit(1)
    finally:
        os._exit(0)


def _let_go(kept: int) -> None:
    """Close the connections of the parent (a copy would hold them open), take its signal handlers off, set limits."""
    os.closerange(3, kept)
    os.closerange(kept + 1, 65_536)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGPROF, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)
    with contextlib.suppress(OSError, ValueError):      # no /proc, or a lower limit already
        with open("/proc/self/statm") as statm:
            size = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
