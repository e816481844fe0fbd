"""Notes call colleagues in, on the screen and in one mail for several; nobody else hears of them."""

from datetime import timedelta

import pytest
from mailroom import arrive, conversation, inbox, letter, person, stored
from sqlalchemy import select, update
from tabs import at_once, let_two_meet

from webapp.actions import conversations, inboxes, notes, notices, teams
from webapp.extensions import db, unit
from webapp.jobs import notices as jobs
from webapp.mail.types import MailError
from webapp.models import Conversation, InboxMember, Mention, Note, Notice, TeamMember
from webapp.models.types import now
from webapp.rules import RuleBroken


def write(number, text, by="zofia"):
    with unit():
        return notes.write(person(by), conversation(number), text).id


def told():
    return [(n.person.name, n.kind) for n in stored(Notice)]


def test_who_is_named_is_called_in_once(one):
    write(one, "@Marek and @marek, and @Zofia herself: look")
    assert told() == [("Marek", "mentioned")]
    assert [m.person_id for m in db.session.scalars(select(Mention))] == [person("marek").id]


def test_a_team_calls_all_of_its_people_who_may_read(one):
    with unit():
        crew = teams.create_team(person("zofia"), "Crew")
        db.session.add_all([TeamMember(team_id=crew.id, person_id=person(n).id) for n in ("marek", "ewa", "zofia")])
    write(one, "@crew look")
    assert sorted(told()) == [("Ewa", "mentioned"), ("Marek", "mentioned")]


def test_nobody_is_called_into_what_they_can_not_open(one):
    with unit():
        inboxes.create_inbox(person("zofia"), "Board")
        inbox("Board").access = "members"
        db.session.add(InboxMember(inbox_id=inbox("Board").id, person_id=person("zofia").id))
        conversations.move(person("zofia"), conversation(one), inbox("Board"))
    write(one, "@Marek look")
    assert told() == []


def test_followers_hear_of_notes_and_of_mail_and_not_of_robots(one, box):
    with unit():
        conversations.follow(person("marek"), conversation(one))
        conversations.follow(person("zofia"), conversation(one))
    write(one, "Hm")
    assert told() == [("Marek", "followed")]
    arrive(box, letter(Message_ID="<2@x>", In_Reply_To="<1@x>"), first_uid=2)
    arrive(box, letter(Message_ID="<3@x>", In_Reply_To="<1@x>", Auto_Submitted="auto-replied"), first_uid=3)
    assert sorted(told()) == [("Marek", "followed"), ("Marek", "followed"), ("Zofia", "followed")]
    with unit():
        conversations.unfollow(person("marek"), conversation(one))
    write(one, "Hm again")
    assert len(told()) == 3


def test_reading_the_conversation_is_having_seen_it(one):
    write(one, "@Marek look")
    with unit():
        conversations.see(person("marek"), conversation(one))
    assert db.session.scalar(select(Mention.seen_at)) is not None
    [notice] = stored(Notice)
    assert notice.read_at is not None


def test_reading_one_conversation_reads_nothing_of_another_and_for_nobody_else(one, box):
    arrive(box, letter(Message_ID="<2@x>", subject="Other"), first_uid=2)
    other = stored(Conversation)[1].id
    with unit():
        conversations.follow(person("ewa"), conversation(one))
        notices.tell(person("marek"), "password_changed", mail=False)
    for number in (one, other):
        write(number, "@Marek look")
    with unit():
        assert conversations.unseen(person("marek"), conversation(one))
        conversations.see(person("marek"), conversation(one))
        assert not conversations.unseen(person("marek"), conversation(one))
    assert [(n.person.name, n.facts.get("conversation")) for n in stored(Notice, Notice.read_at.is_(None))] == [
        ("Marek", None), ("Ewa", one), ("Marek", other)]


def test_who_follows_and_has_no_new_mail_to_read_has_read_the_notice_too(one, browser_of):
    with unit():
        conversations.follow(person("marek"), conversation(one))
        conversations.see(person("marek"), conversation(one))
    write(one, "Hm")
    with browser_of("marek") as client:
        client.get(f"/conversations/{one}")
    assert [n.read_at is not None for n in stored(Notice)] == [True]


def test_only_its_author_deletes_a_note_and_its_words_are_gone(one):
    number = write(one, "A secret for @Marek")
    with pytest.raises(RuleBroken), unit():
        notes.remove(person("marek"), db.session.get(Note, number))
    with unit():
        notes.remove(person("zofia"), db.session.get(Note, number))
    [note] = stored(Note)
    assert note.removed_at and "secret" not in note.text
    assert db.session.scalars(select(Mention)).all() == []


def test_what_happens_within_minutes_is_one_mail_and_what_was_read_is_none(one, by_mail, monkeypatch):
    sent = []
    monkeypatch.setattr(jobs, "_hand_over", lambda _server, recipient, raw: sent.append((recipient, raw)))
    write(one, "@Marek first thing")
    with unit():
        conversations.see(person("marek"), conversation(one))
    for text in ("@Marek second thing", "@Marek third thing"):
        write(one, text)
    waiting = stored(Notice)
    assert all(n.mail_state == "queued" and n.mail_at > now() for n in waiting), "they wait for one another"
    with unit():
        for n in db.session.scalars(select(Notice)):
            n.mail_at = now() - timedelta(seconds=1)
    for notice_id in db.session.scalars(notices.due()).all():
        jobs.send(notice_id)
    [(recipient, raw)] = sent
    text = raw.decode()
    assert recipient == "marek@corp.example" and "second thing" in text and "third thing" in text
    assert "first thing" not in text, "it was read on the screen"
    assert {n.mail_state for n in stored(Notice)} == {"sent"}


def due_now():
    with unit():
        db.session.execute(update(Notice).values(mail_at=now() - timedelta(seconds=1)))
    return db.session.scalars(notices.due()).all()


def test_what_goes_along_is_not_mailed_by_another_worker_meanwhile(one, by_mail, monkeypatch):
    for text in ("@Marek first thing", "@Marek second thing"):
        write(one, text)
    first, second = due_now()
    sent = []

    def hand_over(_server, _recipient, raw):
        sent.append(raw.decode())
        jobs.send(second)
    monkeypatch.setattr(jobs, "_hand_over", hand_over)
    jobs.send(first)
    assert len(sent) == 1 and "first thing" in sent[0] and "second thing" in sent[0]


def test_what_could_not_be_handed_over_is_one_mail_again(one, by_mail, monkeypatch):
    for text in ("@Marek first thing", "@Marek second thing"):
        write(one, text)
    first, second = due_now()
    sent = []

    def away(*_):
        raise MailError("unavailable")
    monkeypatch.setattr(jobs, "_hand_over", away)
    jobs.send(first)
    assert len({n.mail_at for n in stored(Notice)}) == 1 and {n.attempts for n in stored(Notice)} == {1}
    monkeypatch.setattr(jobs, "_hand_over", lambda _server, _recipient, raw: sent.append(raw.decode()))
    for notice_id in due_now()[::-1]:
        jobs.send(notice_id)
    assert len(sent) == 1 and "first thing" in sent[0] and "second thing" in sent[0]


def test_two_workers_at_once_mail_nothing_twice_and_wait_for_nobody(app, one, by_mail, monkeypatch):
    for text in ("@Marek first thing", "@Marek second thing", "@Marek third thing"):
        write(one, text)
    first, second, third = due_now()
    let_two_meet(monkeypatch, notices, "claim_along")
    told = []

    def work(notice_id):
        notice = notices.claim(notice_id)
        if notice is not None:
            told.extend((notice_id, *notices.claim_along(notice)))
    at_once(app, lambda: work(first), lambda: work(second))
    assert sorted(told) == [first, second, third]


def test_who_does_not_want_mail_is_told_on_the_screen_only(one, by_mail):
    with unit():
        person("marek").mail_mentions = False
    write(one, "@Marek look")
    [notice] = stored(Notice)
    assert notice.shown and notice.mail_state == "none"
