"""Watching mailboxes for new mail: IDLE (RFC 2177) on every connection, one thread for all of them.

The thread that runs `Watcher.run` owns a selector; sockets are read without blocking into a small buffer each.
What may take long happens in a few other threads: connecting and signing in, and visits. For a visit a connection
leaves the selector, ends IDLE, is lent to the caller who reads what is new, and goes back to IDLE.
"""

import contextlib
import heapq
import itertools
import logging
import random
import selectors
import socket
import ssl
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor

from webapp.mail.idle.watch import IDLE, NEW, Watch, start_idle, told_by
from webapp.mail.imap import Session
from webapp.mail.types import Endpoint, Login, MailError, Policy

log = logging.getLogger(__name__)

AGAIN = 24 * 60.0          # seconds until IDLE is said anew; servers may hang up after 30 minutes (RFC 2177)
ANSWER = 60.0              # seconds that a server has to answer our DONE
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
VISIT = 5.0                # seconds from hearing of new mail until the connection idles again
VISITS, VISITS_PER_HOST = 6, 4     # at a time; more are told as changes
VISITS_A_MINUTE = 60       # to one mailbox: a server may say what it likes as often as it likes
CALM = 60.0                # seconds of watching after which the next trouble starts with the short pause again
FINAL = frozenset({"password_refused", "no_idle", "not_allowed"})   # only a person (or a poll) can help


class Watcher:
    """`on_change(key)`: something may be new in that mailbox (also after each connect). `on_trouble(key, error)`:
    watching stopped; it is tried again by itself, except after password_refused, not_allowed and no_idle (poll then).
    Both are called from the thread of `run` and must return quickly. add, remove and keys may be called from anywhere.

    `visit(key, session, endpoint, login)`: there is new mail; the session, opened with these, has the folder open and
    VISIT seconds. Called from a thread of its own. True: all of it is dealt with. False, or any error: `on_change`.
    """

    def __init__(self, on_change: Callable[[Hashable], None], on_trouble: Callable[[Hashable, MailError], None],
                 connecting: int = 16, per_host: int = 4, again: float = AGAIN, visit: Callable | None = None):
        self._on_change, self._on_trouble, self._visit = on_change, on_trouble, visit
        self._connecting, self._per_host, self._again = connecting, per_host, again
        self._watches: dict[Hashable, Watch] = {}
        self._lock = threading.Lock()
        self._commands: deque = deque()           # callables for the selector's thread
        self._ready: deque[Watch] = deque()      # want to connect
        self._busy: Counter = Counter()           # host -> connects under way
        self._visited: Counter = Counter()        # host -> visits under way
        self._timers: list = []                   # (when, number, callable)
        self._numbers = itertools.count()
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._woken.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        self._pool: ThreadPoolExecutor | None = None
        self._visits: ThreadPoolExecutor | None = None

    def add(self, key: Hashable, endpoint: Endpoint, login: Login, policy: Policy,
            folder_wire_name: bytes = b"INBOX") -> None:
        """Watch a mailbox. A key that is watched already is replaced."""
        watch = Watch(key, endpoint, login, policy, folder_wire_name)
        with self._lock:
            old = self._watches.get(key)
            self._watches[key] = watch
        if old:
            self._post(lambda: self._drop(old))
        self._post(lambda: self._want(watch))

    def remove(self, key: Hashable) -> None:
        with self._lock:
            watch = self._watches.pop(key, None)
        if watch:
            self._post(lambda: self._drop(watch))

    def keys(self) -> set:
        with self._lock:
            return set(self._watches)

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set (looked at every half second)."""
        self._pool = ThreadPoolExecutor(self._connecting, thread_name_prefix="watch-connect")
        self._visits = ThreadPoolExecutor(VISITS, thread_name_prefix="watch-visit")
        try:
            while not stop.is_set():
                self._turn(0.5)
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._visits.shutdown(wait=True, cancel_futures=True)      # what was begun is ended; it is short
            self._run_commands()
            with self._lock:
                watches = list(self._watches.values())
            for watch in watches:
                self._close(watch)

    # Everything below runs in the thread of `run`, except what is `_elsewhere`.

    def _turn(self, longest: float) -> None:
        wait = min(longest, max(0.0, self._timers[0][0] - time.monotonic())) if self._timers else longest
        for entry, _events in self._selector.select(wait):
            if entry.data is None:
                self._drain_wake()
            else:
                self._guarded(entry.data, self._read)
        self._run_commands()
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()
        self._start_connects()

    def _run_commands(self) -> None:
        while self._commands:
            self._commands.popleft()()

    def _guarded(self, watch: Watch, do: Callable[[Watch], None]) -> None:
        try:
            do(watch)
        except MailError as error:
            self._trouble(watch, error)

    def _post(self, do: Callable[[], None]) -> None:
        self._commands.append(do)
        with contextlib.suppress(OSError):    # full: it will wake anyway
            self._wake.send(b"x")

    def _drain_wake(self) -> None:
        try:
            while self._woken.recv(4096):
                pass
        except OSError:
            pass

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._numbers), do))

    def _want(self, watch: Watch) -> None:
        if not watch.removed and not watch.idling:
            self._ready.append(watch)

    def _start_connects(self) -> None:
        """Hand waiting ones to the pool, few to one host at a time, so that one slow host leaves room for others."""
        for _ in range(len(self._ready)):
            watch = self._ready.popleft()
            if watch.removed:
                continue
            host = watch.endpoint.host
            if self._busy[host] >= self._per_host or self._busy.total() >= self._connecting:
                self._ready.append(watch)
                continue
            self._busy[host] += 1
            self._pool.submit(self._elsewhere, watch, self._connect, self._not_connected)

    def _elsewhere(self, watch: Watch, work: Callable, failed: Callable[[Watch, MailError], None]) -> None:
        """In a pool: the thread of `run` then does what `work(watch)` returns, or calls `failed(watch, error)`."""
        try:
            then = work(watch)
        except MailError as error:
            trouble = error
        except Exception:
            log.exception("mailbox %s", watch.key)
            trouble = MailError("protocol", reason="internal")
        else:
            self._post(then)
            return
        self._post(lambda: failed(watch, trouble))

    def _connect(self, watch: Watch) -> Callable[[], None]:
        """Elsewhere: sign in, EXAMINE, IDLE; then the socket goes to the selector."""
        session = watch.sign_in()
        connection, rest = start_idle(session)
        return lambda: self._connected(watch, session, connection, rest)

    def _connected(self, watch: Watch, session: Session, connection, rest: bytes) -> None:
        self._release(self._busy, watch)
        if watch.removed:
            connection.close()
            return
        watch.session, watch.connection, watch.connected_at = session, connection, time.monotonic()
        self._again_later(watch)
        self._tell(self._on_change, watch.key)   # mail may have come while nobody watched
        self._idles(watch, rest)

    def _idles(self, watch: Watch, rest: bytes, told: frozenset[bytes] = frozenset()) -> None:
        """Into the selector. `told`: changes that nobody has looked at."""
        watch.buffer, watch.idling, watch.done_at = bytearray(rest), True, 0.0
        watch.sock = watch.connection.sock
        watch.sock.setblocking(False)
        self._selector.register(watch.sock, selectors.EVENT_READ, watch)
        # At once: bytes that TLS has decrypted already do not wake a selector.
        self._guarded(watch, lambda watch: self._read(watch, told))

    def _not_connected(self, watch: Watch, error: MailError) -> None:
        self._release(self._busy, watch)
        if not watch.removed:
            self._trouble(watch, error)

    @staticmethod
    def _release(under_way: Counter, watch: Watch) -> None:
        host = watch.endpoint.host
        under_way[host] -= 1
        if under_way[host] <= 0:
            del under_way[host]

    def _read(self, watch: Watch, told: frozenset[bytes] = frozenset()) -> None:
        """All that is there, without waiting. For TLS that is: until it says that it wants more from the wire."""
        ended = None
        while watch.sock is not None:
            try:
                data = watch.sock.recv(16384)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError, InterruptedError):
                break
            except OSError:
                data = b""
            if not data:
                ended = MailError("lost", host=watch.endpoint.host)
                break
            watch.buffer += data
            told |= watch.lines()
        told |= watch.lines()
        if NEW in told and not ended and self._may_visit(watch):
            told -= {NEW}
            self._start_visit(watch)
        if told:
            self._tell(self._on_change, watch.key)
        if ended:
            raise ended

    def _may_visit(self, watch: Watch) -> bool:
        """A slow server has few threads of ours, and never all."""
        if time.monotonic() - watch.minute > 60:
            watch.minute, watch.visits = time.monotonic(), 0
        return (self._visit is not None and watch.sock is not None and not watch.done_at
                and watch.visits < VISITS_A_MINUTE and self._visited.total() < VISITS
                and self._visited[watch.endpoint.host] < VISITS_PER_HOST)

    def _start_visit(self, watch: Watch) -> None:
        self._selector.unregister(watch.sock)
        unread, watch.sock, watch.buffer = bytes(watch.buffer), None, bytearray()
        self._visited[watch.endpoint.host] += 1
        watch.visits += 1
        session = watch.session
        self._visits.submit(self._elsewhere, watch, lambda watch: self._call_on(watch, session, unread), self._failed)

    def _call_on(self, watch: Watch, session: Session, unread: bytes) -> Callable[[], None]:
        """Elsewhere: end IDLE, let the caller read, IDLE again."""
        told = {change for line in session.resume(IDLE, unread, VISIT) if (change := told_by(line))} - {NEW}
        if not self._visit(watch.key, session, watch.endpoint, watch.login) or told:
            self._post(lambda: self._tell(self._on_change, watch.key))
        _connection, rest = start_idle(session)
        return lambda: self._called(watch, rest, session.told)

    def _called(self, watch: Watch, rest: bytes, told: frozenset[bytes]) -> None:
        """`told`: while the caller read. A server does not say it again."""
        self._release(self._visited, watch)
        if watch.removed:
            watch.connection.close()
        else:
            self._idles(watch, rest, told)

    def _failed(self, watch: Watch, error: MailError) -> None:
        self._release(self._visited, watch)
        watch.connection.close()
        if not watch.removed:
            self._tell(self._on_change, watch.key)
            self._trouble(watch, error)

    def _again_later(self, watch: Watch) -> None:
        since = watch.connected_at

        def again():
            if watch.removed or watch.connected_at != since:
                return
            if watch.sock is not None:      # after a visit IDLE is said anew in any case
                self._guarded(watch, Watch.say_done)
                self._later(ANSWER, lambda: self._check_answer(watch, since))
            self._again_later(watch)

        self._later(self._again * random.uniform(0.9, 1.0), again)

    def _check_answer(self, watch: Watch, since: float) -> None:
        """A connection that died without a word shows here."""
        if watch.sock is not None and watch.connected_at == since and watch.done_at:
            self._trouble(watch, MailError("timed_out", host=watch.endpoint.host))

    def _trouble(self, watch: Watch, error: MailError) -> None:
        calm = watch.connected_at and time.monotonic() - watch.connected_at > CALM
        self._close(watch)
        if watch.removed:
            return
        if error.code not in FINAL:
            watch.pause = min(FIRST_PAUSE if calm or not watch.pause else watch.pause * 2, LONGEST_PAUSE)
            self._later(watch.pause * random.uniform(0.5, 1.0), lambda: self._want(watch))
        self._tell(self._on_trouble, watch.key, error)

    @staticmethod
    def _tell(callback: Callable, *arguments) -> None:
        """A caller's mistake must not end the watching of everybody else."""
        try:
            callback(*arguments)
        except Exception:
            log.exception("told of %s", arguments[0])

    def _drop(self, watch: Watch) -> None:
        watch.removed = True
        self._close(watch)

    def _close(self, watch: Watch) -> None:
        sock, watch.sock, watch.idling, watch.connected_at = watch.sock, None, False, 0.0
        if sock is not None:
            self._selector.unregister(sock)
            watch.connection.close()
            watch.session = watch.connection = None
        watch.buffer = bytearray()
