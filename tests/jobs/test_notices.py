"""What the product writes to its people: by the admin's server, in the person's language, until it is taken or over."""

import json
import re
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from app_fixtures import PASSWORD
from mailroom import person, stored

from webapp.actions import notices, people
from webapp.extensions import db, unit
from webapp.jobs import notices as jobs
from webapp.jobs import sweep
from webapp.models import Link, Notice
from webapp.models.link import link_of
from webapp.models.types import now
from webapp.rules.sending import LEASE, RETRIES
from webapp.words.notices import KINDS

SECRET = "s3cr:t p/ss@"


@pytest.fixture
def post(allowed, sink, team):
    """The sink is the server that POSTROOM_NOTICE_SMTP names: on loopback, and nowhere else allowed."""
    sink.reset()
    sink.add_user("post@corp.example", SECRET)
    allowed(notice_smtp=f"smtps://post%40corp.example:s3cr%3At%20p%2Fss%40@127.0.0.1:{sink.port}",
            notice_from="Transwisła <post@corp.example>", organisation="Transwisła")
    return sink


def tell(kind="password_changed", name="marek", **facts):
    with unit():
        return notices.tell(person(name), kind, **facts).id


def letters(sink):
    return [message_from_bytes(r.raw, policy=policy.default) for r in sink.received]


def test_a_notice_leaves_once_as_a_mail_that_no_robot_answers(app, post):
    notice_id = tell()
    jobs.send(notice_id)
    jobs.send(notice_id)
    [letter] = letters(post)
    assert (letter["To"], letter["From"]) == ("Marek <marek@corp.example>", "Transwisła <post@corp.example>")
    assert letter["Subject"] == "Your password has changed"
    assert (letter["Auto-Submitted"], letter["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    text, html = (letter.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for part in (text, html):
        assert "http://localhost/profile" in part
        assert "Hello Marek," in part
    assert (stored(Notice)[0].mail_state, stored(Notice)[0].attempts) == ("sent", 1)


def test_it_speaks_the_language_of_its_reader(app, post):
    with unit():
        person("marek").language = "pl"
    jobs.send(tell())
    assert letters(post)[0]["Subject"] == "Zmieniono Twoje hasło"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_words_in_both_languages_and_leads_to_a_page_of_ours(app, team, kind):
    from flask_babel import force_locale
    facts = {"problem": "password_refused", "address": "a@corp.example", "connection": 7, "number": 3, "role": "member",
             "inbox_id": 2, "name": "Ewa", "by": "Zofia", "inbox": "Support", "email": "b@corp.example",
             "organisation": "X", "token": "t", "excerpt": "What somebody wrote"}
    said = {}
    for language in ("en", "pl"):
        with force_locale(language):
            said[language] = KINDS[kind](**facts)
    assert said["en"].title != said["pl"].title
    assert said["en"].text != said["pl"].text or said["en"].text == facts["excerpt"]      # no language of ours
    assert "\n" not in said["en"].title
    if said["en"].path:
        app.url_map.bind("localhost").match(re.split("[?#]", said["en"].path)[0], method="GET")


def test_hostile_facts_stay_text_in_the_mail_and_break_no_header(app, post):
    jobs.send(tell("mailbox.stopped", address="a@b\r\nBcc: eve@evil.example\r\n\r\n<img src=x>",
                   problem="password_refused", facts={}, connection=1))
    [letter] = letters(post)
    assert letter["Bcc"] is None
    assert "<img" not in letter.get_body(("html",)).get_content()
    assert post.received[0].recipients == ("marek@corp.example",)


def test_a_link_is_made_for_the_mail_alone_and_stands_nowhere_else(app, post):
    with unit():
        people.invite(person("zofia"), "olga@corp.example")
    [notice] = stored(Notice)
    jobs.send(notice.id)
    text = letters(post)[0].get_body(("plain",)).get_content()
    token = text.partition("http://localhost/links/")[2].split()[0]
    assert link_of(token).id == stored(Link)[0].id
    assert token not in json.dumps(stored(Notice)[0].facts)
    assert "Zofia" in letters(post)[0]["Subject"]


def test_a_link_that_was_used_meanwhile_is_not_sent(app, post):
    with unit():
        people.invite(person("zofia"), "olga@corp.example").used_at = now()
    jobs.send(stored(Notice)[0].id)
    assert (post.received, stored(Notice)[0].mail_state) == ([], "failed")


def test_somebody_who_has_gone_is_told_nothing(app, post):
    notice_id = tell()
    with unit():
        people.deactivate(person("zofia"), person("marek"))
    jobs.send(notice_id)
    assert (post.received, db.session.get(Notice, notice_id).mail_state) == ([], "failed")


@pytest.mark.parametrize(("knob", "value", "state"), [
    ("recipients", {"marek@corp.example": "550 5.1.1 No such user"}, "failed"),
    ("recipients", {"marek@corp.example": "450 4.2.0 Later"}, "queued"),
    ("data_answer", "554 5.7.1 Spam", "failed"), ("data_answer", "451 4.3.0 Busy", "queued"),
    ("sender_answer", "553 5.7.1 Not you", "queued"), ("sign_in_answer", "535 5.7.8 No", "queued"),
    ("drop", "after_dot", "queued")])
def test_only_a_judgement_on_this_mail_is_final(app, post, knob, value, state):
    setattr(post.knobs, knob, value)
    notice_id = tell()
    jobs.send(notice_id)
    row = stored(Notice)[0]
    assert (row.mail_state, row.attempts, bool(row.problem)) == (state, 1, True)
    if state == "queued":
        assert row.mail_at - now() == pytest.approx(RETRIES[0], abs=timedelta(seconds=10))


def test_after_two_days_it_is_given_up(app, post):
    post.knobs.sign_in_answer = "535 5.7.8 No"
    notice_id = tell()
    for attempt in range(len(RETRIES) + 1):
        assert stored(Notice)[0].mail_state == "queued", attempt
        with unit():
            db.session.get(Notice, notice_id).mail_at = now()
        jobs.send(notice_id)
    assert stored(Notice)[0].mail_state == "failed"


def test_the_password_of_the_server_is_told_to_nobody(app, post, caplog):
    post.knobs.sign_in_answer = f"535 5.7.8 {SECRET} is wrong"
    jobs.send(tell())
    assert SECRET not in caplog.text
    assert SECRET not in stored(Notice)[0].problem
    assert "•••" in stored(Notice)[0].problem


def test_a_worker_that_died_is_followed_by_another_after_its_lease(app, post):
    notice_id = tell()
    with unit():
        assert notices.claim(notice_id).attempts == 1
        assert notices.claim(notice_id) is None
    jobs.send(notice_id)
    assert post.received == []
    with unit():
        db.session.get(Notice, notice_id).mail_at = now() - timedelta(seconds=1)
    assert list(db.session.scalars(notices.due())) == [notice_id]
    jobs.send(notice_id)
    assert len(post.received) == 1
    with unit():
        notices.ended(notice_id, 1, "failed", "the late one")
    assert stored(Notice)[0].mail_state == "sent"
    assert timedelta(seconds=130) < LEASE


def test_the_clock_finds_what_the_queue_lost(app, post, monkeypatch):
    hinted = []
    monkeypatch.setattr(sweep, "enqueue", lambda name, ids, queue: hinted.append((name, *ids)))
    monkeypatch.setattr(sweep, "crowded", lambda queue: False)
    notice_id = tell()
    with unit():
        from webapp.actions import links
        links.ask_for_reset("marek@corp.example", "192.0.2.1")
    sweep.everything()
    assert ("webapp.jobs.notices.send", notice_id) in hinted
    assert ("webapp.jobs.notices.reset", stored(Link)[0].id) in hinted


def test_a_forgotten_password_comes_back_by_mail(app, post):
    app.test_client().post("/forgot", data={"email": "marek@corp.example"}, headers={"Sec-Fetch-Site": "same-origin"})
    jobs.reset(stored(Link)[0].id)
    jobs.send(stored(Notice)[0].id)
    text = letters(post)[0].get_body(("plain",)).get_content()
    token = text.partition("/links/")[2].split()[0]
    answer = app.test_client().post(f"/links/{token}", data={"password": "a brand new secret"},
                                    headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303
    assert PASSWORD != "a brand new secret"


def test_the_links_of_mails_begin_with_the_configured_address_whatever_host_was_asked(app, post):
    app.test_client().post("/forgot", data={"email": "marek@corp.example"}, base_url="http://evil.example",
                           headers={"Sec-Fetch-Site": "same-origin"})
    jobs.reset(stored(Link)[0].id)
    jobs.send(stored(Notice)[0].id)
    assert b"evil.example" not in post.received[0].raw
