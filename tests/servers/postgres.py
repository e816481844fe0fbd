"""A throw-away PostgreSQL cluster on loopback. Nothing is synced to disk unless asked for: fast, and worth nothing
after a crash."""

import glob
import itertools
import os
import shutil
import subprocess
import time
from pathlib import Path

import psycopg

from servers import Missing, as_user, end, free_port, give, ordinary_user, remove, short_folder

HINT = "postgresql: apt-get install postgresql"


class Postgres:
    """Context manager. Runs as `postgres` when we are root. `url` is the first database, for SQLAlchemy with psycopg.

    `dir` must be a folder that this user can enter; without it a short one under /tmp is made. `durable`: sync to disk,
    as a real one does.
    """

    def __init__(self, dir: Path | str | None = None, durable: bool = False):
        self._durable = durable
        self._initdb, self._postgres = _program("initdb"), _program("postgres")
        self._owner = ordinary_user("postgres")
        self._own_dir = dir is None
        self.dir = short_folder("pg", self._owner) if dir is None else Path(dir)
        self.port = 0
        self._process: subprocess.Popen | None = None
        self._numbers = itertools.count(1)

    def __enter__(self) -> "Postgres":
        data = self.dir / "data"
        give(self.dir, self._owner)
        made = subprocess.run(
            [self._initdb, "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"],
            capture_output=True, text=True, cwd=self.dir, **as_user(self._owner))
        if made.returncode:
            raise RuntimeError(f"initdb: {made.stderr}")
        self.port = free_port()
        self.start()
        return self

    def __exit__(self, *exc) -> None:
        self.stop()
        if self._own_dir:
            remove(self.dir)

    @property
    def url(self) -> str:
        return self.database_url("postgres")

    def database_url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def create_database(self, template: str | None = None) -> str:
        """A new empty database (or a copy of `template`, which nobody may be using); its URL."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        with self._connect() as connection:
            connection.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
        return self.database_url(name)

    def drop_database(self, url: str) -> None:
        """Remove a database of create_database, whoever is connected to it."""
        with self._connect() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{url.rsplit("/", 1)[1]}" WITH (FORCE)')

    def start(self) -> None:
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off",
                   "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200",
                   "shared_buffers": "64MB", "autovacuum": "on", "timezone": "UTC"}
        if self._durable:
            options |= {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "256MB"}
        arguments = [f"-c{key}={value}" for key, value in options.items()]
        self._process = subprocess.Popen(
            [self._postgres, "-D", str(self.dir / "data"), "-p", str(self.port), *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(self.dir / "postgres.log", "ab"),  # noqa: SIM115
            cwd=self.dir, start_new_session=True, **as_user(self._owner))
        deadline = time.monotonic() + 30
        while True:
            try:
                self._connect().close()
                return
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    log = (self.dir / "postgres.log").read_text(errors="replace")
                    raise RuntimeError(f"PostgreSQL does not start:\n{log}") from error
                time.sleep(0.02)

    def stop(self) -> None:
        # SIGTERM waits for the clients; SIGINT is PostgreSQL's "fast": it ends their sessions.
        if self._process and self._process.poll() is None:
            self._process.send_signal(2)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                end(self._process)
        self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def _connect(self):
        return psycopg.connect(host="127.0.0.1", port=self.port, user="postgres", dbname="postgres",
                               autocommit=True, connect_timeout=5)


def _program(name: str) -> str:
    """PATH first, then Debian's place, newest version first."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: int(path.split("/")[4]))
    program = shutil.which(name) or (found[-1] if found else None)
    if not program:
        raise Missing(HINT)
    return program
