"""Starting `run` in a tree, and looking at what it started."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path


def wait_for(condition, seconds=20, what="it"):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.05)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Started:
    """`run` in a tree, with this Python instead of a .venv; its output goes to a file."""

    def __init__(self, root, *arguments, **environ):
        self.root, self.port = root, free_port()
        self.output = root / f"output-{len(list(root.glob('output-*')))}.txt"
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("POSTROOM_", "STANDIN_")) and name not in ("DATABASE_URL", "REDIS_URL")}
        with open(self.output, "ab") as output:
            port = str(environ.pop("port", self.port))
            self.process = subprocess.Popen(
                [sys.executable, "run", "--inside-environment", *arguments, "--port", port],
                cwd=root, env={**kept, **environ}, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True)

    @property
    def text(self):
        return self.output.read_text()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def until_ready(self):
        wait_for(lambda: "Stop with Ctrl-C" in self.text or self.process.poll() is not None, what="the start")
        assert self.process.poll() is None, self.text
        return self

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=5) as answer:
            return answer.read().decode()

    def interrupt(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.process.wait(40)

    def kill(self):
        self.process.kill()
        self.process.wait(5)


def ours(root):
    """Command lines of all processes that work in a tree."""
    return [command for command in _in(root).values() if command]


def end_all(root):
    """Kill what a failed test left in its tree."""
    for pid in _in(root):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _in(root):
    """{pid: command line} by the folder they work in: Valkey overwrites its environment."""
    found = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if Path(os.readlink(f"{entry.path}/cwd")).is_relative_to(root):
                    found[int(entry.name)] = Path(entry.path, "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                pass
    return found
