"""Jobs are named by strings, so that actions need not import them: every such name must be a job."""

import importlib
import re
from pathlib import Path

CODE = Path(__file__).resolve().parents[2] / "webapp"
NAMED = re.compile(r"(?:later|enqueue)\(\s*[\"'](webapp[\w.]+)[\"']")
ANY = re.compile(r"(?:later|enqueue)\(\s*([^\s,)]+)")


def test_every_name_given_to_the_queue_is_a_job():
    named = {name for path in CODE.rglob("*.py") for name in NAMED.findall(path.read_text())}
    assert len(named) >= 5
    for name in named:
        module, _, function = name.rpartition(".")
        job = getattr(importlib.import_module(module), function)
        assert module.startswith("webapp.jobs.")
        assert hasattr(job, "__wrapped__"), f"{name} is not decorated with @job"


def test_every_queue_that_is_named_is_worked_on():
    from webapp.queue import QUEUES
    used = {q for path in CODE.rglob("*.py") for q in re.findall(r"queue=\"(\w+)\"", path.read_text())}
    assert used <= set(QUEUES)
