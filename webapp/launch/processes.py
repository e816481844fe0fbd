"""The machine's process table: who is alive, who belongs to whom, and how to end them.

A pid alone names nobody for long: a process is known by its pid, start time and command line together.
"""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

STEP = 0.02  # seconds between two looks


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    session: int   # pid of the session's first process; 0 where the system does not tell
    started: str   # as the system writes it; only compared for equality
    command: str


class ProcessTable:
    """The real one. Tests give the supervisor one of their own with the same three methods."""

    def all(self):
        """Every process that can be seen, zombies left out, as {pid: Process}."""
        rows = _from_proc() if sys.platform.startswith("linux") else _from_ps()
        return {row.pid: row for row in rows}

    def get(self, pid):
        """The Process with this pid, or None."""
        if sys.platform.startswith("linux"):
            return _read_proc(Path("/proc") / str(pid))
        return self.all().get(pid)

    def signal(self, pid, number):
        """Send a signal. A process that is gone or not ours is no error."""
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True


def family(table, leader, rows=None):
    """Processes that came from one: its descendants and its session, itself first if it still lives.

    Both, because a child may leave the session (setsid) and a grandchild may lose its parent.
    """
    rows = table.all() if rows is None else rows
    members = [rows[leader]] if leader in rows else []
    seen = {leader}
    queue = [leader]
    while queue:
        head = queue.pop()
        for row in rows.values():
            if row.pid not in seen and (row.parent == head or row.session == leader):
                seen.add(row.pid)
                queue.append(row.pid)
                members.append(row)
    return members


def end(table, members, grace, first=signal.SIGTERM):
    """Ask processes to stop, wait up to `grace` seconds, then kill what is left. Returns those that were killed.

    A pid that was given to a stranger meanwhile is not touched.
    """
    left = [row for row in members if _lives(table, row)]
    for row in left:
        table.signal(row.pid, first)
    deadline = time.monotonic() + grace
    while (left := [row for row in left if _lives(table, row)]) and time.monotonic() < deadline:
        time.sleep(STEP)
    for row in left:
        table.signal(row.pid, signal.SIGKILL)
    return left


def _lives(table, row):
    now = table.get(row.pid)
    return now is not None and now.started == row.started


def _from_proc():
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and (row := _read_proc(Path(entry.path))):
            yield row


def _read_proc(folder):
    """proc(5): the name in stat may hold spaces and parentheses, so the fields are counted after the last one."""
    try:
        stat = (folder / "stat").read_text(errors="replace")
        command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    state, parent, _group, session, *rest = stat.rpartition(")")[2].split()
    if state in "ZX":
        return None
    return Process(int(folder.name), int(parent), int(session), rest[15], command)


def _from_ps():
    """macOS and the BSDs: ps(1); the start time is five words."""
    text = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat=,lstart=,command="], capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C"}, check=False).stdout
    for line in text.splitlines():
        words = line.split(None, 8)
        if len(words) == 9 and words[0].isdigit() and "Z" not in words[2]:
            yield Process(int(words[0]), int(words[1]), 0, " ".join(words[3:8]), words[8])
