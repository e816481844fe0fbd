"""The courier: new mail is stored over the connection that heard of it, once, and only where that is plain and right."""

import logging
import os
import signal
import time

import pytest
from mailroom import folder_of, letter, person, stored
from servers.proxy import FaultProxy
from sqlalchemy.exc import OperationalError

from webapp.actions import connections, holds, leases, people
from webapp.extensions import db, unit
from webapp.jobs import courier as courier_file
from webapp.jobs import intake, sync
from webapp.jobs.courier import Courier, signed_in_with
from webapp.jobs.mailbox import open_imap
from webapp.mail.imap.session import Session
from webapp.mail.types import Folder as MailFolder
from webapp.mail.types import MailError
from webapp.models import Connection, Conversation, Message, Place
from webapp.models.types import now
from webapp.queue import marker

INBOX = MailFolder("INBOX", b"INBOX", "inbox", True)


def mails(count, start=0):
    return [letter(subject=f"Number {n}", text=f"Text {n}", Message_ID=f"<{n}@x>") for n in range(start, start + count)]


def numbers():
    return sorted(int(m.subject.split()[1]) for m in stored(Message))


def row(box):
    db.session.rollback()
    return db.session.get(Connection, box.id)


@pytest.fixture
def courier(app):
    made = Courier()
    yield made
    made.close()


class Watch:
    """The connection of the watch, between two IDLEs: `visit` is what happens when it hears of new mail."""

    def __init__(self, box, courier):
        self.box, self.courier = box, courier
        self.facts = signed_in_with(row(box))
        db.session.rollback()
        self.session = open_imap(*self.facts)
        self.session.select(INBOX)

    def visit(self):
        """Hears of new mail while it idles."""
        _connection, rest = self.session.idle(b"I")
        time.sleep(0.05)
        self.session.resume(b"I", rest, 10)
        return self.courier.visit(self.box.id, self.session, *self.facts)


@pytest.fixture
def watch(mailbox, dovecot, courier):
    """`watch()`: a mailbox with two mails that is caught up, and watched."""
    opened = []

    def make(*arguments, **servers):
        box = mailbox(*arguments, **servers)
        dovecot.deliver_many(box.address, mails(2))
        sync.pull(box.id)
        assert row(box).caught_up
        opened.append(Watch(box, courier))
        return opened[-1]
    yield make
    for one in opened:
        one.session.close()


def test_new_mail_is_stored_and_nothing_is_left_for_a_job(watch, dovecot, app, monkeypatch):
    one = watch()
    for n in range(2, 5):
        dovecot.deliver_many(one.box.address, mails(1, n))
        assert one.visit() is True
        assert numbers() == list(range(n + 1))
    assert sum(c.message_count for c in stored(Conversation)) == 5
    assert app.extensions["blobs"].get_raw(stored(Message)[-1].raw_sha256) == mails(1, 4)[0]
    folder = folder_of(one.box.id)
    assert (folder.high_uid, folder.total, folder.uidnext, row(one.box).lease_until) == (5, 5, 6, None)
    monkeypatch.setattr(Session, "fetch", lambda *_: pytest.fail("read again"))
    sync.pull(one.box.id)
    assert numbers() == list(range(5)) and len(stored(Place)) == 5


def test_a_visit_leaves_the_poll_its_time(watch, dovecot):
    """Else flags, deletions and other folders of a busy mailbox would never be looked at."""
    one = watch()
    before = row(one.box).synced_at
    dovecot.deliver_many(one.box.address, mails(1, 2))
    assert one.visit() and row(one.box).synced_at == before


def test_a_deletion_before_the_visit_is_found_by_the_next_pull(watch, dovecot):
    one = watch()
    with dovecot.imap(one.box.address) as client:
        client.select("INBOX")
        client.uid("STORE", "1", "+FLAGS", "\\Deleted")
        client.expunge()
    dovecot.deliver_many(one.box.address, mails(1, 2))
    assert one.visit()
    sync.pull(one.box.id)
    assert {p.uid: bool(p.gone_at) for p in stored(Place)} == {1: True, 2: False, 3: False}


def test_of_a_personal_mailbox_headers_alone_are_stored(watch, dovecot):
    one = watch("personal", "marek")
    dovecot.deliver(one.box.address, letter(to=one.box.address, subject="Number 2", text="A private word"))
    assert one.visit()
    message = stored(Message)[-1]
    assert (message.state, message.subject, message.text, message.raw_sha256) == ("header", "Number 2", "", None)


@pytest.mark.parametrize("many", [11, 50])
def test_many_at_once_are_left_to_the_job(watch, dovecot, many, monkeypatch):
    one = watch()
    dovecot.deliver_many(one.box.address, mails(many, 2))
    with monkeypatch.context() as patch:
        patch.setattr(Session, "fetch", lambda *_: pytest.fail("fetched"))
        assert one.visit() is False
    sync.pull(one.box.id)
    assert numbers() == list(range(many + 2))


def test_what_is_large_is_left_to_the_job(watch, dovecot, monkeypatch):
    one = watch()
    dovecot.deliver_many(one.box.address, mails(1, 2))
    dovecot.deliver(one.box.address, letter(subject="Number 3", text=("y" * 70 + "\r\n") * 15_000))
    with monkeypatch.context() as patch:
        patch.setattr(Session, "fetch", lambda *_: pytest.fail("fetched"))
        assert one.visit() is False
    assert numbers() == [0, 1]
    sync.pull(one.box.id)
    assert numbers() == [0, 1, 2, 3]


def test_a_server_that_lies_about_a_size_is_left_and_the_job_reads_it_whole(watch, dovecot, monkeypatch):
    one = watch()
    dovecot.deliver(one.box.address, letter(subject="Number 2", text=("y" * 70 + "\r\n") * 16_000))
    with monkeypatch.context() as patch:
        patch.setattr(Session, "sizes", lambda self, uids: dict.fromkeys(uids, 500))
        with pytest.raises(MailError):
            one.visit()
    assert numbers() == [0, 1]
    sync.pull(one.box.id)
    assert numbers() == [0, 1, 2] and stored(Message)[-1].state == "ok"


# What may change between two visits, or during one. Each ends with: nothing is stored.
CHANGES = {
    "another password": lambda box: connections.try_again(person("zofia"), connection(box), password="secret-2"),
    "paused": lambda box: holds.pause(person("zofia"), connection(box)),
    "disconnected": lambda box: connections.disconnect(person("zofia"), connection(box)),
    "another server": lambda box: setattr(connection(box), "imap_host", "localhost"),
    "another user name": lambda box: setattr(connection(box), "user_name", "anna@corp.example"),
    "a problem": lambda box: setattr(connection(box), "problem", "lost"),
    "first sync not done": lambda box: setattr(connection(box), "caught_up", False),
    "a first sync that goes down": lambda box: setattr(connection(box).folders[0], "low_uid", 1),
    "another numbering": lambda box: setattr(connection(box).folders[0], "uidvalidity", 5),
    "folder no longer chosen": lambda box: setattr(connection(box).folders[0], "chosen", False),
    "a cursor that moved": lambda box: setattr(connection(box).folders[0], "high_uid", 3),
}


def connection(box):
    return db.session.get(Connection, box.id)


@pytest.mark.parametrize("change", [c for c in CHANGES if c != "a cursor that moved"])
def test_after_a_change_nothing_is_stored(watch, dovecot, change):
    one = watch()
    with unit():
        CHANGES[change](one.box)
    dovecot.deliver_many(one.box.address, mails(1, 2))
    assert one.visit() is False
    assert numbers() == [0, 1]


@pytest.mark.parametrize("change", CHANGES)
def test_after_a_change_during_the_visit_nothing_is_stored(watch, dovecot, change, monkeypatch):
    one, real = watch(), Session.fetch
    dovecot.deliver_many(one.box.address, mails(1, 2))

    def fetch(*arguments):
        with unit():
            CHANGES[change](one.box)
        return real(*arguments)
    monkeypatch.setattr(Session, "fetch", fetch)
    assert one.visit() is False
    assert numbers() == [0, 1]


def test_a_released_address_brings_nothing_more(watch, dovecot):
    one = watch("personal", "marek")
    with unit():
        holds.release(person("zofia"), connection(one.box).hold)
    dovecot.deliver_many(one.box.address, mails(1, 2))
    assert one.visit() is False and numbers() == [0, 1]


def test_mail_of_somebody_who_was_deactivated_stays_where_it_is(watch, dovecot):
    one = watch("personal", "marek")
    with unit():
        people.deactivate(person("zofia"), person("marek"))
    dovecot.deliver_many(one.box.address, mails(1, 2))
    assert one.visit() is False and numbers() == [0, 1]


def test_who_has_the_lease_is_told_to_look_again(watch, dovecot, monkeypatch):
    one = watch()
    with unit():
        fence = leases.take(one.box.id)
    dovecot.deliver_many(one.box.address, mails(1, 2))
    monkeypatch.setattr(Session, "fetch", lambda *_: pytest.fail("fetched in vain"))
    assert one.visit() is True
    assert numbers() == [0, 1] and row(one.box).wanted
    with unit():
        leases.hold_on(one.box.id, fence)       # undisturbed


def test_a_job_in_the_middle_of_a_visit_stores_it_once(watch, dovecot, monkeypatch):
    one, real = watch(), Session.fetch
    dovecot.deliver_many(one.box.address, mails(2, 2))

    def fetch(self, *arguments):
        found = list(real(self, *arguments))
        if self is one.session:
            sync.pull(one.box.id)
        return iter(found)
    monkeypatch.setattr(Session, "fetch", fetch)
    assert one.visit() is False, "the job saw to it, and moved the cursor: let another one look"
    assert numbers() == [0, 1, 2, 3] and len(stored(Place)) == 4
    assert sum(c.message_count for c in stored(Conversation)) == 4


def test_a_job_that_begins_during_a_visit_keeps_its_lease_and_looks_again(watch, dovecot, monkeypatch):
    one, real, fences = watch(), Session.fetch, []
    dovecot.deliver_many(one.box.address, mails(1, 2))

    def fetch(*arguments):
        with unit():
            fences.append(leases.take(one.box.id))
        return real(*arguments)
    monkeypatch.setattr(Session, "fetch", fetch)
    assert one.visit() is True
    assert numbers() == [0, 1] and row(one.box).wanted
    with unit():
        leases.hold_on(one.box.id, fences[0])


def test_a_visit_in_the_middle_of_a_job_stores_nothing_and_the_job_does(watch, dovecot, monkeypatch):
    one, real, answers = watch(), intake.receive, []
    dovecot.deliver_many(one.box.address, mails(1, 2))

    def receive(*arguments):
        monkeypatch.setattr(intake, "receive", real)
        db.session.rollback()
        dovecot.deliver_many(one.box.address, mails(1, 3))
        answers.append(one.visit())
        raise OperationalError("SELECT", {}, Exception("the database is away"))    # its transaction was ours to end
    monkeypatch.setattr(intake, "receive", receive)
    with pytest.raises(OperationalError):
        sync.pull(one.box.id)
    assert answers == [True] and numbers() == [0, 1]
    sync.pull(one.box.id)
    assert numbers() == [0, 1, 2, 3]


def test_a_lease_that_ran_out_does_not_stop_a_visit_and_is_void_after_it(watch, dovecot):
    one = watch()
    with unit():
        fence = leases.take(one.box.id)
        connection(one.box).lease_until = now()
    dovecot.deliver_many(one.box.address, mails(1, 2))
    assert one.visit() is True and numbers() == [0, 1, 2]
    with pytest.raises(leases.LeaseLost), unit():
        leases.hold_on(one.box.id, fence)


def test_somebody_who_asked_for_a_job_is_not_forgotten(watch, dovecot):
    one = watch()
    with unit():
        connection(one.box).wanted = True
    dovecot.deliver_many(one.box.address, mails(1, 2))
    assert one.visit() and row(one.box).wanted


def test_mail_that_comes_during_a_visit_is_told(watch, dovecot, monkeypatch):
    one, real = watch(), Session.sizes

    def sizes(self, uids):
        if self is one.session and len(uids) == 1:
            dovecot.deliver_many(one.box.address, mails(1, 3))
            time.sleep(0.7)
        return real(self, uids)
    monkeypatch.setattr(Session, "sizes", sizes)
    dovecot.deliver_many(one.box.address, mails(1, 2))
    assert one.visit() and numbers() == [0, 1, 2]
    _connection, rest = one.session.idle(b"I")
    assert b"EXISTS" in one.session.told or b"EXISTS" in rest
    one.session.resume(b"I", rest, 10)
    assert one.courier.visit(one.box.id, one.session, *one.facts) and numbers() == [0, 1, 2, 3]


def test_a_connection_cut_in_the_middle_loses_and_doubles_nothing(watch, dovecot):
    with FaultProxy(dovecot.imaps_port) as proxy:
        one = watch(imap_port=proxy.port)
        raws = [letter(subject=f"Number {n}", text=os.urandom(30_000).hex()) for n in range(2, 8)]
        dovecot.deliver_many(one.box.address, raws)
        real, count = Session._read_until, []

        def cut(self, *arguments, **options):
            lines = real(self, *arguments, **options)
            count.append(1)
            if len(count) == 3:     # "+", the end of IDLE, what is new; then sizes
                proxy.cut()
            return lines
        with pytest.MonkeyPatch.context() as patch, pytest.raises(MailError) as caught:
            patch.setattr(Session, "_read_until", cut)
            one.visit()
        assert caught.value.code == "lost"
        sync.pull(one.box.id)
        assert numbers() == list(range(8)) and len(stored(Place)) == 8


def test_a_visit_that_took_too_long_is_broken_off(watch, dovecot):
    one = watch()
    dovecot.deliver_many(one.box.address, mails(1, 2))
    _connection, rest = one.session.idle(b"I")
    one.session.resume(b"I", rest, 0.3)
    time.sleep(0.3)
    with pytest.raises(MailError) as caught:
        one.courier.visit(one.box.id, one.session, *one.facts)
    assert caught.value.code == "timed_out" and numbers() == [0, 1]


def test_a_database_in_trouble_leaves_it_to_the_job_and_keeps_the_connection(watch, dovecot, monkeypatch, caplog):
    one = watch()
    dovecot.deliver_many(one.box.address, mails(1, 2))

    def locked(*_arguments):
        raise OperationalError("UPDATE", {}, Exception("database is locked"))
    caplog.set_level(logging.CRITICAL)
    with monkeypatch.context() as patch:
        patch.setattr(leases, "pass_by", locked)
        assert one.visit() is False
    assert numbers() == [0, 1]
    assert one.visit() is True and numbers() == [0, 1, 2]


def test_a_parser_that_dies_costs_one_message_and_is_replaced(watch, dovecot, monkeypatch):
    one = watch()
    monkeypatch.setattr(courier_file, "Apart", _Mortal)
    without_parsers(one.courier)
    dovecot.deliver_many(one.box.address, mails(1, 2))
    dovecot.deliver(one.box.address, letter(subject="Number 3", text="a bomb"))
    dovecot.deliver_many(one.box.address, mails(1, 4))
    assert one.visit() is True
    assert {m.subject: m.state for m in stored(Message)[2:]} == {
        "Number 2": "ok", "Number 3": "ok", "Number 4": "ok"}, "the next one reads its text"
    assert stored(Message)[3].text.strip() == "a bomb"
    assert _Mortal.born >= 2


def without_parsers(courier):
    """The next visit starts one."""
    while not courier._parsers.empty():
        courier._parsers.get()[0].stop()


class _Mortal(courier_file.Apart):
    born = 0

    def _start(self):
        super()._start()
        _Mortal.born += 1

    def ask(self, calls):
        super().ask(calls)
        if any(b"a bomb" in raw and how == "whole" for raw, how in calls):
            self.bomb = [b"a bomb" in raw for raw, _how in calls].index(True)
            self.answered = 0

    def answer(self):
        if getattr(self, "bomb", None) is not None:
            self.answered += 1
            if self.answered > self.bomb:
                self.bomb = None
                os.kill(self._pid, signal.SIGKILL)
                self._answers.close()
        return super().answer()


def test_without_a_nursery_nothing_is_called_unreadable(watch, dovecot, caplog):
    one = watch()
    one.courier._nursery.close()
    without_parsers(one.courier)
    dovecot.deliver_many(one.box.address, mails(1, 2))
    caplog.set_level(logging.CRITICAL)
    assert one.visit() is False and numbers() == [0, 1]
    sync.pull(one.box.id)
    assert [m.state for m in stored(Message)] == ["ok"] * 3


def test_the_parser_is_kept_and_now_and_then_renewed(watch, dovecot, monkeypatch):
    monkeypatch.setattr(courier_file, "RENEW", 3)
    monkeypatch.setattr(courier_file, "Apart", _Mortal)
    _Mortal.born = 0
    one = watch()
    without_parsers(one.courier)
    for n in range(2, 6):
        dovecot.deliver_many(one.box.address, mails(1, n))
        assert one.visit()
    assert _Mortal.born == 2 and numbers() == list(range(6))


def test_after_an_error_the_parser_owes_no_answers(watch, dovecot, monkeypatch, caplog):
    one = watch()
    dovecot.deliver_many(one.box.address, mails(3, 2))

    def broken(items):
        next(items)
        raise RuntimeError("a bug")
        yield
    caplog.set_level(logging.CRITICAL)
    with monkeypatch.context() as patch:
        patch.setattr(intake, "_by_bytes", broken)
        assert one.visit() is False
    assert one.visit() is True
    assert [(m.subject, m.text.strip()) for m in stored(Message)[2:]] == [
        (f"Number {n}", f"Text {n}") for n in (2, 3, 4)]


def test_only_what_may_be_watched_is_signed_in(mailbox, app):
    box = mailbox()
    assert signed_in_with(row(box))
    for name, value in (("state", "paused"), ("problem", "password_refused"), ("secret", b"rubbish")):
        with unit():
            setattr(connection(box), name, value)
        assert signed_in_with(connection(box)) is None, name
        db.session.rollback()
        with unit():
            for each, good in (("state", "active"), ("problem", None)):
                setattr(connection(box), each, good)
    assert not app.extensions["redis"].exists(marker("webapp.jobs.sync.pull", (box.id,), "in"))
