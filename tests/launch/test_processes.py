"""The process table: who belongs to whom, and ending them without touching strangers."""

import os
import signal
import subprocess
import sys
import time

import pytest

from webapp.launch import leftovers
from webapp.launch.processes import Process, ProcessTable, end, family


class FakeTable:
    """Processes that die of SIGTERM, unless they are deaf, and of SIGKILL."""

    def __init__(self, *rows, deaf=()):
        self.rows = {row.pid: row for row in rows}
        self.deaf, self.signals = deaf, []

    def all(self):
        return dict(self.rows)

    def get(self, pid):
        return self.rows.get(pid)

    def signal(self, pid, number):
        self.signals.append((pid, number))
        if number == signal.SIGKILL or pid not in self.deaf:
            self.rows.pop(pid, None)
        return True


def process(pid, parent=1, session=None, started="100", command="worker"):
    return Process(pid, parent, session or pid, started, command)


def test_a_family_is_descendants_and_the_session():
    table = FakeTable(process(10), process(11, 10, 10), process(12, 11, 12), process(13, 1, 10), process(20))
    assert {row.pid for row in family(table, 10)} == {10, 11, 12, 13}


def test_a_family_is_found_when_its_head_is_dead():
    table = FakeTable(process(11, 1, 10), process(20))
    assert [row.pid for row in family(table, 10)] == [11]


def test_who_does_not_listen_is_killed():
    table = FakeTable(process(10), process(11), deaf={11})
    assert [row.pid for row in end(table, family(table, 10) + family(table, 11), grace=0.05)] == [11]
    assert table.signals == [(10, signal.SIGTERM), (11, signal.SIGTERM), (11, signal.SIGKILL)]


def test_a_pid_that_was_given_to_a_stranger_is_not_touched():
    table = FakeTable(process(10, started="900"))
    end(table, [process(10, started="100")], grace=0)
    assert table.signals == []


def test_the_real_table_knows_this_process_and_not_a_dead_one():
    table = ProcessTable()
    assert table.get(os.getpid()).parent == os.getppid()
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        assert table.all()[child.pid].session == child.pid
        child.kill()
        deadline = time.monotonic() + 5
        while table.get(child.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert table.get(child.pid) is None  # though not waited for yet: a zombie is dead
    finally:
        child.kill()
        child.wait()


class TestLeftOvers:
    def test_what_was_noted_is_ended_with_its_children_and_the_note_goes(self, tmp_path):
        table = FakeTable(process(900001), process(900002, 900001), process(900003))
        leftovers.note(tmp_path, "web", table.get(900001))
        assert leftovers.clear(tmp_path, table, grace=0) == ["web"]
        assert set(table.rows) == {900003}
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("change", [{"started": "7"}, {"boot": "another boot"}], ids=["reused pid", "rebooted"])
    def test_a_stranger_with_the_same_pid_lives_on(self, tmp_path, monkeypatch, change):
        table = FakeTable(process(900001))
        monkeypatch.setattr(leftovers, "boot", lambda: change.get("boot", "one"))
        leftovers.note(tmp_path, "web", process(900001, started=change.get("started", "100")))
        monkeypatch.setattr(leftovers, "boot", lambda: "one")
        assert leftovers.clear(tmp_path, table, grace=0) == []
        assert table.signals == []
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("text", ["", "{}", "[]", '{"pid": "x"}', "\0\0", '{"pid": 1'])
    def test_a_damaged_note_is_removed(self, tmp_path, text):
        (tmp_path / "web.json").write_text(text)
        assert leftovers.clear(tmp_path, FakeTable(process(1)), grace=0) == []
        assert not (tmp_path / "web.json").exists()

    def test_a_dead_servers_socket_is_removed(self, tmp_path):
        (tmp_path / "valkey.sock").touch()
        leftovers.clear(tmp_path, FakeTable())
        assert not (tmp_path / "valkey.sock").exists()
