"""The embedded Valkey: found, started in a folder with a space, its socket never too long."""

import os
import subprocess
from pathlib import Path

import pytest
import redis

from webapp.launch import valkey

NAME = f"postroom-{os.getuid()}-"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "my data"
    (folder / "run").mkdir(parents=True)
    return folder


def test_it_starts_in_a_folder_with_a_space_and_redis_py_finds_it(folder):
    server = subprocess.Popen(valkey.spec(folder).command, stdout=subprocess.DEVNULL)
    try:
        assert valkey.wait(valkey.socket_path(folder), lambda: server.poll() is None)
        client = redis.Redis.from_url(valkey.url(folder))
        assert "addr" in client.client_info()  # RQ asks for it; a space in the socket's path breaks the answer
        info = client.info()
        assert info["aof_enabled"] == 1
        assert info["maxmemory_policy"] == "noeviction"
        assert valkey.socket_path(folder).stat().st_mode & 0o077 == 0
    finally:
        server.terminate()
        server.wait(5)
    assert not valkey.answers(valkey.socket_path(folder))
    valkey.tidy(folder)


def test_a_deep_folder_gets_a_private_socket_elsewhere(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    path = valkey.socket_path(tmp_path / ("deep" * 30))
    assert path.parent.name.startswith(NAME)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert len(os.fsencode(path)) < 104
    assert valkey.socket_path(tmp_path / ("deep" * 30)) == path
    valkey.tidy(tmp_path / ("deep" * 30))
    assert not path.parent.exists()


@pytest.mark.parametrize("name", ["my post room", "a=b", "tab\there"])
def test_a_name_that_redis_py_can_not_read_is_not_in_the_sockets_path(tmp_path, name):
    assert not set(str(valkey.socket_path(tmp_path / name))) & set(" =\t")
    valkey.tidy(tmp_path / name)


def test_somebody_elses_folder_in_tmp_is_not_trusted(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "mkdir", lambda self, mode=0o777, parents=False, exist_ok=False: os.makedirs(
        self, 0o755, exist_ok=True))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    deep = tmp_path / ("open" * 30)
    with pytest.raises(valkey.NoServer, match="shorter path"):
        valkey.socket_path(deep)
    for left in Path("/tmp").glob(f"{NAME}*"):
        if left.stat().st_mode & 0o777 == 0o755:
            left.rmdir()


def test_a_server_on_path_is_the_next_choice(monkeypatch):
    monkeypatch.setattr(valkey, "_in_wheel", lambda: None)
    monkeypatch.setattr(valkey.shutil, "which", lambda name: f"/opt/{name}" if name == "redis-server" else None)
    assert valkey.program() == "/opt/redis-server"


def test_a_machine_without_any_is_told_what_to_do(monkeypatch):
    monkeypatch.setattr(valkey, "_in_wheel", lambda: None)
    monkeypatch.setattr(valkey.shutil, "which", lambda name: None)
    with pytest.raises(valkey.NoServer, match="set REDIS_URL"):
        valkey.program()
