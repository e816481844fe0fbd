"""A failed form answers 422 with what was typed and the words at their field; a good one 303, or 200 for a swap."""

import pytest
from mailroom import arrive, connected, inbox, letter, stored

from webapp.models import Connection, Conversation, Draft, Inbox, Outbox
from webapp.rules.bounds import REPLY_MAX

HERE = {"Sec-Fetch-Site": "same-origin"}
SWAP = {**HERE, "HX-Request": "true"}
LONG = "x" * 300

# (form, what is typed, the field at fault, words at it)
BAD = [
    ("personal", {"address": "", "password": "p"}, "address", "This is needed"),
    ("personal", {"address": "no address", "password": "p"}, "address", "Type a whole e-mail address"),
    ("personal", {"address": f"{LONG}@corp.example", "password": "p"}, "address", "Use at most 254"),
    ("personal", {"address": "new@corp.example", "password": ""}, "password", "This is needed"),
    ("personal", {"address": "support@corp.example", "password": "p"}, "address", "answers in Support"),
    ("personal", {"address": "SUPPORT@Corp.example ", "password": "p"}, "address", "answers in Support"),
    ("team", {"address": "support@corp.example", "password": "p", "inbox": "1", "shared": "y"}, "address",
     "connected here already"),
    ("team", {"address": "new@corp.example", "password": "p", "inbox": "1"}, "shared", "Tick this to go on"),
    ("team", {"address": "new@corp.example", "password": "p", "inbox": "new", "new_inbox": "  ", "shared": "y"}, "new_inbox",
     "Give the inbox a name"),
    ("team", {"address": "new@corp.example", "password": "p", "inbox": "new", "new_inbox": "Support", "shared": "y"},
     "new_inbox", "There is an inbox called Support"),
    ("team", {"address": "new@corp.example", "password": "p", "inbox": "999", "shared": "y"}, "inbox", ""),
    ("team", {"address": "new@corp.example", "password": "p", "inbox": "x", "shared": "y"}, "inbox", ""),
    ("team", {"address": "new@corp.example", "password": "p", "shared": "y"}, "inbox", ""),
]


@pytest.mark.parametrize(("kind", "typed", "field", "words"), BAD, ids=[f"{k}-{f}-{w[:12]}" for k, _t, f, w in BAD])
@pytest.mark.parametrize("headers", [HERE, SWAP], ids=["page", "swap"])
def test_a_bad_form_keeps_what_was_typed_and_says_why_at_the_field(team, browser_of, kind, typed, field, words, headers):
    connected()
    with browser_of("zofia") as client:
        answer = client.post(f"/connect/{kind}", data=typed, headers=headers)
    assert answer.status_code == 422
    assert words in answer.text
    at = answer.text.index(f'name="{field}"')
    tag = answer.text[answer.text.rfind("<", 0, at):answer.text.index(">", at)]
    assert 'aria-invalid="true"' in tag
    assert "aria-describedby" in tag
    if typed["address"].strip():
        assert f'value="{typed["address"]}"' in answer.text
    assert ("<html" in answer.text) is (headers is HERE)
    assert len(stored(Connection)) == 1
    assert [i.name for i in stored(Inbox)] == ["Support"]


@pytest.mark.parametrize(("name", "kind", "words"), [
    ("ewa", "personal", "not connect addresses"), ("marek", "team", "Only admins connect team addresses")])
def test_who_may_not_connect_is_told(team, browser_of, name, kind, words):
    with browser_of(name) as client:
        answer = client.post(f"/connect/{kind}", data={"address": "a@b.example", "password": "p", "inbox": "1",
                                                       "shared": "y"}, headers=HERE)
    assert (answer.status_code, words in answer.text) == (422, True)


def test_a_good_form_goes_on_to_the_checklist_and_the_same_again_goes_on_with_it(team, browser_of, app):
    with browser_of("zofia") as client:
        form = {"address": "new@corp.example", "password": "p", "inbox": "new", "new_inbox": "Sales", "shared": "y",
                "from_name": "Sales team"}
        made = client.post("/connect/team", data=form, headers=HERE)
        assert made.status_code == 303
        again = client.post("/connect/team", data={**form, "inbox": str(inbox("Sales").id)}, headers=SWAP)
        assert (again.status_code, again.headers["HX-Location"]) == (200, made.location)
        assert client.get(made.location).status_code == 200
    assert [(c.address, c.from_name, c.state) for c in stored(Connection)] == [("new@corp.example", "Sales team", "connecting")]
    assert app.extensions["redis"].llen("rq:queue:in") >= 1


def test_the_plan_limits_new_inboxes_and_leaves_the_rest(team, browser_of, app):
    object.__setattr__(app.config["SETTINGS"], "plan", "free")
    try:
        with browser_of("zofia") as client:
            answer = client.post("/connect/team", data={"address": "new@corp.example", "password": "p", "inbox": "new",
                                                        "new_inbox": "Sales", "shared": "y"}, headers=HERE)
            assert (answer.status_code, "All inboxes of your plan are in use (1 of 1)" in answer.text) == (422, True)
    finally:
        object.__setattr__(app.config["SETTINGS"], "plan", "unlimited")


@pytest.mark.parametrize("headers", [HERE, SWAP], ids=["page", "swap"])
def test_a_reply_an_empty_one_and_one_that_is_too_long(team, browser_of, headers):
    arrive(connected(), letter())
    url = f"/conversations/{stored(Conversation)[0].id}"
    with browser_of("marek") as client:
        for text, words in (("  ", "Write something first"), ("y" * (REPLY_MAX + 1), f"at most {REPLY_MAX}")):
            answer = client.post(f"{url}/reply", data={"text": text}, headers=headers)
            assert (answer.status_code, words in answer.text) == (422, True), text[:5]
        assert "yyyy" in answer.text
        assert stored(Outbox) == []
        client.post(f"{url}/draft", data={"text": "Half a thou"}, headers=SWAP)
        assert "Half a thou" in client.get(url).text
        sent = client.post(f"{url}/reply", data={"text": "A whole thought"}, headers=headers)
        assert sent.status_code == (303 if headers is HERE else 200)
    assert [o.state for o in stored(Outbox)] == ["queued"]
    assert stored(Draft) == []
    assert stored(Conversation)[0].assignee.name == "Marek"


def test_undo_after_typing_on_gives_both_texts_back(team, browser_of):
    arrive(connected(), letter())
    url = f"/conversations/{stored(Conversation)[0].id}"
    with browser_of("marek") as client:
        client.post(f"{url}/reply", data={"text": "First thoughts"}, headers=SWAP)
        client.post(f"{url}/draft", data={"text": "Typed meanwhile"}, headers=SWAP)
        answer = client.post(f"/outbox/{stored(Outbox)[0].id}/undo", headers=SWAP)
        assert answer.status_code == 200
        assert "First thoughts" in answer.text
        assert "Typed meanwhile" in answer.text


def test_an_address_that_was_disconnected_meanwhile_is_said_and_the_text_kept(team, browser_of):
    box = connected()
    arrive(box, letter())
    url = f"/conversations/{stored(Conversation)[0].id}"
    with browser_of("zofia") as client:
        client.post(f"/connections/{box}/disconnect", headers=HERE)
        answer = client.post(f"{url}/reply", data={"text": "Too late"}, headers=HERE)
        assert (answer.status_code, "Too late" in answer.text) == (422, True)
        assert "no connected address" in answer.text


def test_a_page_for_a_full_load_and_its_fragment_for_a_swap(team, browser_of):
    connected()
    with browser_of("zofia") as client:
        for path in ("/choose", "/connect/personal", f"/inboxes/{inbox().id}", "/mailboxes"):
            assert "<html" in client.get(path).text, path
            for headers in ({"HX-Boosted": "true"}, {"HX-History-Restore-Request": "true"}, {"HX-Request-Type": "full"}):
                assert "<html" in client.get(path, headers={"HX-Request": "true", **headers}).text, path
        assert "<html" not in client.get("/connect/personal", headers={"HX-Request": "true"}).text
