"""Lists of an inbox and across, their tabs, filters and kept views; acting on one conversation and on many."""

import re
from datetime import timedelta

import pytest
from mailroom import arrive, connected, inbox, letter, person, stored

from webapp.actions import conversations, inboxes, presence, replies, tags
from webapp.extensions import db, unit
from webapp.models import Conversation, Event, Mention, SavedView
from webapp.models.types import now

HERE = {"Sec-Fetch-Site": "same-origin"}
SWAP = {**HERE, "HX-Request": "true"}


@pytest.fixture
def mail(team):
    """Six conversations in Support, one in Claims; their ids by subject."""
    box = connected()
    arrive(box, *(letter(Message_ID=f"<{n}@x>", subject=f"Case {n}") for n in range(6)))
    with unit():
        inboxes.create_inbox(person("zofia"), "Claims")
        conversations.move(person("zofia"), get("Case 5"), inbox("Claims"))
        conversations.close(person("zofia"), get("Case 0"))
        conversations.snooze(person("zofia"), get("Case 1"), now() + timedelta(hours=3))
        replies.reply(person("marek"), get("Case 2"), "Hello")
        conversations.mark_spam(person("zofia"), get("Case 3"))
    return {c.subject: c.id for c in stored(Conversation)}


def get(subject):
    return db.session.scalar(db.select(Conversation).where(Conversation.subject == subject))


def shown(page):
    return sorted(re.findall(r"Case \d", " ".join(re.findall(r'conv__subj">([^<]*)', page))))


def counts(page):
    return dict(re.findall(r'>(\w+) <span class="num"[^>]*>(\d+)', page))


@pytest.mark.parametrize(("path", "cases"), [
    ("/inboxes/1", ["Case 4"]), ("/inboxes/1?status=waiting", ["Case 2"]), ("/inboxes/1?status=snoozed", ["Case 1"]),
    ("/inboxes/1?status=closed", ["Case 0"]), ("/inboxes/1?status=spam", ["Case 3"]), ("/inboxes/1?status=trash", []),
    ("/inboxes/1?status=sent", ["Case 2"]), ("/inboxes/1?status=any", ["Case 0", "Case 1", "Case 2", "Case 4"]),
    ("/conversations", ["Case 4", "Case 5"]), ("/conversations?status=any&view=mine", []),
    ("/conversations?view=unassigned", ["Case 4", "Case 5"]), ("/conversations?status=nonsense&view=%3Cb%3E", ["Case 4", "Case 5"])])
def test_each_list_shows_what_it_says(mail, browser_of, path, cases):
    with browser_of("zofia") as client:
        assert shown(client.get(path).text) == cases


def test_tabs_count_exactly_and_the_sidebar_too(mail, browser_of):
    with browser_of("marek") as client:
        page = client.get("/inboxes/1").text
        assert counts(page) == {"Open": "1", "Waiting": "1", "Snoozed": "1"}
        assert counts(client.get("/conversations").text)["Open"] == "2"
        assert counts(client.get("/conversations?view=mine").text) == {"Waiting": "1"}, "he answered it"


def test_what_one_may_not_open_is_in_no_list_and_no_count(mail, browser_of):
    with unit():
        inbox("Claims").access = "members"
    with browser_of("marek") as client:
        assert shown(client.get("/conversations?status=any").text) == ["Case 0", "Case 1", "Case 2", "Case 4"]
        assert counts(client.get("/conversations").text)["Open"] == "1"
        assert "Claims" not in client.get("/side").text


def test_a_list_is_narrowed_and_turned_around(mail, browser_of):
    with unit():
        tags.tag(person("zofia"), get("Case 4"), "late")
    with browser_of("zofia") as client:
        number = re.search(r'option value="(\d+)">late', client.get("/conversations").text)[1]
        assert shown(client.get(f"/conversations?tag={number}").text) == ["Case 4"]
        assert shown(client.get("/conversations?files=1").text) == []
        oldest, newest = (re.findall(r'conv__subj">(Case \d)', client.get(f"/conversations?status=any&sort={sort}").text)
                          for sort in ("oldest", "newest"))
    assert oldest == newest[::-1] and len(newest) == 5 and oldest[0] == "Case 0"


def test_a_view_is_kept_shared_and_deleted(mail, browser_of):
    with browser_of("zofia") as client:
        kept = client.post("/views", data={"name": "Put off", "list": "status=snoozed", "inbox_id": "1", "shared": "y"}, headers=HERE)
        number = stored(SavedView)[0].id
        assert kept.location.endswith(f"/views/{number}") and shown(client.get(f"/views/{number}").text) == ["Case 1"]
        client.post("/views", data={"name": "Mine", "list": "view=mine&status=any"}, headers=HERE)
        nameless = client.post("/views", data={"name": " ", "list": "view=mine&status=any", "inbox_id": "1"}, headers=HERE)
        assert "Give the view a name of up to" in client.get(nameless.location).text
    with browser_of("marek") as client:
        side = client.get("/conversations").text
        assert "Put off" in side and ">Mine<" not in side
        assert client.get(f"/views/{number + 1}").status_code == 404
        assert client.post(f"/views/{number}/delete", headers=HERE).status_code == 403
    with browser_of("zofia") as client:
        client.post(f"/views/{number}/delete", headers=HERE)
    assert [v.name for v in stored(SavedView)] == ["Mine"]


def test_a_shared_view_of_a_closed_inbox_shows_nothing_to_others(mail, browser_of):
    with browser_of("zofia") as client:
        client.post("/views", data={"name": "Claims", "list": "", "inbox_id": inbox("Claims").id, "shared": "y"}, headers=HERE)
    with unit():
        inbox("Claims").access = "members"
    with browser_of("marek") as client:
        assert client.get(f"/views/{stored(SavedView)[0].id}").status_code == 404


@pytest.mark.parametrize(("do", "data", "status"), [
    ("close", {}, "closed"), ("snooze", {"when": "tomorrow"}, "snoozed"), ("snooze", {"when": "answer"}, "snoozed"),
    ("spam", {}, "spam"), ("trash", {}, "trash")])
def test_one_click_and_its_undo_with_and_without_script(mail, browser_of, do, data, status):
    number = mail["Case 4"]
    with browser_of("zofia") as client:
        plain = client.post(f"/conversations/{number}/{do}", data=data, headers=HERE)
        assert plain.status_code == 303 and stored(Conversation, Conversation.id == number)[0].status == status
        page = client.get(plain.location).text
        back = re.search(r'action="(/acts/\w+/undo)"', page)[1]
        assert client.post(back, headers=HERE).status_code == 303
        assert stored(Conversation, Conversation.id == number)[0].status == "open"
        swap = client.post(f"/conversations/{number}/{do}", data=data, headers=SWAP)
        assert 'id="toasts" hx-swap-oob' in swap.text and "/undo" in swap.text and f"conv-{number}" in swap.text
        again = client.post(re.search(r'hx-post="(/acts/\w+/undo)"', swap.text)[1], headers=SWAP)
        assert again.status_code == 200 and stored(Conversation, Conversation.id == number)[0].status == "open"
        assert client.post(back, headers=HERE).status_code == 303, "twice: nothing happens"


def test_bad_input_is_said_and_changes_nothing(mail, browser_of):
    number = mail["Case 4"]
    with browser_of("zofia") as client:
        for do, data, code in (("snooze", {"when": "custom", "until": "2001-01-01T10:00"}, 422), ("snooze", {"when": "x"}, 400),
                               ("snooze", {"when": "custom", "until": "soon"}, 422), ("tag", {"tag": "x" * 41}, 422),
                               ("tag", {"tag": " "}, 422), ("untag", {"tag": "999"}, 404), ("assign", {"to": "999"}, 404),
                               ("assign", {"to": "team-999"}, 404), ("move", {"inbox": "999"}, 404), ("move", {"inbox": "1"}, 422)):
            for headers in (HERE, SWAP):
                assert client.post(f"/conversations/{number}/{do}", data=data, headers=headers).status_code == code, (do, data)
        assert client.post(f"/conversations/{number}/explode", headers=HERE).status_code == 404
    assert not stored(Event, Event.conversation_id == number)


def test_what_was_refused_stands_at_its_field_alone(mail, browser_of):
    with browser_of("zofia") as client:
        for data, do, said in (({"when": "custom", "until": ""}, "snooze", "Choose a day and a time"),
                               ({"tag": " "}, "tag", "Use a tag of up to")):
            swap = client.post(f"/conversations/{mail['Case 4']}/{do}", data=data, headers=SWAP).text
            assert swap.count(said) == 1
            assert re.search(r'id="(until|tag)-refused".*?' + said, swap, re.S)
            plain = client.post(f"/conversations/{mail['Case 4']}/{do}", data=data, headers=HERE).text
            assert re.search(r'banner--warn" role="status">.*?' + said, plain, re.S), "no script opens the menu"


def test_a_row_that_left_its_list_says_where_it_stands(mail, browser_of):
    """`X-List`: what the page's list shows, which the address of the swap does not say."""
    with browser_of("zofia") as client:
        assert """hx-headers:inherited='{"X-List": "waiting"}'""" in client.get("/inboxes/1?status=waiting").text
        for do, said in (("close", "Closed"), ("spam", "Spam"), ("trash", "In the trash")):
            swap = client.post(f"/conversations/{mail['Case 4']}/{do}", headers={**SWAP, "X-List": "open"}).text
            row = re.search(r'<li class="conv" .*?</li>', swap, re.S)[0]
            assert said in row.split("conv__hint")[1]
        made_up = client.post(f"/conversations/{mail['Case 4']}/reopen", headers={**SWAP, "X-List": "<b>"})
        assert made_up.status_code == 200


def test_only_what_is_current_is_marked_in_the_sidebar(mail, browser_of):
    with browser_of("zofia") as client:
        for path in ("/compose", "/search?q=Case", "/drafts", "/conversations"):
            page = client.get(path).text
            side = re.search(r'<div id="side-inboxes".*?</nav>', page, re.S)[0]
            marked = re.findall(r'aria-current="page">.*?title="([^"]+)"', side)
            assert marked == {"/drafts": ["Drafts"], "/conversations": ["All inboxes"]}.get(path, []), path
            again = client.get(re.search(r'hx-get="(/side[^"]*)"', side)[1].replace("&amp;", "&"), headers=SWAP).text
            assert re.findall(r'aria-current="page">.*?title="([^"]+)"', again) == marked, "drawn anew"


@pytest.mark.parametrize(("path", "said"), [
    ("/inboxes/1?broken=throttled", None), ("/inboxes/1?broken=taken", None), ("/inboxes/1?broken=x", None),
    ("/conversations?broken=here_already_inbox", None), ("/inboxes/1?broken=here_already_inbox", "It is in Support already"),
    ("/inboxes/1?broken=tag_name", "up to 40 characters"), ("/inboxes/1?broken=many_tags", "at most 20 tags")])
def test_a_code_in_the_address_says_what_it_has_the_facts_for(mail, browser_of, path, said):
    with browser_of("zofia") as client:
        answer = client.get(path)
        assert answer.status_code == 200 and ('id="told"' in answer.text) == bool(said)
        assert not said or said in answer.text


def test_many_at_once_and_all_of_it_taken_back(mail, browser_of):
    ids = [mail["Case 4"], mail["Case 2"], mail["Case 5"]]
    with browser_of("marek") as client:
        done = client.post("/bulk", data={"do": "snooze:week", "id": ids, "list": "view=unassigned"}, headers=HERE)
        assert "view=unassigned" in done.location
        page = client.get(done.location).text
        assert {c.id for c in stored(Conversation, Conversation.status == "snoozed")} == {*ids, mail["Case 1"]}
        client.post(re.search(r'action="(/acts/\w+/undo)"', page)[1], headers=HERE)
        assert [c.status for c in stored(Conversation, Conversation.id.in_(ids))] == ["waiting", "open", "open"]
        for do in ("assign:me", "tag:Pilne", "close", "reopen", "spam", "trash", "assign:0"):
            assert client.post("/bulk", data={"do": do, "id": ids}, headers=HERE).status_code == 303, do
        assert client.post("/bulk", data={"do": "explode", "id": ids}, headers=HERE).status_code == 400
    assert all(c.status == "trash" and c.assignee_id is None and c.tags for c in stored(Conversation, Conversation.id.in_(ids)))


def test_what_went_out_of_sight_meanwhile_stays_and_the_rest_is_taken_back(mail, browser_of):
    ids = [mail["Case 4"], mail["Case 2"], mail["Case 5"]]
    with browser_of("marek") as client:
        page = client.get(client.post("/bulk", data={"do": "close", "id": ids}, headers=HERE).location).text
        with unit():
            inbox("Claims").access = "members"
        back = client.post(re.search(r'action="(/acts/\w+/undo)"', page)[1], headers=HERE)
        assert back.status_code == 303 and "kept=1" in back.location
        assert "Somebody has changed it since" in client.get(back.location).text
        status = {c.subject: c.status for c in stored(Conversation)}
        assert (status["Case 2"], status["Case 4"], status["Case 5"]) == ("waiting", "open", "closed")
        with unit():
            inbox().access = "members"
        gone = client.post(re.search(r'action="(/acts/\w+/undo)"', page)[1], headers=HERE)
        assert gone.status_code == 303 and gone.location.startswith("/conversations?")


def test_picked_rows_that_one_may_not_act_on_stay_as_they_are(mail, browser_of):
    with unit():
        inbox("Claims").access = "members"
    with browser_of("marek") as client:
        client.post("/bulk", data={"do": "close", "id": [mail["Case 4"], mail["Case 5"], 999]}, headers=HERE)
    with browser_of("ewa") as client:
        client.post("/bulk", data={"do": "trash", "id": [mail["Case 2"]]}, headers=HERE)
    assert {c.subject: c.status for c in stored(Conversation)} | {"Case 0": "", "Case 1": "", "Case 3": ""} == {
        "Case 0": "", "Case 1": "", "Case 2": "waiting", "Case 3": "", "Case 4": "closed", "Case 5": "open"}


def test_nobody_takes_back_what_another_did(mail, browser_of):
    with browser_of("zofia") as client:
        where = client.post(f"/conversations/{mail['Case 4']}/close", headers=HERE).location
    act = re.search(r"done=(\w+)", where)[1]
    with browser_of("marek") as client:
        assert client.post(f"/acts/{act}/undo", headers=HERE).status_code == 404
        assert 'id="told"' not in client.get(where).text


def test_a_note_is_written_seen_and_deleted(mail, browser_of):
    number = mail["Case 4"]
    with browser_of("zofia") as client:
        assert client.post(f"/conversations/{number}/notes", data={"note": "@Marek <b>look</b>"}, headers=HERE).status_code == 303
        empty = client.post(f"/conversations/{number}/notes", data={"note": " "}, headers=SWAP)
        assert empty.status_code == 422
    with browser_of("marek") as client:
        assert re.search(r"Mentions</span><span class=.nav__n.>1<", client.get("/side").text)
        assert shown(client.get("/conversations?view=mentions&status=any").text) == ["Case 4"]
        page = client.get(f"/conversations/{number}").text
        assert '<b class=mention>@Marek</b> &lt;b&gt;look' in page
        assert "Mentions</span></a>" in client.get("/side").text, "it was read"
    db.session.rollback()
    assert db.session.scalar(db.select(Mention.seen_at)) is not None


def test_who_else_is_here_is_told_to_those_who_may_read(mail, browser_of):
    number = mail["Case 4"]
    with browser_of("marek") as client:
        assert client.post(f"/conversations/{number}/presence", data={"state": "writing"}, headers=HERE).status_code == 204
        assert client.post(f"/conversations/{number}/presence", data={"state": "dancing"}, headers=HERE).status_code == 400
    with browser_of("zofia") as client:
        assert "is replying" in client.get(f"/conversations/{number}").text
        assert "is replying" in client.get(f"/conversations/{number}/presence", headers=SWAP).text
        assert client.get(f"/live/poll?on=presence-{number}:0").status_code == 200
    with browser_of("marek") as client:
        assert "is replying" not in client.get(f"/conversations/{number}").text, "not of oneself"
        client.post(f"/conversations/{number}/presence", data={"state": "gone"}, headers=HERE)
    assert presence.others(person("zofia").id, number) == {}


def test_the_page_after_the_last_shows_the_rest(mail, browser_of):
    box = connected("team", "more@corp.example")
    arrive(box, *(letter(Message_ID=f"<m{n}@x>", subject=f"Case {n % 10}") for n in range(120)), at=now() - timedelta(days=2))
    seen = []
    with browser_of("zofia") as client:
        for sort in ("newest", "oldest"):
            path, found = f"/inboxes/1?sort={sort}", []
            while path:
                page = client.get(path).text
                found += re.findall(r'id="conv-(\d+)"', page)
                more = re.search(r'class="list-more" href="([^"]+)"', page)
                path = more and more[1].replace("&amp;", "&")
            seen.append(found)
    assert len(seen[0]) == len(set(seen[0])) == 121 and seen[1] == seen[0][::-1]
