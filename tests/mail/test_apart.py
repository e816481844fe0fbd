"""A function in a child process: what kills it costs one call, never the caller."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from webapp.mail import apart
from webapp.mail.apart import Apart, Died, Nursery
from webapp.mail.types import Mailbox, Parsed


class Odd:
    """Not a plain value."""


def act(raw, how):
    if how == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "burn":
        while True:
            sum(range(1000))
    elif how == "grow":
        return len(bytearray(3_000_000_000))
    elif how == "raise":
        raise ValueError("no")
    elif how == "odd":
        return Odd()
    elif how == "hang":
        time.sleep(60)
    return how, len(raw)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(apart, "CPU_SECONDS", 0.3)
    monkeypatch.setattr(apart, "SECONDS", 3)


def test_answers_come_in_order_however_large(quick):
    with Apart(act) as child:
        for _ in range(3):
            child.ask([(b"x" * 5_000_000, "a"), (b"", "b"), (b"yy", "c")])
            assert [child.answer() for _ in range(3)] == [("a", 5_000_000), ("b", 0), ("c", 2)]


@pytest.mark.parametrize("how", ["die", "burn", "grow", "raise", "odd", "hang"])
def test_a_call_that_is_not_survived_is_said_and_the_next_ask_works(quick, how):
    with Apart(act) as child:
        child.ask([(b"x", "before"), (b"x", how), (b"x", "after")])
        assert child.answer() == ("before", 1)
        started = time.monotonic()
        with pytest.raises(Died):
            child.answer()
        assert time.monotonic() - started < 8
        child.ask([(b"x", "after")])
        assert child.answer() == ("after", 1)


def test_what_a_message_says_comes_back_whole():
    parsed = Parsed(sender=Mailbox("Anna", "anna@customer.example"), date=datetime.now(UTC), references=("a", "b"))
    with Apart(lambda _raw, _how: (parsed, {"to": [["", "x@y"]]}, [])) as child:
        child.ask([(b"", "whole")])
        assert child.answer() == (parsed, {"to": [["", "x@y"]]}, [])


def test_the_child_holds_no_connection_of_its_parent_open_and_goes_with_it():
    ours, theirs = os.pipe()
    with Apart(act) as child:
        child.ask([(b"", "a")])
        child.answer()
        os.close(theirs)
        assert os.read(ours, 1) == b"", "nobody else has the other end"
        pid = child._pid
    os.close(ours)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.fixture
def nursery(quick):
    made = Nursery(act)
    yield made
    made.close()


@pytest.mark.parametrize("how", ["die", "burn", "grow", "raise", "odd", "hang"])
def test_children_of_a_nursery_are_replaced_as_well(nursery, how):
    with Apart(act, nursery) as child:
        child.ask([(b"x", "a"), (b"x", how), (b"x", "b")])
        assert child.answer() == ("a", 1)
        with pytest.raises(Died):
            child.answer()
        child.ask([(b"xx", "b")])
        assert child.answer() == ("b", 2)


def test_several_threads_have_children_of_one_nursery(nursery):
    answers = []

    def work(size):
        with Apart(act, nursery) as child:
            for n in range(20):
                child.ask([(b"x" * size, n)])
                answers.append(child.answer() == (n, size))
    threads = [threading.Thread(target=work, args=(size,)) for size in (1, 1000, 1_000_000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert answers == [True] * 60


def test_children_that_were_ended_are_buried(nursery):
    with Apart(act, nursery) as child:
        child.ask([(b"", "a")])
        child.answer()
        pid = child._pid
    deadline = time.monotonic() + 3
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline, "not even a zombie stays"
        time.sleep(0.01)


def test_a_nursery_that_is_gone_is_an_error_of_ours_and_not_of_the_message(nursery):
    nursery.close()
    with Apart(act, nursery) as child, pytest.raises(OSError):
        child.ask([(b"", "a")])


def test_a_nursery_and_its_children_end_with_their_parent():
    parent = subprocess.Popen([sys.executable, "-c", """
import time
from webapp.mail.apart import Apart, Nursery
nursery = Nursery(len)
child = Apart(len, nursery)
child.ask([])
print(nursery._pid, child._pid, flush=True)
time.sleep(60)
"""], cwd=Path(__file__).resolve().parents[2], stdout=subprocess.PIPE)
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 5
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(pid):
    """Not even waiting for whoever is to bury it here."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
