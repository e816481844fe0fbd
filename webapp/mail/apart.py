"""A function of bytes, called in a child process: what a hostile message does to it, it does to that one call alone.

The child is a fork, so it starts in a few milliseconds and knows the code already. It ends itself when one call takes
too much CPU time (also inside C and Rust code, where no exception can reach), and when its parent is gone.
"""

import contextlib
import io
import multiprocessing.connection
import os
import pickle
import queue
import resource
import signal
import socket
import threading
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

    A call: (bytes, one plain value); results: plain values, Parsed and its parts. What is asked is worked on meanwhile,
    and held in the child until then. The child is started by the first; `nursery` forks it where this process has
    threads.
    """

    def __init__(self, function: Callable, nursery: "Nursery | None" = None):
        self._function, self._nursery, self._pid, self._end = function, nursery, None, None

    def __enter__(self) -> "Apart":
        return self

    def __exit__(self, *_exc) -> None:
        self.stop()

    def ask(self, calls: list[tuple]) -> None:
        """Begin `function(*call)` for each."""
        if self._pid is None:
            self._start()
        with contextlib.suppress(OSError):      # `answer` will say so
            self._end.send_bytes(pickle.dumps([how for _raw, how in calls]))
            for raw, _how in calls:             # as they are: a copy of 50 MB would count
                self._end.send_bytes(raw)

    def answer(self):
        """The next result. Died: this one and all that were asked for have none; ask again for those after it."""
        deadline = time.monotonic() + SECONDS
        try:
            if not self._end.poll(deadline - time.monotonic()):
                raise Died
            return _Plain(io.BytesIO(self._end.recv_bytes())).load()
        except Exception as error:  # noqa: BLE001 - its end, or rubbish: what it says is not to be trusted
            self.stop()
            raise Died from error

    def stop(self) -> None:
        """End the child; the next `ask` starts another."""
        if self._pid is None:
            return
        self._end.close()
        (self._nursery.bury if self._nursery else _bury)(self._pid)
        self._pid = self._end = None

    def _start(self) -> None:
        ours, theirs = multiprocessing.connection.Pipe()
        with theirs:
            self._pid = self._nursery.bear(theirs) if self._nursery else _fork(self._function, theirs)
        self._end = ours


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

    def bear(self, end) -> int:
        """The pid of a new child that answers at `end`. OSError: there will be no more children."""
        with self._lock:
            socket.send_fds(self._sock, [_order(0)], [end.fileno()])
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
        while len(order := (received := socket.recv_fds(sock, 4, 1))[0]) == 4:     # else the parent is gone
            if pid := int.from_bytes(order):
                _bury(pid)
                continue
            with multiprocessing.connection.Connection(received[1][0]) as end:
                sock.sendall(_fork(function, end).to_bytes(4))
    finally:
        os._exit(0)


def _order(pid: int) -> bytes:
    """What the nursery is told: end this child; 0: here comes the end of a pipe, fork one for it."""
    return pid.to_bytes(4)


def _bury(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _fork(function, end) -> int:
    pid = os.fork()
    if pid == 0:
        _live(function, end)
    return pid


def _live(function, end) -> None:
    """The child. Never returns, and never runs what its parent would run at its end."""
    try:
        _let_go(end.fileno())
        calls = queue.SimpleQueue()
        threading.Thread(target=_listen, args=(end, calls), daemon=True).start()
        while (call := calls.get()) is not None:
            signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)     # SIGPROF ends a process that does not catch it
            result = function(*call)
            signal.setitimer(signal.ITIMER_PROF, 0)
            end.send_bytes(pickle.dumps(result))
    except BaseException:  # noqa: BLE001 - the parent will hear of our end
        os._exit(1)
    finally:
        os._exit(0)


def _listen(end, calls) -> None:
    """In a thread of the child: takes what is asked while a call is worked on, so that the parent can go on."""
    try:
        while True:
            for how in pickle.loads(end.recv_bytes()):
                calls.put((end.recv_bytes(), how))
    except Exception:  # noqa: BLE001 - EOFError: the parent is done
        calls.put(None)


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
