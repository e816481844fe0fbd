"""The world of the access matrix: who asks, and what they ask for.

Zofia is an admin and in no restricted inbox; Ewa only reads. Marek belongs to Boardroom by name, Olga to Backroom by
her team. Kasia owns a personal mailbox. Piotr was removed, and his browser still has its cookie.
"""

import contextlib
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from app_fixtures import PASSWORD
from mailroom import arrive, connected, inbox, letter, person, stored
from sqlalchemy.orm import Session

from webapp.actions import drafts, inboxes, notes, people, replies, routing, senders, templates, views
from webapp.blueprints.team.acting import ACTS
from webapp.extensions import db, unit
from webapp.models import (
    Absence,
    Attachment,
    Connection,
    Conversation,
    Event,
    InboxMember,
    InboxTeam,
    Link,
    Message,
    SignIn,
    Team,
    TeamMember,
)
from webapp.models.link import token_of
from webapp.models.types import now
from webapp.rules.listing import Listing

PIXEL = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de")
DOT = PIXEL[:33] + bytes.fromhex("0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082")
PRINCIPALS = ("anonymous", "ewa", "marek", "olga", "kasia", "zofia", "piotr")


@pytest.fixture
def world(app, team):
    """`world.objects[argument][label]`: what a URL argument may be. `world.ask(principal, …)`: their browser does."""
    with unit():
        for name in ("Olga", "Kasia", "Piotr"):
            people.create_person(name, f"{name.lower()}@corp.example", "member", PASSWORD)
        for name in ("Boardroom", "Backroom"):
            inboxes.create_inbox(person("zofia"), name)
            inbox(name).access = "members"
        crew = Team(name="Crew")
        db.session.add(crew)
        db.session.flush()
        db.session.add_all([InboxMember(inbox_id=inbox("Boardroom").id, person_id=person("marek").id),
                            TeamMember(team_id=crew.id, person_id=person("olga").id),
                            InboxTeam(inbox_id=inbox("Backroom").id, team_id=crew.id)])
    objects = {"inbox_id": {}, "conversation_id": {}, "message_id": {}, "attachment_id": {}, "outbox_id": {},
               "connection_id": {}, "hold_id": {}, "event_id": {}, "note_id": {}, "draft_id": {}, "file_id": {},
               "template_id": {}, "rule_id": {}, "route_id": {}}
    for label, kind, address, actor, where in (
            ("open", "team", "support@corp.example", "zofia", "Support"),
            ("restricted", "team", "board@corp.example", "zofia", "Boardroom"),
            ("kasias", "personal", "kasia@corp.example", "kasia", None),
            ("piotrs", "personal", "piotr@corp.example", "piotr", None)):
        _fill(objects, label, connected(kind, address, actor, where), address, kind, actor, where)
    cookies = {name: _signed_in(app, name) for name in PRINCIPALS if name != "anonymous"}
    piotrs = next(s.token_hash for s in stored(SignIn) if s.person.name == "Piotr")
    with unit():
        people.remove_person(person("zofia"), person("piotr"))
        db.session.add(SignIn(token_hash=piotrs, person_id=person("piotr").id))     # as if it had outlived him
        link = Link(purpose="reset", person_id=person("kasia").id, expires_at=now() + timedelta(hours=1))
        db.session.add(link)
        off = Absence(person_id=person("marek").id, first=date(2099, 1, 1), last=date(2099, 1, 2))
        db.session.add(off)
        db.session.flush()
        off = off.id
        mine = views.keep(person("marek"), "Late", Listing(), False).id
        shared = views.keep(person("zofia"), "All of it", Listing(), True).id
    objects |= {
        "person_id": {name: person(name).id for name in ("kasia", "zofia", "piotr")}, "team_id": {"crew": crew.id},
        "sign_in_id": {s.person.name.lower(): s.id for s in stored(SignIn)},
        "token": {"good": token_of(stored(Link)[0]), "bad": "x"}, "kind": {k: k for k in ("personal", "team")},
        "do": {do: do for do in ACTS}, "act": {"x": "x"}, "view_id": {"mareks": mine, "shared": shared},
        "absence_id": {"mareks": off},
        "table": {table: table for table in ("days", "people")}, "filename": {"css": "app.css"}, "part": {"x": "x"},
    }

    def ask(name, url, **request):
        client = app.test_client()
        if name in cookies:
            client.set_cookie("postroom", cookies[name])
        return client.open(url, buffered=True, **request)      # read to the end, so that nothing stays open
    return SimpleNamespace(objects=objects, ask=ask)


def _fill(objects, label, box, address, kind, actor, where):
    files = [("a.pdf", "application/pdf", b"%PDF-1.4"), ("pixel.png", "image/png", PIXEL),
             ("dot.png", "image/png", DOT)]
    arrive(box, letter(to=address, subject=f"{label} subject", html="<p>Hello</p>", Message_ID=f"<{label}@x>", files=files))
    message = stored(Message, Message.connection_id == box)[0]
    found = {"connection_id": box, "message_id": message.id, "hold_id": db.session.get(Connection, box).hold_id,
             "attachment_id": stored(Attachment, Attachment.message_id == message.id)[0].id}
    objects["attachment_id"][f"{label}_dot"] = stored(Attachment, Attachment.message_id == message.id)[2].id
    if where:
        found |= {"inbox_id": inbox(where).id, "conversation_id": message.conversation_id}
        with unit():
            writer = "marek" if label == "restricted" else actor
            found["outbox_id"] = replies.reply(
                person(writer), db.session.get(Conversation, message.conversation_id), "An answer").id
            drafted = drafts.save_new(person(writer), inbox(where), f"n{label:0>32}".replace("-", "0"), text="Not sent")
            [file] = drafts.enclose(drafted, [("dot.png", "image/png", DOT)], within=True)
            found |= {"draft_id": drafted.id, "file_id": file.id,
                      "template_id": templates.write(person(writer), label, "Hello", inbox=inbox(where)).id}
            drafts.save_draft(person(writer), db.session.get(Conversation, message.conversation_id), "Begun")
            found["rule_id"] = senders.add_rule(person("zofia"), inbox(where), "deny", "spam.example").id
            found["route_id"] = routing.save(person("zofia"), inbox(where), {
                "match": "all", "conditions": [], "actions": [{"do": "tell", "people": [person("marek").id]}]}).id
            found["note_id"] = notes.write(person(writer), db.session.get(Conversation, message.conversation_id), "Hm").id
        found["event_id"] = stored(Event, Event.conversation_id == found["conversation_id"])[0].id
    for argument, value in found.items():
        objects[argument][label] = value


def _signed_in(app, name):
    """The cookie of somebody who has signed in."""
    client = app.test_client()
    answer = client.post("/sign-in", data={"email": f"{name}@corp.example", "password": PASSWORD},
                         headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303, answer.text
    return client.get_cookie("postroom").value


@pytest.fixture
def nothing_stays(monkeypatch):
    """Every request is asked as in life, and what it would have stored is forgotten: each cell finds the same world."""

    @contextlib.contextmanager
    def forgetting():
        with monkeypatch.context() as patch:
            patch.setattr(Session, "commit", Session.rollback)
            yield

    return forgetting


