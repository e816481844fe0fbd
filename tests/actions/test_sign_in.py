"""Trying a password: counted before it is checked, also by many at once; one's own browser is counted for itself."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from app_fixtures import PASSWORD
from mailroom import person, stored

from webapp.actions import sign_in
from webapp.extensions import db, unit
from webapp.models import Audit, SignIn, Try
from webapp.models.types import now
from webapp.rules import RuleBroken
from webapp.rules.people import MAX_TRIES

HERE = {"Sec-Fetch-Site": "same-origin"}
LIMIT = MAX_TRIES["sign_in"]["address"]


def attempt(client, password, email="zofia@corp.example", ip="192.0.2.1"):
    return client.post("/sign-in", data={"email": email, "password": password}, headers=HERE,
                       environ_base={"REMOTE_ADDR": ip})


def test_of_forty_guesses_at_once_no_more_are_checked_than_the_limit(app, team, monkeypatch):
    checked, together = [], threading.Barrier(40)
    real = sign_in.matches
    monkeypatch.setattr(sign_in, "matches", lambda *a: checked.append(1) or real(*a))

    def guess(n):
        together.wait(20)
        return attempt(app.test_client(), f"wrong guess {n}", ip=f"192.0.2.{n}").status_code

    with ThreadPoolExecutor(40) as pool:
        assert set(pool.map(guess, range(40))) == {422}
    assert len(checked) <= LIMIT
    assert len(stored(Try)) == 2 * len(checked), "only what was checked counts, so the wait is not drawn out"


def test_no_transaction_is_open_while_a_password_is_checked(app, team, monkeypatch):
    seen = []
    real = sign_in.matches
    monkeypatch.setattr(sign_in, "matches", lambda *a: seen.append(db.session().in_transaction()) or real(*a))
    attempt(app.test_client(), "wrong")
    attempt(app.test_client(), PASSWORD)
    assert seen == [False, False]


def test_strangers_cannot_lock_out_the_owner_of_a_browser_that_was_signed_in_before(app, team):
    own, stranger = app.test_client(), app.test_client()
    assert attempt(own, PASSWORD).status_code == 303
    own.post("/sign-out", headers=HERE)
    for _ in range(LIMIT):
        attempt(stranger, "wrong")
    assert "Too many wrong tries" in attempt(stranger, PASSWORD).text
    assert attempt(own, PASSWORD).status_code == 303, "the same address and network, but a known browser"


def test_a_known_browser_is_no_way_around_the_limit(app, team):
    own = app.test_client()
    attempt(own, PASSWORD)
    own.post("/sign-out", headers=HERE)
    for _ in range(MAX_TRIES["sign_in"]["device"]):
        attempt(own, "wrong")
    assert "Too many wrong tries" in attempt(own, PASSWORD).text
    assert attempt(own, PASSWORD, "marek@corp.example").status_code == 303, "Marek's sign-in is another matter"


def test_a_cookie_that_we_did_not_sign_knows_nobody(app, team):
    mine = sign_in.device_token(person("zofia"))
    assert sign_in.device_of(mine)[0] == team.zofia
    for token in ("", None, "x", mine[:-2] + "aa", mine + "a"):
        assert sign_in.device_of(token) is None
    assert sign_in.device_of(sign_in.device_token(person("zofia"), mine)) == sign_in.device_of(mine)
    assert sign_in.device_of(sign_in.device_token(person("marek"), mine))[0] == team.marek


def test_the_cookie_of_a_known_browser_is_long_lived_and_out_of_reach_of_scripts(app, team):
    [cookie] = [c for c in attempt(app.test_client(), PASSWORD).headers.getlist("Set-Cookie") if "-device=" in c]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=" in cookie


def test_a_password_that_changed_in_that_second_does_not_let_in(app, team):
    with unit():
        wanted = sign_in.want("zofia@corp.example", "192.0.2.1")
    with unit():
        person("zofia").password_hash = sign_in.hasher().hash("another one entirely")
    with pytest.raises(RuleBroken), unit():
        sign_in.complete(wanted, "192.0.2.1")
    assert stored(SignIn) == []


def test_signing_in_is_noted_with_its_place(app, team):
    attempt(app.test_client(), PASSWORD)
    row = stored(Audit, Audit.action == "person.signed_in")[0]
    assert (row.actor_id, row.facts["ip"]) == (team.zofia, "192.0.2.1")
    assert stored(SignIn)[0].ip == "192.0.2.1"


def test_being_at_work_is_noted_every_five_minutes_and_not_by_a_page_that_listens(app, team, browser_of):
    with browser_of("zofia") as client:
        long_ago = now() - timedelta(hours=1)
        with unit():
            stored(SignIn)[0].last_seen_at = long_ago
            person("zofia").last_seen_at = long_ago
        client.get("/live/poll?on=person-1", environ_base={"REMOTE_ADDR": "198.51.100.7"})
        assert stored(SignIn)[0].last_seen_at == long_ago
        client.get("/welcome", environ_base={"REMOTE_ADDR": "198.51.100.7"})
        row = stored(SignIn)[0]
        assert row.last_seen_at > now() - timedelta(minutes=1)
        assert row.ip == "198.51.100.7"
        assert person("zofia").last_seen_at > now() - timedelta(minutes=1)
        first = row.last_seen_at
        client.get("/welcome")
        assert stored(SignIn)[0].last_seen_at == first
