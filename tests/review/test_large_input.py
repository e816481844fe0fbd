"""Much text in the forms of people, teams and inboxes: an error at the field, at once."""

import time

import pytest
from app_fixtures import PASSWORD
from mailroom import connected, inbox

HERE = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
# Marks of two classes in turn: putting them in order takes the square of their number.
MARKS = ("a" + "\u0301\u0316" * 200_000).encode()
PROFILE = b"name=Zofia&title=&language=en&time_zone=Europe/Warsaw&theme=dark"


@pytest.mark.parametrize(("path", "field", "rest"), [
    ("/profile", b"name", PROFILE), ("/profile", b"title", PROFILE), ("/profile", b"time_zone", b""),
    ("/profile/email", b"email", b"password=" + PASSWORD.encode()), ("/profile/email", b"password", b"email=a@b.pl"),
    ("/profile/password", b"new", b"old=" + PASSWORD.encode()), ("/profile/password", b"old", b"new=aaaaaaaaaaaa"),
    ("/teams", b"name", b""), ("/inboxes", b"name", b"access=everyone"), ("/people/invite", b"emails", b"role=member"),
    ("/people/invite", b"role", b"emails=a@b.pl"), ("/connect/team", b"new_inbox", b"inbox=new&address=a@b.pl"),
    ("/connect/team", b"from_name", b"inbox=new&address=a@b.pl"), ("/connect/personal", b"address", b"password=x"),
    ("inbox/name", b"name", b""), ("inbox/access", b"access", b""), ("connection/servers", b"user_name", b""),
    ("connection/servers", b"imap_host", b""), ("connection/again", b"password", b""), ("person/role", b"role", b""),
    ("/sign-in", b"email", b"password=x"), ("/sign-in", b"password", b"email=a@b.pl"),
])
def test_a_million_marks_are_refused_at_once(app, team, browser_of, path, field, rest):
    box = connected("personal", "zofia@corp.example")
    for word, page in (("inbox/", f"/inboxes/{inbox().id}/"), ("connection/", f"/connections/{box}/"),
                       ("person/", f"/people/{team.marek}/")):
        path = path.replace(word, page) if path.startswith(word) else path
    with browser_of("zofia") as client:
        began = time.monotonic()
        answer = client.post(path, data=field + b"=" + MARKS + b"&" + rest, headers=HERE)
        assert answer.status_code in (400, 413, 422), answer.status_code
        assert time.monotonic() - began < 3
