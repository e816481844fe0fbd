"""Watching: told at once, never stuck on one server, back after every trouble."""

import threading
import time

import pytest
from servers.proxy import FaultProxy

from webapp.mail.idle import Watcher
from webapp.mail.idle import watcher as idle
from webapp.mail.types import Login, Policy

from .conftest import ZOFIA, at, policy_for


class Told:
    """What the watcher told, and a way to wait for it."""

    def __init__(self):
        self.changes, self.troubles = [], []
        self._news = threading.Condition()

    def change(self, key):
        with self._news:
            self.changes.append(key)
            self._news.notify_all()

    def trouble(self, key, error):
        with self._news:
            self.troubles.append((key, error.code))
            self._news.notify_all()

    def until(self, wanted, seconds=5.0):
        with self._news:
            assert self._news.wait_for(lambda: wanted(self), seconds), (self.changes, self.troubles)


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def watcher(told, monkeypatch):
    monkeypatch.setattr(idle, "FIRST_PAUSE", 0.05)
    stop, watchers = threading.Event(), []

    def make(**options):
        watcher = Watcher(told.change, told.trouble, **options)
        thread = threading.Thread(target=watcher.run, args=(stop,))
        thread.start()
        watchers.append(thread)
        return watcher
    yield make
    stop.set()
    for thread in watchers:
        thread.join(5)
        assert not thread.is_alive()


def push(fake, *pieces, pause=0.0):
    for sock in list(fake.idling):
        for piece in pieces:
            sock.sendall(piece)
            time.sleep(pause)


def idling(fake, count=1, seconds=5.0):
    deadline = time.monotonic() + seconds
    while len(fake.idling) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_new_mail_on_the_real_server_is_told(dovecot, person, there, watcher, told):
    watcher().add(5, there[0], person, there[1])
    told.until(lambda t: t.changes == [5])           # the connect itself
    dovecot.deliver(person.user, b"Subject: x\r\n\r\nx\r\n")
    told.until(lambda t: len(t.changes) >= 2)
    assert told.troubles == []


def test_a_restarted_server_is_found_again(dovecot, person, there, watcher, told):
    watcher().add(5, there[0], person, there[1])
    told.until(lambda t: t.changes == [5])
    dovecot.restart()
    told.until(lambda t: len(t.changes) >= 2 and t.troubles)
    assert {code for _key, code in told.troubles} <= {"lost", "refused", "unavailable"}


@pytest.mark.parametrize("line", [b"* 1 EXISTS\r\n", b"* 1 EXPUNGE\r\n", b"* 1 FETCH (FLAGS (\\Seen))\r\n"])
def test_each_kind_of_change_is_told_at_once(fake, watcher, told, line):
    watcher().add("a", fake.endpoint, ZOFIA, fake.policy)
    idling(fake)
    told.until(lambda t: t.changes == ["a"])
    began = time.monotonic()
    push(fake, line)
    told.until(lambda t: t.changes == ["a", "a"])
    assert time.monotonic() - began < 0.2


def test_a_line_in_two_pieces_is_one_line(fake, watcher, told):
    watcher().add("a", fake.endpoint, ZOFIA, fake.policy)
    idling(fake)
    told.until(lambda t: t.changes == ["a"])
    push(fake, b"* 1 EXI", b"STS\r\n* 2 REC", b"ENT\r\n", pause=0.05)
    told.until(lambda t: t.changes == ["a", "a"])
    time.sleep(0.1)
    assert told.changes == ["a", "a"] and told.troubles == []


def test_chatter_is_no_change(fake, watcher, told):
    watcher().add("a", fake.endpoint, ZOFIA, fake.policy)
    idling(fake)
    push(fake, b"* OK Still here\r\n* 0 RECENT\r\n")
    time.sleep(0.1)
    assert told.changes == ["a"] and told.troubles == []


def test_idle_is_said_anew_before_the_server_hangs_up(fake, watcher, told):
    watcher(again=0.2).add("a", fake.endpoint, ZOFIA, fake.policy)
    deadline = time.monotonic() + 5
    while fake.names().count(b"IDLE") < 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    idling(fake)
    push(fake, b"* 1 EXISTS\r\n")
    told.until(lambda t: t.changes == ["a", "a"])
    assert told.troubles == [] and fake.names().count(b"AUTHENTICATE") == 1


def test_a_connection_that_died_without_a_word_is_noticed(fake, authority, watcher, told, monkeypatch):
    monkeypatch.setattr(idle, "ANSWER", 0.2)
    watcher(again=0.3).add("a", fake.endpoint, ZOFIA, fake.policy)
    idling(fake)
    fake.on[b"IDLE"] = lambda tag, arguments: b""     # from now on: not even "+"
    told.until(lambda t: ("a", "timed_out") in t.troubles)


def test_a_wrong_password_is_told_and_not_tried_again(fake, watcher, told):
    watcher().add("a", fake.endpoint, Login(ZOFIA.user, "wrong"), fake.policy)
    told.until(lambda t: t.troubles == [("a", "password_refused")])
    time.sleep(0.3)
    assert fake.names().count(b"AUTHENTICATE") == 1 and told.changes == []


def test_a_server_without_idle_is_told_so_that_it_can_be_polled(fake, watcher, told):
    fake.capabilities = b"IMAP4rev1 AUTH=PLAIN SASL-IR"
    watcher().add("a", fake.endpoint, ZOFIA, fake.policy)
    told.until(lambda t: t.troubles == [("a", "no_idle")])
    time.sleep(0.3)
    assert fake.names().count(b"AUTHENTICATE") == 1


def test_trouble_is_tried_again_later_and_later(fake, watcher, told):
    fake.on[b"EXAMINE"] = lambda tag, arguments: tag + b" NO [UNAVAILABLE] later\r\n"
    watcher().add("a", fake.endpoint, ZOFIA, fake.policy)
    told.until(lambda t: len(t.troubles) == 4)
    del fake.on[b"EXAMINE"]
    told.until(lambda t: t.changes == ["a"])
    assert {code for _key, code in told.troubles} == {"unavailable"}


def test_a_hanging_server_delays_nobody(fake, watcher, told):
    with FaultProxy(1) as hole:
        hole.black_hole = True
        one = watcher(connecting=4, per_host=2)
        policy = Policy(ca_file=fake.policy.ca_file, loopback=fake.policy.loopback | {("127.0.0.1", hole.port)},
                        connect_seconds=2)
        for number in range(10):
            one.add(number, at(hole.port)._replace(host="localhost"), ZOFIA, policy)
        one.add("good", fake.endpoint, ZOFIA, fake.policy)
        told.until(lambda t: "good" in t.changes, 1.0)
        assert hole.connections <= 2


def test_what_is_removed_is_not_watched(fake, watcher, told):
    one = watcher()
    one.add("a", fake.endpoint, ZOFIA, fake.policy)
    one.add("b", fake.endpoint, ZOFIA, fake.policy)
    idling(fake, 2)
    told.until(lambda t: sorted(t.changes) == ["a", "b"])
    one.remove("a")
    assert one.keys() == {"b"}
    time.sleep(0.2)
    told.changes.clear()
    push(fake, b"* 1 EXISTS\r\n")
    told.until(lambda t: t.changes == ["b"])
    time.sleep(0.2)
    assert told.changes == ["b"] and told.troubles == []


def test_adding_again_replaces(fake, watcher, told):
    one = watcher()
    one.add("a", fake.endpoint, Login(ZOFIA.user, "wrong"), fake.policy)
    told.until(lambda t: t.troubles)
    one.add("a", fake.endpoint, ZOFIA, fake.policy)
    told.until(lambda t: t.changes == ["a"])
    assert one.keys() == {"a"}


def test_a_callers_mistake_stops_nobody(fake):
    seen, stop = [], threading.Event()

    def change(key):
        seen.append(key)
        raise RuntimeError("a mistake")

    one = Watcher(change, lambda key, error: None)
    thread = threading.Thread(target=one.run, args=(stop,))
    thread.start()
    one.add("a", fake.endpoint, ZOFIA, fake.policy)
    idling(fake)
    push(fake, b"* 1 EXISTS\r\n")
    deadline = time.monotonic() + 3
    while len(seen) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    thread.join(5)
    assert seen == ["a", "a"]


def test_a_line_without_end_is_cut_off(fake, watcher, told):
    watcher().add("a", fake.endpoint, ZOFIA, policy_for(fake.policy.ca_file, fake.port))
    idling(fake)
    push(fake, b"* " + b"x" * 100_000)
    told.until(lambda t: ("a", "protocol") in t.troubles)
