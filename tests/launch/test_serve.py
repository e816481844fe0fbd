"""`run` as a whole, with stand-ins for the product: start, stop, and everything that goes wrong."""

import json
import os
import signal
import socket
import time

import pytest
import redis
from launch.standin.tree import ours, wait_for

from webapp.demo.people import MAILBOXES

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks for orphans in /proc")


class TestStart:
    def test_it_ends_with_the_address_and_the_sign_ins(self, launch):
        started = launch().until_ready()
        assert "Postroom is ready after" in started.text
        assert started.url in started.text
        assert "zofia.dabrowska@transwisla.example  cztery-palety-na-rampie" in started.text
        assert "michal.zuraw" not in started.text  # removed: can't sign in
        assert [box.address for box in MAILBOXES if f"  {box.address} " not in started.text] == [], "as on the page"
        assert started.get("/health") == "ok"

    def test_without_the_demo_it_says_what_to_do_first(self, launch, tree):
        started = launch("--no-demo").until_ready()
        assert f"to become the first admin: {started.url}/set-up?code=0123" in started.text
        assert "transwisla" not in started.text
        assert not (tree / "instance" / "log" / "demo.log").exists()
        assert json.loads(started.get("/environment"))["POSTROOM_DEMO"] == "0"

    def test_children_get_their_settings(self, launch, tree):
        started = launch().until_ready()
        got = json.loads(started.get("/environment"))
        assert got["POSTROOM_DATA_DIR"] == str(tree / "instance")
        assert got["POSTROOM_BASE_URL"] == started.url
        assert got["POSTROOM_DEMO"] == "1"
        assert redis.Redis.from_url(got["REDIS_URL"]).ping()

    def test_a_redis_of_ones_own_replaces_the_embedded_one(self, launch, tree):
        started = launch("--no-demo", REDIS_URL="redis://127.0.0.1:1/0").until_ready()
        assert json.loads(started.get("/environment"))["REDIS_URL"] == "redis://127.0.0.1:1/0"
        assert not (tree / "instance" / "log" / "valkey.log").exists()

    def test_the_data_folder_is_private(self, launch, tree):
        launch("--no-demo").until_ready()
        files = [path for path in (tree / "instance").rglob("*") if not path.is_socket()]
        assert [path for path in [tree / "instance", *files] if path.stat().st_mode & 0o077] == []

    def test_the_queue_survives_a_restart(self, launch):
        first = launch("--no-demo").until_ready()
        redis.Redis.from_url(json.loads(first.get("/environment"))["REDIS_URL"]).set("kept", "yes")
        first.interrupt()
        second = launch("--no-demo").until_ready()
        assert redis.Redis.from_url(json.loads(second.get("/environment"))["REDIS_URL"]).get("kept") == b"yes"

    def test_the_second_start_skips_what_is_prepared(self, launch, tree):
        for _ in range(2):
            launch("--no-demo").until_ready().interrupt()
        assert (tree / "instance" / "prepared.count").read_text() == "x"

    @pytest.mark.parametrize("change", ["code", "database gone", "older database", "demo"])
    def test_what_changed_is_prepared_again(self, launch, tree, change):
        launch("--no-demo").until_ready().interrupt()
        database = tree / "instance" / "postroom.db"
        if change == "code":
            (tree / "webapp" / "new.py").write_text("")
        elif change == "database gone":
            database.unlink()
        elif change == "older database":
            content = database.read_bytes().replace(b"0001", b"0000")
            database.write_bytes(content)
        launch(*([] if change == "demo" else ["--no-demo"])).until_ready()
        assert (tree / "instance" / "prepared.count").read_text() == "xx"


class TestStop:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_a_signal_stops_all_in_order_and_leaves_no_orphan(self, launch, tree, number):
        started = launch().until_ready()
        assert sum("valkey-server" in command for command in ours(tree)) == 1
        assert len(ours(tree)) >= 8
        assert started.interrupt(number) == 0
        assert ours(tree) == []
        stops = [line.split()[0] for line in started.text.splitlines() if line.endswith(" stopped")]
        assert stops == ["web", "watch", "clock", "jobs-out", "jobs-slow", "demo", "valkey"]
        assert list((tree / "instance" / "run").glob("*.json")) == []

    def test_a_signal_in_the_middle_of_the_start_leaves_no_orphan(self, launch, tree):
        started = launch()
        wait_for(lambda: "Valkey" in started.text)
        assert started.interrupt() == 0
        assert ours(tree) == []

    def test_who_does_not_listen_is_killed_with_its_children(self, launch, tree):
        started = launch("--no-demo", STANDIN_CLOCK="deaf parent").until_ready()
        wait_for(lambda: any("sleep" in command for command in ours(tree)))
        assert started.interrupt() == 0
        assert "clock stopped (killed" in started.text
        assert ours(tree) == []

    def test_a_second_signal_means_now(self, launch, tree):
        started = launch("--no-demo", STANDIN_CLOCK="deaf").until_ready()
        began = time.monotonic()
        started.process.send_signal(signal.SIGINT)
        wait_for(lambda: "watch stopped" in started.text)
        started.interrupt()
        assert time.monotonic() - began < 3
        assert ours(tree) == []


class TestKilledParent:
    def test_its_children_end_and_the_next_start_works(self, launch, tree):
        first = launch().until_ready()
        first.kill()
        wait_for(lambda: ours(tree) == [], what="the end of the children")
        second = launch(port=first.port)
        second.port = first.port
        assert second.until_ready().get("/health") == "ok"

    def test_a_child_that_outlives_it_is_ended_by_the_next_start(self, launch, tree):
        first = launch("--no-demo", STANDIN_CLOCK="deaf parent").until_ready()
        wait_for(lambda: any("sleep" in command for command in ours(tree)))
        first.kill()
        wait_for(lambda: len(ours(tree)) == 2)  # the deaf clock and its child in a session of its own
        second = launch("--no-demo").until_ready()
        assert "cleared what an earlier start left running (clock" in second.text
        second.interrupt()
        assert ours(tree) == []

    def test_the_rest_of_the_machine_is_left_alone(self, launch, tree):
        (tree / "instance" / "run").mkdir(parents=True)
        (tree / "instance" / "run" / "web.json").write_text(
            json.dumps({"pid": os.getpid(), "started": "1", "boot": "x", "command": "y"}))
        launch("--no-demo").until_ready()


class TestDeadChildren:
    def test_they_are_started_again_with_a_line_and_a_growing_pause(self, launch):
        started = launch("--no-demo", STANDIN_CLOCK="dies").until_ready()
        wait_for(lambda: "again in 2 s" in started.text)
        assert "clock ended with code 3: starting it again in 1 s (see instance/log/clock.log)" in started.text
        assert "clock: WARNING this clock is broken" in started.text

    def test_a_killed_web_server_comes_back(self, launch, tree):
        started = launch("--no-demo").until_ready()
        os.kill(json.loads((tree / "instance" / "run" / "web.json").read_text())["pid"], signal.SIGKILL)
        wait_for(lambda: "web was ended by SIGKILL" in started.text)
        wait_for(lambda: _answers(started))


def _answers(started):
    try:
        return started.get("/health") == "ok"
    except OSError:
        return False


class TestOneSentence:
    def told(self, launch, *arguments, code=1, **environ):
        started = launch(*arguments, **environ)
        assert started.process.wait(20) == code
        assert "Traceback" not in started.text
        return started.text

    def test_a_taken_port(self, launch):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            text = self.told(launch, port=port)
        assert f"Port {port} is taken by another program. Choose another one: python3 run --port {port + 1}" in text

    def test_a_port_that_is_none(self, launch):
        assert "“99999” is not a port" in self.told(launch, port=99999, code=2)

    def test_a_host_that_is_not_here(self, launch):
        assert "no address “192.0.2.1”" in self.told(launch, "--host", "192.0.2.1")

    def test_a_bad_setting(self, launch):
        assert "POSTROOM_PLAN is “gold”" in self.told(launch, POSTROOM_PLAN="gold")

    def test_an_unwritable_folder(self, launch):
        text = self.told(launch, POSTROOM_DATA_DIR="/proc/postroom")
        assert "Can't write to the data folder /proc/postroom" in text
        assert "POSTROOM_DATA_DIR" in text

    def test_a_file_in_its_place(self, launch, tree):
        (tree / "instance").write_text("")
        assert "Can't write to the data folder" in self.told(launch)

    def test_a_second_start_in_the_same_folder(self, launch):
        first = launch("--no-demo").until_ready()
        text = self.told(launch, "--no-demo")
        assert f"already runs with this data folder, at {first.url}" in text
        assert f"kill {first.process.pid}" in text
        assert first.get("/health") == "ok"

    def test_no_embedded_server_for_this_platform(self, launch, tree):
        valkey = tree / "webapp" / "launch" / "valkey.py"
        valkey.write_text(valkey.read_text() + "\n_in_wheel = lambda: None\n")
        text = self.told(launch, "--no-demo", PATH="/nowhere")
        assert "no embedded Valkey for this platform" in text
        assert "REDIS_URL" in text

    def test_a_database_that_can_not_be_prepared(self, launch):
        text = self.told(launch, "--no-demo", STANDIN_PREPARE_FAILS="1")
        assert "The end of instance/log/prepare.log" in text
        assert "the database is on holiday" in text

    def test_a_web_server_that_can_not_start(self, launch, tree):
        (tree / "wsgi.py").write_text((tree / "wsgi.py").read_text() + "\nif 'gunicorn' in __import__('sys').modules:\n"
                                      "    raise RuntimeError('no such template')\n")
        assert "no such template" in self.told(launch, "--no-demo")
