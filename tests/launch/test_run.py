"""The file `run` under Pythons that are too old: it must still be understood, and say so."""

import ast
import glob
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).resolve().parents[2] / "run"
PLACES = (f"{Path.home()}/.pyenv/versions/{{}}.*/bin/python", "/usr/bin/python{}", "/usr/local/bin/python{}")
OLD = [found[-1] for version in ("2.7", "3.6", "3.8", "3.10")
       if (found := [path for place in PLACES for path in glob.glob(place.format(version))])]


def told(version, tmp_path):
    """What `run` says where sys.version_info is `version`."""
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.version_info = {version} + sys.version_info[3:]\n")
    return subprocess.run([sys.executable, str(RUN)], capture_output=True, text=True, cwd=tmp_path, check=False,
                          env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"})


def test_an_old_python_gets_one_sentence(tmp_path):
    answer = told((3, 10, 4), tmp_path)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.count("\n") == 1
    assert "needs Python 3.11 or newer; this is Python 3.10" in answer.stderr


@pytest.mark.parametrize("python", OLD)
def test_a_real_old_python_understands_the_file(python):
    answer = subprocess.run([python, str(RUN)], capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "needs Python 3.11 or newer" in answer.stderr
    assert "SyntaxError" not in answer.stderr


def test_the_file_keeps_to_the_syntax_of_old_pythons():
    tree = ast.parse(RUN.read_text(), feature_version=(3, 4))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr | ast.NamedExpr | ast.AnnAssign)]
