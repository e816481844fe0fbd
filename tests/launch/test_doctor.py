"""The doctor: everything that can be wrong with an installation, one at a time."""

import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import redis
from rq.worker import Worker

from webapp.config import Settings
from webapp.launch import checks, doctor, valkey
from webapp.launch.doctor import Patient

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = SimpleNamespace(host="127.0.0.1", port=8025)


def patient(folder, **more):
    settings = Settings(data_dir=str(folder), **more.pop("settings", {}))
    return Patient(**{"root": ROOT, "settings": settings, "url": "http://127.0.0.1:9", "redis_url": None,
                      "embedded": True, "running": False, "host": "127.0.0.1", "port": 8025, **more})


def problems(check, subject):
    return [f"{f.name}: {f.text}" for f in check(subject) if f.state == "problem"]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "instance"
    folder.mkdir(mode=0o700)
    (folder / "secret.keys").write_text("00 00")
    (folder / "secret.keys").chmod(0o600)
    return folder


@pytest.fixture
def server(tmp_path):
    """A Valkey of this test's own; yields its URL."""
    (tmp_path / "run").mkdir()
    process = subprocess.Popen(valkey.spec(tmp_path).command, stdout=subprocess.DEVNULL)
    valkey.wait(valkey.socket_path(tmp_path))
    yield valkey.url(tmp_path)
    process.terminate()
    process.wait(5)
    valkey.tidy(tmp_path)


class TestInstallation:
    def test_the_pins_are_compared_with_what_is_installed(self, tmp_path):
        (tmp_path / "requirements.txt").write_text(
            "flask==0.1\nnonesuch-x==1\nfoo-y==2; sys_platform == 'plan9'\n# no pin\nredis==8.1.0\n")
        (told,) = checks.pins(tmp_path / "requirements.txt")
        assert told.state == "problem"
        assert "flask is 3." in told.text
        assert "not 0.1; nonesuch-x is missing. Run:" in told.text

    def test_all_pins_of_the_project_are_read(self):
        lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if "==" in line]
        assert len(checks.pinned(ROOT / "requirements.txt")) == len(lines)

    def test_an_old_python(self, monkeypatch):
        monkeypatch.setattr(checks.platform, "python_version_tuple", lambda: ("3", "9", "1"))
        assert [finding.state for finding in checks.python()] == ["problem"]

    def test_a_bad_setting_is_told_in_its_own_words(self, tmp_path):
        found = list(doctor.examine(ROOT, OPTIONS, {"POSTROOM_DATA_DIR": str(tmp_path), "POSTROOM_PLAN": "gold"}))
        assert found[-1].state == "problem"
        assert "POSTROOM_PLAN" in found[-1].text

    def test_a_sound_folder(self, folder):
        assert problems(checks.data_folder, patient(folder)) == []
        assert problems(checks.key_files, patient(folder)) == []

    def test_a_folder_open_to_others(self, folder):
        folder.chmod(0o755)
        assert "chmod 700" in problems(checks.data_folder, patient(folder))[0]

    def test_a_folder_that_is_not_there(self, tmp_path):
        assert "is not there" in problems(checks.data_folder, patient(tmp_path / "none"))[0]

    def test_a_full_disk(self, folder, monkeypatch):
        monkeypatch.setattr(checks.shutil, "disk_usage", lambda path: SimpleNamespace(free=10**8))
        assert "only 0.1 GB free" in problems(checks.data_folder, patient(folder))[0]

    def test_keys_open_to_others(self, folder):
        (folder / "secret.keys").chmod(0o644)
        assert "chmod 600" in problems(checks.key_files, patient(folder))[0]

    def test_keys_that_are_lost(self, folder):
        (folder / "secret.keys").unlink()
        assert "backup" in problems(checks.key_files, patient(folder))[0]

    def test_a_ca_file_without_a_certificate(self, folder, tmp_path):
        (tmp_path / "ca.pem").write_text("not one")
        subject = patient(folder, settings={"mail_ca_file": str(tmp_path / "ca.pem")})
        assert "PEM" in problems(checks.mail_ca, subject)[0]

    def test_the_cdn_setting_is_told(self, folder):
        assert "CDN" in next(checks.cdn(patient(folder))).text
        assert "our own copy" in next(checks.cdn(patient(folder, settings={"htmx_cdn": False}))).text


class TestDatabase:
    def test_one_that_is_not_made_yet(self, folder):
        assert "not made yet" in problems(checks.database, patient(folder))[0]

    def test_one_that_is_away_is_told_without_its_password(self, folder):
        url = "postgresql://me:geheim@127.0.0.1:9/postroom"
        (told,) = problems(checks.database, patient(folder, settings={"database_url": url}))
        assert "can't be reached" in told
        assert "geheim" not in told

    def test_an_older_migration(self, folder, tmp_path):
        script = "revision = '{}'\ndown_revision = {}\n"
        versions = tmp_path / "webapp" / "migrations" / "versions"
        versions.mkdir(parents=True)
        (versions / "1.py").write_text(script.format("aa", None))
        (versions / "2.py").write_text(script.format("bb", "'aa'"))
        self.stamp(folder, "aa")
        subject = patient(folder, root=tmp_path)
        assert "at migration aa, the code is at bb" in problems(checks.database, subject)[0]
        self.stamp(folder, "bb")
        assert problems(checks.database, subject) == []

    def stamp(self, folder, version):
        with sqlite3.connect(folder / "postroom.db") as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num TEXT)")
            connection.execute("DELETE FROM alembic_version")
            connection.execute("INSERT INTO alembic_version VALUES (?)", (version,))


class TestRedis:
    def test_the_embedded_one_is_not_missed_while_nothing_runs(self, folder):
        assert [finding.state for finding in checks.redis(patient(folder))] == ["-"]

    def test_one_that_is_away(self, folder):
        assert "does not answer" in problems(checks.redis, patient(folder, redis_url="redis://127.0.0.1:9/0"))[0]

    def test_one_that_would_drop_work(self, folder, server):
        redis.Redis.from_url(server).config_set("maxmemory", "100mb")
        redis.Redis.from_url(server).config_set("maxmemory-policy", "allkeys-lru")
        assert "noeviction" in problems(checks.redis, patient(folder, redis_url=server))[0]

    def test_a_sound_one(self, folder, server):
        assert problems(checks.redis, patient(folder, redis_url=server)) == []

    def test_workers_that_are_missing_and_workers_that_live(self, folder, server):
        subject = patient(folder, redis_url=server)
        told = problems(checks.workers, subject)
        assert told[0].startswith("jobs: nobody works on the queue out, in, pictures, slow")
        assert [line.split(":")[0] for line in told] == ["jobs", "watch", "clock"]
        connection = redis.Redis.from_url(server)
        worker = Worker(["out", "in", "pictures", "slow"], connection=connection)
        worker.register_birth()
        for key in checks.HEARTBEATS.values():
            connection.set(key, 1, ex=60)
        assert problems(checks.workers, subject) == []


def test_a_taken_port_and_a_web_server_that_is_away(folder):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        subject = patient(folder, port=other.getsockname()[1])
        assert "is taken" in problems(checks.port, subject)[0]
    assert "does not answer (Connection refused)" in problems(checks.web, subject)[0]


def test_a_check_that_breaks_is_a_finding_of_its_own(folder):
    def broken_thing(subject):
        raise RuntimeError("oh")
        yield

    (finding,) = doctor._safely(broken_thing, patient(folder))
    assert finding.state == "problem"
    assert "RuntimeError: oh" in finding.text


def test_its_exit_code_says_whether_something_is_wrong(tree):
    answer = subprocess.run([sys.executable, "run", "--inside-environment", "doctor"], cwd=tree, text=True,
                            capture_output=True, check=False)
    assert answer.returncode == 1
    assert "ok       Python" in answer.stdout
    assert "problem  database: not made yet" in answer.stdout
    assert "Traceback" not in answer.stdout + answer.stderr
