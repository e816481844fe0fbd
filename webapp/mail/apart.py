"""A function of bytes, called in a child process: what a hostile message does to it, it does to that one call alone.

The child is a fork, so it starts in a few milliseconds and knows the code already. It ends itself when one call takes
too much CPU time (also inside C and Rust code, where no exception can reach), and when its parent is gone.
"""

import contextlib
import fcntl
import importlib
import io
import itertools
import multiprocessing.connection
import os
import pickle
import queue
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from webapp.mail.types import Automatic, Mailbox, Parsed, Part

CPU_SECONDS = 2.0          # of one call
SECONDS = 30.0             # of the wall clock: then it is not the child's fault alone, but we go on
MEMORY = 600_000_000       # bytes of address space that it may need beyond what it has at the start
LARGE = 64 * 1024          # bytes of a call that are sent for themselves
WAITING = 1 << 20          # bytes that may wait in a pipe: answers do, while the next call is worked on
_KNOWN = {(c.__module__, c.__qualname__): c for c in (Automatic, Mailbox, Parsed, Part, datetime, timedelta, timezone)}


class Died(Exception):
    """The child did not survive the call, or did not answer in time."""


class Apart:
    """Use as `with Apart(function) as apart`. `ask` several times, then `answer` as often: answers come in order.

    A call: (bytes, one plain value); results: plain values, Parsed and its parts. What is asked is worked on meanwhile,
    and held in the child until then. The child is started by the first; `nursery` forks it where this process has
    threads.
    """

    def __init__(self, function: Callable, nursery: "Nursery | None" = None):
        self._function, self._nursery, self._pid = function, nursery, None
        self._calls = self._answers = None      # the ends of two pipes
        self._said = None                       # a poll of the answers: Connection.poll would make one each time

    def __enter__(self) -> "Apart":
        return self

    def __exit__(self, *_exc) -> None:
        self.stop()

    def ask(self, calls: list[tuple]) -> None:
        """Begin `function(*call)` for each."""
        if self._pid is None:
            self._start()
        with contextlib.suppress(OSError):      # `answer` will say so
            self._calls.send_bytes(pickle.dumps([(raw if len(raw) < LARGE else None, how) for raw, how in calls]))
            for raw, _how in calls:
                if len(raw) >= LARGE:           # as they are: a copy of 50 MB would count
                    self._calls.send_bytes(raw)

    def has_answer(self) -> bool:
        """Need one not wait for `answer`?"""
        return self._pid is not None and bool(self._said.poll(0))

    def answer(self):
        """The next result. Died: this one and all that were asked for have none; ask again for those after it."""
        try:
            if not self._said.poll(SECONDS * 1_000):
                raise Died
            return _Plain(io.BytesIO(self._answers.recv_bytes())).load()
        except Exception as error:  # noqa: BLE001 - its end, or rubbish: what it says is not to be trusted
            self.stop()
            raise Died from error

    def stop(self) -> None:
        """End the child; the next `ask` starts another."""
        if self._pid is None:
            return
        self._calls.close()
        self._answers.close()
        (self._nursery.bury if self._nursery else _bury)(self._pid)
        self._pid = self._calls = self._answers = self._said = None

    def _start(self) -> None:
        calls, self._calls = multiprocessing.connection.Pipe(duplex=False)
        self._answers, answers = multiprocessing.connection.Pipe(duplex=False)
        self._said = select.poll()
        self._said.register(self._answers, select.POLLIN)
        with contextlib.suppress(OSError):      # somebody has many large pipes
            fcntl.fcntl(self._calls.fileno(), fcntl.F_SETPIPE_SZ, WAITING)
            fcntl.fcntl(answers.fileno(), fcntl.F_SETPIPE_SZ, WAITING)
        with calls, answers:
            ends = calls.fileno(), answers.fileno()
            self._pid = self._nursery.bear(ends) if self._nursery else _fork(self._function, ends)


class Nursery:
    """Forks children for an Apart in a process with threads, where a fork may copy a lock that nobody opens again.

    A child itself, made before the first thread. It ends with its parent.
    """

    def __init__(self, function: Callable):
        self._lock = threading.Lock()
        self._sock, theirs = socket.socketpair()
        self._pid = os.fork()
        if self._pid == 0:
            _bear_children(function, theirs)
        theirs.close()
        self._sock.settimeout(SECONDS)

    def bear(self, ends) -> int:
        """The pid of a new child that has the `ends` of two pipes: of calls and of answers. OSError: there will be
        no more children."""
        with self._lock:
            socket.send_fds(self._sock, [_order(0)], ends)
            if len(answer := self._sock.recv(4)) != 4:
                raise ConnectionResetError("the nursery is gone")
            return int.from_bytes(answer)

    def bury(self, pid: int) -> None:
        """End that child. It is the nursery's own, so no other process can have got its number meanwhile."""
        with self._lock, contextlib.suppress(OSError):     # the nursery is gone: children end when nobody asks
            self._sock.sendall(_order(pid))

    def close(self) -> None:
        self._sock.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


class Elsewhere(Nursery):
    """A Nursery that is a program of its own: for a process that has threads already, or holds secrets that must not be
    in the child's memory. `function`: "module:name", below webapp.mail; only its children ever load it."""

    def __init__(self, function: str):
        self._lock = threading.Lock()
        self._sock, theirs = socket.socketpair()
        kept = {name: value for name, value in os.environ.items() if name in _ENVIRONMENT}
        with theirs:
            self._process = subprocess.Popen([sys.executable, "-c", _ALONE, str(theirs.fileno()), function],
                                             pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, env=kept)
        self._sock.settimeout(SECONDS)

    def close(self) -> None:
        self._sock.close()
        self._process.wait(SECONDS)


_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "LANG", "LC_ALL")
# The house's front door would load Flask and the database: only its mail rooms are opened.
_ALONE = f"""
import sys, types
sys.modules["webapp"] = types.ModuleType("webapp")
sys.modules["webapp"].__path__ = [{str(Path(__file__).parents[1])!r}]
from webapp.mail.apart import _be_elsewhere
_be_elsewhere(int(sys.argv[1]), sys.argv[2])
"""


def _be_elsewhere(number: int, function: str) -> None:
    module, name = function.split(":")
    os.nice(10)      # people who wait for a page come first
    for stop in (signal.SIGINT, signal.SIGTERM):      # sent to all of a terminal: it ends with its parent, not before
        signal.signal(stop, signal.SIG_IGN)
    _bear_children(getattr(importlib.import_module(module), name), socket.socket(fileno=number))


class _Plain(pickle.Unpickler):
    """Of what the child says only plain values are believed: it has read strangers' bytes."""

    def find_class(self, module, name):
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name}") from None


def _bear_children(function, sock) -> None:
    """The nursery. Never returns."""
    try:
        _let_go(sock.fileno())
        while len(order := (received := socket.recv_fds(sock, 4, 2))[0]) == 4:     # else the parent is gone
            if pid := int.from_bytes(order):
                _bury(pid)
                continue
            ends = received[1]
            sock.sendall(_fork(function, ends).to_bytes(4))
            for end in ends:
                os.close(end)
    finally:
        os._exit(0)


def _order(pid: int) -> bytes:
    """What the nursery is told: end this child; 0: here come the ends of two pipes, fork one for them."""
    return pid.to_bytes(4)


def _bury(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _fork(function, ends) -> int:
    pid = os.fork()
    if pid == 0:
        _live(function, *ends)
    return pid


def _live(function, asked, told) -> None:
    """The child. Never returns, and never runs what its parent would run at its end."""
    try:
        _let_go(asked, told)
        calls_end = multiprocessing.connection.Connection(asked, writable=False)
        answers = multiprocessing.connection.Connection(told, readable=False)
        calls = queue.SimpleQueue()
        threading.Thread(target=_listen, args=(calls_end, calls), daemon=True).start()
        while (call := calls.get()) is not None:
            signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)     # SIGPROF ends a process that does not catch it
            result = function(*call)
            signal.setitimer(signal.ITIMER_PROF, 0)
            answers.send_bytes(pickle.dumps(result))
    except BaseException:  # noqa: BLE001 - the parent will hear of our end
        os._exit(1)
    finally:
        os._exit(0)


def _listen(end, calls) -> None:
    """In a thread of the child: takes what is asked while a call is worked on, so that the parent can go on."""
    try:
        while True:
            for raw, how in pickle.loads(end.recv_bytes()):
                calls.put((end.recv_bytes() if raw is None else raw, how))
    except Exception:  # noqa: BLE001 - EOFError: the parent is done
        calls.put(None)


def _let_go(*kept: int) -> None:
    """Close the connections of the parent (a copy would hold them open), take its signal handlers off, set limits."""
    for after, end in itertools.pairwise((2, *sorted(kept), 65_536)):
        os.closerange(after + 1, end)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGPROF, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)
    with contextlib.suppress(OSError, ValueError):      # no /proc, or a lower limit already
        with open("/proc/self/statm") as statm:
            size = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
