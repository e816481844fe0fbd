"""The real servers of the tests: are they here, and can Debian's package manager bring them."""

import glob
import os
import shutil
import subprocess
from dataclasses import dataclass

from webapp.launch.terminal import say

ELSEWHERE = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")
NO_SERVICES = "/usr/sbin/policy-rc.d"  # Debian's hook: exit 101 keeps a new package from starting its service


@dataclass(frozen=True)
class Server:
    """Something real that the tests use: `files` are patterns of which one must exist."""

    name: str
    packages: tuple
    programs: tuple = ()
    files: tuple = ()
    ask: str = "--version"

    def found(self):
        """Path of its program, or None."""
        for program in self.programs:
            if path := shutil.which(program) or shutil.which(program, path=os.pathsep.join(ELSEWHERE)):
                return path
        return next((path for pattern in self.files for path in sorted(glob.glob(pattern), reverse=True)), None)

    def version(self):
        """The first line that it says about itself."""
        try:
            said = subprocess.run([self.found(), self.ask], capture_output=True, text=True, timeout=20,
                                  stdin=subprocess.DEVNULL, check=False).stdout.strip()
        except (OSError, subprocess.TimeoutExpired):
            return "version unknown"
        return said.splitlines()[0][:70] if said else "version unknown"


SERVERS = (
    Server("Dovecot", ("dovecot-imapd",), ("dovecot",)),
    Server("Dovecot LMTP", ("dovecot-lmtpd",), files=("/usr/lib/dovecot/lmtp", "/usr/libexec/dovecot/lmtp")),
    Server("PostgreSQL", ("postgresql",), ("postgres",), ("/usr/lib/postgresql/*/bin/postgres",)),
    Server("Chromium", ("chromium",), ("chromium", "chromium-browser", "google-chrome")),
    Server("gettext", ("gettext",), ("msgfmt",)),
    Server("openssl", ("openssl",), ("openssl",), ask="version"),
)


def bring(servers=SERVERS):
    """Install what is missing, where we may. Returns the servers that are still missing."""
    missing = [server for server in servers if not server.found()]
    if not missing:
        return []
    names = ", ".join(server.name for server in missing)
    packages = [package for server in missing for package in server.packages]
    rights = _rights()
    if rights is None:
        say(f"Missing: {names}. To have them: sudo apt-get install {' '.join(packages)}")
        return missing
    say(f"Missing: {names}. Installing {' '.join(packages)} ...")
    _install(rights, packages)
    return [server for server in missing if not server.found()]


def _rights():
    """The prefix for commands that need root on Debian or Ubuntu; None when we may not or it is another system."""
    if not (os.path.exists("/etc/debian_version") and shutil.which("apt-get")):
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and _run(["sudo", "-n", "true"]) == 0:
        return ["sudo", "-n"]
    return None


def _install(rights, packages):
    """The new servers are not started: the tests start their own, and the machine's owner did not ask for any."""
    apt = [*rights, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    quiet = not os.path.exists(NO_SERVICES)
    if quiet:
        _run([*rights, "sh", "-c", f"printf '#!/bin/sh\\nexit 101\\n' > {NO_SERVICES} && chmod 755 {NO_SERVICES}"])
    try:
        _aloud([*apt, "update"])
        _aloud([*apt, "install", "--no-install-recommends", *packages])
    finally:
        if quiet:
            _run([*rights, "rm", "-f", NO_SERVICES])


def _run(command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False).returncode


def _aloud(command):
    """Run apt, showing one line for each package, and everything when it fails."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace") as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Setting up"):
                say("  " + line.strip())
    if process.returncode:
        say("".join(lines[-30:]))
