"""Tricks on the web side that have worked elsewhere: other hosts, other origins, other frames."""

import pytest

HERE = {"Sec-Fetch-Site": "same-origin"}
HOSTS = ({"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}, {"Forwarded": "host=evil.example"},
         {"X-Original-Host": "evil.example"})


@pytest.mark.parametrize("origin", ["null", "https://evil.example", "https://mail.localhost.evil.example", "http://localhost:1"])
def test_no_other_origin_may_read_an_answer(browser_of, team, origin):
    with browser_of("zofia") as client:
        for method in ("get", "options"):
            answer = getattr(client, method)("/mailboxes", headers={"Origin": origin})
            assert not [h for h in answer.headers if h[0].lower().startswith("access-control-")]


@pytest.mark.parametrize("headers", HOSTS, ids=lambda h: next(iter(h)))
@pytest.mark.parametrize("path", ["/sign-in", "/", "/choose", "/connect/personal", "/profile", "/people"])
def test_a_made_up_host_is_in_no_answer(app, browser_of, team, path, headers):
    for cookie in ("", cookie_of(browser_of, "zofia")):
        answer = app.test_client(use_cookies=False).get(path, headers={**headers, "Cookie": cookie})
        assert "evil.example" not in answer.text
        assert "evil.example" not in str(answer.headers)
    assert answer.status_code == (302 if path == "/sign-in" else 200), "signed in, whatever the host"


def cookie_of(browser_of, name):
    """For requests to another host: a test client would keep the cookie to itself, as a browser does."""
    with browser_of(name) as client:
        return f"postroom={client.get_cookie('postroom').value}"


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_no_other_site_acts(browser_of, team, site):
    with browser_of("zofia") as client:
        assert client.post("/sign-out", headers={"Sec-Fetch-Site": site}).status_code == 403
        assert client.post("/sign-out", headers={"Origin": "https://evil.example"}).status_code == 403
        assert client.get("/mailboxes").status_code == 200


def test_only_listed_portals_frame_a_page(browser_of, team):
    with browser_of("zofia") as client:
        policy = client.get("/mailboxes").headers["Content-Security-Policy"]
    assert policy.rpartition("frame-ancestors ")[2] == "'self'"
