"""The product's own processes. Each can be killed with -9, and comes back."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

from mailroom import connected
from servers import end, free_port, remove, short_folder

from webapp import create_app
from webapp.actions import connections, people
from webapp.config import Settings, variable
from webapp.extensions import db, unit
from webapp.launch.serve import Serving
from webapp.models import Connection, Inbox, Person

ROOT = Path(__file__).resolve().parents[2]
WORKERS = ("jobs out in", "jobs in pictures slow")
NAMES = (*WORKERS, "watch", "clock")
WEB = "web"


class Household:
    """Context manager. `app` is the installation, prepared, for looking and for making connections in this process.

    A process that ends by itself is started again, as systemd would; `fell` counts how often that was. With "web" among
    the names, its pages are at `url`.
    """

    def __init__(self, settings, names=NAMES):
        self.folder = short_folder("hh")
        self.names = names
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        values = {"data_dir": str(self.folder / "data"), "undo_seconds": 0, "base_url": self.url, **settings}
        self.settings = Settings(**values)
        self._environ = {**{k: v for k, v in os.environ.items() if not k.startswith("POSTROOM_")},
                         **{variable(k): str(v) for k, v in values.items()}, "PYTHONUNBUFFERED": "1"}
        self._processes, self._lock, self._open = {}, threading.Lock(), False
        self.fell, self.last_words = dict.fromkeys(names, 0), []

    def __enter__(self):
        self.app = create_app(self.settings)
        done = self.app.test_cli_runner().invoke(args=["prepare"])
        if done.exit_code:
            raise RuntimeError(f"prepare: {done.output} {done.exception!r}")
        return self

    def __exit__(self, *exc):
        self.stop()
        with self.app.app_context():
            db.engine.dispose()
        self.app.extensions["blobs"].engine.dispose()
        if exc[0] and os.environ.get("BENCH_KEEP"):
            print(f"kept: {self.folder}", file=sys.stderr)
        else:
            remove(self.folder)

    def connect(self, address, port, host="127.0.0.1"):
        """A team address on the servers at this port, connected by Zofia, who is made when nobody is there. Its id. In an
        application context of the caller's."""
        with unit():
            if not db.session.scalar(db.select(Person.id).limit(1)):
                people.create_person("Zofia", "zofia@corp.example", "admin", "correct horse battery")
            inbox = db.session.scalars(db.select(Inbox.name).order_by(Inbox.id)).first()
        servers = {"imap_host": host, "imap_port": port, "imap_security": "tls", "smtp_host": host, "smtp_port": port,
                   "smtp_security": "tls", "user_name": address}
        number = connected("team", address, "zofia", inbox, servers=servers)
        with unit():        # else the clock finds a step that stands still, and connects again: no SMTP is there
            row = db.session.get(Connection, number)
            for name in row.checks:
                connections.step(row, name, "done")
        return number

    def start(self):
        self._open = True
        for name in self.names:
            self._start(name)
        self._nurse = threading.Thread(target=self._look_after, daemon=True)
        self._nurse.start()

    def stop(self):
        if not self._open:
            return
        self._open = False
        self._nurse.join(2)
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            end(process, 8)
            _kill_all(_horses(process.pid))

    def pid(self, name):
        return self._processes[name].pid

    def horses(self, name):
        """Pids of the work horses of that worker: forked, in sessions of their own, at work right now."""
        return _horses(self.pid(name))

    def kill(self, name, horse=True, itself=True):
        """-9. Returns how many horses were at work."""
        with self._lock:
            process = self._processes[name]
            horses = _horses(process.pid)
            if itself:
                process.kill()
            if horse:
                _kill_all(horses)
            if itself:
                process.wait()
                self._start(name)
        return len(horses)

    def kill_for_good(self, name):
        """-9 of it and its horses; it stays away."""
        with self._lock:
            process = self._processes.pop(name)
            horses = _horses(process.pid)
            process.kill()
            _kill_all(horses)
            process.wait()
        return len(horses)

    def logs(self, most=3000):
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-most:]}"
                         for path in sorted(self.folder.glob("*.log")))

    def _log(self, name):
        return self.folder / f"{name.replace(' ', '-')}.log"

    def _last_line(self, name):
        return next((line for line in reversed(self._log(name).read_text(errors="replace").splitlines())
                     if line.strip()), "")[:300]

    def _start(self, name):
        with open(self._log(name), "ab") as log:
            self._processes[name] = subprocess.Popen(
                self._command(name), cwd=ROOT, env=self._environ, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True)

    def _command(self, name):
        if name == WEB:
            return Serving(ROOT, SimpleNamespace(host="127.0.0.1", port=self._port, demo=False), self._environ).web_command()
        return [sys.executable, "worker.py", *name.split()]

    def _look_after(self):
        pause = threading.Event()
        while self._open:
            with self._lock:
                for name, process in list(self._processes.items()):
                    if process.poll() is not None and self._open:
                        self.fell[name] += 1
                        self.last_words.append(f"{name} ended with {process.returncode}: {self._last_line(name)}")
                        self._start(name)
            pause.wait(0.5)


def _horses(pid):
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _kill_all(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
