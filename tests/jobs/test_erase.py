"""Spam is deleted for good after its days, and its server does not bring it back (BEHAVIOUR 5.18)."""

import os
from datetime import timedelta

import pytest
from mailroom import arrive, connected, inbox, letter, person, stored
from sqlalchemy import text, update

from webapp.actions import conversations, drafts, erasing, notes, replies, routing
from webapp.extensions import db, unit
from webapp.jobs import erase, sweep, sync
from webapp.models import (
    Attachment,
    Conversation,
    Draft,
    Event,
    Message,
    Note,
    Notice,
    Outbox,
    Participant,
    Place,
    Routed,
    RouteHit,
    ThreadKey,
)
from webapp.rules.bounds import SPAM_DAYS

SHARED = os.urandom(20_000)     # a file that others have as well
OWN = os.urandom(20_000)


def spam_mail(number=1, **headers):
    return letter(sender="Spam <spam@evil.example>", subject=f"Win {number}", text="A secret of nobody",
                  Message_ID=f"<{number}@evil.example>", **headers,
                  files=[("own.pdf", "application/pdf", OWN), ("shared.pdf", "application/pdf", SHARED)])


def make_spam(number, days=SPAM_DAYS + 1):
    with unit():
        found = db.session.get(Conversation, number)
        conversations.mark_spam(person("zofia"), found)
        found.status_at -= timedelta(days=days)


def delete_old():
    for number in db.session.scalars(erasing.due()).all():
        db.session.rollback()
        erase.spam(number)


def spam_number():
    return next(c.id for c in stored(Conversation) if c.who_address == "spam@evil.example")


def test_nor_of_what_rules_said_of_it(app, team):
    box = connected()
    with unit():
        for action in ({"do": "tell", "people": [team.marek]}, {"do": "assign", "people": [team.zofia]}):
            routing.save(person("zofia"), inbox(), {"match": "all", "go_on": True, "actions": [action], "conditions": [
                {"field": "sender", "how": "is", "values": ["evil.example"]}]})
    arrive(box, spam_mail())
    with unit():
        routing.route(stored(Message)[0].id)
    assert [n.kind for n in stored(Notice)] == ["routed"] and db.session.query(Routed).count() == 1
    make_spam(spam_number())
    delete_old()
    db.session.rollback()
    assert stored(Notice) == [] and db.session.query(Routed).count() == db.session.query(RouteHit).count() == 0


def test_nothing_of_it_is_left_and_what_others_have_stays(app, team):
    box, store = connected(), app.extensions["blobs"]
    honest = letter(Message_ID="<1@customer.example>", files=[("same.pdf", "application/pdf", SHARED)])
    arrive(box, spam_mail(), honest)
    number = spam_number()
    with unit():
        found = db.session.get(Conversation, number)
        notes.write(person("zofia"), found, "@Marek is this serious?")
        drafts.save_draft(person("marek"), found, "Dear spammer")
    assert [n.kind for n in stored(Notice)] == ["mentioned"]
    make_spam(number)
    own, shared = (a.sha256 for a in stored(Attachment)[:2])
    spam, raw = stored(Message)[0], stored(Message)[0].raw_sha256
    assert store.get_part(own) == OWN and spam.text
    delete_old()
    assert number not in [c.id for c in stored(Conversation)]
    stub = db.session.get(Message, spam.id)
    assert stub.erased_at and (stub.conversation_id, stub.raw_sha256, stub.subject, stub.text, stub.from_address,
                               stub.snippet, stub.to) == (None, None, "", "", "", "", [])
    assert [p.uid for p in stored(Place, Place.message_id == spam.id)] == [1]
    for model in (Note, Draft, Event, Notice):
        assert stored(model) == []
    for model in (ThreadKey, Participant):
        assert db.session.query(model).filter_by(conversation_id=number).count() == 0
    with pytest.raises(KeyError):
        store.get_raw(raw)
    assert store.get_part(own) is None and store.get_part(shared) == SHARED
    assert store.get_raw(stored(Message)[1].raw_sha256) == honest
    secret = db.session.execute(text("SELECT count(*) FROM message WHERE text LIKE '%secret of nobody%'")).scalar()
    assert secret == 0


def test_not_before_its_days_and_not_when_it_is_no_spam_any_more(app, team):
    box = connected()
    arrive(box, spam_mail(1), spam_mail(2))
    first, second = (c.id for c in stored(Conversation))
    make_spam(first, days=SPAM_DAYS - 1)
    make_spam(second)
    with unit():
        conversations.reopen(person("zofia"), db.session.get(Conversation, second))
    delete_old()
    erase.spam(first)
    erase.spam(second)
    assert len(stored(Conversation)) == 2 and not stored(Message, Message.erased_at.is_not(None))


def test_our_answer_to_it_goes_too_once_it_has_left(app, team):
    arrive(connected(), spam_mail())
    number = spam_number()
    with unit():
        replies.reply(person("zofia"), db.session.get(Conversation, number), "No thanks")
    make_spam(number)
    delete_old()
    assert len(stored(Conversation)) == 1           # on its way out
    with unit():
        db.session.execute(update(Outbox).values(state="sent", copy_state="done"))
    delete_old()
    assert stored(Conversation) == stored(Outbox) == [] and all(m.erased_at for m in stored(Message))


def test_what_died_between_the_rows_and_the_bytes_is_found_again(app, team):
    arrive(connected(), spam_mail())
    number, raw = spam_number(), stored(Message)[0].raw_sha256
    make_spam(number)
    with unit():
        erasing.erase(number)
    assert stored(Message)[0].raw_sha256 == raw and app.extensions["blobs"].get_raw(raw)
    for message_id in db.session.scalars(erasing.to_forget()).all():
        db.session.rollback()
        erase.forget(message_id)
        erase.forget(message_id)
    assert stored(Message)[0].raw_sha256 is None and app.extensions["blobs"].parts_of(raw) == []


def test_a_file_within_a_forwarded_mail_is_not_taken_from_it(app, team):
    """Nothing names it there but the stored mail itself."""
    box, store = connected(), app.extensions["blobs"]
    inner = letter(files=[("own.pdf", "application/pdf", OWN)])
    outer = (b"From: anna@customer.example\r\nTo: support@corp.example\r\nSubject: Fwd\r\nContent-Type: multipart/mixed; "
             b"boundary=o\r\n\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--o--\r\n")
    arrive(box, spam_mail(), outer)
    number = spam_number()
    make_spam(number)
    delete_old()
    assert store.get_raw(stored(Message, Message.erased_at.is_(None))[0].raw_sha256) == outer


def test_what_was_stored_before_uses_were_noted_is_safe(app, team):
    store = app.extensions["blobs"]
    with store.engine.begin() as connection:
        connection.execute(text("DROP TABLE blob_use"))
    store.ensure()
    arrive(connected(), spam_mail())
    raw = stored(Message)[0].raw_sha256
    with store.engine.begin() as connection:
        connection.execute(text("DROP TABLE blob_use"))
    store.ensure()
    assert len(store.parts_of(raw)) == 2


def test_the_server_does_not_bring_it_back(mailbox, dovecot):
    box = mailbox()
    dovecot.deliver_many(box.address, [spam_mail(1), letter(Message_ID="<1@customer.example>")])
    sync.pull(box.id)
    make_spam(spam_number())
    delete_old()
    assert len(stored(Conversation)) == 1
    found, trouble = sync.compare(box.id)
    assert trouble is None and [(r["missing"], r["extra"]) for r in found if r["folder"] == "INBOX"] == [(0, 0)]
    dovecot.deliver_many(box.address, [letter(Message_ID="<2@customer.example>")])
    sync.pull(box.id)
    assert len(stored(Message)) == 3 and len(stored(Message, Message.erased_at.is_not(None))) == 1
    assert not stored(Message, Message.text.contains("secret of nobody"))
    sweep.everything()


def test_met_again_in_another_folder_it_stays_empty(app, team):
    """The same bytes under a new number: put away before anybody knows, and forgotten once more."""
    box, raw = connected(), spam_mail()
    arrive(box, raw)
    number, name = spam_number(), stored(Message)[0].raw_sha256
    make_spam(number)
    delete_old()
    arrive(box, raw, role="archive", first_uid=9)
    assert [p.uid for p in stored(Place)] == [1, 9] and stored(Conversation) == []
    assert db.session.scalars(erasing.to_forget()).all() == [stored(Message)[0].id]
    erase.forget(stored(Message)[0].id)
    with pytest.raises(KeyError):
        app.extensions["blobs"].get_raw(name)
    assert stored(Message)[0].text == ""
