"""`python3 run test` and `python3 run lint`."""

import os
import subprocess
import sys

from webapp.launch import debian
from webapp.launch.terminal import say


def run_tests(root, arguments, environ=os.environ, servers=debian.SERVERS):
    """Bring the real servers, run pytest, say what was real. Returns the exit code: in CI a missing server fails."""
    missing = debian.bring(servers)
    say(summary(servers, missing))
    code = _wait([sys.executable, "-m", "pytest", *arguments], root, environ)
    if not missing:
        return code
    say(f"Not tested against the real thing: {', '.join(server.name for server in missing)}.")
    if in_ci(environ):
        say("CI=true: a missing server is a failure.")
        return code or 1
    return code


def run_lint(root, arguments, environ=os.environ):
    return _wait([sys.executable, "-m", "ruff", "check", *(arguments or ["."])], root, environ)


def summary(servers, missing):
    """One line for each real server, before the tests, so that their closing line stays the last."""
    lines = ["The tests use:"]
    for server in servers:
        what = "MISSING, its tests can't run" if server in missing else (
            server.version() if server.programs else server.found())
        lines.append(f"  {server.name}: {what}")
    return "\n".join(lines)


def in_ci(environ):
    return environ.get("CI", "").lower() in ("true", "1")


def _wait(command, root, environ):
    """Ctrl-C reaches the child too: let it finish its own way."""
    process = subprocess.Popen(command, cwd=root, env=dict(environ))
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue
