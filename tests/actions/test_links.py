"""Links that work once: of two who use one, one wins; altered, used, expired, unknown all look alike."""

import contextlib
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from app_fixtures import PASSWORD
from mailroom import person, stored

from webapp.actions import links, people
from webapp.extensions import db, unit
from webapp.models import Audit, Link, Notice, Person, SignIn, Try
from webapp.models.link import token_of
from webapp.models.types import now
from webapp.rules.people import MAX_TRIES

HERE = {"Sec-Fetch-Site": "same-origin"}
NEW = "an entirely new one"
INVITED = {"name": "Olga Nowak", "password": NEW, "language": "pl", "time_zone": "Europe/Madrid"}


@pytest.fixture
def invited(team):
    """The token of Olga's invitation."""
    with unit():
        return token_of(people.invite(person("zofia"), "olga@corp.example"))


def reset_of(name):
    with unit():
        link = Link(purpose="reset", email=person(name).email_key, person_id=person(name).id,
                    expires_at=now() + timedelta(hours=1))
        db.session.add(link)
        db.session.flush()
        return token_of(link)


def use(app, token, **typed):
    client = app.test_client()
    return client, client.post(f"/links/{token}", data=typed, headers=HERE)


def sign_in(app, email, password):
    return app.test_client().post("/sign-in", data={"email": email, "password": password}, headers=HERE).status_code


def olga():
    return stored(Person, Person.email_key == "olga@corp.example")[0]


def test_an_invitation_lets_in_once_with_what_was_chosen(app, invited):
    page = app.test_client().get(f"/links/{invited}")
    assert page.status_code == 200
    assert "olga@" in page.text
    assert stored(Link)[0].used_at is None, "a scanner that follows links changes nothing"
    client, answer = use(app, invited, **INVITED)
    assert answer.status_code == 303
    assert client.get("/welcome").status_code == 200
    assert (olga().name, olga().language, olga().time_zone, olga().state) == ("Olga Nowak", "pl", "Europe/Madrid",
                                                                              "active")
    assert sign_in(app, "olga@corp.example", NEW) == 303
    assert use(app, invited, **INVITED)[1].status_code == 404
    assert {"person.accepted", "person.signed_in"} <= {a.action for a in stored(Audit)}


def test_the_page_of_a_link_sends_its_address_to_nobody(app, invited):
    for url in (f"/links/{invited}", "/links/nothing"):
        assert app.test_client().get(url).headers["Referrer-Policy"] == "strict-origin"


@pytest.mark.parametrize(("field", "value"), [("name", " "), ("name", "x" * 101), ("password", "short"),
                                              ("time_zone", "Mars/Base"), ("language", "tlh")])
def test_what_is_wrong_is_said_at_its_field_and_the_link_still_works(app, invited, field, value):
    _client, answer = use(app, invited, **{**INVITED, field: value})
    assert answer.status_code == 422
    assert f'id="{field}-e"' in answer.text
    assert NEW not in answer.text
    assert use(app, invited, **INVITED)[1].status_code == 303


def test_every_link_that_does_not_work_gets_the_same_page(app, invited):
    good = reset_of("marek")
    link_id = stored(Link)[-1].id
    altered = good[:-1] + ("A" if good[-1] != "A" else "B")
    with unit():
        expired = Link(purpose="reset", email="marek@corp.example", person_id=person("marek").id,
                       expires_at=now() - timedelta(seconds=1))
        unknown = Link(id=link_id + 50, purpose="reset", expires_at=now())
        nobody = Link(purpose="reset", email="nobody@corp.example", expires_at=now() + timedelta(hours=1))
        db.session.add_all([expired, nobody])
        db.session.flush()
        tokens = [altered, token_of(expired), token_of(unknown), token_of(nobody), "x", "%00", "ü"]
    use(app, good, password=NEW)
    pages = set()
    for token in [*tokens, good]:
        for method in ("GET", "POST"):
            answer = app.test_client().open(f"/links/{token}", method=method, data={"password": NEW}, headers=HERE)
            assert answer.status_code == 404
            pages.add(re.sub(r'value="[^"]*"|data-since="\d+"|X-CSRFToken": "[^"]*"', "", answer.text))
    assert len(pages) == 1


def test_a_new_password_ends_every_session_and_all_other_links_for_it(app, team, browser_of):
    first, second = reset_of("marek"), reset_of("marek")
    with browser_of("marek") as signed_in:
        _client, answer = use(app, second, password=NEW)
        assert answer.location == "/sign-in?done=password"
        assert signed_in.get("/welcome").status_code == 302
    assert stored(SignIn) == []
    assert use(app, first, password=NEW)[1].status_code == 404
    assert (sign_in(app, "marek@corp.example", PASSWORD), sign_in(app, "marek@corp.example", NEW)) == (422, 303)
    assert [a.facts["by"] for a in stored(Audit, Audit.action == "person.password_changed")] == ["link"]
    assert [n.person_id for n in stored(Notice, Notice.kind == "password_changed")] == [team.marek]


def test_who_forgot_a_password_after_too_many_tries_gets_in_with_the_new_one_at_once(app, team):
    for _ in range(MAX_TRIES["sign_in"]["address"] + 1):
        sign_in(app, "marek@corp.example", "wrong")
    use(app, reset_of("marek"), password=NEW)
    assert sign_in(app, "marek@corp.example", NEW) == 303


@pytest.mark.parametrize("gone", ["deactivate", "remove_person"])
def test_the_link_of_somebody_who_has_gone_works_no_more(app, team, gone):
    token = reset_of("marek")
    with unit():
        getattr(people, gone)(person("zofia"), person("marek"))
    assert use(app, token, password=NEW)[1].status_code == 404


def test_of_two_who_use_a_link_at_once_one_wins(app, team, monkeypatch):
    token, together, real = reset_of("marek"), threading.Barrier(2), links.reset_password

    def at_once(*arguments):
        """Both have seen that the link is good. (SQLite lets only one come so far: that one goes on alone.)"""
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(1)
        return real(*arguments)

    monkeypatch.setattr(links, "reset_password", at_once)
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda password: use(app, token, password=password)[1].status_code, [NEW, NEW + " too"])
        assert sorted(answers) == [303, 404]
    assert len(stored(Audit, Audit.action == "person.password_changed")) == 1


def test_an_invitation_that_two_accept_at_once_lets_in_one(app, invited):
    with ThreadPoolExecutor(2) as pool:
        accepted = pool.map(lambda name: use(app, invited, **{**INVITED, "name": name})[1].status_code, ["Olga", "Eve"])
        assert sorted(accepted) == [303, 404]
    assert len(stored(SignIn)) == 1


# A forgotten password


def test_asking_for_a_new_password_answers_everybody_alike_and_finds_the_person_later(app, team, by_mail):
    answers = {}
    for email in ("marek@corp.example", "nobody@corp.example", "MAREK@Corp.example"):
        answer = app.test_client().post("/forgot", data={"email": email}, headers=HERE)
        assert answer.status_code == 200
        answers[email] = re.sub(r'X-CSRFToken": "[^"]*"|value="[^"]*"|data-since="\d+"', "", answer.text)
    assert len(set(answers.values())) == 1
    assert [(link.person_id, link.purpose) for link in stored(Link)] == [(None, "reset")] * 3
    assert len(stored(Try)) == 6
    for link in stored(Link):
        with unit():
            links.find_person(link.id)
            links.find_person(link.id)
    assert [link.person_id for link in stored(Link)] == [team.marek, team.marek]
    assert [(n.person_id, n.shown, n.mail_to) for n in stored(Notice)] == [
        (team.marek, False, "marek@corp.example")] * 2


def test_asking_again_and_again_is_slowed_down(app, team, by_mail):
    ask = lambda email: app.test_client().post("/forgot", data={"email": email}, headers=HERE)  # noqa: E731
    for _ in range(MAX_TRIES["reset"]["address"]):
        assert ask("nobody@corp.example").status_code == 200
    assert ask("nobody@corp.example").status_code == 422
    assert ask("no address").status_code == 422
    assert ask("marek@corp.example").status_code == 200


def test_without_mail_the_page_names_who_can_help_and_takes_nothing(app, team):
    page = app.test_client().get("/forgot").text
    assert "Ask an admin" in page
    assert 'name="email"' not in page
    assert app.test_client().post("/forgot", data={"email": "marek@corp.example"}, headers=HERE).status_code == 422
    assert stored(Link) == []


def test_a_deactivated_person_is_sent_nothing(app, team, by_mail):
    with unit():
        people.deactivate(person("zofia"), person("marek"))
        links.ask_for_reset("marek@corp.example", "192.0.2.1")
    before = len(stored(Notice))
    with unit():
        links.find_person(stored(Link)[-1].id)
    assert (stored(Link, Link.used_at.is_(None)), len(stored(Notice))) == ([], before)


# Another sign-in address


def test_a_new_sign_in_address_counts_when_its_link_is_opened(app, team, by_mail, browser_of):
    with browser_of("marek") as client:
        typed = {"email": "m.zielinski@corp.example", "password": PASSWORD}
        assert client.post("/profile/email", data=typed, headers=HERE).location == "/profile?saved=asked"
        assert "zielinski@" in client.get("/profile").text
        told = {n.kind: (n.mail_to, n.shown) for n in stored(Notice)}
        assert told == {"email": ("m.zielinski@corp.example", False), "email_wanted": ("marek@corp.example", True)}
        assert person("marek").email_key == "marek@corp.example"
        token = token_of(stored(Link)[0])
        assert client.post(f"/links/{token}", headers=HERE).location == "/profile?saved=email"
    db.session.rollback()
    assert person("marek").email_key == "m.zielinski@corp.example"
    assert stored(Notice, Notice.kind == "email_changed")[0].mail_to == "marek@corp.example"
    assert stored(Audit, Audit.action == "person.email_changed")[0].facts["was"] == "marek@corp.example"
    assert sign_in(app, "m.zielinski@corp.example", PASSWORD) == 303


def test_an_address_that_somebody_else_took_meanwhile_is_refused_on_the_page_of_the_link(app, team, by_mail, browser_of):
    with unit():
        links.ask_for_email(person("marek"), "olga@corp.example", True)
        people.create_person("Olga", "olga@corp.example", "member", PASSWORD)
    with browser_of("marek") as client:
        answer = client.post(f"/links/{token_of(stored(Link)[0])}", headers=HERE)
    assert answer.status_code == 422
    assert "Somebody signs in with this address already" in answer.text
    assert person("marek").email_key == "marek@corp.example"


def test_without_mail_it_changes_at_once(app, team, browser_of):
    with browser_of("marek") as client:
        typed = {"email": "m.zielinski@corp.example", "password": PASSWORD}
        assert client.post("/profile/email", data=typed, headers=HERE).location == "/profile?saved=email"
    db.session.rollback()
    assert person("marek").email_key == "m.zielinski@corp.example"


@pytest.mark.parametrize(("email", "words"), [
    ("zofia@corp.example", "Somebody signs in with this address already"), ("MAREK@corp.example", "already"),
    ("ewa@corp.example", "An admin can free it"), ("nothing", "whole e-mail address")])
def test_an_address_that_is_not_free_is_refused_at_its_field(app, team, browser_of, email, words):
    with unit():
        people.remove_person(person("zofia"), person("ewa"))
    with browser_of("marek") as client:
        answer = client.post("/profile/email", data={"email": email, "password": PASSWORD}, headers=HERE)
        assert answer.status_code == 422
        assert words in answer.text
    assert person("marek").email_key == "marek@corp.example"
