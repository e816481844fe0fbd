"""What happens to stored mail on its server: flags, deletions, moves, labels; and how little is asked when nothing did."""

import uuid
from types import SimpleNamespace

import pytest
from mailroom import folder_of, letter, stored
from servers.dovecot import Dovecot

from webapp.extensions import db, unit
from webapp.jobs import following, sync
from webapp.mail.imap.session import Session
from webapp.mail.imap.wire import Wire
from webapp.models import Connection, Conversation, Folder, Message, Place

CAPABILITIES = "imap_capability = IMAP4rev1 SASL-IR LITERAL+ IDLE UIDPLUS MOVE SPECIAL-USE AUTH=PLAIN"


@pytest.fixture(scope="session")
def plain_dovecot(authority):
    """One that offers neither CONDSTORE nor QRESYNC nor ESEARCH."""
    with Dovecot(authority=authority, extra=CAPABILITIES) as server:
        yield server


@pytest.fixture(scope="session")
def condstore_dovecot(authority):
    with Dovecot(authority=authority, extra=CAPABILITIES + " CONDSTORE ESEARCH ENABLE") as server:
        yield server


@pytest.fixture(params=["qresync", "condstore", "plain"])
def server(request):
    return request.getfixturevalue({"qresync": "dovecot"}.get(request.param, f"{request.param}_dovecot"))


@pytest.fixture
def box(mailbox, server, allowed, dovecot, sink):
    made = mailbox(imap_port=server.imaps_port)
    allowed(server.imaps_port, sink.port)
    server.add_user(made.address, "secret-1")
    return SimpleNamespace(address=made.address, id=made.id, server=server)


def mails(count, start=0):
    return [letter(subject=f"Number {n}", text=f"Text {n}", Message_ID=f"<{n}@x>") for n in range(start, start + count)]


def store(box, uids, flags, folder="INBOX", remove=False):
    with box.server.imap(box.address) as client:
        client.select(folder)
        client.uid("STORE", uids, "-FLAGS" if remove else "+FLAGS", f"({flags})")
        if "\\Deleted" in flags:
            client.expunge()


def places(role="inbox"):
    """{uid: flags, or None when it is gone}."""
    folder = stored(Folder, Folder.role == role)[0]
    return {p.uid: None if p.gone_at else p.flags for p in stored(Place, Place.folder_id == folder.id)}


def test_flags_follow_the_server(box):
    box.server.deliver_many(box.address, mails(4))
    sync.pull(box.id)
    assert places() == {1: [], 2: [], 3: [], 4: []}
    store(box, "2", "\\Seen \\Flagged")
    store(box, "4", "$Urgent")
    look_soon()
    sync.pull(box.id)
    assert places() == {1: [], 2: ["\\Flagged", "\\Seen"], 3: [], 4: ["$Urgent"]}
    store(box, "2", "\\Flagged", remove=True)
    look_soon()
    sync.pull(box.id)
    assert places()[2] == ["\\Seen"]


def look_soon():
    """Where the server tells no changes, flags are asked for every few minutes: they have passed."""
    with unit():
        for folder in db.session.scalars(db.select(Folder)):
            folder.flags_at = folder.flags_at and folder.flags_at - following.FLAGS_EVERY


def test_a_deleted_mail_keeps_its_message(box):
    box.server.deliver_many(box.address, mails(5))
    sync.pull(box.id)
    store(box, "2:3", "\\Deleted")
    box.server.deliver_many(box.address, mails(2, 5))      # as many come as go: the count says nothing
    sync.pull(box.id)
    assert places() == {1: [], 2: None, 3: None, 4: [], 5: [], 6: [], 7: []}
    assert len(stored(Message)) == 7
    assert sum(c.message_count for c in stored(Conversation)) == 7
    folder = folder_of(box.id)
    assert (folder.total, folder.high_uid, folder.uidnext) == (5, 7, 8)


def test_a_server_that_lists_fewer_than_it_says_takes_nothing_away(box, monkeypatch):
    box.server.deliver_many(box.address, mails(5))
    sync.pull(box.id)
    store(box, "5", "\\Deleted")
    real = Session.uids
    with monkeypatch.context() as patch:
        patch.setattr(Session, "uids", lambda *a, **k: real(*a, **k)[:1])
        sync.pull(box.id)
        assert [places()[uid] for uid in range(1, 5)] == [[], [], [], []]
    sync.pull(box.id)
    assert places() == {1: [], 2: [], 3: [], 4: [], 5: None}


def test_deletions_while_the_first_sync_is_under_way(box, monkeypatch):
    box.server.deliver_many(box.address, mails(60))
    monkeypatch.setattr(sync, "WINDOW", 10)
    monkeypatch.setattr(sync, "FIRST_WINDOW", 10)
    real, done = sync._Pull._backfill, []

    def few(self, folder_id):
        done.append(folder_id)
        if len(done) == 7:
            self.until = 0
        return real(self, folder_id)
    with monkeypatch.context() as patch:
        patch.setattr(sync._Pull, "_backfill", few)
        sync.pull(box.id)
    assert 0 < len(stored(Place)) < 60
    store(box, "5,58", "\\Deleted")
    sync.pull(box.id)
    assert [uid for uid, flags in places().items() if flags is None] == [58]
    assert len(stored(Message)) == 59, "one was gone before it was read"


def test_a_moved_mail_is_one_message_and_its_place_follows(box):
    box.server.deliver_many(box.address, mails(3))
    with unit():
        stored_folder(box, "archive").chosen = True
        db.session.flush()
    sync.pull(box.id)
    with box.server.imap(box.address) as client:
        client.select("INBOX")
        client.uid("MOVE", "2", "Archive")
    sync.pull(box.id)
    assert places() == {1: [], 2: None, 3: []}
    assert places("archive") == {1: []}
    [moved] = {p.message_id for p in stored(Place) if p.folder_id == stored_folder(box, "archive").id}
    assert stored(Message, Message.id == moved)[0].subject == "Number 1"
    assert len(stored(Message)) == 3
    with box.server.imap(box.address) as client:
        client.select("Archive")
        client.uid("MOVE", "1", "INBOX")
    sync.pull(box.id)
    assert (places(), places("archive")) == ({1: [], 2: None, 3: [], 4: []}, {1: None})
    assert len(stored(Message)) == 3


def stored_folder(box, role):
    return db.session.scalar(db.select(Folder).where(Folder.connection_id == box.id, Folder.role == role))


def test_the_same_mail_under_three_labels_is_one_message_in_three_places(mailbox, dovecot):
    box = mailbox()
    with unit():
        stored_folder(box, "archive").chosen = True
    [mail] = mails(1)
    for folder in ("INBOX", "Archive", "Sent"):
        dovecot.deliver(box.address, mail, folder=folder)
    sync.pull(box.id)
    [message] = stored(Message)
    assert len(stored(Place, Place.message_id == message.id)) == 3
    assert [c.message_count for c in stored(Conversation)] == [1]


@pytest.fixture
def heard(monkeypatch):
    """What is sent to the server, a list of lines for each time that the wire is written to; signing in left out."""
    sent, real = [], Wire.send

    def send(self, data):
        sent.append([line.split(b" ", 1)[1] for line in data.split(b"\r\n") if b" " in line])
        return real(self, data)
    monkeypatch.setattr(Wire, "send", send)
    return lambda: [lines for lines in sent if lines and not lines[0].startswith(
        (b"AUTHENTICATE", b"CAPABILITY", b"LOGOUT"))]


def test_nothing_new_is_one_round_trip_for_all_folders_together(box, heard):
    box.server.deliver_many(box.address, mails(30))
    with unit():
        for folder in db.session.get(Connection, box.id).folders:
            folder.chosen = True
    sync.pull(box.id)
    sync.pull(box.id)
    before = len(heard())
    sync.pull(box.id)
    [together] = heard()[before:]
    commands = [line.split(b" ")[0] for line in together]
    assert commands.count(b"STATUS") == 3
    assert set(commands) <= {b"STATUS", b"ENABLE"}


def test_only_the_folder_that_changed_is_opened(mailbox, dovecot, heard):
    box = mailbox()
    dovecot.deliver_many(box.address, mails(3))
    sync.pull(box.id)
    sync.pull(box.id)
    before = len(heard())
    dovecot.deliver(box.address, letter(sender=box.address, subject="Out"), folder="Sent")
    sync.pull(box.id)
    opened = [line for lines in heard()[before:] for line in lines if line.startswith((b"EXAMINE", b"SELECT"))]
    assert opened == [b'EXAMINE Sent'] or opened == [b'EXAMINE "Sent"']


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_worker_killed_between_two_windows_of_changes_asks_for_all_of_them_again(mailbox, dovecot, monkeypatch, after):
    monkeypatch.setattr(following, "WINDOW", 10)
    box = SimpleNamespace(**vars(mailbox()), server=dovecot)
    dovecot.deliver_many(box.address, mails(35))
    sync.pull(box.id)
    mark = folder_of(box.id).highestmodseq
    store(box, "1:35", "\\Flagged")
    real, done = following.places.set_flags, []

    def killed(*arguments):
        if len(done) == after:
            raise KeyboardInterrupt
        done.append(real(*arguments))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(following.places, "set_flags", killed)
        sync.pull(box.id)
    assert sum(flags == ["\\Flagged"] for flags in places().values()) == 10 * after
    assert folder_of(box.id).highestmodseq == mark, "never beyond what is stored"
    with unit():
        db.session.get(Connection, box.id).lease_until = None
    sync.pull(box.id)
    assert all(flags == ["\\Flagged"] for flags in places().values())
    assert folder_of(box.id).highestmodseq > mark


def test_a_folder_that_is_gone_stops_no_other_and_is_told(mailbox, dovecot):
    box = mailbox()
    with unit():
        stored_folder(box, "archive").chosen = True
        stored_folder(box, "archive").wire_name = f"gone-{uuid.uuid4().hex}".encode()
    dovecot.deliver_many(box.address, mails(3))
    sync.pull(box.id)
    assert len(stored(Message)) == 3
    assert db.session.get(Connection, box.id).problem == "gone"


@pytest.mark.parametrize("told", ["less than before", "nothing"])
def test_a_mark_that_the_server_has_forgotten_asks_for_all_flags(mailbox, dovecot, monkeypatch, told):
    box = SimpleNamespace(**vars(mailbox()), server=dovecot)
    dovecot.deliver_many(box.address, mails(5))
    sync.pull(box.id)
    store(box, "1", "\\Flagged")
    store(box, "4", "\\Deleted")
    if told == "nothing":
        real = Session.select
        monkeypatch.setattr(Session, "select", lambda *a, **k: real(*a, **k)._replace(highestmodseq=0))
    else:
        with unit():
            folder_of(box.id).highestmodseq = 10**9
    sync.pull(box.id)
    assert places() == {1: ["\\Flagged"], 2: [], 3: [], 4: None, 5: []}
    assert (folder_of(box.id).highestmodseq is None) == (told == "nothing")


def test_a_status_that_never_changes_hides_nothing_for_long(mailbox, dovecot, monkeypatch):
    box = mailbox()
    dovecot.deliver_many(box.address, mails(2))
    sync.pull(box.id)
    sync.pull(box.id)
    said, real = {}, Session.statuses
    with monkeypatch.context() as patch:
        patch.setattr(Session, "statuses", lambda *arguments: said.setdefault("once", real(*arguments)))
        sync.pull(box.id)
        dovecot.deliver_many(box.address, mails(2, 2))
        sync.pull(box.id)
        assert len(stored(Message)) == 2
        with unit():
            folder_of(box.id).flags_at -= following.LOOK_ANYWAY
        sync.pull(box.id)
    assert len(stored(Message)) == 4
