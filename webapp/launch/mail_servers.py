"""The demo's mail servers: on which ports, and how to start them without loading the product."""

import json
import runpy
import socket
import sys
from pathlib import Path

from webapp.launch import ports
from webapp.launch.child import Spec

NOTE = "demo-ports.json"


class NoPorts(Exception):
    """One sentence with what to do."""


def spec(root, folder, environ):
    """How to start them. Tells the product about them in `environ` when they are not where it expects them."""
    imap, smtp = choose(folder)
    environ.update(addresses(imap, smtp))
    return Spec("demo", [sys.executable, str(root / "run"), "--inside-environment", "demo-mail-servers",
                         "--dir", str(folder), "--imap-port", str(imap), "--smtp-port", str(smtp)])


def become(arguments):
    """Run webapp.demo in this process, where webapp is bare: half a second less than with Flask behind it."""
    sys.argv = ["webapp.demo", *arguments]
    runpy.run_module("webapp.demo", run_name="__main__", alter_sys=True)


def choose(folder):
    """(IMAP port, SMTP port): what was chosen at first stays, for connected mailboxes know it. Raises NoPorts."""
    note = Path(folder) / NOTE
    try:
        imap, smtp = (int(port) for port in json.loads(note.read_text()))
    except (OSError, ValueError, TypeError):
        imap, smtp = (_free(port) for port in _usual())
        note.write_text(json.dumps([imap, smtp]))
    for port in (imap, smtp):
        if not _is_free(port):
            raise NoPorts(f"Port {port} of the demo's mail servers is taken by another program. End that program, or "
                          f"start without the demo: python3 run --no-demo")
    return imap, smtp


def addresses(imap, smtp):
    """Settings for the product; none where the demo is at its usual ports."""
    from webapp.demo.people import DOMAIN, notice_smtp

    if (imap, smtp) == _usual():
        return {}
    return {"POSTROOM_NOTICE_SMTP": notice_smtp(smtp),
            "POSTROOM_MAIL_LOOPBACK": f"127.0.0.1:{imap} 127.0.0.1:{smtp}",
            "POSTROOM_MAIL_SERVERS": f"{DOMAIN}=127.0.0.1:{imap}:tls,127.0.0.1:{smtp}:tls"}


def _usual():
    from webapp.demo.people import IMAP_PORT, SMTP_PORT

    return IMAP_PORT, SMTP_PORT


def _is_free(port):
    try:
        ports.check("127.0.0.1", port)
    except ports.PortProblem:
        return False
    return True


def _free(usual):
    """The usual port, or one that the system gives."""
    if _is_free(usual):
        return usual
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
