"""The tricks of the web side that the project was given, each by its number (cases/web-abuse.jsonl beside the project).

Some aim at tools that are not built. For those stands here that nothing of ours offers the tool: whoever builds it
finds its rows failing, and writes the check that the row asks for.
"""

import re
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from app_fixtures import PASSWORD
from mail.conftest import cases
from mailroom import person, stored
from review import test_pages, test_web_abuse
from sqlalchemy import event

from blueprints import test_auth, test_profile
from webapp.actions import links, people
from webapp.actions import sign_in as sign_in_actions
from webapp.extensions import db, unit
from webapp.jobs import notices as jobs
from webapp.mail.types import Mailbox
from webapp.models import Link, Notice, Outbox, SignIn, Try
from webapp.models.link import token_of
from webapp.rules.people import MAX_TRIES

ROOT = Path(__file__).resolve().parents[2]
HERE = {"Sec-Fetch-Site": "same-origin"}
UNKNOWN = "nobody@corp.example"
OWN_TO_EACH = ("Date", "Set-Cookie", "Content-Length")      # the length follows the address that was typed


@pytest.fixture
def here(app, team, browser_of, by_mail, monkeypatch):
    """The parts that a check may need; `ask(path, ip)` posts as a stranger. Zofia and Marek sign in, Ewa was removed,
    Olga is invited."""
    with unit():
        people.remove_person(person("zofia"), person("ewa"))
        people.invite(person("zofia"), "olga@corp.example")

    def ask(path, ip="192.0.2.1", **typed):
        return app.test_client().post(path, data=typed, headers=HERE, environ_base={"REMOTE_ADDR": ip})
    return SimpleNamespace(app=app, team=team, browser_of=browser_of, ask=ask, monkeypatch=monkeypatch)


# Whether somebody signs in with an address


@contextmanager
def asked_of_the_database():
    """The statements of the requests within, without their values."""
    said = []

    def listen(connection, cursor, statement, *_):
        said.append(statement)
    event.listen(db.engine, "before_cursor_execute", listen)
    try:
        yield said
    finally:
        event.remove(db.engine, "before_cursor_execute", listen)


def telling(here, path, email, **typed):
    """All that an answer and its making could tell about an address: status, headers, body, statements."""
    with asked_of_the_database() as said:
        answer = here.ask(path, ip="192.0.2.77", email=email, **typed)
    headers = [(name, value) for name, value in answer.headers if name not in OWN_TO_EACH]
    cookies = [re.sub("=[^;]*", "", value, count=1) for value in answer.headers.getlist("Set-Cookie")]
    body = re.sub(r'(data-since="|name="csrf_token" value="|"X-CSRFToken": ")[^"]*', "", answer.text).replace(email, "…")
    return answer.status_code, headers, cookies, body, said


def one_answer_for_all(here, path, **typed):
    telling(here, path, "warm-up@corp.example", **typed)
    unknown = telling(here, path, UNKNOWN, **typed)
    for name in ("zofia", "marek", "ewa", "olga"):      # an admin, a member, one removed, one invited
        assert telling(here, path, f"{name}@corp.example", **typed) == unknown, name


def signs_in_unknown_as_known(here):
    """021. The figures are measured by benchmarks/sign_in_timing.py; here: nothing is left out for the unknown."""
    hashed, real = [], sign_in_actions.PasswordHasher.verify

    def verify(self, stored_hash, password):
        hashed.append(stored_hash.rsplit("$", 2)[0])      # the kind and its costs
        return real(self, stored_hash, password)
    here.monkeypatch.setattr(sign_in_actions.PasswordHasher, "verify", verify)
    one_answer_for_all(here, "/sign-in", password="wrong wrong wrong")
    assert len(hashed) == 6, "everybody’s password is compared"
    assert len(set(hashed)) == 1, "and with a hash of the same cost"


def forgets_unknown_as_known(here):
    """022. Body, statements and rate; the rate of signing in, too."""
    one_answer_for_all(here, "/forgot")
    for path, typed in (("/forgot", {}), ("/sign-in", {"password": "wrong wrong wrong"})):
        tries = [tries_until_throttled(here, path, email, **typed) for email in ("n2@corp.example", "zofia@corp.example")]
        assert tries[0] == tries[1], (path, tries)
    assert {n.kind for n in stored(Notice)} <= {"invite"}, "whose address it is, a job finds out"


def tries_until_throttled(here, path, email, **typed):
    with unit():
        db.session.execute(db.delete(Try))
    for tries in range(1, 50):
        if "Too many" in here.ask(path, ip=f"198.51.100.{tries}", email=email, **typed).text:
            return tries
    raise AssertionError("never throttled")


# Where one is sent after signing in

ELSEWHERE = ["//evil.example", "///evil.example", "////evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example",
             "https:evil.example", "https:/evil.example", "https://evil.example", "HtTpS://evil.example", "http:\\\\evil.example",
             "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)",
             "javascript://localhost/%0aalert(1)", "data:text/html,x", "vbscript:x", "/\t/evil.example", "\t//evil.example",
             "/\n/evil.example", "/\r\n/evil.example", "/a\r\nSet-Cookie: postroom=x", "/a\r\nLocation: //evil.example",
             " //evil.example", "\x00//evil.example", "/\x00/evil.example", "\x0b//evil.example", "\x7f//evil.example",
             "\u2028//evil.example", "\ufeff//evil.example", "//localhost@evil.example", "https://localhost@evil.example",
             "//evil.example:80", "//[::1]", "@evil.example", ":80@evil.example", ".evil.example", "evil.example",
             "?next=//evil.example", "#//evil.example", "localhost:25", "/a\\..\\..\\evil", "//", "/\\", "\\"]
# Odd, and all the same a path of this host for any browser (nothing in it is decoded before it is split).
ODD = ["/%09/evil.example", "/%5cevil.example", "/%2f%2fevil.example", "/;@evil.example", "/:80@evil.example", "/.//evil.example",
       "/..//evil.example", "/choose?next=//evil.example", "/choose#//evil.example", "/／evil.example"]


def stays_here(location):
    """A path of this host, strictly: one slash, then none, and nothing that a browser drops or turns into a slash."""
    return re.fullmatch(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*", location) is not None


def sends_only_to_a_path_of_ours(here):
    """023. By the form, by the page before it, and by the buttons for the language."""
    for target in ELSEWHERE + ODD:
        answers = {"sign-in": test_auth.sign_in(here.app, "zofia@corp.example", PASSWORD, next=target),
                   "language": here.ask("/language", language="pl", next=target)}
        for where, answer in answers.items():
            assert answer.status_code == 303, (where, target)
            assert stays_here(answer.location), (where, target, answer.location)
            assert target in ODD or answer.location == "/", (where, target, answer.location)
        page = here.app.test_client().get("/sign-in", query_string={"next": target}).text
        form = re.search(r'<form[^>]*action="/sign-in".*?</form>', page, re.S)[0]
        assert target in ODD or not re.search(r'name="next" value="[^"]', form), target
    nor_does_a_path_with_two_slashes(here)


def nor_does_a_path_with_two_slashes(here):
    """Opened before signing in, it comes back as `next`; Werkzeug makes one slash of two."""
    for path in ("//evil.example", "//evil.example/%2e%2e", "/\\evil.example", "///evil.example", "/%09//evil.example"):
        answer = here.app.test_client().get("/", environ_overrides={"PATH_INFO": path, "RAW_URI": path, "REQUEST_URI": path})
        assert answer.status_code in (302, 308, 404), path
        assert answer.status_code == 404 or stays_here(answer.location.removeprefix("http://localhost")), (path, answer.location)


# Sessions, hosts, origins, frames


def ends_sessions_on_the_server(here):
    """026. By signing out, by a new password, and by one that a mail brought."""
    with here.browser_of("marek") as one, here.browser_of("marek") as other:
        with unit():
            links.ask_for_reset("marek@corp.example", "192.0.2.1")
        reset = stored(Link, Link.purpose == "reset")[0]
        with unit():
            links.find_person(reset.id)
        token = token_of(stored(Link, Link.id == reset.id)[0])
        assert here.ask(f"/links/{token}", password=PASSWORD).status_code == 303
        assert [client.get("/welcome").status_code for client in (one, other)] == [302, 302]
    assert stored(SignIn) == []
    test_auth.test_signing_out_ends_the_session_on_the_server(here.app, here.team)
    with unit():
        db.session.execute(db.delete(Notice))
    test_profile.test_a_new_password_needs_the_old_one_and_signs_out_the_other_browsers(here.app, here.team, here.browser_of)


def links_begin_with_the_configured_address(here):
    """029. There is no sign-in by another's server yet; what has an address of ours in it is our mail and our pages."""
    no_tool("oauth", "callback", "authorize", "redirect_uri")(here)
    cookie, stranger = test_web_abuse.cookie_of(here.browser_of, "zofia"), here.app.test_client(use_cookies=False)
    for n, headers in enumerate(test_web_abuse.HOSTS):
        for path in ("/sign-in", "/", "/profile", "/people"):
            test_web_abuse.test_a_made_up_host_is_in_no_answer(here.app, here.browser_of, here.team, path, headers)
        invited = stranger.post("/people/invite", data={"emails": f"n{n}@corp.example", "role": "member", "language": "en"},
                                headers={**HERE, **headers, "Cookie": cookie})
        assert invited.status_code == 303
        assert stranger.post("/forgot", data={"email": "marek@corp.example"}, environ_base={"REMOTE_ADDR": f"192.0.2.{n}"},
                             headers={**HERE, **headers}).status_code == (200 if n < MAX_TRIES["reset"]["address"] else 422)
    for link in stored(Link, Link.purpose == "reset"):
        with unit():
            links.find_person(link.id)
    letters = [jobs._letter(notice, [], Mailbox("", "post@corp.example"))[1] for notice in stored(Notice)]
    assert len(letters) == 1 + len(test_web_abuse.HOSTS) + MAX_TRIES["reset"]["address"]
    for raw in letters:
        assert b"http://localhost/links/" in raw.replace(b"=\r\n", b"")
        assert b"evil.example" not in raw


def tells_no_other_origin(here):
    """031."""
    for origin in ("null", "https://evil.example", "https://portal.localhost", "http://localhost.evil.example"):
        test_web_abuse.test_no_other_origin_may_read_an_answer(here.browser_of, here.team, origin)
        for path in ("/health", "/static/app.css", "/live/poll", "/nowhere", "/sign-in"):
            for method in ("get", "options", "post"):
                headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
                answer = getattr(here.app.test_client(), method)(path, headers=headers)
                assert not [n for n, _ in answer.headers if n.lower().startswith("access-control-")], (origin, path, method)


def frames_only_in_listed_portals(here):
    """032."""
    test_web_abuse.test_only_listed_portals_frame_a_page(here.browser_of, here.team)
    test_pages.test_a_letter_is_shown_in_a_portal_that_may_embed_us(here.app, here.team, here.browser_of)


# What is not built


def words_of_routes(app):
    """{endpoint: the fixed words of its path and its own name}; numbers and names in a path are left out."""
    found = {}
    for rule in app.url_map.iter_rules():
        fixed = re.sub(r"<[^>]*>", "/", rule.rule)
        found[rule.endpoint] = set(re.findall(r"[a-z0-9]+", f"{fixed} {rule.endpoint}".lower()))
    return found


def no_tool(*words, known=(), scripts=()):
    """No route has one of these words in its path or name, but for the `known` endpoints, which are something else; and
    no script of ours has one of those."""
    def look(here):
        found = {endpoint: sorted(own & set(words)) for endpoint, own in words_of_routes(here.app).items()
                 if own & set(words) and endpoint not in known}
        assert found == {}, "built now: decide here what its rows of web-abuse.jsonl ask for"
        for path in sorted((ROOT / "static" / "js").glob("*.js")):
            said = [word for word in scripts if word.lower() in path.read_text().lower()]
            assert said == [], f"{path.name}: built now, decide here"
    return look


def sends_no_header_for_unsubscribing(here):
    """010, 011. Neither a route nor the header that would lead there (RFC 8058)."""
    no_tool("unsub", "unsubscribe", "optout", "u")(here)
    assert not [p.name for p in (ROOT / "webapp").rglob("*.py")
                if re.search(r"""["']List-Unsubscribe-Post["']\s*:""", p.read_text())]


def no_token_opens_a_page(here):
    """030. No API and no token for it: whatever stands in Authorization opens nothing."""
    no_tool("api", "token", "tokens", "extension", "v1", "bearer", "graphql", "jsonrpc")(here)
    for value in ("Bearer x", "Basic em9maWFAY29ycC5leGFtcGxlOng=", "Token x"):
        for headers in ({"Authorization": value}, {"X-Api-Key": value}):
            assert here.app.test_client().get("/welcome", headers=headers).status_code == 302


def whoever_is_removed_is_not_erased(here):
    """036. Removing keeps history by intention; erasing a person's data is another tool, and not built."""
    no_tool("erase", "erasure", "forget", "gdpr", "purge", "anonymise", "anonymize", "wipe", "shred")(here)


CLICK = no_tool("c", "click", "clicks", "redirect", "track", "tracking", "go", "r", "url")
OPEN = no_tool("o", "open", "opens", "pixel", "beacon", "track", "tracking", "seen")
BOOKING = no_tool("book", "booking", "bookings", "meet", "meeting", "meetings", "slots", "calendar", "ics", "guests",
                  "appointments", "schedule")

GIVEN = {
    "001": CLICK, "003": CLICK, "004": CLICK,
    "007": OPEN, "008": OPEN, "009": OPEN,
    "010": sends_no_header_for_unsubscribing, "011": sends_no_header_for_unsubscribing,
    "014": BOOKING, "016": BOOKING, "017": BOOKING, "019": BOOKING, "020": BOOKING,
    "021": signs_in_unknown_as_known, "022": forgets_unknown_as_known, "023": sends_only_to_a_path_of_ours,
    "026": ends_sessions_on_the_server,
    "029": links_begin_with_the_configured_address,
    "030": no_token_opens_a_page, "031": tells_no_other_origin, "032": frames_only_in_listed_portals,
    "033": no_tool("embed", "iframe", "widget", scripts=("postMessage", "onmessage", '"message"', "MessageChannel")),
    "035": no_tool("export", "takeout", "gdpr", "portability", known=("audit.export",)),      # that one: admins only
    "036": whoever_is_removed_is_not_erased,
}
ROWS = cases("web-abuse")


@pytest.mark.skipif(not ROWS, reason="no folder shared/cases beside the project")
def test_each_given_trick_has_a_decision():
    assert len(ROWS) == 24
    assert {case["id"].rpartition("-")[2] for case in ROWS} == GIVEN.keys()


@pytest.mark.parametrize("number", GIVEN)
def test_a_given_trick_comes_to_nothing(here, number):
    GIVEN[number](here)


def test_a_tool_that_is_built_is_noticed(app):
    """The look itself: a word in a path or in the name of a route is found, one in a value's name is not."""
    words = words_of_routes(app)
    assert {"links"} <= words["auth.link"] and "token" not in words["auth.link"]
    assert {"export", "audit"} <= words["audit.export"]
    assert stored(Outbox) == []
