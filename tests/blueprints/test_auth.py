"""Signing in and out: the same answer to the known and the unknown, sessions that end, no way to another host."""

from datetime import timedelta

import pytest
from app_fixtures import PASSWORD
from mailroom import person, stored

from webapp.actions import people
from webapp.extensions import db, unit
from webapp.models import Person, SignIn, Try
from webapp.models.secret import SETUP, ensure_setup_code
from webapp.models.types import now
from webapp.rules.people import MAX_TRIES

HERE = {"Sec-Fetch-Site": "same-origin"}


def sign_in(app, email, password, **extra):
    return app.test_client().post("/sign-in", data={"email": email, "password": password, **extra}, headers=HERE)


@pytest.mark.parametrize("email", ["zofia@corp.example", "nobody@corp.example", "no address", "ZOFIA@Corp.Example "])
def test_a_wrong_password_gets_the_same_words_for_everybody_and_keeps_the_address_typed(app, team, email):
    answer = sign_in(app, email, "wrong wrong wrong")
    assert answer.status_code == 422
    assert "This address and password don’t go together" in answer.text
    assert f'value="{email}"' in answer.text
    assert "wrong wrong" not in answer.text
    assert len(stored(Try)) == 2


def test_guessing_is_slowed_down_and_the_right_password_waits_too(app, team):
    for _ in range(MAX_TRIES["sign_in"]["address"]):
        sign_in(app, "zofia@corp.example", "wrong wrong wrong")
    assert "Too many wrong tries" in sign_in(app, "zofia@corp.example", PASSWORD).text
    assert sign_in(app, "marek@corp.example", PASSWORD).status_code == 303
    with unit():
        for failure in stored(Try):
            failure.at = now() - timedelta(minutes=16)
    assert sign_in(app, "zofia@corp.example", PASSWORD).status_code == 303


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example",
                                    "javascript:alert(1)", "\\/evil", "/%09//evil\t", "/\t/evil.example", "evil", "///evil"])
def test_after_signing_in_one_stays_on_this_host(app, team, target):
    assert sign_in(app, "zofia@corp.example", PASSWORD, next=target).location in ("/", "/%09//evil%09")
    assert sign_in(app, "zofia@corp.example", PASSWORD, next="/choose?goal=log").location == "/choose?goal=log"


def test_signing_out_ends_the_session_on_the_server(app, team):
    client = app.test_client()
    client.post("/sign-in", data={"email": "zofia@corp.example", "password": PASSWORD}, headers=HERE)
    cookie = client.get_cookie("postroom").value
    assert client.get("/choose").status_code == 200
    assert len(stored(SignIn)) == 1
    client.post("/sign-out", headers=HERE)
    assert stored(SignIn) == []
    stolen = app.test_client()
    stolen.set_cookie("postroom", cookie)
    assert stolen.get("/choose").status_code == 302


def test_a_session_from_before_is_not_kept_when_somebody_signs_in(app, team):
    client = app.test_client()
    client.post("/language", data={"language": "pl"}, headers=HERE)
    before = client.get_cookie("postroom").value
    client.post("/sign-in", data={"email": "zofia@corp.example", "password": PASSWORD}, headers=HERE)
    assert client.get_cookie("postroom").value != before
    assert stored(SignIn)[0].token_hash not in client.get_cookie("postroom").value


def test_an_empty_installation_is_set_up_once(app):
    client, folder = app.test_client(), app.config["SETTINGS"].folder
    assert client.get("/").location == "/set-up"
    typed = {"name": "Zofia", "email": "zofia@corp.example", "code": ensure_setup_code(folder)}
    bad = client.post("/set-up", data={**typed, "password": "short"}, headers=HERE)
    assert (bad.status_code, 'value="zofia@corp.example"' in bad.text, stored(Person)) == (422, True, [])
    good = client.post("/set-up", data={**typed, "password": PASSWORD}, headers=HERE)
    assert (good.status_code, [p.role for p in stored(Person)]) == (303, ["admin"])
    assert client.get("/choose").status_code == 200
    assert not (folder / SETUP).exists()
    again = {"code": ensure_setup_code(folder), "name": "Eve", "email": "eve@evil.example", "password": PASSWORD}
    assert app.test_client().post("/set-up", data=again, headers=HERE).status_code == 404
    assert app.test_client().get("/set-up").status_code == 404


def test_the_language_is_ones_own_and_bad_values_change_nothing(app, team, browser_of):
    with browser_of("marek") as client:
        client.post("/language", data={"language": "pl", "theme": "dark"}, headers=HERE)
        page = client.get("/choose").text
        assert 'lang="pl"' in page
        assert 'data-theme="dark"' in page
        client.post("/language", data={"language": "tlh", "theme": "neon"}, headers=HERE)
    db.session.rollback()
    assert (person("marek").language, person("marek").theme, person("zofia").language) == ("pl", "dark", "en")
    assert 'lang="pl"' in app.test_client().get("/sign-in", headers={"Accept-Language": "pl,en;q=0.5"}).text


def test_a_removed_person_cannot_sign_in_and_comes_back_with_what_was_theirs(app, team):
    with unit():
        people.remove_person(None, person("marek"))
    assert sign_in(app, "marek@corp.example", PASSWORD).status_code == 422
    with unit():
        assert people.create_person("Marek", "marek@corp.example", "member", PASSWORD).id == team.marek
    assert sign_in(app, "marek@corp.example", PASSWORD).status_code == 303


def test_every_answer_carries_the_safe_headers(app, team, browser_of):
    with browser_of("zofia") as client:
        for path in ("/choose", "/nowhere", "/health", "/sign-in"):
            headers = client.get(path).headers
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
            assert headers["X-Content-Type-Options"] == "nosniff"
        page = client.get("/choose")
        assert page.headers["Cache-Control"] == "no-store"
        assert "HX-Request" in page.headers["Vary"]
    cookie = sign_in(app, "zofia@corp.example", PASSWORD).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
