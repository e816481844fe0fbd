"""A reply leaves (DESIGN 8): every edge of its states, both crash points, and never twice. Real SMTP sink, real Dovecot."""

import threading
from datetime import timedelta

import pytest
from mailroom import arrive, letter, person, stored

from webapp.actions import drafts, replies
from webapp.actions import outbox as actions
from webapp.extensions import db, unit
from webapp.jobs import outbox as job
from webapp.mail.smtp import SmtpSession
from webapp.models import Connection, Conversation, Draft, Message, Outbox
from webapp.models.types import now
from webapp.rules.sending import AFTER_REFUSED_SIGN_IN, FOLLOWS, RETRIES

ANNA, BERTA = "anna@customer.example", "berta@customer.example"


@pytest.fixture
def box(mailbox):
    box = mailbox()
    arrive(box.id, letter(to=box.address, Message_ID="<q1@customer.example>", Reply_To=f"{ANNA}, {BERTA}"))
    return box


def write(text="We will replace it."):
    """Marek's answer; the id of its Outbox row."""
    with unit():
        return replies.reply(person("marek"), db.session.get(Conversation, stored(Conversation)[0].id), text).id


def row_of(outbox_id):
    db.session.rollback()
    return db.session.get(Outbox, outbox_id)


def set_row(outbox_id, **values):
    with unit():
        for name, value in values.items():
            setattr(db.session.get(Outbox, outbox_id), name, value)


def make_due(outbox_id):
    set_row(outbox_id, not_before=now() - timedelta(seconds=1))


def answers(outbox_id):
    return {r.address.split("@")[0]: (r.state, r.code) for r in row_of(outbox_id).recipients}


def in_sent(dovecot, box):
    with dovecot.imap(box.address) as client:
        client.select("Sent", readonly=True)
        return len(client.search(None, "ALL")[1][0].split())


def test_a_reply_is_sent_once_and_copied_once_whoever_asks_again(box, dovecot, sink):
    outbox_id = write()
    for _ in range(3):
        job.send(outbox_id)
    assert (row_of(outbox_id).state, len(sink.received)) == ("sent", 1)
    assert answers(outbox_id) == {"anna": ("accepted", 250), "berta": ("accepted", 250)}
    assert row_of(outbox_id).copy_state == "due"
    for _ in range(2):
        job.copy(outbox_id)
    assert (row_of(outbox_id).copy_state, in_sent(dovecot, box)) == ("done", 1)


def test_a_copy_that_is_there_already_is_not_made_again(box, dovecot, sink):
    outbox_id = write()
    job.send(outbox_id)
    dovecot.deliver(box.address, sink.received[0].raw, folder="Sent")
    job.copy(outbox_id)
    assert (row_of(outbox_id).copy_state, in_sent(dovecot, box)) == ("done", 1)


@pytest.mark.parametrize("work", ["send", "copy"])
def test_two_workers_at_once_do_it_once(app, box, dovecot, sink, work):
    outbox_id = write()
    if work == "copy":
        job.send(outbox_id)
    barrier = threading.Barrier(3)

    def run():
        with app.app_context():
            barrier.wait(10)
            getattr(job, work)(outbox_id)
            db.session.remove()
    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(sink.received) == 1
    assert in_sent(dovecot, box) == (work == "copy")


# What the server does -> the row's state, its problem, what is said of Anna and Berta, and how many mails went out.
ANSWERS = [
    ({"recipients": {BERTA: "550 5.1.1 No such user"}}, "sent", None, ("accepted", 250), ("refused", 550), 1),
    ({"recipients": {ANNA: "550 no", BERTA: "550 no"}}, "refused", "smtp_refused", ("refused", 550), ("refused", 550), 0),
    ({"recipients": {BERTA: "451 4.7.1 Greylisted"}}, "retry", "smtp_refused", ("accepted", 250), ("waiting", 451), 1),
    ({"recipients": {ANNA: "450 later", BERTA: "550 no"}}, "retry", "smtp_refused", ("waiting", None), ("refused", 550), 0),
    ({"sender_answer": "553 5.7.1 Not yours"}, "refused", "smtp_refused", ("refused", None), ("refused", None), 0),
    ({"sender_answer": "451 4.3.0 Later"}, "retry", "smtp_refused", ("waiting", None), ("waiting", None), 0),
    ({"data_answer": "554 5.6.0 Spam"}, "refused", "smtp_refused", ("refused", None), ("refused", None), 0),
    ({"data_answer": "452 4.3.1 Full"}, "retry", "smtp_refused", ("waiting", None), ("waiting", None), 0),
    ({"data_answer": "421 4.3.2 Going down"}, "retry", "unavailable", ("waiting", None), ("waiting", None), 0),
    ({"sign_in_answer": "535 5.7.8 No"}, "retry", "smtp_refused", ("waiting", None), ("waiting", None), 0),
    ({"sign_in_answer": "454 4.7.0 Later"}, "retry", "unavailable", ("waiting", None), ("waiting", None), 0),
    ({"drop": "before_dot"}, None, None, None, None, 0),
    ({"drop": "after_dot"}, "uncertain", "lost_answer", ("waiting", None), ("waiting", None), 1),
]


@pytest.mark.parametrize(("knobs", "state", "problem", "anna", "berta", "out"), ANSWERS,
                         ids=["-".join(k) + "-" + str(next(iter(k.values())))[:24] for k, *_ in ANSWERS])
def test_what_the_server_answers_becomes_a_state_and_an_answer_for_each_recipient(
        box, sink, knobs, state, problem, anna, berta, out):
    outbox_id = write()
    for name, value in knobs.items():
        setattr(sink.knobs, name, value)
    job.send(outbox_id)
    row = row_of(outbox_id)
    assert len(sink.received) == out
    if state is None:     # the connection breaks around the dot: which side of it is the kernel's secret
        assert row.state in ("retry", "uncertain")
        return
    assert (row.state, row.problem) == (state, problem)
    assert answers(outbox_id) == {"anna": anna, "berta": berta}
    if state == "retry":
        wait = AFTER_REFUSED_SIGN_IN if "535" in str(knobs) else RETRIES[0]
        assert now() + wait - timedelta(seconds=30) < row.not_before <= now() + wait


def test_who_was_put_off_is_tried_again_alone_and_the_copy_is_made_once(box, dovecot, sink):
    outbox_id = write()
    sink.knobs.recipients = {BERTA: "451 4.7.1 Greylisted"}
    job.send(outbox_id)
    job.copy(outbox_id)
    sink.knobs.recipients = {}
    make_due(outbox_id)
    job.send(outbox_id)
    job.copy(outbox_id)
    assert [m.recipients for m in sink.received] == [(ANNA,), (BERTA,)]
    assert answers(outbox_id) == {"anna": ("accepted", 250), "berta": ("accepted", 250)}
    assert (row_of(outbox_id).state, in_sent(dovecot, box)) == ("sent", 1)


def test_trouble_that_never_ends_is_given_up_after_about_two_days(box, sink):
    outbox_id = write()
    sink.knobs.sender_answer = "451 4.3.0 Later"
    set_row(outbox_id, attempts=len(RETRIES))
    job.send(outbox_id)
    assert row_of(outbox_id).state == "refused"


def test_a_worker_that_dies_before_the_dot_is_followed_by_another(box, sink, monkeypatch):
    outbox_id = write()

    def killed(*_):
        raise KeyboardInterrupt
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(SmtpSession, "send", killed)
        job.send(outbox_id)
    assert row_of(outbox_id).state == "claimed"
    job.send(outbox_id)                                     # its lease still runs: nothing happens
    assert (row_of(outbox_id).state, sink.received) == ("claimed", [])
    set_row(outbox_id, lease_until=now() - timedelta(seconds=1))
    assert db.session.scalars(actions.due()).all() == [outbox_id]
    job.send(outbox_id)
    assert (row_of(outbox_id).state, len(sink.received)) == ("sent", 1)


@pytest.mark.parametrize("in_sent_folder", [True, False])
def test_a_worker_that_dies_after_the_dot_leaves_an_uncertain_mail_that_is_looked_for_and_never_sent_again(
        box, dovecot, sink, monkeypatch, in_sent_folder):
    outbox_id = write()

    def killed(*_):
        raise KeyboardInterrupt
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(actions, "sent", killed)
        job.send(outbox_id)
    assert (row_of(outbox_id).state, len(sink.received)) == ("data_sent", 1)
    if in_sent_folder:
        dovecot.deliver(box.address, sink.received[0].raw, folder="Sent")
    set_row(outbox_id, lease_until=now() - timedelta(seconds=1))
    for _ in range(2):
        job.send(outbox_id)
    row = row_of(outbox_id)
    assert (row.state, row.copy_state, len(sink.received)) == (
        ("sent", "done", 1) if in_sent_folder else ("uncertain", "none", 1))


def test_an_uncertain_mail_is_sent_again_only_by_its_writers_decision(box, sink):
    outbox_id = write()
    sink.knobs.drop = "after_dot"
    job.send(outbox_id)
    sink.knobs.drop = None
    with unit():
        assert actions.send_again(person("marek"), db.session.get(Outbox, outbox_id))
        assert not actions.send_again(person("marek"), db.session.get(Outbox, outbox_id))
    job.send(outbox_id)
    assert (row_of(outbox_id).state, len(sink.received)) == ("sent", 2)
    assert sink.received[0].raw == sink.received[1].raw     # with the same Message-ID: many servers drop the second


def test_a_worker_that_was_asleep_too_long_sends_no_dot_and_spoils_nothing(box, sink, monkeypatch):
    outbox_id = write()
    real_send = SmtpSession.send

    def overtaken(session, sender, recipients, raw, before_dot):
        monkeypatch.setattr(SmtpSession, "send", real_send)
        set_row(outbox_id, lease_until=now() - timedelta(seconds=1))
        with unit():
            assert actions.claim(outbox_id).attempts == 2      # another worker has it now
        return real_send(session, sender, recipients, raw, before_dot)
    monkeypatch.setattr(SmtpSession, "send", overtaken)
    job.send(outbox_id)
    assert (row_of(outbox_id).state, row_of(outbox_id).attempts, sink.received) == ("claimed", 2, [])


def test_undo_in_time_gives_the_text_back_and_too_late_changes_nothing(box, sink):
    outbox_id = write("First thoughts.")
    set_row(outbox_id, not_before=now() + timedelta(seconds=60))
    job.send(outbox_id)
    with unit():
        drafts.save_draft(person("marek"), stored(Conversation)[0], "Typed meanwhile.")
        assert not actions.undo(person("zofia"), db.session.get(Outbox, outbox_id)), "only the writer"
        assert actions.undo(person("marek"), db.session.get(Outbox, outbox_id))
        assert not actions.undo(person("marek"), db.session.get(Outbox, outbox_id))
    assert [d.text for d in stored(Draft)] == ["First thoughts.\n\nTyped meanwhile."]
    [conversation] = stored(Conversation)
    assert (conversation.message_count, conversation.last_outgoing) == (1, False)
    make_due(outbox_id)
    job.send(outbox_id)
    assert (row_of(outbox_id).state, sink.received) == ("cancelled", [])
    late = write("Second.")
    job.send(late)
    with unit():
        assert not actions.undo(person("marek"), db.session.get(Outbox, late))
    assert row_of(late).state == "sent"


def test_an_address_that_was_disconnected_sends_nothing_any_more(box, sink):
    from webapp.actions import connections
    outbox_id = write()
    with unit():
        connections.disconnect(person("zofia"), db.session.get(Connection, box.id))
    job.send(outbox_id)
    assert (row_of(outbox_id).state, row_of(outbox_id).problem, sink.received) == ("refused", "disconnected", [])


def test_states_follow_each_other_as_the_rules_say(box):
    outbox_id = write()
    for state in FOLLOWS:
        for to in FOLLOWS:
            set_row(outbox_id, state=state)
            if to not in FOLLOWS[state]:
                with pytest.raises(AssertionError):
                    actions._change(outbox_id, (state,), to)
            else:
                with unit():
                    assert actions._change(outbox_id, (state,), to)
                    assert not actions._change(outbox_id, (state,), to) or state == to


def test_the_answer_goes_where_the_customer_asked_and_a_robot_or_a_liar_is_not_answered(mailbox, sink):
    from webapp.rules import RuleBroken
    box = mailbox()
    arrive(box.id, letter(sender="Jan <jan@customer.example>", to=box.address).replace(b"<jan@", "<żółw@".encode()))
    assert stored(Message)[0].from_address == "żółw@customer.example"
    with pytest.raises(RuleBroken) as broken:       # a local part that is not ASCII: no server of ours takes it yet
        write()
    assert broken.value.code == "nobody_to_answer"
    arrive(box.id, letter(sender='"ceo@corp.example" <evil@evil.example>', to=box.address), first_uid=2)
    with pytest.raises(RuleBroken) as broken, unit():
        replies.reply(person("marek"), stored(Conversation)[1], "Hello")
    assert broken.value.code == "nobody_to_answer"


def test_a_domain_with_accents_is_written_to_in_its_ascii_form(mailbox, sink):
    box = mailbox()
    arrive(box.id, letter(sender="Jan <jan@zolw.example>", to=box.address).replace(b"zolw", "żółw".encode()))
    job.send(write())
    assert [m.recipients for m in sink.received] == [("jan@xn--w-uga1v8h.example",)]


def test_what_waited_for_a_password_leaves_when_the_address_is_connected_again(box, sink):
    outbox_id = write()
    sink.knobs.sign_in_answer = "535 5.7.8 No"
    job.send(outbox_id)
    assert row_of(outbox_id).not_before > now()
    with unit():
        actions.retry_now(row_of(outbox_id).connection)
    assert row_of(outbox_id).not_before <= now()
