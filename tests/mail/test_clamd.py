"""The virus scanner's protocol, with a fake one, and with the real clamd where it is installed."""

import socket

import pytest
from fakes.clamd import EICAR, Clamd
from servers.clamd import PROGRAM, RealClamd

from webapp.mail import clamd


@pytest.fixture(scope="module", params=["tcp", "unix", *(["real"] if PROGRAM else [])])
def scanner(request, tmp_path_factory):
    made = RealClamd(EICAR) if request.param == "real" else Clamd(
        tmp_path_factory.mktemp("clamd") / "clamd.ctl" if request.param == "unix" else None, most=1_000_000)
    with made as server:
        yield server


def test_what_is_clean_is_clean(scanner):
    assert clamd.scan(clamd.place(scanner.where), iter([b"a" * 100_000, b"", b"b"])) == ("clean", "")
    assert clamd.scan(clamd.place(scanner.where), []) == ("clean", "")


def test_all_of_it_is_looked_at():
    with Clamd() as fake:
        clamd.scan(clamd.place(fake.where), iter([b"a" * 100_000, b"", b"b"]))
        assert fake.asked == [b"a" * 100_000 + b"b"]


def test_what_is_found_is_named(scanner):
    state, name = clamd.scan(clamd.place(scanner.where), [EICAR[:20], EICAR[20:]])
    assert (state, name.removesuffix(".UNOFFICIAL")) == ("infected", "Win.Test.EICAR_HDB-1")


def test_a_stream_that_is_too_long_for_it_is_told_apart(scanner):
    assert clamd.scan(clamd.place(scanner.where), [b"x" * 100_000] * 40).state == "too_large"


@pytest.mark.parametrize("answer", [b"", b"nonsense\0", b"stream: \0", b"x" * 1_000_000, b"stream: OK", b"\xff\0"])
def test_another_answer_is_no_verdict(answer):
    with Clamd(answer=answer) as server:
        if answer == b"stream: OK":      # without its end, but whole
            assert clamd.scan(clamd.place(server.where), [b"x"]).state == "clean"
            return
        with pytest.raises(clamd.Away):
            clamd.scan(clamd.place(server.where), [b"x"])


def test_a_name_that_would_break_a_page_is_cut_and_cleaned():
    with Clamd(answer=b"stream: A\x1b[31m<b>" + b"x" * 1500 + b" FOUND\0") as server:
        name = clamd.scan(clamd.place(server.where), [b"x"]).name
    assert len(name) == 200
    assert name.isprintable()


def test_one_that_is_not_there_is_away():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(clamd.Away):
            clamd.scan(("127.0.0.1", taken.getsockname()[1]), [b"x"])
    with pytest.raises(clamd.Away):
        clamd.scan("/nowhere/clamd.ctl", [b"x"])


@pytest.mark.parametrize(("text", "where"), [("/run/clamd.ctl", "/run/clamd.ctl"), ("localhost:3310", ("localhost", 3310)),
                                             ("[::1]:3310", ("::1", 3310))])
def test_where_it_listens(text, where):
    assert clamd.place(text) == where
