"""Connecting step by step: each way to fail has its code, its words in place and its remedy, and is found again."""

import dataclasses
import functools

import pytest
from fakes.imap import FakeImap
from mailroom import inbox, person, stored
from servers import free_port
from servers.proxy import FaultProxy

from webapp.actions import connections
from webapp.extensions import db, unit
from webapp.jobs import connect as job
from webapp.jobs import mailbox as mailboxes
from webapp.models import Connection, Folder, Hold

ADDRESS = "team@corp.example"


@pytest.fixture
def servers(allowed, dovecot, sink, team):
    """What one would type; and the policy that lets it through."""
    dovecot.add_user(ADDRESS, "secret-1")
    sink.reset()
    sink.add_user(ADDRESS, "secret-1")
    return {"imap_host": "127.0.0.1", "imap_port": dovecot.imaps_port, "imap_security": "tls", "user_name": ADDRESS,
            "smtp_host": "127.0.0.1", "smtp_port": sink.port, "smtp_security": "tls"}


def start(servers, allowed, kind="team", actor="zofia", address=ADDRESS, password="secret-1"):
    allowed(servers["imap_port"], servers["smtp_port"])
    with unit():
        return connections.begin(person(actor), kind, address, password, servers=servers,
                                 inbox=inbox() if kind == "team" else None).id


def checks(connection_id):
    db.session.rollback()
    return db.session.get(Connection, connection_id).checks


# What is wrong -> the step that fails, its code, words on the page, and the form below them.
FAILURES = {
    "host unknown": ("receive", "host_unknown", "There is no server called nowhere.invalid", "servers"),
    "refused": ("receive", "refused", "refused the connection", "servers"),
    "timed out": ("receive", "timed_out", "answer in time", "servers"),
    "not tls": ("receive", "not_tls", "speak TLS on this port", "servers"),
    "not allowed": ("receive", "not_allowed", "Postroom may not connect to 10.1.2.3", "servers"),
    "expired": ("receive", "certificate", "It expired on", "servers"),
    "wrong_name": ("receive", "certificate", "It belongs to another name", "servers"),
    "self_signed": ("receive", "certificate", "It is signed by itself", "servers"),
    "unknown ca": ("receive", "certificate", "It was issued by an authority that this server", "servers"),
    "password refused": ("receive", "password_refused", "accept this password", "password"),
    "unavailable": ("receive", "unavailable", "answer right now", "again"),
    "smtp refused": ("send", "smtp_refused", "Receiving works, but the server", "servers"),
    "smtp away": ("send", "refused", "refused the connection", "servers"),
    "smtp unavailable": ("send", "unavailable", "answer right now", "again"),
    "taken meanwhile": ("receive", "taken", "One mailbox is one", "address"),
}


@pytest.fixture
def broken(request, servers, allowed, authority, sink, dovecot, tmp_path, monkeypatch):
    """(connection id) with the servers broken in the way that the test names."""
    case = request.param
    password = "secret-1"
    closing = []
    if case == "host unknown":
        servers["imap_host"] = "nowhere.invalid"
    elif case == "not allowed":
        servers["imap_host"] = "10.1.2.3"
    elif case == "refused":
        servers["imap_port"] = free_port()
    elif case == "smtp away":
        servers["smtp_port"] = free_port()
    elif case == "not tls":
        servers["imap_port"] = dovecot.imap_port
    elif case == "password refused":
        password = "wrong"
    elif case == "smtp refused":
        sink.knobs.sign_in_answer = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled"
    elif case == "smtp unavailable":
        sink.knobs.sign_in_answer = "454 4.7.0 Try again"
    elif case == "taken meanwhile":      # the same login under another spelling, while ours was under way
        pass
    else:
        if case == "timed out":
            real = mailboxes.policy
            monkeypatch.setattr(mailboxes, "policy",
                                lambda: dataclasses.replace(real(), connect_seconds=0.5, read_seconds=0.5))
            server = FaultProxy(dovecot.imaps_port)
            server.black_hole = True
        elif case == "unavailable":
            server = FakeImap(authority.issue(label="down"))
            server.greeting = b"* BYE [UNAVAILABLE] Going down\r\n"
        elif case == "unknown ca":
            from servers.ca import Authority
            server = FakeImap(Authority(tmp_path / "ca2", "Somebody else").issue())
        else:
            server = FakeImap(getattr(authority, case)())
        server.__enter__()
        closing.append(server)
        servers["imap_port"] = server.port
    yield start(servers, allowed, password=password)
    for server in closing:
        server.__exit__(None, None, None)


@pytest.mark.parametrize(("broken", "case"), [(c, c) for c in FAILURES], indirect=["broken"])
def test_each_failing_step_says_why_in_place_and_is_found_again(broken, case, servers, allowed, browser_of):
    step, code, words, remedy = FAILURES[case]
    if case == "taken meanwhile":
        other = start(servers, allowed, "personal", "marek", "alias@corp.example")
        job.connect(other)
    job.connect(broken)
    found = checks(broken)
    assert {n: c["state"] for n, c in found.items()} == {
        **dict.fromkeys(("settings", "receive", "send", "folders")[:("settings", "receive", "send", "folders").index(step)],
                        "done"), step: "fail"}, found
    assert found[step]["code"] == code
    with browser_of("zofia") as client:
        for _ in range(2):      # the page is left, and found again where it stands
            page = client.get(f"/connections/{broken}")
            assert words in page.text, page.text[page.text.find("checks"):][:3000]
        assert client.get(f"/connections/{broken}/checks").status_code == 200
        assert ('name="password"' in page.text) == (remedy == "password")
        assert (f"/connections/{broken}/servers" in page.text) or remedy != "servers"
    connection = db.session.get(Connection, broken)
    assert (connection.state, connection.hold_id) == ("connecting", None), "what is not proven holds nothing"


def test_a_mended_step_goes_on_to_the_end(servers, allowed, dovecot):
    connection_id = start(servers, allowed, password="wrong")
    job.connect(connection_id)
    assert checks(connection_id)["receive"]["code"] == "password_refused"
    with unit():
        connections.try_again(person("zofia"), db.session.get(Connection, connection_id), password="secret-1")
    job.connect(connection_id)
    assert {n: c["state"] for n, c in checks(connection_id).items()} == {
        "settings": "done", "receive": "done", "send": "done", "folders": "done", "sync": "done"}
    connection = db.session.get(Connection, connection_id)
    assert (connection.state, connection.hold.login_key) == ("active", f"127.0.0.1 {ADDRESS}")
    assert {f.role for f in stored(Folder) if f.chosen} == {"inbox", "sent"}
    job.connect(connection_id)      # the same job once more: nothing is spoilt
    assert checks(connection_id)["folders"]["state"] == "done"
    assert len(stored(Hold)) == 1


def test_the_job_twice_at_once_ends_connected(app, servers, allowed):
    import threading
    connection_id = start(servers, allowed)
    barrier = threading.Barrier(2)

    def run():
        with app.app_context():
            barrier.wait(5)
            job.connect(connection_id)
            db.session.remove()
    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert {c["state"] for c in checks(connection_id).values()} <= {"done", "run"}, checks(connection_id)
    assert db.session.get(Connection, connection_id).state == "active"


def test_reconnecting_is_for_the_same_login_and_an_outage_is_told(servers, allowed, dovecot, browser_of):
    connection_id = start(servers, allowed)
    job.connect(connection_id)
    with browser_of("zofia") as client:
        form = {**servers, "password": ""}
        other = client.post(f"/connections/{connection_id}/servers", data={**form, "user_name": "else@corp.example"})
        assert (other.status_code, "another mailbox" in other.text) == (422, True)
        bad = client.post(f"/connections/{connection_id}/servers", data={**form, "imap_host": "not a host"})
        assert (bad.status_code, 'value="not a host"' in bad.text) == (422, True)
        assert client.post(f"/connections/{connection_id}/again", data={"password": "now-wrong"}).status_code == 303
    job.connect(connection_id)
    connection = db.session.get(Connection, connection_id)
    assert (connection.state, connection.problem) == ("active", "password_refused")
    assert connection.hold_id, "a refused password gives no address away"


def test_a_password_whose_key_is_lost_is_asked_for_again(servers, allowed):
    connection_id = start(servers, allowed)
    with unit():
        db.session.get(Connection, connection_id).secret = b"\x01" + bytes(60)
    job.connect(connection_id)
    assert checks(connection_id)["receive"]["code"] == "password_refused"


CANARY = "canary-7391-zaq!"


def test_a_password_is_found_nowhere_but_sealed(servers, allowed, app, dovecot, sink, caplog, browser_of, database):
    from sqlalchemy import inspect, text
    caplog.set_level("DEBUG")
    dovecot.add_user("canary@corp.example", CANARY)
    sink.add_user("canary@corp.example", CANARY)
    allowed(servers["imap_port"], servers["smtp_port"],
            mail_servers=f"corp.example=127.0.0.1:{servers['imap_port']}:tls,127.0.0.1:{servers['smtp_port']}:tls")
    with browser_of("zofia") as client:
        made = client.post("/connect/personal", data={"address": "canary@corp.example", "password": CANARY})
        assert made.status_code == 303, made.text
        connection_id = int(made.location.rsplit("/", 1)[1])
        job.connect(connection_id)
        refused = client.post("/connect/personal", data={"address": "no address", "password": CANARY})
        pages = [refused.text] + [client.get(path).text for path in (
            made.location, f"/connections/{connection_id}/servers", "/mailboxes", "/choose")]
    assert db.session.get(Connection, connection_id).state == "active"
    found = [name for name, content in _everything_stored(app, text, inspect, database) if CANARY.encode() in content]
    assert found == []
    assert all(CANARY not in page for page in pages)
    assert CANARY not in caplog.text
    import base64
    assert base64.b64encode(f"\0canary@corp.example\0{CANARY}".encode()).decode() not in caplog.text


def _everything_stored(app, text, inspect, database):
    """(where, bytes) of the whole database, the data folder and Redis."""
    db.session.rollback()
    with db.engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            rows = connection.execute(text(f'SELECT * FROM "{table}"')).all()
            yield table, repr([[bytes(c) if isinstance(c, memoryview) else c for c in row] for row in rows]).encode()
    for path in app.config["SETTINGS"].folder.rglob("*"):
        if path.is_file():
            yield path.name, path.read_bytes()
    client = app.extensions["redis"]
    for key in client.keys("*"):
        read = {b"hash": functools.partial(client.hgetall), b"list": lambda k: client.lrange(k, 0, -1),
                b"set": client.smembers, b"zset": lambda k: client.zrange(k, 0, -1)}.get(client.type(key), client.get)
        yield key, repr(read(key)).encode()
