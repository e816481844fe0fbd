"""Stored mail is read again after an upgrade, and when somebody asks: the same rows, filled, and nobody is notified."""

import os
import re
import signal
from datetime import UTC, datetime

import pytest
from mailroom import arrive, connected, inbox, letter, person, stored

from webapp.actions import contents, receive, replies, reread
from webapp.extensions import db, unit
from webapp.jobs import personal, sweep, sync
from webapp.jobs import reread as jobs
from webapp.mail.html import SANITIZER_VERSION
from webapp.mail.parse import PARSER_VERSION
from webapp.mail.types import Parsed
from webapp.models import Attachment, Connection, Conversation, Event, Message, Notice, Participant, Place, ThreadKey

HERE = {"Sec-Fetch-Site": "same-origin"}
PIXEL = bytes.fromhex("89504e470d0a1a0a0000000d49484452")
AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def team_box(team):
    return connected()


@pytest.fixture
def unread(monkeypatch):
    """`unread(box, raw, ...)`: it arrives, and a parser of an older version can't read it; its message's id."""
    def come(box, raw, header=False, **more):
        def old(raw, how):
            parsed = contents.replace(contents.parse_header(raw), readable=False) if header else Parsed(readable=False)
            return parsed, *contents._columns(parsed)
        with monkeypatch.context() as patch:
            patch.setattr(receive, "contents_of", old)
            arrive(box, raw, **more)
        with unit():
            message = stored(Message, Message.connection_id == box)[-1]
            assert message.state == "unreadable"
            message.parser_version = 0
            db.session.get(Connection, box).read_with = 0
        return message.id
    return come


def rows():
    """All that reading again could double or lose."""
    return ({(m.id, m.digest, m.raw_sha256, m.size, m.at, m.outgoing) for m in stored(Message)},
            {(p.message_id, p.folder_id, p.uid) for p in stored(Place)})


def due():
    """Connections that the clock offers."""
    db.session.rollback()
    return db.session.scalars(reread.behind()).all()


@pytest.mark.parametrize("header", [False, True], ids=["nothing of it", "its header"])
def test_what_could_not_be_read_is_read_again_in_its_own_row(team_box, unread, header):
    raw = letter(Message_ID="<a@x>", subject="Re: Broken pallet", text="It is broken.", to="support@corp.example, eva@x.org",
                 html="<p>It is <b>broken</b>.</p><script>bad()</script>", files=[("one.png", "image/png", PIXEL)])
    message_id = unread(team_box, raw, header, at=AT)
    before, [conversation] = rows(), stored(Conversation)
    kept = (conversation.id, conversation.status, conversation.last_in_id, conversation.message_count, conversation.last_at)
    jobs.older(team_box)
    jobs.older(team_box)
    assert rows() == before
    [message], [conversation] = stored(Message), stored(Conversation)
    assert (message.id, message.state, message.parser_version) == (message_id, "ok", PARSER_VERSION)
    assert (message.subject, message.from_address, message.message_id) == ("Re: Broken pallet", "anna@customer.example",
                                                                          "a@x")
    assert "It is broken." in message.text
    assert (message.has_html, "bad" in message.html, message.sanitizer_version) == (True, False, SANITIZER_VERSION)
    assert [a.filename for a in stored(Attachment)] == ["one.png"]
    assert (conversation.subject, conversation.who, conversation.has_attachments) == ("Broken pallet", "Anna Nowak", True)
    assert conversation.last_snippet.startswith("It is broken")
    assert conversation.contact.addresses[0].address == "anna@customer.example"
    assert {p.address_key for p in stored_all(Participant)} == {"anna@customer.example", "eva@x.org"}
    assert [(k.message_id, k.own) for k in stored_all(ThreadKey)] == [("a@x", True)]
    assert kept == (conversation.id, conversation.status, conversation.last_in_id, conversation.message_count,
                    conversation.last_at)
    assert stored(Event) == [], "and nobody is notified"
    assert stored(Notice) == []


def stored_all(model):
    db.session.rollback()
    return db.session.scalars(db.select(model)).all()


def test_a_message_read_again_can_be_answered_and_its_answer_joins(team_box, unread):
    unread(team_box, letter(Message_ID="<a@x>"))
    jobs.older(team_box)
    arrive(team_box, letter(Message_ID="<b@x>", In_Reply_To="<a@x>", subject="Re: Broken pallet"), first_uid=2)
    [conversation] = stored(Conversation)
    assert conversation.message_count == 2
    with unit():
        row = replies.reply(person("marek"), stored(Conversation)[0], "We will replace it.")
        assert [r.address for r in row.recipients] == ["anna@customer.example"]


def test_an_answer_that_came_while_its_letter_was_unreadable_joins_it(team_box, unread):
    message_id = unread(team_box, letter(Message_ID="<a@x>"), at=AT)
    arrive(team_box, letter(Message_ID="<b@x>", In_Reply_To="<a@x>", subject="Re: Broken pallet"), first_uid=2)
    assert len(stored(Conversation)) == 2
    jobs.older(team_box)
    [conversation] = stored(Conversation)
    assert {m.conversation_id for m in stored(Message)} == {conversation.id}
    assert (conversation.message_count, conversation.subject) == (2, "Broken pallet")
    assert db.session.get(Message, message_id).conversation_id == conversation.id


def test_a_message_that_belongs_elsewhere_stays_and_says_where(team_box, unread):
    arrive(team_box, letter(Message_ID="<a@x>"))
    unread(team_box, letter(Message_ID="<b@x>", In_Reply_To="<a@x>"), first_uid=2)
    jobs.older(team_box)
    first, second = stored(Conversation)
    assert second.possible_reply_to_id == first.id
    assert [c.message_count for c in (first, second)] == [1, 1]


def test_what_is_still_unreadable_is_tried_once_a_version(team_box, unread, monkeypatch, tmp_path):
    message_id = unread(team_box, letter(subject="from hell"))

    def deadly(raw, how):
        tries.write_text(tries.read_text() + how[0] if tries.exists() else how[0])
        os.kill(os.getpid(), signal.SIGKILL)
    tries = tmp_path / "tries"
    monkeypatch.setattr(jobs, "contents_of", deadly)
    assert team_box in due()
    jobs.older(team_box)
    assert due() == []
    jobs.older(team_box)
    message = db.session.get(Message, message_id)
    assert (message.state, message.parser_version, bool(message.reread_at)) == ("unreadable", PARSER_VERSION, True)
    assert tries.read_text() == "wtb", "the whole, its text, its header"
    monkeypatch.setattr(reread, "PARSER_VERSION", PARSER_VERSION + 1)
    monkeypatch.setattr(reread, "READ_WITH", reread.READ_WITH + 1)
    monkeypatch.setattr(contents, "PARSER_VERSION", PARSER_VERSION + 1)
    monkeypatch.setattr(jobs, "contents_of", contents.contents_of)
    assert team_box in due(), "the next version tries again"
    jobs.older(team_box)
    assert stored(Message)[0].state == "ok"


def test_html_that_an_older_sanitiser_cleaned_is_cleaned_again_and_nothing_else_changes(team_box):
    html = "<p>Hello <b>world</b></p>"
    arrive(team_box, letter(Message_ID="<a@x>", html=html), letter(Message_ID="<b@x>", text="No HTML"))
    with unit():
        message = stored(Message)[0]
        message.html, message.sanitizer_version, message.from_name = "<p>old</p>", SANITIZER_VERSION, "Anna as she was"
        db.session.get(Connection, team_box).read_with = 0
    jobs.older(team_box)
    assert stored(Message)[0].html == "<p>old</p>", "this version has cleaned it"
    patch = pytest.MonkeyPatch()
    with patch.context() as newer:
        for module in (reread, contents.mail_html):
            newer.setattr(module, "SANITIZER_VERSION", SANITIZER_VERSION + 1)
        newer.setattr(reread, "READ_WITH", reread.READ_WITH + 1)
        before = rows()
        assert team_box in due()
        jobs.older(team_box)
        assert due() == []
    message, other = stored(Message)
    assert ("world" in message.html, message.sanitizer_version) == (True, SANITIZER_VERSION + 1)
    assert (message.from_name, other.sanitizer_version, other.text.strip()) == ("Anna as she was", 0, "No HTML")
    assert rows() == before


def test_work_that_was_lost_in_between_is_found_again(team_box, unread, monkeypatch):
    for n in range(5):
        unread(team_box, letter(Message_ID=f"<{n}@x>", subject=f"Number {n}"), first_uid=n + 1)
    done = []

    def killed(*arguments, real=reread.fill):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(arguments[0])
        return real(*arguments)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(reread, "fill", killed)
        jobs.older(team_box)
    assert [m.state for m in stored(Message)].count("ok") == 2
    hinted = []
    monkeypatch.setattr(sweep, "_hint", lambda name, queue, ids: hinted.append((name, queue, list(ids))))
    sweep.everything()
    assert ("webapp.jobs.reread.older", "slow", [team_box]) in hinted
    jobs.older(team_box)
    assert {m.state for m in stored(Message)} == {"ok"}
    assert len(stored(Message)) == len(stored(Conversation)) == 5


def test_a_job_that_has_taken_its_time_makes_room_for_others(team_box, unread, monkeypatch):
    for n in range(3):
        unread(team_box, letter(Message_ID=f"<{n}@x>"), first_uid=n + 1)
    asked = []
    monkeypatch.setattr(jobs, "SECONDS", -1)
    monkeypatch.setattr(jobs, "enqueue", lambda *a, **k: asked.append((a, k)))
    jobs.older(team_box)
    assert asked == [(("webapp.jobs.reread.older", (team_box,)), {"queue": "slow"})]
    assert due() == [team_box]


def test_two_workers_at_the_same_message_fill_it_once(team_box, unread):
    raw = letter(files=[("one.png", "image/png", PIXEL)])
    message_id = unread(team_box, raw)
    found = contents.contents_of(raw, "whole")
    for expected in (True, False):
        with unit():
            assert reread.fill(message_id, raw, found) is expected
    assert len(stored(Attachment)) == 1


def test_the_button_reads_it_again_in_place(team_box, unread, browser_of):
    message_id = unread(team_box, letter())
    with unit():
        db.session.get(Message, message_id).parser_version = PARSER_VERSION
        db.session.get(Connection, team_box).read_with = reread.READ_WITH
    page = f"/conversations/{stored(Message)[0].conversation_id}"
    with browser_of("marek") as client:
        found = re.search(r'action="(/messages/\d+/again)" hx-post="\1" hx-target="#m(\d+)"', client.get(page).text)
        assert (found[1], found[2]) == (f"/messages/{message_id}/again", str(message_id))
        answer = client.post(found[1], headers={**HERE, "HX-Request": "true"})
        assert answer.status_code == 200
        assert f'id="m{message_id}"' in answer.text
        assert "is being read again" in answer.text
        assert due() == [team_box], "a lost job costs nothing"
        jobs.again(message_id)
        text = client.get(page).text
        assert "it is broken." in text
        assert "/again" not in text


def test_the_button_works_without_script_and_says_when_it_did_not_help(team_box, unread, browser_of, monkeypatch):
    message_id = unread(team_box, letter())
    with browser_of("marek") as client:
        answer = client.post(f"/messages/{message_id}/again", headers=HERE)
        assert answer.status_code == 303
        assert "is being read again" in client.get(answer.location).text
        monkeypatch.setattr(jobs, "contents_of", lambda raw, how: os.kill(os.getpid(), signal.SIGKILL))
        jobs.again(message_id)
        text = client.get(answer.location).text
    assert "with the same result" in text
    assert f"/messages/{message_id}/again" in text


def test_who_may_not_act_gets_no_button_and_is_refused(team_box, unread, browser_of):
    message_id = unread(team_box, letter())
    with unit():
        db.session.get(Message, message_id).parser_version = PARSER_VERSION
    with browser_of("ewa") as client:
        assert "/again" not in client.get(f"/conversations/{stored(Message)[0].conversation_id}").text
        assert client.post(f"/messages/{message_id}/again", headers=HERE).status_code == 403
    assert stored(Message)[0].parser_version == PARSER_VERSION


def test_the_owner_reads_personal_mail_again(team, unread, browser_of):
    box = connected("personal", "zofia@corp.example", "zofia")
    message_id = unread(box, letter(to="zofia@corp.example", text="Secret dinner"))
    with unit():
        db.session.get(Message, message_id).parser_version = PARSER_VERSION
    url = f"/mailboxes/{box}/mail/{message_id}"
    with browser_of("marek") as client:
        assert client.post(f"/messages/{message_id}/again", headers=HERE).status_code == 404
    with browser_of("zofia") as client:
        assert f"/messages/{message_id}/again" in client.get(url).text
        assert client.post(f"/messages/{message_id}/again", headers=HERE).location.endswith(url)
        assert "every 2s" in client.get(url).text
        jobs.again(message_id)
        assert "Secret dinner" in client.get(url).text
    assert stored(Conversation) == []
    assert inbox()


def test_a_message_without_raw_bytes_or_with_lost_ones_harms_nothing(team_box, unread):
    message_id = unread(team_box, letter())
    with unit():
        db.session.get(Message, message_id).raw_sha256 = "0" * 64
        reread.ask(person("marek"), db.session.get(Message, message_id))
    jobs.older(team_box)
    message = db.session.get(Message, message_id)
    assert (message.state, message.parser_version, due()) == ("unreadable", PARSER_VERSION, [])


@pytest.fixture
def large(mailbox, dovecot, allowed):
    """`large("team")`: a mailbox with a message of 2 MB, where 1 MB is the most; (the mailbox, the message's id)."""
    def make(kind):
        box = mailbox(kind, "zofia")
        raw = letter(to=box.address, subject="Plans", Message_ID="<large@x>",
                     files=[("plans.bin", "application/zip", os.urandom(1_500_000))])
        dovecot.deliver_many(box.address, [letter(subject="Before"), raw, letter(subject="After")])
        allowed(dovecot.imaps_port, max_message_mb=1)
        sync.pull(box.id)
        return box, raw, next(m.id for m in stored(Message) if m.subject == "Plans")
    return make


def test_a_message_that_was_too_large_is_fetched_when_larger_ones_may_be_and_somebody_asks(
        large, dovecot, allowed, browser_of, app):
    box, raw, message_id = large("team")
    message = db.session.get(Message, message_id)
    assert (message.state, message.raw_sha256, len(stored(Message))) == ("too_big", None, 3)
    page = f"/conversations/{message.conversation_id}"
    with browser_of("marek") as client:
        assert "up to 1 MB" in client.get(page).text
        client.post(f"/messages/{message_id}/again", headers=HERE)
        assert "Fetching the text" in client.get(page).text
        personal.fetch_body(message_id)
        assert stored(Message, Message.id == message_id)[0].state == "too_big", "it still is"
        allowed(dovecot.imaps_port, max_message_mb=50)
        client.post(f"/messages/{message_id}/again", headers=HERE)
        personal.fetch_body(message_id)
        assert "plans.bin" in client.get(page).text
    message = db.session.get(Message, message_id)
    assert (message.state, message.digest, message.size) == ("ok", message.raw_sha256, len(raw))
    assert app.extensions["blobs"].get_raw(message.raw_sha256) == raw
    sync.pull(box.id)
    dovecot.new_uidvalidity(box.address)
    sync.pull(box.id)
    sync.pull(box.id)
    assert len(stored(Message)) == len(stored(Conversation)) == 3, "its server numbers it anew: no second copy"


def test_a_fetch_that_got_lost_is_asked_for_again_and_one_that_fails_can_be(large, dovecot, allowed, monkeypatch):
    box, _raw, message_id = large("team")
    allowed(dovecot.imaps_port, max_message_mb=50)
    with unit():
        reread.ask(person("marek"), db.session.get(Message, message_id))
    asked = []
    monkeypatch.setattr(jobs, "enqueue", lambda *a, **k: asked.append(a))
    jobs.older(box.id)
    assert asked == [("webapp.jobs.personal.fetch_body", (message_id,))]
    assert due() == [box.id]
    dovecot.stop()
    try:
        personal.fetch_body(message_id)
        assert stored(Message, Message.id == message_id)[0].state == "too_big"
    finally:
        dovecot.start()
    jobs.older(box.id)
    assert due() == []


def test_ones_own_message_that_is_too_large_says_so_and_is_fetched_later(large, dovecot, allowed, browser_of):
    box, _raw, message_id = large("personal")
    url = f"/mailboxes/{box.id}/mail/{message_id}"
    with browser_of("zofia") as client:
        client.get(url)
        personal.fetch_body(message_id)
        assert "too large" in client.get(url).text
        allowed(dovecot.imaps_port, max_message_mb=50)
        client.post(f"/messages/{message_id}/again", headers=HERE)
        personal.fetch_body(message_id)
        assert "plans.bin" in client.get(url).text


def test_a_bomb_in_personal_mail_costs_that_message_alone_when_it_is_opened(mailbox, dovecot, monkeypatch, app):
    box = mailbox("personal", "zofia")
    raw = letter(to=box.address, subject="from hell")
    dovecot.deliver(box.address, raw)
    sync.pull(box.id)

    def deadly(raw, how):
        if how != "beyond":
            os.kill(os.getpid(), signal.SIGKILL)
        return real(raw, how)
    real = contents.contents_of
    monkeypatch.setattr(contents, "contents_of", deadly)
    [message] = stored(Message)
    personal.fetch_body(message.id)
    [message] = stored(Message)
    assert (message.state, message.subject) == ("unreadable", "from hell")
    assert app.extensions["blobs"].get_raw(message.raw_sha256) == raw
    monkeypatch.undo()
    with unit():
        reread.ask(person("zofia"), db.session.get(Message, message.id))
    jobs.again(message.id)
    assert stored(Message)[0].state == "ok"


def cleaned_before(box, html):
    """A message whose HTML an older sanitiser has let through; its id."""
    arrive(box, letter(Message_ID="<old@x>", html="<p>It is broken.</p>", text="It is broken."))
    with unit():
        message = stored(Message)[0]
        message.html, message.sanitizer_version = html, SANITIZER_VERSION - 1
        db.session.get(Connection, box).read_with = 0
    return message.id


def test_html_that_an_older_sanitiser_let_through_goes_when_the_mail_is_refused_today(team_box, monkeypatch, browser_of):
    message_id = cleaned_before(team_box, '<p style="hole">let through</p>')
    monkeypatch.setattr(jobs, "contents_of", lambda raw, how: os.kill(os.getpid(), signal.SIGKILL))
    jobs.older(team_box)
    message = stored(Message)[0]
    assert (message.state, message.html, message.has_html, message.images) == ("ok", None, False, [])
    assert "It is broken." in message.text
    assert due() == [], "once a version"
    with browser_of("marek") as client:
        assert client.get(f"/messages/{message_id}/body").status_code == 404
        page = client.get(f"/conversations/{message.conversation_id}").text
    assert "It is broken." in page
    assert "too complex to be shown" in page


def test_html_stays_when_the_bytes_to_make_it_of_are_gone(team_box, monkeypatch):
    cleaned_before(team_box, "<p>as it was</p>")

    def gone(_name):
        raise KeyError
    monkeypatch.setattr(reread, "raw_of", gone)
    jobs.older(team_box)
    message = stored(Message)[0]
    assert (message.html, message.sanitizer_version) == ("<p>as it was</p>", SANITIZER_VERSION)


def test_a_mail_whose_html_is_too_much_today_shows_its_text(team_box, monkeypatch):
    cleaned_before(team_box, "<p>as it was</p>")

    def deadly(raw, how):
        if how == "whole":
            os.kill(os.getpid(), signal.SIGKILL)
        return contents.contents_of(raw, how)
    monkeypatch.setattr(jobs, "contents_of", deadly)
    jobs.older(team_box)
    message = stored(Message)[0]
    assert (message.state, message.html, message.text.strip()) == ("ok", None, "It is broken.")
