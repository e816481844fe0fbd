"""Visits: the watching connection itself is lent to whoever reads what is new, and idles again afterwards."""

import threading
import time

import pytest
from fakes.imap import FakeImap, Hang
from servers.proxy import FaultProxy

from webapp.mail.idle import watcher as idle
from webapp.mail.types import MailError

from .conftest import ZOFIA, at, policy_for
from .test_idle import idling, push, told, watcher  # noqa: F401 - fixtures

NEW = b"* 1 EXISTS\r\n"


class Visitor:
    """A visit that finds all UIDs. `calls`: (key, what it found); `does`: what it does besides; `settled`: its answer."""

    def __init__(self):
        self.calls, self.settled, self.does = [], True, lambda session: None

    def __call__(self, key, session, endpoint, login):
        self.does(session)
        self.calls.append((key, session.uids(1, None)))
        return self.settled

    def until(self, count, seconds=5.0):
        wait(lambda: len(self.calls) >= count, seconds)


def wait(ready, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def visitor():
    return Visitor()


@pytest.fixture
def watched(fake, watcher, told, visitor):  # noqa: F811
    """One mailbox is watched, and what its connect told is done with."""
    fake.messages = {1: b"Subject: x\r\n\r\nx\r\n"}
    one = watcher(visit=visitor)
    one.add("a", fake.endpoint, ZOFIA, fake.policy)
    idling(fake)
    told.until(lambda t: t.changes == ["a"])
    return one


def test_new_mail_is_read_over_the_connection_that_heard_of_it(fake, watched, told, visitor):  # noqa: F811
    for count in (1, 2, 3):
        idling(fake)
        push(fake, NEW)
        visitor.until(count)
    idling(fake)
    assert visitor.calls == [("a", [1])] * 3
    assert fake.names().count(b"AUTHENTICATE") == 1 and fake.names().count(b"EXAMINE") == 1
    assert told.changes == ["a"] and told.troubles == []


def test_new_mail_on_the_real_server_is_visited(dovecot, person, there, watcher, told):  # noqa: F811
    found = []

    def visit(key, session, endpoint, login):
        assert (endpoint, login) == (there[0], person)
        uids = session.uids(len(found) + 1, None)
        found.extend(item.raw for item in session.fetch(uids, 10_000))
        return True
    watcher(visit=visit).add(5, there[0], person, there[1])
    told.until(lambda t: t.changes == [5])
    for count in (1, 2, 3):
        dovecot.deliver(person.user, b"Subject: %d\r\n\r\nx\r\n" % count)
        wait(lambda count=count: len(found) == count)
    assert [raw[:10] for raw in found] == [b"Subject: %d" % n for n in (1, 2, 3)]
    assert told.changes == [5] and told.troubles == []


@pytest.mark.parametrize("line", [b"* 1 EXPUNGE\r\n", b"* 1 FETCH (FLAGS (\\Seen))\r\n"])
def test_other_changes_are_told_as_before(fake, watched, told, visitor, line):  # noqa: F811
    push(fake, line)
    told.until(lambda t: t.changes == ["a", "a"])
    assert visitor.calls == [] and fake.names().count(b"IDLE") == 1


def test_new_mail_and_other_changes_at_once_are_both_seen_to(fake, watched, told, visitor):  # noqa: F811
    push(fake, b"* 1 EXPUNGE\r\n" + NEW)
    told.until(lambda t: t.changes == ["a", "a"])
    visitor.until(1)


def test_what_a_visit_leaves_is_told_and_the_connection_stays(fake, watched, told, visitor):  # noqa: F811
    visitor.settled = False
    push(fake, NEW)
    told.until(lambda t: t.changes == ["a", "a"])
    idling(fake)
    assert told.troubles == [] and fake.names().count(b"AUTHENTICATE") == 1


def test_mail_that_comes_during_a_visit_is_visited(fake, watched, told, visitor):  # noqa: F811
    def answer(tag, arguments):
        del fake.on[b"UID SEARCH"]
        fake.messages[2] = b"Subject: y\r\n\r\ny\r\n"
        return b"* SEARCH 1\r\n* 2 EXISTS\r\n" + tag + b" OK done\r\n"     # found before it came, and never said again
    fake.on[b"UID SEARCH"] = answer
    push(fake, NEW)
    visitor.until(2)
    assert [uids for _key, uids in visitor.calls] == [[1], [1, 2]]
    assert told.changes == ["a"]


def test_what_is_deleted_during_a_visit_is_told(fake, watched, told, visitor):  # noqa: F811
    def answer(tag, arguments):
        del fake.on[b"UID SEARCH"]
        return b"* SEARCH 1\r\n* 1 EXPUNGE\r\n" + tag + b" OK done\r\n"
    fake.on[b"UID SEARCH"] = answer
    push(fake, NEW)
    told.until(lambda t: t.changes == ["a", "a"])
    assert len(visitor.calls) == 1


@pytest.mark.parametrize("error, code", [(MailError("throttled"), "throttled"), (RuntimeError("a bug"), "protocol")])
def test_a_visit_that_fails_is_told_as_change_and_trouble_and_watching_goes_on(
        fake, watched, told, visitor, error, code):  # noqa: F811
    def fail(session):
        visitor.does = lambda session: None
        raise error
    visitor.does = fail
    push(fake, NEW)
    told.until(lambda t: t.troubles == [("a", code)] and t.changes[:2] == ["a", "a"])
    told.until(lambda t: len(t.changes) == 3)     # connected again
    idling(fake)
    push(fake, NEW)
    visitor.until(1)


def test_a_server_that_says_goodbye_in_a_visit(fake, watched, told, visitor):  # noqa: F811
    fake.on[b"UID SEARCH"] = lambda tag, arguments: b"* BYE going down\r\n"
    push(fake, NEW)
    told.until(lambda t: t.troubles == [("a", "unavailable")] and t.changes[:2] == ["a", "a"])
    del fake.on[b"UID SEARCH"]
    told.until(lambda t: len(t.changes) == 3)


@pytest.mark.parametrize("where", [b"IDLE", b"UID SEARCH"])
def test_a_server_that_hangs_in_a_visit_delays_nobody_and_is_left_soon(
        fake, server_pair, authority, watcher, told, visitor, where, monkeypatch):  # noqa: F811
    monkeypatch.setattr(idle, "VISIT", 1.0)
    with FakeImap(server_pair) as slow:
        answer = {b"IDLE": b"+ idling\r\n" + NEW, b"UID SEARCH": b""}[where]
        slow.on[where] = lambda tag, arguments: Hang(answer)
        one = watcher(visit=visitor)
        for number in range(6):     # more than it is allowed visits at a time
            one.add(number, at(slow.port)._replace(host="localhost"), ZOFIA,
                    policy_for(authority.ca_file, slow.port))
        if where == b"UID SEARCH":
            idling(slow, 6)
            push(slow, NEW)
        one.add("good", fake.endpoint, ZOFIA, fake.policy)
        idling(fake)
        # Two found no free thread, and are told at once; each was told once for its connect, too.
        told.until(lambda t: sum(key != "good" for key in t.changes) == 8, 0.8)
        began = time.monotonic()
        push(fake, NEW)
        visitor.until(1)
        assert visitor.calls[0][0] == "good" and time.monotonic() - began < 0.5
        told.until(lambda t: [code for _key, code in t.troubles].count("timed_out") >= 4, 3)


def test_too_many_at_once_are_told_as_changes(fake, watcher, told, visitor, monkeypatch):  # noqa: F811
    monkeypatch.setattr(idle, "VISITS_PER_HOST", 2)
    monkeypatch.setattr(idle, "VISIT", 30.0)
    go = threading.Event()
    visitor.does = lambda session: go.wait(20)
    one = watcher(visit=visitor)
    for number in range(5):
        one.add(number, fake.endpoint, ZOFIA, fake.policy)
    idling(fake, 5, 15)
    told.until(lambda t: len(t.changes) == 5, 15)
    push(fake, NEW)
    told.until(lambda t: len(t.changes) == 8, 15)
    go.set()
    visitor.until(2, 15)
    idling(fake, 5, 15)
    push(fake, NEW)
    visitor.until(4, 15)         # their threads are free again


def test_a_server_that_never_stops_telling_has_few_visits_a_minute(fake, watched, told, visitor, monkeypatch):  # noqa: F811
    monkeypatch.setattr(idle, "VISITS_A_MINUTE", 3)
    fake.on[b"UID SEARCH"] = lambda tag, arguments: b"* SEARCH 1\r\n* 9 EXISTS\r\n" + tag + b" OK done\r\n"
    push(fake, NEW)
    told.until(lambda t: t.changes == ["a", "a"])
    idling(fake)
    assert len(visitor.calls) == 3


def test_a_mailbox_that_is_removed_during_its_visit_is_left(fake, watched, told, visitor):  # noqa: F811
    inside, go = threading.Event(), threading.Event()

    def linger(session):
        inside.set()
        go.wait(5)
    visitor.does = linger
    push(fake, NEW)
    assert inside.wait(5)
    watched.remove("a")
    go.set()
    visitor.until(1)
    wait(lambda: fake.commands[-1][1] == b"IDLE" and not fake.idling)      # said once more, and hung up
    visitor.does = lambda session: None
    watched.add("b", fake.endpoint, ZOFIA, fake.policy)
    told.until(lambda t: t.changes == ["a", "b"])
    assert told.troubles == []


def test_idle_is_said_anew_after_visits_too(fake, watcher, told, visitor):  # noqa: F811
    fake.messages = {1: b"Subject: x\r\n\r\nx\r\n"}
    watcher(visit=visitor, again=0.3).add("a", fake.endpoint, ZOFIA, fake.policy)
    idling(fake)
    push(fake, NEW)
    visitor.until(1)
    said = fake.names().count(b"IDLE")
    wait(lambda: fake.names().count(b"IDLE") >= said + 3)
    idling(fake)
    push(fake, NEW)
    visitor.until(2)
    assert told.troubles == [] and fake.names().count(b"AUTHENTICATE") == 1


def test_a_line_that_came_half_before_the_visit_is_whole_in_it(fake, watcher, told, visitor):  # noqa: F811
    def idles(tag, arguments):
        del fake.on[b"IDLE"]
        return b"+ idling\r\n" + NEW + b"* 2 FET"
    fake.on |= {b"IDLE": idles, b"": lambda tag, arguments: b"CH (FLAGS ())\r\nI OK done\r\n"}     # "": after DONE
    watcher(visit=visitor).add("a", fake.endpoint, ZOFIA, fake.policy)
    visitor.until(1)
    told.until(lambda t: t.changes == ["a", "a"])
    idling(fake)
    assert told.troubles == []


def test_answers_to_a_visit_are_short(fake, watched, told, visitor):  # noqa: F811
    fake.on[b"UID SEARCH"] = lambda tag, arguments: (
        b"* SEARCH " + b" ".join(b"%d" % n for n in range(1, 20_000)) + b"\r\n" + tag + b" OK done\r\n")
    push(fake, NEW)
    told.until(lambda t: t.troubles == [("a", "protocol")])
    assert visitor.calls == []


def test_a_cut_in_the_middle_of_a_visit_is_told(fake, watcher, told, visitor):  # noqa: F811
    with FaultProxy(fake.port) as proxy:
        one = watcher(visit=visitor)
        one.add("a", at(proxy.port), ZOFIA, policy_for(fake.policy.ca_file, proxy.port))
        idling(fake)
        told.until(lambda t: t.changes == ["a"])
        visitor.does = lambda session: proxy.cut()
        push(fake, NEW)
        told.until(lambda t: ("a", "lost") in t.troubles and t.changes[:2] == ["a", "a"])
        visitor.does = lambda session: None
        told.until(lambda t: len(t.changes) == 3)
