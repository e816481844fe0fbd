"""Reading a mailbox on a real Dovecot: everything once, newest first, through every interruption (DESIGN 7)."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from mailroom import folder_of, letter, person, stored
from servers.proxy import FaultProxy

from webapp.actions import connections, leases, people
from webapp.extensions import db, unit
from webapp.jobs import intake, personal, sweep, sync
from webapp.mail.imap.session import Session
from webapp.models import Connection, Conversation, Folder, Message, Place
from webapp.models.types import now


def mails(count, start=0):
    return [letter(subject=f"Number {n}", text=f"Text {n}", Message_ID=f"<{n}@x>") for n in range(start, start + count)]


def numbers():
    return [int(m.subject.split()[1]) for m in stored(Message, Message.outgoing.is_(False))]


def row(box):
    db.session.rollback()
    return db.session.get(Connection, box.id)


def test_the_first_sync_is_complete_newest_first_and_touches_nothing_on_the_server(mailbox, dovecot, app):
    box = mailbox()
    dovecot.deliver_many(box.address, mails(120))
    dovecot.deliver(box.address, letter(sender=box.address, to="anna@customer.example", subject="Number 500"), folder="Sent")
    dovecot.deliver(box.address, letter(subject="Number 600"), folder="Archive")
    sync.pull(box.id)
    order = numbers()
    assert sorted(order) == list(range(120))
    assert set(order[:sync.FIRST_WINDOW]) == set(range(120 - sync.FIRST_WINDOW, 120))
    assert [m.subject for m in stored(Message, Message.outgoing)] == ["Number 500"]
    assert (row(box).caught_up, row(box).problem, folder_of(box.id).low_uid) == (True, None, 0)
    with dovecot.imap(box.address) as client:
        client.select("INBOX", readonly=True)
        assert client.search(None, "UNSEEN")[1][0].split() == [b"%d" % n for n in range(1, 121)]
    raw = app.extensions["blobs"].get_raw(stored(Message, Message.subject == "Number 7")[0].raw_sha256)
    assert raw == mails(1, 7)[0]
    sync.pull(box.id)
    assert len(numbers()) == 120


def test_an_empty_mailbox_is_caught_up_at_once_and_new_mail_lands(mailbox, dovecot):
    box = mailbox()
    sync.pull(box.id)
    assert row(box).caught_up
    dovecot.deliver_many(box.address, mails(3))
    sync.pull(box.id)
    assert sorted(numbers()) == [0, 1, 2]


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_worker_killed_between_batches_is_followed_where_it_stood(mailbox, dovecot, monkeypatch, after):
    box = mailbox()
    dovecot.deliver_many(box.address, mails(480))
    done, receive = [], intake.receive

    def killed(*arguments):
        if len(done) == after:
            raise KeyboardInterrupt
        done.append(receive(*arguments))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(intake, "receive", killed)
        patch.setattr(intake, "BATCH", 120)
        sync.pull(box.id)
    assert 0 < len(numbers()) < 480
    with unit():        # a killed process gives no lease back: it runs out
        db.session.get(Connection, box.id).lease_until = now() - timedelta(seconds=1)
    dovecot.deliver_many(box.address, mails(5, 480))
    sync.pull(box.id)
    assert sorted(numbers()) == list(range(485))
    assert len(stored(Place)) == 485


def test_a_connection_cut_in_the_middle_is_told_and_taken_up_again(mailbox, dovecot):
    with FaultProxy(dovecot.imaps_port) as proxy:
        box = mailbox(imap_port=proxy.port)
        dovecot.deliver_many(box.address, mails(80))
        with unit():
            connections.step(db.session.get(Connection, box.id), "sync", "run")
        proxy.cut_after = 30_000
        sync.pull(box.id)
        connection = row(box)
        assert (connection.problem, connection.lease_until) == ("lost", None)
        assert connection.retry_at > now()
        assert connection.checks["sync"]["state"] == "fail"
        proxy.cut_after = None
        sync.pull(box.id)
    assert sorted(numbers()) == list(range(80))
    assert (row(box).problem, row(box).checks["sync"]["state"]) == (None, "done")


def test_new_mail_overtakes_the_first_sync(mailbox, dovecot, monkeypatch):
    box = mailbox()
    dovecot.deliver_many(box.address, mails(150))
    real, windows = sync._Pull._backfill, []

    def slow(self, folder_id):
        windows.append(folder_id)
        if len(windows) == 3:
            dovecot.deliver_many(box.address, mails(1, 999))
            sync.pull(box.id)                 # the watch says so; somebody is on it: it is noted
            assert row(box).wanted
        return real(self, folder_id)
    monkeypatch.setattr(sync._Pull, "_backfill", slow)
    sync.pull(box.id)
    order = numbers()
    assert sorted(order) == [*range(150), 999]
    assert order.index(999) < len(order) - 20, "read before the older mail"


def test_a_message_that_vanishes_between_search_and_fetch_stops_nothing(mailbox, dovecot, monkeypatch):
    box = mailbox()
    dovecot.deliver_many(box.address, mails(30))
    real = Session.fetch

    def fetch(self, uids, *arguments):
        with dovecot.imap(box.address) as client:
            client.select("INBOX")
            client.uid("STORE", "25", "+FLAGS", "\\Deleted")
            client.expunge()
        return real(self, uids, *arguments)
    monkeypatch.setattr(Session, "fetch", fetch)
    sync.pull(box.id)
    assert sorted(numbers()) == [n for n in range(30) if n != 24]
    assert all(m.state == "ok" for m in stored(Message))
    assert row(box).caught_up


def test_numbers_that_start_anew_bring_no_second_copy(mailbox, dovecot):
    box = mailbox()
    dovecot.deliver_many(box.address, mails(10))
    sync.pull(box.id)
    dovecot.new_uidvalidity(box.address)
    dovecot.deliver_many(box.address, mails(2, 10))
    sync.pull(box.id)
    assert sorted(numbers()) == list(range(12))
    assert len({p.uidvalidity for p in stored(Place)}) == 2
    assert sum(c.message_count for c in stored(Conversation)) == 12
    assert row(box).caught_up


def test_what_is_too_large_is_listed_with_its_size_and_not_downloaded(mailbox, dovecot, app, monkeypatch):
    box = mailbox()
    dovecot.deliver(box.address, letter(subject="Number 1", text="x" * 60 * 20 + "\r\n" + ("y" * 70 + "\r\n") * 20_000))
    monkeypatch.setattr(type(app.config["SETTINGS"]), "max_message_mb", 1, raising=False)
    object.__setattr__(app.config["SETTINGS"], "max_message_mb", 1)
    sync.pull(box.id)
    [message] = stored(Message)
    assert (message.state, message.subject, message.raw_sha256) == ("too_big", "Number 1", None)
    assert message.size > 1_000_000


def test_of_a_personal_mailbox_only_headers_are_stored_until_its_owner_opens_a_mail(mailbox, dovecot, app):
    box = mailbox("personal", "marek")
    dovecot.deliver_many(box.address, [letter(to=box.address, subject="Number 1", text="A private word")])
    sync.pull(box.id)
    [message] = stored(Message)
    assert (message.state, message.subject, message.text, message.raw_sha256) == ("header", "Number 1", "", None)
    assert stored(Conversation) == []
    dovecot.stop()
    try:
        personal.fetch_body(message.id)
        assert stored(Message)[0].state == "header", "a server that is away makes no mail unreadable"
    finally:
        dovecot.start()
    personal.fetch_body(message.id)
    [message] = stored(Message)
    assert (message.state, message.text.strip()) == ("ok", "A private word")


def test_a_personal_mail_that_is_gone_from_the_server_says_so(mailbox, dovecot):
    box = mailbox("personal", "marek")
    dovecot.deliver(box.address, letter(to=box.address))
    sync.pull(box.id)
    with dovecot.imap(box.address) as client:
        client.select("INBOX")
        client.store("1", "+FLAGS", "\\Deleted")
        client.expunge()
    personal.fetch_body(stored(Message)[0].id)
    assert stored(Message)[0].state == "unreadable"


@pytest.mark.parametrize("why", ["removed", "deactivated", "disconnected", "paused"])
def test_nothing_is_read_for_who_is_gone(mailbox, dovecot, why):
    box = mailbox("personal", "marek")
    dovecot.deliver_many(box.address, mails(2))
    with unit():
        if why == "removed":
            people.remove_person(None, person("marek"))
        elif why == "deactivated":
            person("marek").state = "deactivated"
        elif why == "paused":
            db.session.get(Connection, box.id).state = "paused"
        else:
            connections.disconnect(person("marek"), db.session.get(Connection, box.id))
    sync.pull(box.id)
    assert stored(Message) == []


def test_a_refused_password_waits_for_a_person_and_the_gap_is_caught_up_after_reconnecting(mailbox, dovecot):
    from webapp.jobs import connect
    box = mailbox()
    dovecot.deliver_many(box.address, mails(2))
    sync.pull(box.id)
    dovecot.add_user(box.address, "new-password")
    dovecot.deliver_many(box.address, mails(2, 2))
    sync.pull(box.id)
    assert (row(box).problem, row(box).retry_at, len(numbers())) == ("password_refused", None, 2)
    assert box.id not in sweep._mailboxes_due()
    with unit():
        connections.try_again(person("zofia"), db.session.get(Connection, box.id), password="new-password")
    connect.connect(box.id)
    sync.pull(box.id)
    # The sink still knows the old password only: sending is told, reading goes on.
    assert sorted(numbers()) == [0, 1, 2, 3]


def test_one_worker_has_the_lease_and_the_other_leaves_word(mailbox):
    box = mailbox()
    with unit():
        fence = leases.take(box.id)
        assert leases.take(box.id) is None
    assert row(box).wanted
    with unit():
        leases.hold_on(box.id, fence)
        assert leases.clear_wanted(box.id, fence)
        assert not leases.clear_wanted(box.id, fence)
        assert not leases.release(box.id, fence)
        newer = leases.take(box.id)
        assert newer == fence + 1
    with pytest.raises(leases.LeaseLost), unit():
        leases.hold_on(box.id, fence)
    with unit():
        leases.release(box.id, fence)      # an old one gives nothing back
        leases.hold_on(box.id, newer)


def test_a_lease_that_ran_out_goes_to_the_next_and_the_first_stores_nothing_more(mailbox, dovecot, monkeypatch, caplog):
    box = mailbox()
    dovecot.deliver_many(box.address, mails(80))
    real, batches = intake.receive, []

    def overtaken(*arguments):
        batches.append(real(*arguments))
        if len(batches) == 1:
            db.session.get(Connection, box.id).lease_until = now() - timedelta(seconds=1)
            assert leases.take(box.id)
    monkeypatch.setattr(intake, "receive", overtaken)
    caplog.set_level(logging.WARNING)
    sync.pull(box.id)
    assert "lease lost" in caplog.text
    assert len(batches) == 1
    assert row(box).lease_until > now(), "the newer lease stands"


def test_the_clock_finds_what_is_due(mailbox):
    box = mailbox()
    assert sweep._mailboxes_due() == [box.id]
    for values, due in (({"caught_up": True, "synced_at": now()}, False), ({"wanted": True}, True),
                        ({"lease_until": now() + timedelta(minutes=1)}, False),
                        ({"lease_until": now() - timedelta(minutes=1)}, True),
                        ({"problem": "lost", "retry_at": now() + timedelta(minutes=1)}, False),
                        ({"retry_at": now() - timedelta(minutes=1)}, True),
                        ({"wanted": False, "synced_at": now() - timedelta(hours=1)}, True),
                        ({"state": "paused"}, False)):
        with unit():
            for name, value in values.items():
                setattr(db.session.get(Connection, box.id), name, value)
        assert (sweep._mailboxes_due() == [box.id]) is due, values
        db.session.rollback()


def test_a_step_whose_worker_was_killed_is_begun_again_by_the_clock(mailbox):
    box = mailbox()
    with unit():
        connections.step(db.session.get(Connection, box.id), "receive", "run")
    assert sweep._stuck() == []
    with unit():
        connection = db.session.get(Connection, box.id)
        connection.created_at = now()
        old = {**connection.checks["receive"], "at": (datetime.now(UTC) - timedelta(minutes=5)).isoformat()}
        connection.checks = {**connection.checks, "receive": old}
    assert sweep._stuck() == [box.id]


def test_folders_that_are_there_already_keep_their_cursor(mailbox, dovecot):
    from webapp.jobs.connect import connect
    box = mailbox()
    dovecot.deliver_many(box.address, mails(2))
    sync.pull(box.id)
    before = {(f.wire_name, f.high_uid, f.chosen) for f in stored(Folder)}
    connect(box.id)
    assert before <= {(f.wire_name, f.high_uid, f.chosen) for f in stored(Folder)}
