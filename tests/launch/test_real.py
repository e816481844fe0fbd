"""`python3 run` as a stranger meets it: a fresh copy in a path with a space, no .venv, the whole product."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from launch.standin.tree import end_all, free_port, ours, wait_for

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("wsgi.py", "worker.py", "webapp/demo/__main__.py", "webapp/migrations/env.py")
PYTHON = getattr(sys, "_base_executable", sys.executable)  # not the one of our own .venv
FIRST_START, SECOND_START = 400, 8  # seconds; the second is 3 on an idle machine, see benchmarks

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(any(not (ROOT / name).exists() for name in NEEDED), reason="the product is not whole yet"),
]


def copy_of_the_tree(target):
    """What a fresh clone holds, and what is not committed yet; nothing that is ignored."""
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                           capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    target = tmp_path_factory.mktemp("fresh") / "my post room"
    copy_of_the_tree(target)
    yield target
    end_all(target)
    shutil.rmtree(target, ignore_errors=True)


class Run:
    """`python3 run ...` in the clone; `with` ends it."""

    def __init__(self, clone, *arguments, **environ):
        self.clone = clone
        self.output = clone.parent / f"output-{time.monotonic_ns()}.txt"
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith("POSTROOM_") and name not in ("DATABASE_URL", "REDIS_URL")}
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen([PYTHON, "run", *arguments], cwd=clone, env={**kept, **environ},
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                            start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)

    @property
    def text(self):
        return self.output.read_text()

    def until_ready(self, seconds):
        wait_for(lambda: "Stop with Ctrl-C" in self.text or self.process.poll() is not None, seconds, "the start")
        assert self.process.poll() is None, self.text
        return float(re.search(r"ready after ([\d.]+) s", self.text)[1])


def page(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.status, answer.read().decode()


def test_from_nothing_to_the_sign_in_and_again_offline(clone):
    port = free_port()
    with Run(clone, "--port", str(port)) as first:
        first.until_ready(FIRST_START)
        assert "zofia.dabrowska@transwisla.example" in first.text
        status, html = page(f"http://127.0.0.1:{port}/")
        assert status == 200
        assert "<form" in html
        doctor = doctor_is_content(clone, port)
        assert doctor.returncode == 0, doctor.stdout + doctor.stderr
        first.process.send_signal(signal.SIGINT)
        assert first.process.wait(60) == 0
    assert ours(clone) == []
    assert "killed" not in first.text, first.text
    offline = {"PIP_NO_INDEX": "1", "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "http_proxy": "http://127.0.0.1:9"}
    with Run(clone, "--port", str(port), **offline) as second:
        seconds = second.until_ready(60)
        assert "Installing" not in second.text
        assert "nothing to do" in second.text
        assert page(f"http://127.0.0.1:{port}/health")[0] == 200
    assert seconds < SECOND_START, second.text
    assert ours(clone) == []


def doctor_is_content(clone, port, seconds=30):
    """The doctor's answer; workers need a moment after the first page until they give a sign of life."""
    deadline = time.monotonic() + seconds
    while True:
        answer = subprocess.run([PYTHON, "run", "doctor", "--port", str(port)], cwd=clone, text=True,
                                capture_output=True, check=False)
        if answer.returncode == 0 or time.monotonic() > deadline:
            return answer
        time.sleep(1)


def test_a_killed_start_blocks_nothing(clone):
    port = free_port()
    with Run(clone, "--no-demo", "--port", str(port), POSTROOM_DATA_DIR=str(clone / "other data")) as first:
        first.until_ready(FIRST_START)
        first.process.kill()
        first.process.wait()
        with Run(clone, "--no-demo", "--port", str(port), POSTROOM_DATA_DIR=str(clone / "other data")) as second:
            second.until_ready(60)
            assert page(f"http://127.0.0.1:{port}/health")[0] == 200
            notes = {path.stem: json.loads(path.read_text()) for path in (clone / "other data" / "run").glob("*.json")}
            assert set(notes) == {"valkey", "web", "jobs-out", "jobs-slow", "watch", "clock"}
