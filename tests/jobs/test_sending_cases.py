"""The given hostile values, typed into the product and followed to the server that records every byte; notes, which never
leave; and the limits of an address."""

import base64
import dataclasses
import json
import threading
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from mailroom import arrive, letter, person, stored

from webapp.actions import drafts, letters, notes, replies, templates
from webapp.actions import outbox as actions
from webapp.actions.letters import Letter
from webapp.actions.sending import set_sending
from webapp.extensions import db, unit
from webapp.jobs import outbox as job
from webapp.models import Conversation, Inbox, Message, Outbox
from webapp.models.types import now
from webapp.rules import RuleBroken, recipients

CASES = Path(__file__).resolve().parents[3] / "shared/cases"
if not CASES.exists():
    CASES = Path("/work/shared/cases")
HEADERS = {"date", "from", "to", "cc", "subject", "message-id", "in-reply-to", "references", "mime-version", "content-type",
           "content-transfer-encoding"}
ANNA = "anna@customer.example"


def cases(name):
    return [json.loads(line) for line in (CASES / f"{name}.jsonl").read_text().splitlines()]


@pytest.fixture
def box(mailbox):
    box = mailbox()
    arrive(box.id, letter(to=box.address, Message_ID="<q1@customer.example>"))
    return box


def typed(field, value):
    """A new message of Marek's with the hostile value where it can be typed: (Letter, its inbox's settings). Raises
    RuleBroken, as the form would show it."""
    people = {"to": [["", ANNA]], "cc": []}
    text, subject, files = "Hello", "Hello", []
    if field in ("to", "reply_to"):
        people["to"] = recipients.read(value)
        recipients.check(people["to"], [], [])
    elif field == "display_name":
        people["to"] = [[value, ANNA]]          # a contact's own name
    elif field in ("attachment_filename", "calendar_summary"):
        draft = drafts.begin(person("marek"), db.session.get(Conversation, 1))
        files = drafts.enclose(draft, [(value, "text/calendar" if field == "calendar_summary" else "text/plain", b"x")])
    elif field == "subject":
        subject = value
    elif field == "signature_name":
        set_sending(person("zofia"), db.session.get(Inbox, 1), value, False, value)
    else:
        text = value
    return Letter(kind="new", text=text, subject=subject, files=files, **people)


@pytest.mark.parametrize("case", cases("outgoing-header-injection"), ids=lambda c: c["id"])
def test_a_hostile_value_is_refused_or_stays_within_its_header(box, sink, case):
    if case["field"] == "in_reply_to":
        with unit():
            db.session.get(Message, 1).message_id = case["value"].replace("\0", "")[:900]     # as the parser does
    try:
        with unit():
            if case["field"] == "in_reply_to":
                row = replies.reply(person("marek"), db.session.get(Conversation, 1), "Hello")
            else:
                row = letters.send(person("marek"), db.session.get(Inbox, 1), None, typed(case["field"], case["value"]))
            outbox_id, envelope = row.id, [r.address for r in row.recipients]
    except RuleBroken:
        db.session.rollback()
        return
    job.send(outbox_id)
    [mail] = sink.received
    # Two people in one field are two people; everything else names one, and nobody is added.
    several = case["field"] in ("to", "reply_to") and set(",;") & set(case["value"])
    assert list(mail.recipients) == envelope and (several or len(envelope) == 1 and "evil" not in envelope[0])
    parsed = message_from_bytes(mail.raw, policy=policy.compat32)
    names = [name.lower() for name, _value in parsed.items()]
    assert set(names) <= HEADERS and len(names) == len(set(names))
    assert b"\r" not in mail.wire.replace(b"\r\n", b"") and b"\n" not in mail.wire.replace(b"\r\n", b"")


@pytest.mark.parametrize("case", cases("smtp-smuggling"), ids=lambda c: c["id"])
def test_no_text_ends_its_message_early(box, sink, case):
    body = base64.b64decode(case["body_b64"])
    with unit():
        draft = drafts.begin(person("marek"), db.session.get(Conversation, 1))
        files = drafts.enclose(draft, [("x.txt", "text/plain", body)])
        outbox_id = replies.reply(person("marek"), db.session.get(Conversation, 1), body.decode("utf-8", "replace"),
                                  html=f"<pre>{body.decode('latin-1')}</pre>", files=list(files)).id
    job.send(outbox_id)
    [mail] = sink.received
    assert mail.recipients == (ANNA,)
    data = mail.wire
    assert b"\r" not in data.replace(b"\r\n", b"") and b"\n" not in data.replace(b"\r\n", b"")
    assert data.count(b"\r\n.\r\n") == 1 and data.endswith(b"\r\n.\r\n")
    kept = [p.get_payload(decode=True) for p in message_from_bytes(mail.raw).walk() if p.get_filename() == "x.txt"]
    assert kept == [body], "a file arrives byte for byte"


def test_notes_never_leave_from_any_place(box, sink):
    with unit():
        found = db.session.get(Conversation, 1)
        notes.write(person("zofia"), found, "XYZZYNOTE the margin is 40 per cent @marek")
        made = templates.write(person("zofia"), "T", "{{contact.name}} {{conversation.subject}}")
    sent = []
    with unit():
        found = db.session.get(Conversation, 1)
        found.inbox.signature = "Support"
        marek = person("marek")
        sent.append(replies.reply(marek, found, "An answer.").id)
        sent.append(replies.reply(marek, found, "To all", html="<b>To all</b>").id)
        sent.append(replies.reply(marek, found, "On", kind="forward", to=[["", ANNA]]).id)
        sent.append(replies.reply(marek, found, templates.filled(marek, made, found.inbox, found)).id)
        sent.append(letters.send(marek, found.inbox, None, Letter(
            kind="new", text="New", subject="New", to=[["", ANNA]])).id)
        sent.append(replies.reply(marek, found, "Later", at=now() + timedelta(days=1)).id)
    with unit():
        row = db.session.get(Outbox, sent[0])
        assert actions.undo(person("marek"), row)
        actions.hurry(person("marek"), db.session.get(Outbox, sent[-1]))
    with unit():
        sent.append(replies.reply(person("marek"), db.session.get(Conversation, 1), "Again").id)
    for outbox_id in sent:
        job.send(outbox_id)
    assert len(sink.received) == len(sent) - 1
    for mail in sink.received:
        whole = mail.raw + b"".join(p.get_payload(decode=True) or b"" for p in message_from_bytes(mail.raw).walk())
        assert b"XYZZYNOTE" not in whole and b"margin" not in whole
    assert b"XYZZYNOTE" not in bytes(sink.wire)


def test_what_is_more_than_the_limit_waits_and_says_so(app, box, sink):
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = dataclasses.replace(before, team_send_per_minute=2)
    try:
        with unit():
            rows = [replies.reply(person("marek"), db.session.get(Conversation, 1), f"Answer {n}").id for n in range(4)]
        for outbox_id in rows:
            job.send(outbox_id)
        assert len(sink.received) == 2
        waiting = stored(Outbox, Outbox.state == "queued")
        assert [(r.id, r.problem) for r in waiting] == [(rows[2], "limit_minute"), (rows[3], "limit_minute")]
        assert all(now() < r.not_before <= now() + timedelta(seconds=60) for r in waiting)
        with unit():
            for row in stored(Outbox):
                db.session.get(Outbox, row.id).claimed_at = row.claimed_at and row.claimed_at - timedelta(seconds=61)
                db.session.get(Outbox, row.id).not_before = now() - timedelta(seconds=1)
        for outbox_id in rows:
            job.send(outbox_id)
        assert [r.state for r in stored(Outbox)] == ["sent"] * 4 and len(sink.received) == 4
    finally:
        app.config["SETTINGS"] = before


def test_several_workers_together_keep_the_limit(app, box, sink):
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = dataclasses.replace(before, team_send_per_day=3)
    try:
        with unit():
            rows = [replies.reply(person("marek"), db.session.get(Conversation, 1), f"Answer {n}").id for n in range(8)]
        barrier = threading.Barrier(8)

        def run(outbox_id):
            with app.app_context():
                barrier.wait(10)
                job.send(outbox_id)
                db.session.remove()
        threads = [threading.Thread(target=run, args=(i,)) for i in rows]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(sink.received) == 3
        assert {r.problem for r in stored(Outbox, Outbox.state == "queued")} == {"limit_day"}
    finally:
        app.config["SETTINGS"] = before
