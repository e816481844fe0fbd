"""`python3 run`: everything that a running Postroom consists of, in order, with a line for each."""

import os
import sys
import time
from pathlib import Path

from webapp.config import BadSetting, Settings
from webapp.launch import folder, leftovers, mail_servers, ports, prepared, valkey
from webapp.launch.child import Spec
from webapp.launch.supervisor import DidNotStart, Stopped, Supervisor
from webapp.launch.terminal import Step, complain, say

STOP_ORDER = ("web", "watch", "clock", "jobs-out", "jobs-slow", "demo", "valkey")
DEMO_WITHIN, PREPARE_WITHIN, WEB_WITHIN = 60, 900, 60  # seconds; a migration of a large database takes its time
WEB_PROCESSES, THREADS_EACH = 2, 256  # a live stream holds a thread: fewer threads than streams stop the whole site
# name, arguments of worker.py, seconds to stop: a job in hand may end first
WORKERS = (("jobs-out", "jobs out in", 10), ("jobs-slow", "jobs in pictures slow", 10),
           ("watch", "watch", 5), ("clock", "clock", 5))
SHARED_MEMORY = "/dev/shm"
PROBLEMS = (BadSetting, folder.FolderProblem, mail_servers.NoPorts, ports.PortProblem, valkey.NoServer, DidNotStart)


def serve(root, options, environ=os.environ, table=None):
    """Run until Ctrl-C or SIGTERM. options: demo, host, port. Returns the exit code."""
    serving = Serving(Path(root), options, environ, table)
    try:
        serving.run()
    except PROBLEMS as problem:
        complain(str(problem))
        return 1
    except Stopped:
        pass
    finally:
        serving.stop()
    return 0


class Serving:
    """One start of the product: the steps, and what they hand to each other."""

    def __init__(self, root, options, environ, table=None):
        self.root, self.options = root, options
        self.folder = Path(environ.get("POSTROOM_DATA_DIR") or root / "instance").absolute()
        self.url = ports.url(options.host, options.port)
        self.environ = {
            **environ, "PYTHONUNBUFFERED": "1", "POSTROOM_DATA_DIR": str(self.folder),
            "POSTROOM_BASE_URL": environ.get("POSTROOM_BASE_URL") or self.url,
            "POSTROOM_DEMO": "1" if options.demo else "0"}
        self.environ.pop("POSTROOM_STARTED", None)
        self.lock = folder.Lock(self.folder)
        self.supervisor = Supervisor(root, self.folder, self.environ, STOP_ORDER, table)
        self._began = float(environ.get("POSTROOM_STARTED") or time.time())

    def run(self):
        say("Postroom is starting.")
        os.umask(0o077)  # databases, logs and keys are nobody else's
        self.supervisor.listen()
        Settings.from_env(self.environ)  # a bad one gives its sentence here, not a traceback in six logs
        self.open_folder()
        demo = self.start_demo()
        self.start_valkey()
        self.prepare()
        web = self.start_web()
        self.await_demo(demo)
        self.await_web(web)
        self.start_workers()
        self.say_welcome()
        self.supervisor.watch()

    def open_folder(self):
        with Step("Data folder") as step:
            folder.make(self.folder)
            self.lock.take(self.url)
            ended = leftovers.clear(self.folder / "run", self.supervisor.table)
            ports.check(self.options.host, self.options.port)
            step.note = str(self._shown(self.folder))
            if ended:
                step.note += f", cleared what an earlier start left running ({', '.join(ended)})"

    def start_demo(self):
        """Started first, because it takes longest; awaited while the web server starts too."""
        if self.options.demo:
            return self.supervisor.start(mail_servers.spec(self.root, self.folder, self.environ))
        return None

    def start_valkey(self):
        if self.environ.get("REDIS_URL"):
            say("  Redis: the one in REDIS_URL")
            return
        with Step("Valkey") as step:
            socket = valkey.socket_path(self.folder)
            self.environ["REDIS_URL"] = valkey.url(self.folder)
            if valkey.answers(socket):
                step.note = "one runs already, using it"
                return
            socket.unlink(missing_ok=True)
            child = self.supervisor.start(valkey.spec(self.folder))
            self.supervisor.wait(lambda: valkey.answers(socket), valkey.UP_WITHIN, child)

    def prepare(self):
        """Migrations, keys, the first inbox; in the demo its people. The product knows how: `flask prepare`."""
        facts = {"demo": self.options.demo, "files": str(self.folder)}
        own_database = not self.environ.get("DATABASE_URL")
        with Step("Database") as step:
            if own_database and prepared.is_done(self.root, self.folder, facts):
                step.note = "nothing to do"
                return
            self.supervisor.once(
                Spec("prepare", [sys.executable, "-m", "flask", "--app", "wsgi", "prepare"], grace=30), PREPARE_WITHIN)
            step.note = "ready"
            if own_database:
                prepared.remember(self.root, self.folder, facts)

    def await_demo(self, demo):
        if demo is None:
            return
        with Step("Demo mail servers"):
            seen = []

            def ready():
                seen.extend(demo.log.lines())
                return any(line.split()[:1] == ["ready"] for line in seen)

            self.supervisor.wait(ready, DEMO_WITHIN, demo)

    def start_web(self):
        return self.supervisor.start(Spec("web", self.web_command(), grace=8))

    def await_web(self, web):
        with Step("Web server") as step:
            self.supervisor.wait(lambda: ports.healthy(self.options.host, self.options.port), WEB_WITHIN, web)
            step.note = self.url

    def web_command(self):
        host = f"[{self.options.host}]" if ":" in self.options.host else self.options.host
        command = [
            sys.executable, "-m", "gunicorn", "wsgi:app", "--bind", f"{host}:{self.options.port}",
            "--worker-class", "gthread", "--workers", str(WEB_PROCESSES), "--threads", str(THREADS_EACH),
            "--no-control-socket", "--graceful-timeout", "5", "--log-level", "info"]
        if os.access(SHARED_MEMORY, os.W_OK):  # its heartbeat file, away from a slow disk
            command += ["--worker-tmp-dir", SHARED_MEMORY]
        return command

    def start_workers(self):
        """After the first page is there: on a small machine they would only slow each other down."""
        with Step("Workers") as step:
            for name, words, grace in WORKERS:
                self.supervisor.start(Spec(name, [sys.executable, "worker.py", *words.split()], grace=grace))
            step.note = ", ".join(name for name, _, _ in WORKERS)

    def say_welcome(self):
        say()
        say(f"Postroom is ready after {max(0.0, time.time() - self._began):.1f} s: {self.environ['POSTROOM_BASE_URL']}")
        if self.options.demo:
            for line in sign_ins():
                say(line)
        else:
            for line in self.first_visit():
                say(line)
        say("Logs are in " + str(self._shown(self.folder / "log")) + ". Stop with Ctrl-C.")

    def first_visit(self):
        """While nobody is in: the address that lets the first admin in, which a stranger does not know."""
        code = self.folder / "secret.setup"
        if code.exists():
            yield f"Open this address to become the first admin: {self.environ['POSTROOM_BASE_URL']}/set-up?code=" + (
                code.read_text().strip())

    def stop(self):
        if self.supervisor.children:
            say("\nStopping. (Ctrl-C again: at once.)")
        self.supervisor.stop()
        if self.environ.get("REDIS_URL", "").startswith("unix:"):
            valkey.tidy(self.folder)

    def _shown(self, path):
        return path.relative_to(self.root) if path.is_relative_to(self.root) else path


def sign_ins():
    """Lines with the demo's people who can sign in, and the mailboxes that can be connected."""
    from webapp.demo.people import MAILBOXES, PEOPLE

    people = [person for person in PEOPLE if not person.removed]
    width = max(len(person.email) for person in people)
    yield "Sign in as:"
    for person in people:
        yield f"  {person.email:{width}}  {person.password}   ({person.role})"
    yield "Mailboxes to connect:"
    width = max(len(box.address) for box in MAILBOXES)
    for box in MAILBOXES:
        held = ", held by somebody who left" if box.held else ""
        yield f"  {box.address:{width}}  {box.password}   ({box.kind}{held})"
