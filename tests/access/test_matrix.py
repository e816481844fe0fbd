"""The access matrix: every route, every principal, own and foreign objects, each cell written down (DEFENCE 3.5).

`matrix.txt` has a row for each route and object: method, endpoint, object, and what anonymous, Ewa (viewer), Marek
(member of Boardroom), Olga (member of another inbox), Kasia (owner of a personal mailbox), Zofia (admin) and Piotr
(removed, with an old cookie) get: the status, or `in` for being sent to the sign-in page. A route without a row fails.
"""

from pathlib import Path

from access.conftest import PRINCIPALS
from app_fixtures import PASSWORD

HERE = {"Sec-Fetch-Site": "same-origin"}
SWAP = {**HERE, "HX-Request": "true"}
MATRIX = Path(__file__).parent / "matrix.txt"
# What a well-formed request of each of these sends.
SERVERS = {"imap_host": "imap.corp.example", "imap_port": 993, "imap_security": "tls", "user_name": "x@corp.example",
           "smtp_host": "smtp.corp.example", "smtp_port": 465, "smtp_security": "tls", "password": "secret"}
NEW = {"address": "new@corp.example", "password": "secret", "inbox": "1", "shared": "y"}
DATA = {
    "connections.connect": NEW, "connections.ask": {"address": "support@corp.example"}, "connections.servers": SERVERS,
    "connections.add_alias": {"address": "sales@corp.example"}, "connections.switch": NEW, "audit.export": {"format": "csv"}, "auth.forgot": {"email": "kasia@corp.example"},
    "auth.use_link": {"password": "a new long password"}, "auth.language": {"language": "en"},
    "people.create_team": {"name": "New"}, "people.save_team": {"name": "New"}, "people.role": {"role": "viewer"},
    "people.invite": {"emails": "a@corp.example", "role": "member", "language": "en"},
    "people.hand_over": {"heir": ""}, "people.hand_contacts": {"heir": "0"}, "connections.set_history": {"history": "year"}, "profile.read_notices": {"up_to": "1"},
    "profile.change": {"name": "New", "language": "en", "time_zone": "Europe/Warsaw", "theme": "dark"},
    "profile.change_password": {"old": PASSWORD, "new": "a new long password"},
    "profile.change_email": {"email": "n@corp.example", "password": PASSWORD},
    "team.access": {"access": "everyone"}, "team.create": {"name": "New", "access": "everyone"},
    "team.rename": {"name": "New"}, "team.delete": {"typed": "Boardroom"}, "team.draft": {"text": "Hm"},
    "team.reply": {"text": "Hello"}, "team.bulk": {"do": "close"}, "team.keep_view": {"name": "Late"}, "team.be_present": {"state": "viewing"},
    "team.act_on": {"to": "0", "when": "tomorrow", "tag": "urgent", "inbox": "1"}, "team.write_note": {"note": "Hm"},
    "team.compose": {"inbox": "1", "to": "anna@customer.example", "text": "Hello", "subject": "Hello"},
    "team.draft_new": {"inbox": "1", "token": "n" + "1" * 32, "text": "Hm"},
    "team.enclose_new": {"inbox": "1", "token": "n" + "1" * 32}, "team.fill_template": {"inbox": "1", "token": "n" + "1" * 32},
    "team.write_template": {"name": "Hours", "text": "We are open."},
    "team.change_template": {"name": "Hours", "text": "We are open."}, "team.set_up_sending": {"company": "Corp"},
    "messages.always_show_pictures": {"scope": "sender"},
    "team.change_hours": {"zone": "Europe/Warsaw", "day0": "9-17"}, "team.change_targets": {"first": "4", "first_unit": "hours"},
    "team.deny_sender": {"pattern": "evil.example"},
    "team.add_sender": {"kind": "deny", "pattern": "evil.example"},
    "routing.create": {"do": "save"}, "routing.change": {"do": "save"},
    "team.merge": {"into": "999999"}, "team.split": {"what": "only"},
}
QUERY = {"live.poll": {"on": "inbox-1:9999999999999999999"}, "live.stream": {"on": "inbox-999:1"}}


def rows():
    for line in MATRIX.read_text().splitlines():
        if line and not line.startswith("#"):
            head, _bar, cells = line.partition("|")
            method, endpoint, *objects = head.split()
            yield method, endpoint, dict(o.split("=") for o in objects), cells.split()


def asked(app, world, endpoint, objects):
    """The URL of a row: labels become ids."""
    rule = next(app.url_map.iter_rules(endpoint))
    values = {a: world.objects[a][objects.get(a) or next(iter(world.objects[a]))] for a in rule.arguments}
    return app.url_map.bind("localhost").build(endpoint, {**values, **QUERY.get(endpoint, {})})


def seen(answer):
    location = answer.headers.get("Location", "")
    return "in" if answer.status_code == 302 and location.split("?")[0].endswith("/sign-in") else str(answer.status_code)


def test_every_route_has_its_rows(app):
    written = {(method, endpoint) for method, endpoint, _o, _c in rows()}
    there = {(m, r.endpoint) for r in app.url_map.iter_rules() for m in r.methods - {"HEAD", "OPTIONS"}}
    assert there - written == set(), "routes without a row in matrix.txt"
    assert written - there == set(), "rows without a route"


def test_every_cell_is_as_written(app, world, nothing_stays):
    wrong, cells = [], 0
    with nothing_stays():
        for method, endpoint, objects, expected in rows():
            url = asked(app, world, endpoint, objects)
            for name, cell in zip(PRINCIPALS, expected, strict=True):
                cells += 1
                answer = world.ask(name, url, method=method, data=DATA.get(endpoint), headers=HERE)
                if seen(answer) != cell:
                    wrong.append(f"{method} {endpoint} {objects} {name}: {seen(answer)}, written: {cell}")
    assert cells > 500
    assert wrong == [], "\n".join(wrong)


def test_what_a_page_refuses_its_fragment_refuses_too(app, world, nothing_stays):
    wrong = []
    with nothing_stays():
        for method, endpoint, objects, expected in rows():
            for name, cell in zip(PRINCIPALS, expected, strict=True):
                if cell == "in" or cell.startswith("4"):
                    answer = world.ask(name, asked(app, world, endpoint, objects), method=method,
                                       data=DATA.get(endpoint), headers=SWAP)
                    if answer.status_code < 400:
                        wrong.append(f"{method} {endpoint} {objects} {name}: {answer.status_code}")
    assert wrong == [], "\n".join(wrong)


def test_missing_and_forbidden_look_the_same(app, world, nothing_stays):
    """What one may not see answers like what never was: the same status, the same page."""
    with nothing_stays():
        for method, endpoint, objects, expected in rows():
            rule = next(app.url_map.iter_rules(endpoint))
            for name, cell in zip(PRINCIPALS, expected, strict=True):
                if cell == "404" and rule.arguments and all(a.endswith("_id") for a in rule.arguments):
                    adapter = app.url_map.bind("localhost")
                    never = adapter.build(endpoint, dict.fromkeys(rule.arguments, 2000000))
                    one, other = (world.ask(name, u, method=method, data=DATA.get(endpoint), headers=HERE)
                                  for u in (asked(app, world, endpoint, objects), never))
                    assert (one.status_code, _same(one)) == (other.status_code, _same(other)), (endpoint, name)


def _same(answer):
    """The page without what is made anew for each: its time and its token."""
    import re
    return re.sub(r'data-since="\d+"|value="[^"]*"|X-CSRFToken[^}]*|[?&]?next=[^"]*|/[a-z]+/\d+[^"]*', "", answer.text)


