"""One mail server that lies, trickles or floods: its own mailbox says so, and goes on as far as it can."""

import re
import time
from datetime import timedelta

import pytest
from fakes.imap import _Talk
from mailroom import letter, stored

from webapp.extensions import db, unit
from webapp.jobs import personal, sync
from webapp.models import Connection, Folder, Message
from webapp.models.types import now


def fill(fake, count=3):
    fake.messages = {uid: letter(text=f"Number {uid}", Message_ID=f"<{uid}@x>") for uid in range(1, count + 1)}


def lie(fake, command, pattern, replacement):
    """Change a normal answer of the server."""
    talk = _Talk.__new__(_Talk)
    talk.fake, talk.sock = fake, None
    normal = getattr(talk, command.lower().decode().replace(" ", "_"))
    fake.on[command] = lambda tag, arguments: re.sub(pattern, replacement, normal(tag, arguments))


def test_a_message_whose_size_the_server_understates_stops_no_other(fake, row):
    """Exchange estimates sizes: the literal is larger than was said, and than is allowed."""
    fill(fake, 3)
    fake.messages[2] = letter(text="x" * 70 + "\r\n" * 10 + ("y" * 70 + "\r\n") * 16_000)
    lie(fake, b"UID FETCH", rb"RFC822.SIZE \d+", b"RFC822.SIZE 1000")
    box = fake.box()
    for _ in range(4):
        with unit():
            db.session.get(Connection, box).retry_at = None
        sync.pull(box)
    assert sorted((m.snippet, m.state) for m in stored(Message)) == [
        ("", "too_big"), ("Number 1", "ok"), ("Number 3", "ok")]
    assert row(box).caught_up


@pytest.mark.parametrize("number", [2**31, 2**32, 2**63, 10**19 - 1])
def test_a_size_that_no_database_takes_stops_no_other(fake, row, number):
    fill(fake, 3)
    fake.messages[2] = letter(text="the large one")
    lie(fake, b"UID FETCH", rb"(UID 2\b[^{]*)RFC822.SIZE \d+", b"\\1RFC822.SIZE %d" % number)
    box = fake.box()
    sync.pull(box)
    assert sorted(m.state for m in stored(Message)) == ["ok", "ok", "too_big"]
    assert row(box).caught_up and row(box).problem is None


@pytest.mark.parametrize("number", [2**31, 2**63, 10**30])
@pytest.mark.parametrize("word", [rb"\d+ EXISTS", rb"UIDVALIDITY \d+", rb"UIDNEXT \d+"])
def test_counts_beyond_imap_are_said_to_be_nonsense(fake, row, word, number):
    if word.startswith(rb"UID") and number == 2**31:
        pytest.skip("allowed there")
    fill(fake)
    lie(fake, b"EXAMINE", word, word.replace(rb"\d+", b"%d" % number))
    box = fake.box()
    sync.pull(box)
    assert row(box).problem == "protocol"
    assert row(box).retry_at is not None


def test_a_mailbox_in_trouble_is_tried_less_and_less_often(fake, row):
    box = fake.box()
    fake.on[b"EXAMINE"] = lambda tag, _a: tag + b" NO [UNAVAILABLE] later\r\n"
    sync.pull(box)
    first = row(box).retry_at - now()
    with unit():
        connection = db.session.get(Connection, box)
        connection.problem_since = now() - timedelta(hours=4)
        connection.retry_at = None
    sync.pull(box)
    assert first < timedelta(minutes=2) and row(box).retry_at - now() > timedelta(minutes=20)


def test_a_server_that_only_trickles_is_told_from_one_that_works(fake, row, monkeypatch):
    """Each line is in time, the whole never ends: the job must say so before it is killed."""
    from webapp.jobs import mailbox
    monkeypatch.setattr(mailbox, "SESSION_SECONDS", 1.0)
    fill(fake)

    def chatter(tag, _arguments):
        end = time.monotonic() + 3
        out = b""
        while time.monotonic() < end:
            time.sleep(0.1)
            out += b"* OK still working\r\n"
        return out
    fake.on[b"UID SEARCH"] = chatter
    box = fake.box()
    sync.pull(box)
    assert row(box).problem == "timed_out"


def test_a_refused_password_is_not_tried_again_by_looking_at_a_message(fake, row):
    """The page asks every two seconds; some servers lock an account after a few wrong sign-ins."""
    fill(fake, 1)
    box = fake.box("personal")
    sync.pull(box)
    [message] = stored(Message)
    fake.users.clear()
    for _ in range(5):
        personal.fetch_body(message.id)
    signed_in = [n for n in fake.names() if n in (b"AUTHENTICATE", b"LOGIN")]
    assert len(signed_in) == 2
    assert row(box).problem == "password_refused"


def test_folders_by_the_hundred_thousand_are_not_all_kept(fake):
    from webapp.actions import connections
    from webapp.mail.types import Folder as MailFolder
    box = fake.box()
    many = [MailFolder(name, name.encode(), "other", True) for name in (*(f"f{n}" for n in range(5000)), "x" * 9000)]
    many.append(MailFolder("INBOX", b"INBOX", "inbox", True))
    with unit():
        connections.set_folders(db.session.get(Connection, box), many)
    rows = stored(Folder)
    assert len(rows) <= 1003 and max(len(f.wire_name) for f in rows) <= 1000
    assert "inbox" in [f.role for f in rows]
