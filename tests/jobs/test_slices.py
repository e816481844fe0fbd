"""Very much new mail at once, and mail that was hidden, on a real server."""

from mailroom import folder_of, letter, stored

from webapp.actions import leases
from webapp.extensions import db, unit
from webapp.jobs import intake, sync
from webapp.models import Connection, Message, Place


def mails(count, start=0):
    return [letter(subject=f"Number {n}", text=f"Text {n}", Message_ID=f"<{n}@x>") for n in range(start, start + count)]


def test_very_much_new_mail_in_one_folder_is_read_in_slices_that_others_mail_overtakes(mailbox, dovecot, monkeypatch):
    """Somebody moves thousands of messages into a folder: more than one session can read."""
    box = mailbox()
    sync.pull(box.id)
    dovecot.deliver_many(box.address, mails(900), folder="Sent")
    monkeypatch.setattr(sync, "SHORT", 0)
    sync.pull(box.id)
    first = len(stored(Message))
    assert 0 < first < 900
    dovecot.deliver(box.address, letter(subject="It matters"))
    sync.pull(box.id)
    assert stored(Message, Message.subject == "It matters")
    assert first < len(stored(Message)) < 901
    assert stored(Connection)[0].wanted, "the clock finds it, should the next job be lost"
    for _ in range(5):
        sync.pull(box.id)
    monkeypatch.undo()
    sync.pull(box.id)
    assert sorted(m.subject for m in stored(Message, Message.subject != "It matters")) == sorted(
        f"Number {n}" for n in range(900))
    assert (stored(Connection)[0].wanted, stored(Connection)[0].problem) == (False, None)
    assert (folder_of(box.id, "sent").high_uid, folder_of(box.id, "sent").total) == (900, 900)


def test_within_one_job_new_mail_interrupts_what_was_moved_in_bulk(mailbox, dovecot, monkeypatch):
    box = mailbox()
    sync.pull(box.id)
    dovecot.deliver_many(box.address, mails(900), folder="Sent")
    monkeypatch.setattr(sync, "SHORT", 120)     # within one job, however slow the machine
    real, order = intake.receive, []

    def received(connection, folder, reads):
        real(connection, folder, reads)
        if len(order) == 0:
            dovecot.deliver(box.address, letter(subject="It matters"))
            leases.take(box.id)     # somebody asks, while it is taken
        order.extend(read.parsed.subject if read.parsed else read.uid for read in reads)
    monkeypatch.setattr(intake, "receive", received)
    sync.pull(box.id)
    assert order.index("It matters") < 800
    assert len(stored(Message)) == 901


def test_what_was_out_of_scope_is_not_read_when_something_is_deleted(mailbox, dovecot):
    box = mailbox()
    with unit():
        db.session.get(Connection, box.id).history = "new"
    dovecot.deliver_many(box.address, mails(3))
    sync.pull(box.id)
    dovecot.deliver_many(box.address, mails(2, 3))
    sync.pull(box.id)
    with dovecot.imap(box.address) as client:
        client.select("INBOX")
        client.store("2,5", "+FLAGS", "\\Deleted")
        client.expunge()
    with unit():
        folder_of(box.id).highestmodseq = None
    sync.pull(box.id)
    assert [m.subject for m in stored(Message)] == ["Number 3", "Number 4"]
    assert [bool(p.gone_at) for p in stored(Place)] == [False, True]
