"""Every route really asked: as nobody, without the CSRF token, from another site; and no GET that writes."""

import re
from datetime import date

import pytest
from mailroom import arrive, connected, inbox, letter, person, stored
from sqlalchemy import event

from webapp.actions import drafts, notes, replies, routing, senders, teams, templates, views
from webapp.extensions import db, unit
from webapp.models import Absence, Attachment, Conversation, Event, Message, Outbox
from webapp.rules.listing import Listing
from webapp.web.guard import PUBLIC

SAFE = {"GET", "HEAD", "OPTIONS"}
HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def filled(team):
    """Something behind every number in a URL: row 1 of each kind is there and is Zofia's to see."""
    box = connected()
    arrive(box, letter(files=[("a.png", "image/png", b"\x89PNG")], html="<p>Hello</p>", Message_ID="<0@x>"))
    with unit():
        replies.reply(person("zofia"), db.session.get(Conversation, stored(Conversation)[0].id), "Hello back")
        made = teams.create_team(person("zofia"), "Sales").id
        drafted = drafts.save_new(person("zofia"), inbox(), "n" + "0" * 32, text="Not sent")
        [file] = drafts.enclose(drafted, [("a.png", "image/png", b"\x89PNG")], within=True)
        file, drafted = file.id, drafted.id
        template = templates.write(person("zofia"), "Hours", "We are open.").id
        drafts.save_draft(person("zofia"), db.session.get(Conversation, 1), "Begun")
    own = connected("personal", "zofia@corp.example", "zofia")
    arrive(own, letter(to="zofia@corp.example", text="Private"))
    with unit():
        rule = senders.add_rule(person("zofia"), inbox(), "deny", "spam.example").id
        note = notes.write(person("zofia"), db.session.get(Conversation, stored(Conversation)[0].id), "Look at this").id
        view = views.keep(person("zofia"), "Late", Listing(), False).id
        route = routing.save(person("zofia"), inbox(), {"match": "all", "conditions": [], "actions": [{"do": "close"}]}).id
        db.session.add(off := Absence(person_id=team.zofia, first=date(2099, 1, 1), last=date(2099, 1, 2)))
        db.session.flush()
        off = off.id
    return {"draft_id": drafted, "file_id": file, "template_id": template, "do": "close", "table": "days", "act": "x", "note_id": note, "view_id": view, "rule_id": rule, "route_id": route, "absence_id": off, "conversation_id": stored(Conversation)[0].id, "message_id": stored(Message)[0].id, "connection_id": own,
            "attachment_id": stored(Attachment)[0].id, "outbox_id": stored(Outbox)[0].id, "inbox_id": inbox().id,
            "hold_id": 1, "kind": "personal", "token": "x", "filename": "app.css", "part": "x", "sign_in_id": 1,
            "person_id": team.zofia, "team_id": made, "event_id": stored(Event)[0].id}


def urls(app, values, method):
    """(endpoint, URL) of every route that takes this method."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if method in rule.methods:
            yield rule.endpoint, adapter.build(rule.endpoint, {a: values[a] for a in rule.arguments}, method=method)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nobody_gets_in_except_through_the_public_routes(app, filled, method):
    asked = list(urls(app, filled, method))
    assert len(asked) > 10
    for endpoint, url in asked:
        client = app.test_client()
        answer = client.open(url, method=method, headers=HERE)
        swap = client.open(url, method=method, headers={**HERE, "HX-Request": "true"})
        if endpoint in PUBLIC:
            assert "/sign-in" not in answer.headers.get("Location", "") or endpoint == "auth.language", endpoint
            assert swap.status_code != 401, endpoint
        else:
            assert answer.status_code == 302, endpoint
            assert answer.location.split("?")[0].endswith("/sign-in"), endpoint
            assert swap.status_code == 401, endpoint


def test_the_public_list_names_routes_that_are_there(app):
    assert {rule.endpoint for rule in app.url_map.iter_rules()} >= PUBLIC


def test_what_changes_something_refuses_without_token_and_from_another_site(app, filled, browser_of, monkeypatch):
    changing = [(e, u) for method in ("POST", "PUT", "PATCH", "DELETE") for e, u in urls(app, filled, method)]
    with browser_of("zofia") as client:
        monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
        before = _rows()
        for endpoint, url in changing:
            assert client.post(url, headers=HERE).status_code == 400, endpoint
            assert client.post(url, headers=HERE, data={"csrf_token": "forged"}).status_code == 400, endpoint
        monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
        for endpoint, url in changing:
            for origin in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
                           {"Origin": "https://evil.example"}, {"Origin": "null"}):
                assert client.post(url, headers=origin).status_code == 403, (endpoint, origin)
        assert _rows() == before


def test_every_route_that_takes_more_than_get_is_post_only(app):
    mixed = [r.endpoint for r in app.url_map.iter_rules() if r.methods - SAFE and r.methods & {"GET"}]
    others = [r.endpoint for r in app.url_map.iter_rules() if r.methods - SAFE - {"POST"}]
    assert (mixed, others) == ([], [])


def test_reading_writes_nothing_except_how_far_one_has_read(app, filled, browser_of):
    written = []

    def listen(connection, cursor, statement, *_):
        if not re.match(r"\s*(SELECT|BEGIN|SAVEPOINT|RELEASE|ROLLBACK|PRAGMA|SET|SHOW|WITH)\b", statement, re.I):
            written.append((now[0], statement))
    now = [""]
    with browser_of("zofia") as client:
        event.listen(db.engine, "before_cursor_execute", listen)
        try:
            for endpoint, url in urls(app, filled, "GET"):
                if endpoint == "live.stream":
                    continue
                now[0] = endpoint
                assert client.get(url).status_code < 500, endpoint
                assert client.get(url, headers={"HX-Request": "true"}).status_code < 500, endpoint
        finally:
            event.remove(db.engine, "before_cursor_execute", listen)
    assert [w for w in written if "INTO seen" not in w[1]] == []
    assert {w[0] for w in written} <= {"team.conversation", "team.messages"}


@pytest.mark.parametrize("number", ["0", "999999", "99999999999999999999", "-1", "²"])
def test_a_number_that_no_row_has_is_not_found_everywhere(app, filled, browser_of, number):
    fresh = {name: number for name in filled if name.endswith("_id")}
    with browser_of("zofia") as client:
        for rule in app.url_map.iter_rules():
            if any(a.endswith("_id") for a in rule.arguments):
                url = re.sub(r"<(?:[^<>]*:)?(\w+)>", lambda m: fresh.get(m[1], filled.get(m[1])), rule.rule)
                answer = client.open(url, method="POST" if "POST" in rule.methods else "GET", headers=HERE)
                assert answer.status_code in (404, 405), (rule.endpoint, answer.status_code)
        for path in (f"/live/poll?on=inbox-{number}", f"/live/poll?on=person-{number}", "/live/poll?on=secret-1",
                     "/live/poll?on=inbox"):
            assert client.get(path).status_code == 404, path
        inbox_id = filled["inbox_id"]
        for path in (f"/inboxes/{inbox_id}/news?since=1-1&current={number}", f"/mailboxes?show={number}",
                     f"/side?inbox={number}", f"/inboxes/{inbox_id}/list?before={number}-{number}",
                     f"/inboxes/{inbox_id}?status={number}&view={number}", f"/connect/team?inbox={number}"):
            assert client.get(path).status_code in (200, 404), path


def _rows():
    db.session.rollback()
    return {t.name: db.session.execute(t.select()).all() for t in db.metadata.sorted_tables if t.name != "try"}
