"""`python3 run doctor`: one line for each thing that must be right, and what to do where it is not."""

import os
from dataclasses import dataclass
from pathlib import Path

from webapp.config import BadSetting, Settings
from webapp.launch import checks, folder, ports, valkey
from webapp.launch.checks import ok, problem
from webapp.launch.terminal import say


@dataclass
class Patient:
    """What the checks look at. `redis_url` is None while the embedded server is not running."""

    root: Path
    settings: Settings
    url: str
    redis_url: str | None
    embedded: bool
    running: bool  # a `run` holds the data folder
    host: str
    port: int


def doctor(root, options, environ=os.environ):
    """Print all findings. Returns 1 when one of them is a problem."""
    findings = list(examine(Path(root), options, environ))
    for finding in findings:
        say(f"{finding.state:8} {finding.name}: {finding.text}")
    problems = sum(finding.state == "problem" for finding in findings)
    say("\nNothing is wrong." if not problems else f"\n{problems} to put right.")
    return 1 if problems else 0


def examine(root, options, environ):
    """All findings, the general ones first; a bad setting ends it, for nothing else can be told then."""
    yield from checks.python()
    yield from checks.pins(root / "requirements.txt")
    try:
        settings = Settings.from_env({"POSTROOM_DATA_DIR": str(root / "instance"), **environ})
    except BadSetting as bad:
        yield problem("settings", str(bad))
        return
    yield ok("settings", "all can be read")
    patient = _patient(root, settings, options, environ)
    for check in checks.ALL:
        yield from _safely(check, patient)


def _safely(check, patient):
    """A check that breaks is a finding, not the end of the examination."""
    try:
        yield from check(patient)
    except Exception as broken:  # noqa: BLE001
        yield problem(check.__name__.replace("_", " "), f"could not be examined ({type(broken).__name__}: {broken})")


def _patient(root, settings, options, environ):
    lock = folder.Lock(settings.folder)
    running = lock.is_held()
    url = environ.get("POSTROOM_BASE_URL") or (running and lock.holder().get("url")) or ports.url(
        options.host, options.port)
    redis_url = settings.redis_url or None
    embedded = redis_url is None
    if embedded and settings.folder.exists() and valkey.answers(valkey.socket_path(settings.folder)):
        redis_url = valkey.url(settings.folder)
    return Patient(root, settings, url, redis_url, embedded, running, options.host, options.port)
