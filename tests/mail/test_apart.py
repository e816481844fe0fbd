"""A function in a child process: what kills it costs one call, never the caller."""

import os
import signal
import time
from datetime import UTC, datetime

import pytest

from webapp.mail import apart
from webapp.mail.apart import Apart, Died
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
