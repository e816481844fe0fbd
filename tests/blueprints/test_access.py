"""Who sees what (DESIGN P6): what one may not see is 404, what one may only look at refuses with 403."""

import re

import pytest
from mailroom import arrive, letter, person, stored

from webapp.extensions import db, unit
from webapp.models import Conversation, Outbox

HERE = {"Sec-Fetch-Site": "same-origin"}
PEOPLE = ("zofia", "marek", "olga", "ewa")      # admin, member and in Boardroom, member, viewer
MAY_SEE = {"OPENWORD": PEOPLE, "HIDDENWORD": ("marek",), "Boardroom": ("zofia", "marek"), "ZOFIAWORD": ("zofia",), "MAREKWORD": ("marek",)}
LEAKS = {"HIDDENWORD": ("HIDDENWORD", "hiddenword"), "Boardroom": ("Boardroom", "board@corp.example"),
         "ZOFIAWORD": ("ZOFIAWORD", "zofiaword"), "MAREKWORD": ("MAREKWORD", "marekword"), "OPENWORD": ()}

READ = ["/conversations/{c.conversation_id}", "/conversations/{c.conversation_id}/messages",
        "/inboxes/{c.inbox_id}", "/inboxes/{c.inbox_id}/list",
        "/inboxes/{c.inbox_id}/news"]
MAIL = ["/messages/{c.message_id}/body", "/messages/{c.message_id}/raw", "/attachments/{c.attachment_id}",
        "/live/poll?on=message-{c.message_id}:-5"]
OWN = ["/mailboxes/{c.connection_id}/mail", "/mailboxes/{c.connection_id}/mail/{c.message_id}",
       "/mailboxes/{c.connection_id}/mail/{c.message_id}?part=body"]
SETTINGS = ["/connections/{c.connection_id}", "/connections/{c.connection_id}/checks",
            "/connections/{c.connection_id}/servers", "/connections/{c.connection_id}/disconnect"]
INBOX_SETTINGS = ["/inboxes/{c.inbox_id}/settings", "/inboxes/{c.inbox_id}/addresses", "/inboxes/{c.inbox_id}/delete"]
ACT = [("/conversations/{c.conversation_id}/close", {}), ("/conversations/{c.conversation_id}/reopen", {}),
       ("/conversations/{c.conversation_id}/assign", {"to": ""}),
       ("/conversations/{c.conversation_id}/draft", {"text": "Hm"}),
       ("/conversations/{c.conversation_id}/reply", {"text": "Hello"}), ("/conversations/{c.conversation_id}/notes", {"note": "Hm"})]

# (paths, word) -> status for Zofia, Marek, Olga, Ewa
CELLS = [
    (READ, "OPENWORD", (200, 200, 200, 200)), (READ, "HIDDENWORD", (404, 200, 404, 404)),
    (MAIL, "OPENWORD", (200, 200, 200, 200)), (MAIL, "HIDDENWORD", (404, 200, 404, 404)),
    (MAIL, "ZOFIAWORD", (200, 404, 404, 404)), (MAIL, "MAREKWORD", (404, 200, 404, 404)),
    (OWN, "ZOFIAWORD", (200, 404, 404, 404)), (OWN, "MAREKWORD", (404, 200, 404, 404)),
    (OWN, "OPENWORD", (404, 404, 404, 404)),
    (SETTINGS, "OPENWORD", (200, 404, 404, 404)), (SETTINGS, "HIDDENWORD", (200, 404, 404, 404)),
    (SETTINGS, "MAREKWORD", (404, 200, 404, 404)),
    (INBOX_SETTINGS, "OPENWORD", (200, 403, 403, 403)), (INBOX_SETTINGS, "HIDDENWORD", (200, 403, 404, 404)),
    (["/live/poll?on=conversation-{c.conversation_id}:-5", "/live/poll?on=inbox-{c.inbox_id}:-5"], "HIDDENWORD",
     (404, 200, 404, 404)),
    (["/live/poll?on=connection-{c.connection_id}:-5"], "MAREKWORD", (404, 200, 404, 404)),
]
ACTS = [("OPENWORD", (303, 303, 303, 403)), ("HIDDENWORD", (404, 303, 404, 404))]


@pytest.mark.parametrize("name", PEOPLE)
def test_reading_is_for_those_who_may_see(house, browser_of, name):
    with browser_of(name) as client:
        for paths, word, statuses in CELLS:
            for path in paths:
                url = path.format(c=house[word])
                assert client.get(url).status_code == statuses[PEOPLE.index(name)], (url, word)


@pytest.mark.parametrize("name", PEOPLE)
def test_acting_is_for_those_who_may_act(house, browser_of, name):
    with browser_of(name) as client:
        for word, statuses in ACTS:
            for path, data in ACT:
                url, expected = path.format(c=house[word]), statuses[PEOPLE.index(name)]
                answer = client.post(url, data=data, headers=HERE)
                assert answer.status_code == (200 if expected == 303 and path.endswith("draft") else expected), (url, word)
        for word, owner in (("OPENWORD", "zofia"), ("HIDDENWORD", "marek")):
            with unit():
                db.session.get(Outbox, house[word].outbox_id).state = "queued"
            for act in ("again", "undo"):
                answer = client.post(f"/outbox/{house[word].outbox_id}/{act}", headers=HERE)
                assert (answer.status_code == 404) == (name != owner), (word, act)
        for word, holder in (("MAREKWORD", "marek"), ("OPENWORD", "zofia")):
            answer = client.post(f"/connections/{house[word].connection_id}/disconnect", headers=HERE)
            assert answer.status_code == (303 if name == holder else 404), word
        hold = client.post("/holds/1/release", headers=HERE)
        assert hold.status_code in ((403, 404) if name == "zofia" else (404,))


@pytest.mark.parametrize("name", PEOPLE)
def test_no_page_and_no_fragment_names_what_one_may_not_see(app, house, browser_of, name):
    """Every GET route with every number that there is: the words of hidden things are in none of the answers."""
    urls = set()
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if "GET" in rule.methods and rule.endpoint not in ("static", "live.stream"):
            for things in house.values():
                for other in house.values():      # a foreign message under one's own mailbox, and so on
                    values = {"view_id": 1, "route_id": 1, "absence_id": 1, "table": "days", **vars(things),
                              **({"message_id": other.message_id} if "message_id" in rule.arguments else {})}
                    urls.add(adapter.build(rule.endpoint, {a: values[a] for a in rule.arguments}))
    urls |= {f"/?{q}" for q in ("", "view=mine")} | {"/side?inbox=2", "/choose?goal=log&goal=shared", "/choose/advice",
                                                     "/connect/team", "/connect/personal"}
    hidden = [w for word, words in LEAKS.items() if name not in MAY_SEE[word] for w in words]
    with browser_of(name) as client:
        for url in sorted(urls):
            for headers in ({}, {"HX-Request": "true"}):
                answer = client.get(url, headers=headers)
                assert answer.status_code < 500, url
                assert [w for w in hidden if w in answer.data.decode("utf-8", "replace")] == [], url


@pytest.mark.parametrize("name", ["olga", "marek", "zofia"])
def test_counts_and_news_count_only_what_one_sees(house, browser_of, name):
    with browser_of(name) as client:
        side = client.get("/side").text
        assert ("Boardroom" in side) is (name == "marek")
    with unit():
        hidden = db.session.get(Conversation, house["HIDDENWORD"].conversation_id)
        hidden.assignee = person("olga")          # given to somebody who has lost access since
    with browser_of("olga") as client:
        assert "HIDDENWORD" not in client.get(f"/inboxes/{house['OPENWORD'].inbox_id}?view=mine").text


def test_who_holds_an_address_of_a_restricted_inbox_is_told_to_those_who_see_it(house, browser_of):
    for name, told in (("zofia", True), ("olga", False)):
        with browser_of(name) as client:
            answer = client.post("/connect/personal", data={"address": "board@corp.example", "password": "x" * 10})
            assert answer.status_code == 422
            assert ("Boardroom" in answer.text) is told, name
            other = client.post("/connect/personal", data={"address": "marek@corp.example", "password": "x" * 10})
            assert other.status_code == 422
            assert ("Marek connected" in other.text) is told, name


def test_a_person_who_is_removed_or_deactivated_is_out_at_once(house, browser_of):
    from webapp.actions import people
    with browser_of("olga") as client:
        assert client.get("/choose").status_code == 200
        with unit():
            person("olga").state = "deactivated"
        assert client.get("/choose").status_code == 302
    with browser_of("marek") as client:
        with unit():
            people.remove_person(None, person("marek"))
        assert client.get("/choose").status_code == 302
    with browser_of("zofia") as client:       # his mail stays his, even for an admin
        assert client.get(f"/messages/{house['MAREKWORD'].message_id}/raw").status_code == 404


def test_the_possible_parent_and_the_customers_other_mail_are_shown_only_where_visible(house, browser_of):
    box = house["OPENWORD"].connection_id
    arrive(box, letter(sender="hiddenword@customer.example", subject="Same customer", Message_ID="<s@x>"), first_uid=9)
    found = next(c for c in stored(Conversation) if c.subject == "Same customer")
    with browser_of("olga") as client:
        page = client.get(f"/conversations/{found.id}").text
        assert not re.search(r"HIDDENWORD subject", page)
    with browser_of("marek") as client:
        assert "HIDDENWORD subject" in client.get(f"/conversations/{found.id}").text
