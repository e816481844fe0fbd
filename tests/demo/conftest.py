"""The demo as a process of its own, in a folder with a space in its name, on free ports."""

import re
import signal
import smtplib
import ssl
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from imapclient import IMAPClient

from webapp.demo.people import MAILBOXES

PASSWORDS = {mailbox.address: mailbox.password for mailbox in MAILBOXES}
PROJECT = Path(__file__).parents[2]


class RunningDemo(NamedTuple):
    process: subprocess.Popen
    folder: Path
    imap_port: int
    smtp_port: int

    @property
    def ca(self) -> Path:
        return self.folder / "demo" / "ca.pem"

    def imap(self, address: str, password: str | None = None) -> IMAPClient:
        client = IMAPClient("localhost", self.imap_port, ssl_context=ssl.create_default_context(cafile=self.ca),
                            timeout=10)
        client.login(address, password or PASSWORDS[address])
        return client

    def smtp(self, address: str) -> smtplib.SMTP_SSL:
        context = ssl.create_default_context(cafile=self.ca)
        client = smtplib.SMTP_SSL("127.0.0.1", self.smtp_port, context=context, timeout=10)
        client.login(address, PASSWORDS[address])
        return client

    def stop(self) -> tuple[int, str]:
        """Its exit code, and what it complained of."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=10)
        return self.process.returncode, Path(f"{self.folder}.stderr").read_text()


def start_demo(folder: Path, *options: str) -> RunningDemo:
    command = [sys.executable, "-m", "webapp.demo", "--dir", str(folder), "--pace", "0", *options]
    errors = Path(f"{folder}.stderr")  # a pipe that nobody reads would stop it once it is full
    with errors.open("w") as file:
        process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=file, text=True)
    line = process.stdout.readline()
    found = re.match(r"ready imap=(\d+) smtp=(\d+) ", line)
    if not found:
        process.kill()
        raise AssertionError(f"the demo did not start: {line!r} {errors.read_text()}")
    return RunningDemo(process, folder, int(found[1]), int(found[2]))


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("with a space") / "instance one"
    running = start_demo(folder, "--imap-port", "0", "--smtp-port", "0", "--answer-after", "0.8")
    yield running
    code, errors = running.stop()
    assert (code, "Traceback" in errors, len(errors) < 20_000) == (0, False, True), errors[:5000]
