"""Guessing passwords is slowed down however the address is spelled; a session ends when it should."""

from datetime import timedelta

import pytest
from app_fixtures import PASSWORD
from sqlalchemy import select

from webapp.extensions import db, unit
from webapp.models import SignIn
from webapp.models.types import now
from webapp.rules.people import MAX_TRIES

HEADERS = {"Sec-Fetch-Site": "same-origin"}


def wrong(app, email, ip):
    return app.test_client().post("/sign-in", data={"email": email, "password": "wrong"}, headers=HEADERS,
                                  environ_base={"REMOTE_ADDR": ip})


SPELLINGS = ["marek@corp.example", "marek@corp.example.", "marek@\tcorp.example", "marek@ corp.example",
             "marek@ｃorp.example",
             "marek@cｏrp.example", "marek@coｒp.example", "marek@corｐ.example", "MAREK@corp.example"]


def test_another_spelling_of_the_address_is_the_same_address_to_the_throttle(app, team):
    for n, spelling in enumerate(SPELLINGS[:MAX_TRIES["sign_in"]["address"]]):
        assert wrong(app, spelling, f"192.0.2.{n}").status_code == 422
    answer = app.test_client().post("/sign-in", data={"email": SPELLINGS[-1], "password": PASSWORD}, headers=HEADERS)
    assert answer.status_code == 422, "throttled, whatever the password"


def test_one_network_of_ipv6_is_one_guesser(app, team):
    for n in range(MAX_TRIES["sign_in"]["ip"]):
        wrong(app, f"nobody-{n}@corp.example", f"2001:db8:1:2::{n:x}")
    answer = app.test_client().post("/sign-in", data={"email": "zofia@corp.example", "password": PASSWORD},
                                    headers=HEADERS, environ_base={"REMOTE_ADDR": "2001:db8:1:2:ffff::1"})
    assert answer.status_code == 422


def test_a_stolen_cookie_does_not_work_for_ever(app, team, browser_of):
    with browser_of("marek") as browser:
        assert browser.get("/welcome").status_code == 200
        with unit():
            db.session.scalar(select(SignIn)).created_at = now() - timedelta(days=31)
        db.session.remove()
        assert browser.get("/welcome").status_code == 302


@pytest.mark.parametrize("path", ["/static/app.css?v=1", "/health"])
def test_what_any_cache_may_keep_carries_no_cookie(team, browser_of, path):
    with browser_of("marek") as browser:
        assert "Set-Cookie" not in browser.get(path).headers
