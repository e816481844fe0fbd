"""Log files: put aside at start, never large, and only what alarms goes to the terminal."""

import pytest

from webapp.launch import logs


@pytest.fixture
def log(tmp_path):
    return logs.Log(tmp_path, "web")


def write(log, text):
    with log.opened() as file:
        file.write(text.encode())


def test_only_whole_new_lines_are_given_out(log):
    write(log, "one\ntw")
    assert log.lines() == ["one"]
    write(log, "o\n")
    assert log.lines() == ["two"]
    assert log.lines() == []


def test_only_warnings_and_errors_reach_the_terminal(log):
    lines = ["[INFO] fine", "2026 WARNING webapp: slow", "ERROR: gone", "no Warnings here", "WARNINGS 3"]
    assert list(log.warnings(lines)) == ["2026 WARNING webapp: slow", "ERROR: gone"]


def test_of_a_traceback_the_error_itself_is_shown(log):
    lines = ["Traceback (most recent call last):", '  File "x", line 1', "    boom()", "ValueError: boom", "fine"]
    assert list(log.warnings(lines)) == ["ValueError: boom"]


def test_a_traceback_may_come_in_two_looks(log):
    assert list(log.warnings(["Traceback (most recent call last):", "  File"])) == []
    assert list(log.warnings(["    boom()", "ValueError: boom"])) == ["ValueError: boom"]


def test_the_last_runs_are_kept_and_no_more(log, tmp_path):
    for number in range(6):
        log.rotate()
        write(log, f"run {number}\n")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "web.log": "run 5\n", "web.log.1": "run 4\n", "web.log.2": "run 3\n", "web.log.3": "run 2\n"}


def test_a_file_that_grows_too_large_starts_anew_under_its_writer(log, tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "LARGEST", 1000)
    with log.opened() as file:
        for number in range(300):
            file.write(f"line {number}\n".encode())
            if number % 10 == 9:
                log.lines()
    assert log.path.stat().st_size < 1200
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 5000
    assert "line 299" in "".join(path.read_text() for path in tmp_path.iterdir())
