"""One running Postroom for browser tests: the real processes, a data folder of its own, real mail servers."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

from fakes.web import Web
from servers import end, free_port, remove, short_folder
from servers.proxy import FaultProxy

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = "corp.example"
SILENT = "silent.example"         # its mail servers take the connection and never say a word
OUTSIDE = "customer.example"      # customers have mailboxes on the same Dovecot, so that they can answer
PASSWORD = "correct horse battery"
UNDO_SECONDS = 2
WORKERS = ("jobs out in", "jobs in pictures slow", "watch", "clock")
UP_WITHIN = 60  # seconds
FLASK = """
import json, sys
from wsgi import app
for command in json.loads(sys.argv[1]):
    done = app.test_cli_runner().invoke(args=command)
    if done.exit_code:
        sys.exit(f"{command[0]}: {done.output} {done.exception!r}")
"""
# Remote pictures may come from one place on loopback. No setting leads there: it is said in code.
WORKER = """
import sys
import worker
from webapp.mail.web import Reach
from wsgi import app
app.config["WEB_REACH"] = Reach(frozenset({("127.0.0.1", int(sys.argv[1]))}), seconds=3.0)
worker.main(sys.argv[2:])
"""
WEB = ("-m", "gunicorn", "wsgi:app", "--worker-class", "gthread", "--workers", "1", "--threads", "64",
       "--no-control-socket", "--graceful-timeout", "1", "--log-level", "warning")


class Stage:
    """Context manager. `url` is where people open it. `folder` holds data and the processes' output (`*.log`).

    `outside` is the rest of the web (fakes.web.Web): remote pictures are fetched from there, and from nowhere else.
    `people` are (name, e-mail address, role); all sign in with PASSWORD. `workers=False` starts the web server alone.
    `redis_url` must be its own: names of what changed would mix.
    """

    def __init__(self, dovecot, sink, redis_url, people=(), workers=True, **settings):
        self.dovecot, self.sink, self._people = dovecot, sink, people
        self._silent = FaultProxy(1)
        self._silent.black_hole = True
        self.outside = Web()
        self.folder = short_folder("st")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        servers = f"127.0.0.1:{dovecot.imaps_port}", f"127.0.0.1:{sink.port}"
        silent = f"127.0.0.1:{self._silent.port}"
        self.environ = {
            **{k: v for k, v in os.environ.items() if not k.startswith("POSTROOM_") and k != "DATABASE_URL"},
            "PYTHONUNBUFFERED": "1", "REDIS_URL": redis_url, "POSTROOM_DATA_DIR": str(self.folder / "data"),
            "POSTROOM_BASE_URL": self.url, "POSTROOM_UNDO_SECONDS": str(UNDO_SECONDS),
            "POSTROOM_MAIL_LOOPBACK": " ".join((*servers, silent)), "POSTROOM_MAIL_CA_FILE": str(dovecot.ca_file),
            "POSTROOM_MAIL_SERVERS": f"{DOMAIN}={servers[0]}:tls,{servers[1]}:tls; {SILENT}={silent}:tls,{silent}:tls",
            **{f"POSTROOM_{name.upper()}": str(value) for name, value in settings.items()}}
        self._with_workers, self._processes = workers, []

    def __enter__(self) -> "Stage":
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exc) -> None:
        """Ended one by one, by our own handles, also when a test failed."""
        for _name, process in self._processes:
            if process.poll() is None:
                process.terminate()
        for _name, process in self._processes:
            end(process, 8)
        self._processes.clear()
        self._silent.__exit__()
        self.outside.__exit__()
        remove(self.folder)

    def mailbox(self, address, password="secret-1"):
        """A mailbox on the real servers; its password for both."""
        self.dovecot.add_user(address, password)
        self.sink.add_user(address, password)
        return address

    def logs(self):
        """What the processes said, for a failed test."""
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}"
                         for path in sorted(self.folder.glob("*.log")))

    def _start(self):
        self._silent.__enter__()
        self.outside.__enter__()
        self._flask(["prepare"], *(["add-person", name, address, "--role", role, "--password", PASSWORD]
                                   for name, address, role in self._people))
        self._run("web", *WEB, "--bind", f"127.0.0.1:{self.port}")
        for words in WORKERS if self._with_workers else ():
            self._run(words, "-c", WORKER, str(self.outside.port), *words.split())
        deadline = time.monotonic() + UP_WITHIN
        while not self._healthy():
            if time.monotonic() > deadline or self._processes[0][1].poll() is not None:
                raise RuntimeError(f"Postroom does not start:\n{self.logs()}")
            time.sleep(0.05)

    def _healthy(self):
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return answer.status == 200
        except (URLError, OSError):
            return False

    def _run(self, name, *arguments):
        with open(self.folder / f"{name.replace(' ', '-')}.log", "wb") as log:
            process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=self.environ, stdout=log,
                                       stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
        self._processes.append((name, process))

    def _flask(self, *commands):
        """`flask --app wsgi ...` for each, in one process: most of its time goes into loading the application."""
        done = subprocess.run([sys.executable, "-c", FLASK, json.dumps(commands)], cwd=ROOT, env=self.environ,
                              capture_output=True, text=True, timeout=UP_WITHIN)
        if done.returncode:
            raise RuntimeError(f"flask does not do it:\n{done.stdout}{done.stderr}")
