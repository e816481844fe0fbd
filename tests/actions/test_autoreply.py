"""Answers that leave by themselves: to whom, when, once, and never without end (DEFENCE 4.5)."""

import threading
from datetime import UTC, datetime, timedelta
from email import message_from_bytes

import pytest
from mailroom import arrive, connected, inbox, letter, person, report, stored

from webapp.actions import autoreply, conversations, drafts, outbox, replies, senders
from webapp.actions.summary import summarise
from webapp.extensions import db, unit
from webapp.jobs import autoreply as job
from webapp.jobs import sweep
from webapp.models import AutoReply, Connection, Conversation, Inbox, Message, Notice, Outbox
from webapp.models.types import now
from webapp.rules.autoreply import PER_DOMAIN, PER_INBOX

NOBODY = {"zone": "UTC", "days": [[] for _ in range(7)]}
ALWAYS = {"zone": "UTC", "days": [[["00:00", "24:00"]]] * 7}


@pytest.fixture
def box(app, team):
    """Support answers the first mail of each conversation."""
    box = connected()
    set_inbox(auto_first=True, auto_first_text="We have got it.")
    return box


def set_inbox(**values):
    with unit():
        for name, value in values.items():
            setattr(inbox(), name, value)


def work():
    """What the jobs do, as the clock finds it."""
    for message_id in db.session.scalars(autoreply.due()).all():
        db.session.rollback()
        job.answer(message_id)


def sent():
    return stored(Outbox)


def write(n, sender="Anna <anna@customer.example>", **headers):
    return letter(sender=sender, Message_ID=f"<{n}@customer.example>", **headers)


def test_the_first_mail_is_answered_with_the_right_bytes_and_stays_open(app, box):
    arrive(box, write(1))
    assert stored(Message)[0].answer_due_at
    work()
    [row] = sent()
    assert row.author_id is None and [r.address for r in row.recipients] == ["anna@customer.example"]
    mail = message_from_bytes(app.extensions["blobs"].get_raw(row.raw_sha256))
    assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"], mail["Precedence"]) == ("auto-replied", "All", "bulk")
    assert mail["In-Reply-To"] == mail["References"] == "<1@customer.example>" and mail["Subject"] == "Auto: Broken pallet"
    assert "We have got it." in mail.get_payload()[0].get_payload()
    [conversation] = stored(Conversation)
    assert (conversation.status, conversation.assignee_id, conversation.last_outgoing, conversation.last_out_at,
            conversation.message_count) == ("open", None, False, None, 2)
    assert conversation.last_snippet.startswith("Hello")
    shown = {c: getattr(conversation, c) for c in ("last_at", "last_snippet", "last_outgoing", "last_out_at", "who",
                                                   "message_count", "subject")}
    with unit():        # derived anew, the list shows the same
        found = db.session.get(Conversation, conversation.id)
        summarise(found, unread_to=found.last_in_id)
        assert shown == {c: getattr(found, c) for c in shown}


def test_the_list_shows_who_waits_after_an_answer_was_called_back(box):
    arrive(box, write(1))
    work()
    before = shown_of(stored(Conversation)[0])
    with unit():
        found = db.session.get(Conversation, 1)
        [file] = drafts.enclose(drafts.begin(person("zofia"), found), [("plan.pdf", "application/pdf", b"%PDF")])
        row = replies.reply(person("zofia"), found, "Sorry", files=[file])
        row.not_before += timedelta(minutes=1)
        assert outbox.undo(person("zofia"), row)
    after = stored(Conversation)[0]
    assert shown_of(after) == before and after.last_snippet.startswith("Hello") and not after.last_outgoing


def shown_of(found):
    return {c: getattr(found, c) for c in ("last_at", "last_snippet", "last_outgoing", "last_out_at", "who", "subject",
                                           "message_count", "has_attachments", "last_in_id")}


def test_it_is_shown_as_sent_by_itself(box, browser_of):
    arrive(box, write(1))
    work()
    with browser_of("marek") as client:
        assert "Sent by itself" in client.get(f"/conversations/{stored(Conversation)[0].id}").text


def test_once_whoever_asks_again(box):
    arrive(box, write(1))
    number = stored(Message)[0].id
    job.answer(number)
    job.answer(number)
    sweep.everything()
    assert len(sent()) == 1 and stored(Message)[0].answer_due_at is None


def test_two_workers_at_once_answer_once(app, box):
    arrive(box, write(1), write(2, sender="Anna <anna+x@customer.example>"))
    ids = db.session.scalars(autoreply.due()).all()
    db.session.rollback()

    def run(number):
        with app.app_context():
            job.answer(number)
    workers = [threading.Thread(target=run, args=(n,)) for n in ids * 3]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(ids) == 2 and len(sent()) == len(stored(AutoReply)) == 1      # one sender, whatever the tag


def test_only_the_first_mail_of_a_conversation(box):
    arrive(box, write(1), write(2, sender="Berta <berta@customer.example>", In_Reply_To="<1@customer.example>",
                                Cc="anna@customer.example"))
    with unit():
        db.session.query(AutoReply).delete()
    work()
    by = [r.recipients[0].address for r in sent()]
    assert "anna@customer.example" in by


def test_an_inbox_that_says_nothing_answers_nothing(box):
    set_inbox(auto_first=False)
    arrive(box, write(1))
    assert stored(Message)[0].answer_due_at is None and sent() == []


def test_outside_of_working_hours(box):
    set_inbox(auto_first=False, auto_away=True, auto_away_text="We are back on Monday.", hours=ALWAYS)
    arrive(box, write(1))
    work()
    assert sent() == []
    set_inbox(hours=NOBODY)
    arrive(box, write(2, In_Reply_To="<1@customer.example>"), first_uid=2)
    work()
    assert [m.text for m in stored(Message, Message.outgoing)] == ["We are back on Monday."]


@pytest.mark.parametrize("headers", [
    {"Auto_Submitted": "auto-generated"}, {"List_Id": "<x>"}, {"Return_Path": "<>"}, {"Precedence": "bulk"},
    {"X_Auto_Response_Suppress": "OOF"}, {"Reply_To": "support@corp.example"}, {"sender": "support+a@corp.example"},
    {"sender": "no-reply@customer.example"}, {"to": "other@corp.example"}, {"subject": "Automatic reply: x"},
    {"Date": "Mon, 02 Mar 2020 08:00:00 +0000"}])
def test_no_robot_and_no_old_mail_is_answered(box, headers):
    arrive(box, write(1, **headers))
    work()
    assert sent() == [] and stored(Message)[0].answer_due_at is None


def test_history_is_not_answered(box):
    arrive(box, write(1), at=now() - timedelta(days=3))
    with unit():
        db.session.get(Connection, box).history_until = now() + timedelta(minutes=1)      # its server numbered it anew
    arrive(box, write(2), first_uid=2)
    arrive(box, write(3), role="sent")
    assert not stored(Message, Message.answer_due_at.is_not(None))


def test_spam_is_not_answered(box):
    with unit():
        senders.add_rule(person("zofia"), inbox(), "deny", "customer.example")
    arrive(box, write(1))
    work()
    assert sent() == []


def test_not_when_somebody_was_faster(box):
    arrive(box, write(1))
    number = stored(Conversation)[0].id
    with unit():
        replies.reply(person("marek"), db.session.get(Conversation, number), "Hello Anna")
    work()
    assert [r.author_id is None for r in sent()] == [False]


def test_one_a_day_for_a_sender(box):
    arrive(box, write(1))
    work()
    arrive(box, write(2), first_uid=2)
    work()
    assert len(sent()) == 1
    with unit():
        db.session.query(AutoReply).update({"at": now() - timedelta(hours=25)})
    arrive(box, write(3), first_uid=3)
    work()
    assert len(sent()) == 2


def test_so_many_an_hour_for_a_domain(box):
    arrive(box, *(write(n, sender=f"{n}@customer.example") for n in range(PER_DOMAIN + 3)))
    work()
    assert len(sent()) == PER_DOMAIN
    arrive(box, write(99, sender="x@other.example"), first_uid=99)
    work()
    assert len(sent()) == PER_DOMAIN + 1


def test_too_many_stop_the_inbox_and_the_admins_hear_of_it_once(box):
    number = inbox().id
    with unit():
        db.session.add_all(AutoReply(inbox_id=number, address_key=f"{n}@{n}.example", domain=f"{n}.example")
                           for n in range(PER_INBOX))
    arrive(box, write(1), write(2, sender="b@other.example"))
    work()
    assert sent() == [] and db.session.get(Inbox, number).auto_off_at
    assert [n.kind for n in stored(Notice)] == ["autoreply.stopped"]
    arrive(box, write(3, sender="c@third.example"), first_uid=3)
    assert not stored(Message, Message.answer_due_at.is_not(None))


def test_a_report_that_our_answer_did_not_arrive_is_not_answered(box):
    arrive(box, write(1))
    work()
    arrive(box, report(stored(Message, Message.outgoing)[0].message_id), first_uid=2)
    work()
    assert len(sent()) == 1


def test_two_programs_that_strip_every_header_stop(box):
    """FreeScout #3670, eleven rounds with a robot: each round a new mail of the same sender."""
    for n in range(12):
        arrive(box, write(n, subject=f"Your mail {n}"), first_uid=n + 1)
        work()
    assert len(sent()) == 1


def test_mail_in_the_servers_junk_folder_is_not_answered(box):
    with unit():
        db.session.get(Connection, box).folders[2].role = "junk"
    arrive(box, write(1), role="junk")
    assert stored(Message)[0].answer_due_at is None


def test_a_closed_conversation_is_not_turned_to_waiting(box):
    arrive(box, write(1))
    number = stored(Conversation)[0].id
    with unit():
        conversations.close(person("marek"), db.session.get(Conversation, number))
    work()
    assert stored(Conversation)[0].status == "closed" and datetime.now(UTC)


def test_a_worker_that_dies_before_the_commit_leaves_it_due(box, monkeypatch):
    arrive(box, write(1))
    number = stored(Message)[0].id

    def die(*_args):
        raise KeyboardInterrupt
    with monkeypatch.context() as patch:
        patch.setattr(autoreply.outbox, "enqueue", die)
        with pytest.raises(KeyboardInterrupt):
            job.answer(number)
    assert stored(AutoReply) == sent() == [] and stored(Message)[0].answer_due_at and len(stored(Message)) == 1
    work()
    assert len(sent()) == 1
