"""The stage of the benchmarks: the whole product as `python3 run` starts it, on real throw-away servers.

    with Stage() as stage:
        client = stage.sign_up()
        inbox = stage.connect(client, stage.add_mailbox("support@corp.example"))

Data lies in a temporary folder; everything that was started is ended by its pid.
"""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from servers import free_port, remove, short_folder  # noqa: E402
from servers.ca import Authority  # noqa: E402
from servers.dovecot import Dovecot  # noqa: E402
from servers.sink import SmtpSink  # noqa: E402
from visitor import Visitor  # noqa: E402
from waiting import wait  # noqa: E402

DOMAIN, PASSWORD = "corp.example", "correct horse battery"


class Stage:
    """Context manager. `url`, `data` (the data folder), `dovecot`, `sink`; `environ` is added to the product's.

    `through`: what stands between the product and its IMAP server (a context manager made from a port; has a port)."""

    def __init__(self, through=None, **environ):
        self._environ, self._through = environ, through
        self._open, self._process, self._folder = [], None, None

    def __enter__(self):
        try:
            self._set_up()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def _set_up(self):
        self._folder = short_folder("bench")
        authority = Authority(self._folder / "ca")
        self.dovecot = self._start(Dovecot(authority=authority, extra="verbose_proctitle = yes"))
        self.sink = self._start(SmtpSink(authority=authority))
        self.data = self._folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = self._folder / "output"
        between = self._start(self._through(self.dovecot.imaps_port)) if self._through else None
        imap = f"127.0.0.1:{between.port if between else self.dovecot.imaps_port}"
        smtp = f"127.0.0.1:{self.sink.port}"
        kept = {n: v for n, v in os.environ.items() if not n.startswith("POSTROOM_")}
        # `environ`: what the product runs with, for scripts that do something beside it.
        self.environ = {**kept, "POSTROOM_DATA_DIR": str(self.data), "POSTROOM_MAIL_CA_FILE": authority.ca_file,
                        "POSTROOM_MAIL_LOOPBACK": f"{imap} {smtp}",
                        "POSTROOM_MAIL_SERVERS": f"{DOMAIN}={imap}:tls,{smtp}:tls", **self._environ}
        with open(self._log, "wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, str(ROOT / "run"), "serve", "--no-demo", "--port", str(self.port)], cwd=ROOT,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                env=self.environ)
        wait(lambda: b"Stop with Ctrl-C" in self._log.read_bytes() or self._process.poll() is not None, 60, "the start")
        if self._process.poll() is not None:
            raise RuntimeError(self._log.read_text())

    def __exit__(self, *exc):
        if exc[0] and os.environ.get("BENCH_KEEP"):
            print(f"kept: {self._folder}", file=sys.stderr)
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(40)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for server in reversed(self._open):
            server.__exit__(None, None, None)
        if not os.environ.get("BENCH_KEEP"):
            remove(self._folder)

    def _start(self, server):
        self._open.append(server.__enter__())
        return server

    def add_mailbox(self, address):
        """A mailbox on both servers; returns its address."""
        self.dovecot.add_user(address, "secret-1")
        self.sink.add_user(address, "secret-1")
        return address

    def sign_up(self):
        """The first admin, Zofia, signed in."""
        client = Visitor(self.url)
        code = (self.data / "secret.setup").read_text().strip()
        client.post("/set-up", code=code, name="Zofia", email=f"zofia@{DOMAIN}", password=PASSWORD)
        return client

    def connect(self, client, address, watched=True):
        """Press Connect for a team address. Returns (connection id, inbox id); does not wait for its mail.

        `watched`: wait until the first sync is done and the watch process idles on it.
        """
        form = client.get("/connect/team")
        inbox = re.search(r'<select[^>]*name="inbox".*?<option value="(\d+)"', form, re.S)[1]
        page = client.post("/connect/team", address=address, password="secret-1", inbox=inbox, shared="y")
        connection = re.search(r"/connections/(\d+)", client.at + page)[1]
        if watched:
            wait(lambda: self.caught_up(client, connection) and self.idles(address), 60, "the first sync")
        return int(connection), int(inbox)

    def caught_up(self, client, connection):
        return 'class="is-done" id="check-sync"' in client.get(f"/connections/{connection}/checks")

    def idles(self, address):
        """Whether the product watches this mailbox: Dovecot's processes say what they do in their titles."""
        return any(f"[{address} 127.0.0.1 IDLE" in line for line in titles())

    def workers(self):
        """{pid: (resident bytes, CPU seconds)} of the job workers and the children they fork."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                    if b"jobs" in words and str(self.data).encode() in (entry / "environ").read_bytes():
                        pages = int((entry / "statm").read_text().split()[1])
                        ticks = (entry / "stat").read_text().rpartition(")")[2].split()[11:13]
                        found[int(entry.name)] = (pages * os.sysconf("SC_PAGE_SIZE"),
                                                  sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"))
                except (OSError, ValueError):
                    continue
        return found

    def redis_url(self):
        from webapp.launch import valkey
        return valkey.url(self.data)

    def logs(self):
        return {p.name: p.read_text(errors="replace") for p in sorted((self.data / "log").iterdir()) if p.is_file()}


def chromium():
    """A headless Chromium, as a context manager of Playwright's: `with chromium() as browser`."""
    import contextlib
    import shutil

    from playwright.sync_api import sync_playwright

    @contextlib.contextmanager
    def running():
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
                args=["--no-sandbox"] if os.geteuid() == 0 else [])
            yield browser
            browser.close()

    return running()


def signed_in_context(browser, client, **options):
    """A browser context with the cookies of `client`."""
    context = browser.new_context(**options)
    context.add_cookies([{"name": c.name, "value": c.value, "url": client.url} for c in client.cookies])
    return context


def titles():
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                yield (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue


def percentile(values, share):
    """Nearest rank: of 40 values, the 38th is the 95th percentile."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, -(-len(ordered) * share // 100) - 1))]


def report(name, figures, table):
    """One JSON line, then rows of (what, value, target or "")."""
    print(json.dumps({"benchmark": name, **figures}))
    width = max(len(row[0]) for row in table)
    for what, value, target in table:
        print(f"  {what:<{width}}  {value:>12}  {target}")
