"""One's own account: profile, password, browsers, notices. Nobody else's, and nothing without proof."""

from datetime import timedelta

import pytest
from app_fixtures import PASSWORD
from mailroom import person, stored

from webapp.actions import notices
from webapp.extensions import unit
from webapp.models import Audit, Notice, SignIn
from webapp.models.types import now
from webapp.rules.people import MAX_TRIES
from webapp.web.paging import PAGE

HERE = {"Sec-Fetch-Site": "same-origin"}
PROFILE = {"name": "Marek Zieliński", "title": "Forwarding", "language": "pl", "time_zone": "Asia/Tokyo", "theme": "dark"}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def tell(name="marek", **facts):
    with unit():
        return notices.tell(person(name), "mailbox.works_again", address="a@corp.example", **facts).id


def test_the_profile_is_changed_and_shown(app, team, browser_of):
    with browser_of("marek") as client:
        assert client.post("/profile", data=PROFILE, headers=HERE).location == "/profile?saved=profile"
        page = client.get("/profile?saved=profile").text
    assert 'lang="pl"' in page
    assert 'value="Marek Zieliński"' in page
    assert "Zapisano" in page
    assert '<option value="Asia/Tokyo" selected>Tokio (+9:00)</option>' in page
    row = stored(type(person("zofia")))[1]
    assert (row.title, row.time_zone, row.theme) == ("Forwarding", "Asia/Tokyo", "dark")


@pytest.mark.parametrize(("field", "value"), [
    ("name", ""), ("name", "\u202e\u200b"), ("name", "x" * 101), ("title", "x" * 101), ("time_zone", "Mars"),
    ("time_zone", "../etc/passwd"), ("language", "de"), ("theme", "neon")])
def test_what_is_wrong_stays_in_its_field_and_changes_nothing(app, team, browser_of, field, value):
    with browser_of("marek") as client:
        answer = client.post("/profile", data={**PROFILE, field: value}, headers=HERE)
    assert answer.status_code == 422
    assert f'id="{field}-e"' in answer.text
    assert 'value="Forwarding"' in answer.text or field == "title"
    assert person("marek").title == ""


def test_a_new_password_needs_the_old_one_and_signs_out_the_other_browsers(app, team, browser_of):
    with browser_of("marek") as here, browser_of("marek") as there:
        answer = here.post("/profile/password", data={"old": "wrong", "new": "a brand new one"}, headers=HERE)
        assert answer.status_code == 422
        assert "This isn’t your password" in answer.text
        assert "brand new" not in answer.text
        assert there.get("/welcome").status_code == 200
        done = here.post("/profile/password", data={"old": PASSWORD, "new": "a brand new one"}, headers=HERE)
        assert done.location == "/profile?saved=password"
        assert (here.get("/welcome").status_code, there.get("/welcome").status_code) == (200, 302)
    assert {"person.password_changed", "session.ended"} <= {a.action for a in stored(Audit)}
    assert [n.kind for n in stored(Notice)] == ["password_changed"]


def test_guessing_the_old_password_in_a_hijacked_browser_is_slowed_down(app, team, browser_of):
    with browser_of("marek") as client:
        for _ in range(MAX_TRIES["sign_in"]["device"]):
            client.post("/profile/password", data={"old": "wrong", "new": "a brand new one"}, headers=HERE)
        answer = client.post("/profile/password", data={"old": PASSWORD, "new": "a brand new one"}, headers=HERE)
        assert answer.status_code == 422
        assert "Too many wrong tries" in answer.text
        email = {"email": "other@corp.example", "password": PASSWORD}
        assert client.post("/profile/email", data=email, headers=HERE).status_code == 422
    with browser_of("marek"):
        pass        # signing in is another matter: the owner is not locked out by that


def test_browsers_are_listed_in_plain_words_and_can_be_ended(app, team, browser_of):
    with browser_of("marek") as here, browser_of("marek") as there:
        with unit():
            stored(SignIn)[1].agent = FIREFOX
        page = here.get("/profile").text
        assert "Firefox on Linux" in page
        assert "this one" in page
        first, second = (row.id for row in stored(SignIn))
        assert here.post(f"/sessions/{second}/end", headers=HERE).status_code == 303
        assert there.get("/welcome").status_code == 302
        here.post(f"/sessions/{first}/end", headers=HERE)
        assert here.get("/welcome").status_code == 200, "this one is left by signing out"


def test_all_other_browsers_are_ended_at_once(app, team, browser_of):
    with browser_of("marek") as here, browser_of("marek") as there, browser_of("marek"), browser_of("zofia") as zofia:
        assert "Sign out all others" in here.get("/profile").text
        here.post("/sessions/end-others", headers=HERE)
        assert [c.get("/welcome").status_code for c in (here, there, zofia)] == [200, 302, 200]


def test_nobody_ends_the_session_of_somebody_else(app, team, browser_of):
    with browser_of("marek"), browser_of("zofia") as zofia:
        assert zofia.post(f"/sessions/{stored(SignIn)[0].id}/end", headers=HERE).status_code == 404
    assert len(stored(SignIn)) == 2


def test_notices_stand_newest_first_and_only_ones_own(app, team, browser_of):
    tell(inbox="first")
    tell("zofia")
    with unit():
        notices.tell(person("marek"), "password_changed")
        notices.tell(person("marek"), "email", shown=False, email="x@corp.example", link=0)
    with browser_of("marek") as client:
        page = client.get("/notices").text
    assert page.count('class="notice is-unread"') == 2
    assert page.index("Your password has changed") < page.index("a@corp.example works again")
    assert "Confirm" not in page


def test_reading_is_noted_by_the_button_alone_and_not_beyond_what_was_seen(app, team, browser_of):
    seen = tell()
    with browser_of("marek") as client:
        assert f'name="up_to" value="{seen}"' in client.get("/notices").text
        assert stored(Notice)[0].read_at is None
        later = tell()
        client.post("/notices/read", data={"up_to": seen}, headers=HERE)
        assert {n.id: bool(n.read_at) for n in stored(Notice)} == {seen: True, later: False}
        for bad in ("", "x", "0", "99999999999"):
            assert client.post("/notices/read", data={"up_to": bad}, headers=HERE).status_code == 303
        assert stored(Notice)[1].read_at is None


def test_reading_reads_nobody_elses(app, team, browser_of):
    tell("zofia")
    with browser_of("marek") as client:
        client.post("/notices/read", data={"up_to": 1000}, headers=HERE)
    assert stored(Notice)[0].read_at is None


def test_there_is_a_next_page_of_notices(app, team, browser_of):
    with unit():
        for n in range(PAGE + 3):
            made = notices.tell(person("marek"), "mailbox.works_again", address=f"a{n}@corp.example")
            made.at = now() - timedelta(minutes=PAGE - n)
    with browser_of("marek") as client:
        first = client.get("/notices").text
        path = first.partition('href="/notices?before=')[2].partition('"')[0]
        second = client.get(f"/notices?before={path}").text
        assert client.get("/notices?before=nonsense").status_code == 200
    assert (first.count('class="notice '), second.count('class="notice ')) == (PAGE, 3)
    assert "a0@corp.example" in second


def test_hostile_facts_are_text_on_the_page(app, team, browser_of):
    with unit():
        notices.tell(person("marek"), "mailbox.works_again", address="<img src=x onerror=alert(1)>@x")
    with browser_of("marek") as client:
        assert "<img src=x" not in client.get("/notices").text
