"""The pages of the inboxes' settings, and what is left to see of a deleted one."""

import re
from dataclasses import replace

import pytest
from mailroom import arrive, connected, inbox, letter, person, stored

from webapp.actions import conversations, drafts, inboxes
from webapp.extensions import db, unit
from webapp.models import Conversation, Inbox, InboxMember, Notice, Team
from webapp.rules.bounds import INBOX_NAME_MAX

HERE = {"Sec-Fetch-Site": "same-origin"}


def settings(word, house):
    return f"/inboxes/{house[word].inbox_id}/settings"


@pytest.fixture
def limit(app, monkeypatch):
    def set_to(number):
        monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], plans=f"test={number}", plan="test"))
    return set_to


def test_the_list_names_every_inbox_and_counts_only_what_the_admin_may_open(house, browser_of):
    with browser_of("zofia") as client:
        page = client.get("/inboxes").text
    assert "Support" in page and "Boardroom" in page and "support@corp.example" in page
    assert "1 person" in page and "only its members know" in page
    rows = [re.sub(r"<[^>]+>|\s+", " ", row) for row in re.findall(r"<tr>.*?</tr>", page, re.S)]
    assert re.search(r"Support.* 0 ", next(r for r in rows if "Support" in r))


def test_the_pages_of_inboxes_are_not_there_for_others(house, browser_of):
    for name in ("marek", "ewa"):
        with browser_of(name) as client:
            assert [client.get(p).status_code for p in ("/inboxes", "/inboxes/new")] == [404, 404]
            assert client.post("/inboxes", data={"name": "Mine"}, headers=HERE).status_code == 404
            for act in ("name", "access", "join", "delete"):
                codes = [client.post(f"/inboxes/{house[w].inbox_id}/{act}", headers=HERE).status_code
                         for w in ("OPENWORD", "HIDDENWORD")]
                assert codes == [403, 403 if name == "marek" else 404], act


@pytest.mark.parametrize(("number", "words", "button"), [
    (5, "Room for 3 more.", True), (2, "All inboxes of your plan are in use (2 of 2).", False),
    (1, "More than your plan allows. What is there keeps working.", False)])
def test_the_usage_is_said_and_at_the_limit_there_is_no_button(house, browser_of, limit, number, words, button):
    limit(number)
    with browser_of("zofia") as client:
        page, form = client.get("/inboxes").text, client.get("/inboxes/new").text
        assert words in page and ("/inboxes/new" in page) is button
        assert ('name="name"' in form) is button
        answer = client.post("/inboxes", data={"name": "Another", "access": "everyone"}, headers=HERE)
        assert answer.status_code == (303 if button else 422)
        assert button or "All inboxes of your plan are in use" in answer.text


def test_an_inbox_is_made_for_chosen_people_and_teams(house, browser_of):
    with unit():
        group = Team(name="Field")
        db.session.add(group)
        db.session.flush()
        group_id = group.id
    with browser_of("zofia") as client:
        answer = client.post("/inboxes", headers=HERE, data={
            "name": "Sales", "access": "members", "people": [person("ewa").id, 999999], "teams": [group_id]})
        db.session.rollback()
        assert answer.location.endswith(f"/inboxes/{inbox('Sales').id}/settings")
        assert "1 person and 1 team" in client.get("/inboxes").text
    members = {m.person_id for m in db.session.query(InboxMember).filter_by(inbox_id=inbox("Sales").id)}
    assert members == {person("ewa").id}


@pytest.mark.parametrize(("data", "said"), [
    ({"name": ""}, "This is needed."), ({"name": "x" * (INBOX_NAME_MAX + 1)}, "Use at most 60 characters."),
    ({"name": "Support"}, "There is an inbox called Support."),
    ({"name": "Kept", "access": "members"}, "Choose at least one person or team"),
    ({"name": "Kept", "access": "members", "people": "999999"}, "Choose at least one person or team"),
    ({"name": "Kept", "access": "members", "people": "x"}, None), ({"name": "Kept", "access": "friends"}, None)])
def test_a_refused_form_says_why_and_keeps_what_was_typed(house, browser_of, data, said):
    with browser_of("zofia") as client:
        answer = client.post("/inboxes", data={"access": "everyone", **data}, headers=HERE)
    assert answer.status_code == 422
    assert said is None or said in answer.text
    assert f'value="{data["name"][:60]}' in answer.text
    assert len(stored(Inbox)) == 2


def test_a_name_is_changed_and_a_taken_one_is_said_at_the_field(house, browser_of):
    url = f"/inboxes/{house['OPENWORD'].inbox_id}/name"
    with browser_of("zofia") as client:
        taken = client.post(url, data={"name": "boardroom"}, headers=HERE)
        assert taken.status_code == 422 and "There is an inbox called Boardroom." in taken.text
        assert 'value="boardroom"' in taken.text and 'aria-invalid="true"' in taken.text
        assert client.post(url, data={"name": "Help\u202e desk"}, headers=HERE).status_code == 303
        assert "<h1>Help desk: settings</h1>" in client.get(settings("OPENWORD", house)).text


def test_an_admin_sees_the_settings_and_reads_only_after_adding_themselves(house, browser_of):
    hidden = house["HIDDENWORD"]
    with browser_of("zofia") as client:
        page = client.get(settings("HIDDENWORD", house)).text
        assert "Add yourself" in page and "board@corp.example" in page and "HIDDENWORD" not in page
        assert client.get(f"/conversations/{hidden.conversation_id}").status_code == 404
        assert client.post(f"/inboxes/{hidden.inbox_id}/join", headers=HERE).status_code == 303
        assert client.get(f"/conversations/{hidden.conversation_id}").status_code == 200
        assert "Add yourself" not in client.get(settings("HIDDENWORD", house)).text
    assert [(n.person.name, n.kind) for n in stored(Notice)] == [("Marek", "inbox.joined")]


def test_losing_access_ends_reading_at_the_next_request(house, browser_of):
    hidden = house["HIDDENWORD"]
    with browser_of("marek") as client:
        assert client.get(f"/inboxes/{hidden.inbox_id}").status_code == 200
        with browser_of("zofia") as admin:
            answer = admin.post(f"/inboxes/{hidden.inbox_id}/access", headers=HERE,
                                data={"access": "members", "people": [person("olga").id]})
            assert answer.status_code == 303
        for path in (f"/inboxes/{hidden.inbox_id}", f"/inboxes/{hidden.inbox_id}/list",
                     f"/conversations/{hidden.conversation_id}", f"/live/poll?on=inbox-{hidden.inbox_id}:1"):
            assert client.get(path).status_code == 404, path
        side = client.get(f"/side?inbox={hidden.inbox_id}")
        assert side.status_code == 200 and "Boardroom" not in side.text
        assert f"inbox-{hidden.inbox_id}" not in side.text.replace(f"inbox={hidden.inbox_id}", "")


def test_deleting_asks_for_the_name_and_says_what_it_means(house, browser_of):
    url = f"/inboxes/{house['HIDDENWORD'].inbox_id}/delete"
    with browser_of("zofia") as client:
        page = client.get(url).text
        assert "1 conversation leaves the lists" in page and "board@" in page
        wrong = client.post(url, data={"typed": "board"}, headers=HERE)
        assert wrong.status_code == 422 and "Type Boardroom to go on." in wrong.text and 'value="board"' in wrong.text
        assert client.post(url, data={"typed": "Boardroom"}, headers=HERE).location.endswith("/inboxes")
        assert "Boardroom" not in client.get("/inboxes").text
        for path in ("settings", "delete", "addresses", "list", ""):
            assert client.get(f"/inboxes/{house['HIDDENWORD'].inbox_id}/{path}".rstrip("/")).status_code == 404, path
        default = client.post(f"/inboxes/{house['OPENWORD'].inbox_id}/delete", data={"typed": "Support"}, headers=HERE)
        assert default.status_code == 422 and "The first inbox stays" in default.text


@pytest.fixture
def deleted(house):
    """A customer with a conversation in Support and one in Sales, which Marek has; Sales is deleted."""
    with unit():
        inboxes.create_inbox(person("zofia"), "Sales")
    box = connected(address="sales@corp.example", inbox_name="Sales")
    arrive(box, letter(to="sales@corp.example", sender="OPENWORD Nowak <openword@customer.example>", subject="Offer"))
    with unit():
        old = stored(Conversation)[-1]
        conversations.assign(person("marek"), old, person("marek"))
        drafts.save_draft(person("marek"), old, "Not finished")
    old_id = old.id
    with unit():
        inboxes.delete_inbox(person("zofia"), inbox("Sales"), "Sales")
    return old_id


def test_a_conversation_of_a_deleted_inbox_is_read_by_its_link_and_beside_its_contact(house, deleted, browser_of):
    with browser_of("marek") as client:
        beside = client.get(f"/conversations/{house['OPENWORD'].conversation_id}").text
        assert f"/conversations/{deleted}" in beside and "Sales, deleted" in beside
        for headers in ({}, {"HX-Request": "true"}):
            page = client.get(f"/conversations/{deleted}", headers=headers)
            assert page.status_code == 200
            assert "This inbox was deleted on" in page.text and "it is broken" in page.text
            assert 'id="composer"' not in page.text
            for gone in (f"/inboxes/{inbox('Sales').id}\"", f"inbox-{inbox('Sales').id}-changed"):
                assert gone not in page.text, gone
        for act, data in (("close", {}), ("assign", {"to": ""}), ("reply", {"text": "Hi"}), ("draft", {"text": "Hi"})):
            assert client.post(f"/conversations/{deleted}/{act}", data=data, headers=HERE).status_code == 403, act
        client.post("/bulk", data={"do": "close", "id": deleted}, headers=HERE)
    with unit():
        assert db.session.get(Conversation, deleted).status != "closed"


def test_it_is_gone_from_sidebar_lists_and_counts(house, deleted, browser_of):
    with browser_of("marek") as client:
        side = client.get("/side").text
        assert "Sales" not in side
        assert "Assigned to me</span></a>" in side      # the one in Boardroom was answered, and waits
        for query in ("", "?view=mine", "?view=mine&status=closed"):
            assert "Offer" not in client.get(f"/inboxes/{house['OPENWORD'].inbox_id}{query}").text
        assert client.get("/").status_code in (200, 302, 303)
