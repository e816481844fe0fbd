"""`run test`, `run bench`: what is missing is brought or named, and in CI its absence fails."""

import pytest

from webapp.launch import bench, debian, suite
from webapp.launch.debian import Server

HERE = Server("a shell", ("dash",), ("sh",))
GONE = Server("Nonesuch", ("nonesuch-imapd", "nonesuch-lmtpd"), ("nonesuch-server",), ("/nowhere/*/nonesuch",))


@pytest.fixture
def pytest_run(monkeypatch):
    """Commands that were run instead of pytest; `codes` are what they answer."""
    commands, codes = [], [0]
    monkeypatch.setattr(suite, "_wait", lambda command, root, environ: commands.append(command) or codes[0])
    return commands, codes


@pytest.fixture
def no_rights(monkeypatch):
    monkeypatch.setattr(debian, "_rights", lambda: None)


def test_arguments_go_to_pytest(pytest_run):
    assert suite.run_tests(".", ["-k", "mail"], {}, (HERE,)) == 0
    assert pytest_run[0][0][-4:] == ["-m", "pytest", "-k", "mail"]


@pytest.mark.parametrize(("environ", "code"), [({}, 0), ({"CI": "true"}, 1)], ids=["at home", "in CI"])
def test_a_missing_server_is_named_and_in_ci_a_failure(pytest_run, no_rights, capsys, environ, code):
    assert suite.run_tests(".", [], environ, (HERE, GONE)) == code
    told = capsys.readouterr().out
    assert "sudo apt-get install nonesuch-imapd nonesuch-lmtpd" in told
    assert "Nonesuch: MISSING" in told
    assert "Not tested against the real thing: Nonesuch." in told


@pytest.mark.parametrize("code", [1, 2, 5])
def test_pytests_own_failure_stays_one(pytest_run, code):
    pytest_run[1][0] = code
    assert suite.run_tests(".", [], {"CI": "true"}, (HERE,)) == code


def test_missing_packages_are_installed_once_and_nothing_is_started(monkeypatch, tmp_path):
    commands, hook = [], tmp_path / "policy-rc.d"
    monkeypatch.setattr(debian, "NO_SERVICES", str(hook))
    monkeypatch.setattr(debian, "_rights", lambda: [])

    def aloud(command):
        commands.append(command)
        assert hook.stat().st_mode & 0o777 == 0o755
        assert "exit 101" in hook.read_text()

    monkeypatch.setattr(debian, "_aloud", aloud)
    assert debian.bring((HERE, GONE)) == [GONE]
    assert [command[5:] for command in commands] == [
        ["update"], ["install", "--no-install-recommends", "nonesuch-imapd", "nonesuch-lmtpd"]]
    assert not hook.exists()


def test_nothing_is_installed_when_all_is_there(monkeypatch):
    monkeypatch.setattr(debian, "_rights", lambda: pytest.fail("asked for rights"))
    assert debian.bring((HERE,)) == []


def test_a_benchmark_is_run_by_its_name(tmp_path, capfd):
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "sync.py").write_text("import sys\nprint('sync 7 ms', *sys.argv[1:])")
    (tmp_path / "benchmarks" / "live.py").write_text("raise SystemExit(3)")
    assert bench.bench(tmp_path, "sync", ["--rounds", "2"]) == 0
    assert "sync 7 ms" in capfd.readouterr().out
    assert bench.bench(tmp_path) == 3
    assert bench.bench(tmp_path, "nonesuch") == 2
    assert "There are: live, sync" in capfd.readouterr().err
