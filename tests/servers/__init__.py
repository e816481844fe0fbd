"""Real servers for tests and benchmarks: each starts a throw-away one on loopback and ends it by its own pid.

Every one is a context manager and raises `Missing("what to install")` when its program is not there.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path


class Missing(RuntimeError):
    """The program of this server is not installed. The text says what to install."""


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def short_folder(prefix: str, owner: str | None = None) -> Path:
    """A new folder with a short path: UNIX sockets allow about 100 bytes, and pytest's own folders are deep."""
    base = "/tmp" if os.path.isdir("/tmp") else None
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
    give(folder, owner)
    return folder


def give(path: Path, owner: str | None) -> None:
    """Hand a file or folder to `owner` (a user name); nothing to do for None."""
    if owner:
        who = pwd.getpwnam(owner)
        os.chown(path, who.pw_uid, who.pw_gid)


def ordinary_user(preferred: str) -> str | None:
    """The user to run a server as: `preferred` when we are root, None (ourselves) otherwise."""
    return preferred if os.geteuid() == 0 else None


def as_user(owner: str | None) -> dict:
    """Keyword arguments for subprocess that make the child run as `owner`."""
    if not owner:
        return {}
    who = pwd.getpwnam(owner)
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


def end(process: subprocess.Popen | None, seconds: float = 5.0) -> None:
    """SIGTERM, wait, SIGKILL: for a child that we started."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
