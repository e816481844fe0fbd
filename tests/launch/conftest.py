"""A small tree that looks like the project, with stand-ins for what the launch room starts."""

import shutil
import signal
from pathlib import Path

import pytest
from launch.standin.tree import Started, end_all, ours

ROOT = Path(__file__).resolve().parents[2]
STANDIN = Path(__file__).with_name("standin")

# The launch room must not load the product; its children, which carry this mark, may.
NOT_HERE = "import os\nassert 'POSTROOM_RUN_DIR' in os.environ, 'the launch room loaded the product'\n"


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than a few seconds; part of the suite all the same")


@pytest.fixture
def tree(tmp_path):
    """The stand-in project, in a folder with a space in its name."""
    root = tmp_path / "my post room"
    (root / "webapp" / "demo").mkdir(parents=True)
    (root / "webapp" / "__init__.py").write_text(NOT_HERE)
    (root / "webapp" / "demo" / "__init__.py").touch()
    shutil.copytree(ROOT / "webapp" / "launch", root / "webapp" / "launch",
                    ignore=shutil.ignore_patterns("__pycache__"))
    (root / "webapp" / "mail").mkdir()
    for name in ("__init__.py", "clamd.py", "types.py"):
        shutil.copy(ROOT / "webapp" / "mail" / name, root / "webapp" / "mail" / name)
    for name in ("config.py", "demo/people.py"):
        shutil.copy(ROOT / "webapp" / name, root / "webapp" / name)
    shutil.copy(STANDIN / "demo.py", root / "webapp" / "demo" / "__main__.py")
    for name in ("wsgi.py", "worker.py"):
        shutil.copy(STANDIN / name, root / name)
    for name in ("requirements.txt", "run"):
        shutil.copy(ROOT / name, root / name)
    return root


@pytest.fixture
def launch(tree):
    """launch("--no-demo") starts the tree; everything is gone after the test."""
    started = []

    def start(*arguments, **environ):
        started.append(Started(tree, *arguments, **environ))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.interrupt(signal.SIGTERM)
    left = ours(tree)
    end_all(tree)
    assert left == []
