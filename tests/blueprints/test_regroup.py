"""The pages of “why is this here”, split and merge: what they say, what they refuse, who may."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from mailroom import arrive, connected, inbox, letter, person, report, stored

from webapp.actions import inboxes, regroup, replies
from webapp.extensions import db, unit
from webapp.live import versions
from webapp.mail.compose import mint_message_id
from webapp.models import Connection, Conversation, Event, InboxMember, Message

T0 = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ANNA, BOB, US = "Anna Nowak <anna@customer.example>", "Bob <bob@customer.example>", "support@corp.example"
HERE = {"Sec-Fetch-Site": "same-origin"}
SWAP = {**HERE, "HX-Request": "true"}


@pytest.fixture
def box(team):
    return connected()


def come(box, number, sender=ANNA, answers=None, subject="Pallet", hours=None, **headers):
    if answers is not None:
        headers |= {"In_Reply_To": f"<{answers}@x>"}
    arrive(box, letter(sender=sender, text=f"Number {number}", subject=subject, Message_ID=f"<{number}@x>", **headers),
           first_uid=number + 1, at=T0 + timedelta(hours=number if hours is None else hours))


def message(number):
    return stored(Message, Message.text.like(f"Number {number}%"))[0]


def why(browser_of, number, name="ewa"):
    """What the page says, without markup."""
    found = message(number).id
    with browser_of(name) as client:
        answer = client.get(f"/messages/{found}/why", headers=SWAP)
        assert answer.status_code == 200
        return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def test_every_message_says_why_it_is_there(box, browser_of):
    come(box, 0)
    come(box, 1, answers=0)
    come(box, 3, References="<0@x> <2@x>")
    come(box, 4, sender=BOB, subject="Other")
    assert "It is the first message of this conversation" in why(browser_of, 0)
    said = why(browser_of, 1)
    assert "It answers a message of this conversation" in said and "Message from Anna Nowak &lt;anna@customer.example&gt;, 2 November" in said
    assert "Tied to 0@ x" in said.replace("​", "") or "0@x" in said.replace(" ", "")
    assert "It answers" in why(browser_of, 3) and "It is the first message" in why(browser_of, 4)


def test_a_parent_that_was_read_late_says_who_named_it(box, browser_of):
    come(box, 1, answers=0)
    come(box, 0)
    assert "A message of this conversation refers to it." in why(browser_of, 0)


def test_two_that_refer_to_a_mail_that_never_came_say_so(box, browser_of):
    come(box, 1, answers=0)
    come(box, 2, answers=0)
    said = why(browser_of, 2)
    assert "It refers to a message that never arrived here" in said and "Never arrived" in said


def test_our_answer_a_report_of_it_and_a_twin_say_why(box, browser_of):
    come(box, 0)
    with unit():
        replies.reply(person("marek"), stored(Conversation)[0], "Number 5")
    ours = stored(Message)[-1].message_id
    arrive(box, report(ours, "Number 6", Message_ID="<r@mx>"), first_uid=60)
    arrive(box, letter(sender=ANNA, text="Number 7", Message_ID="<0@x>"), first_uid=70)
    assert "Marek wrote it here." in why(browser_of, 5)
    assert "A mail server reports on a message that was written here." in why(browser_of, 6)
    assert "has the same Message-ID" in why(browser_of, 7)
    assert mint_message_id("corp.example", b"x") != ours


def test_what_a_colleague_moved_says_who_and_when(box, browser_of):
    for number in range(3):
        come(box, number, answers=number - 1 if number else None)
    with unit():
        regroup.split(person("marek"), stored(Conversation)[0], message(2), False)
    old = stored(Conversation)[0].id
    assert f"Marek took it out of conversation #{old} on" in why(browser_of, 2)
    with unit():
        regroup.merge(person("zofia"), stored(Conversation)[1], stored(Conversation)[0])
    assert "Zofia put it here on" in why(browser_of, 2)


def test_splitting_by_the_page_and_taking_it_back(box, browser_of):
    for number in range(3):
        come(box, number, answers=number - 1 if number else None)
    old, third = stored(Conversation)[0].id, message(2).id
    with browser_of("marek") as client:
        page = client.get(f"/messages/{third}/split")
        assert page.status_code == 200 and f'name="of" value="{old}"' in page.text
        before = versions([f"conversation-{old}", "inbox-1"])
        answer = client.post(f"/messages/{third}/split", data={"what": "only", "of": old}, headers=HERE)
        assert answer.status_code == 303
        new = message(2).conversation_id
        assert new != old and answer.location.startswith(f"/conversations/{new}#e")
        after = versions([f"conversation-{old}", "inbox-1"])
        assert all(after[name] > before[name] for name in after), "both conversations' screens hear of it"
        shown = client.get(f"/conversations/{new}").text
        assert "took 1 message out of another conversation:" in shown and f"#{old} Pallet" in shown
        event = stored(Event, Event.kind == "split_off")[0].id
        assert f"/events/{event}/undo" in shown
        assert client.post(f"/events/{event}/undo", headers=HERE).location.startswith(f"/conversations/{old}#e")
        assert message(2).conversation_id == old
        assert client.post(f"/events/{event}/undo", headers=HERE).location == f"/conversations/{old}", "twice is once"
        assert client.get(f"/conversations/{new}").location == f"/conversations/{old}"
        assert f"/events/{event}/undo" not in client.get(f"/conversations/{old}").text


@pytest.mark.parametrize(("data", "said"), [
    ({"what": "following"}, "Somebody was faster"), ({"what": "following", "of": "7"}, "Somebody was faster"),
    ({"what": "following", "of": "1"}, "That would be all of this conversation"),
    ({"what": "nonsense", "of": "1"}, "id=\"what-e\"")])
def test_a_split_that_can_t_be_is_refused_with_words(box, browser_of, data, said):
    come(box, 0)
    come(box, 1, answers=0)
    first = message(0).id
    with browser_of("marek") as client:
        answer = client.post(f"/messages/{first}/split", data=data, headers=HERE)
    assert answer.status_code == 422 and said in answer.text
    assert len(stored(Conversation)) == 1


def test_merging_by_the_page_found_by_number_by_words_and_by_the_same_person(box, browser_of):
    come(box, 0, subject="Świeża paleta")
    come(box, 1, subject="Invoice 7")
    come(box, 2, sender=BOB, subject="Parcel")
    anna, annas, bobs = (c.id for c in stored(Conversation))

    def offered(client, **query):
        answer = client.get(f"/conversations/{anna}/merge", query_string=query, headers=SWAP if query else HERE)
        return [int(n) for n in re.findall(r'name="into" value="(\d+)"', answer.text)]

    with browser_of("marek") as client:
        assert offered(client) == [annas]
        assert offered(client, q=f"#{bobs}") == [bobs]
        assert offered(client, q="PARC bob") == [bobs] and offered(client, q="inv") == [annas]
        assert offered(client, q="100%") == offered(client, q=f"#{anna}") == offered(client, q="9" * 30) == []
        answer = client.post(f"/conversations/{anna}/merge", data={"into": f"#{bobs}"}, headers=HERE)
        assert answer.location.startswith(f"/conversations/{bobs}#e")
        page = client.get(f"/conversations/{bobs}").text
        assert "put another conversation with 1 message in here:" in page and "Number 0" in page and "Number 2" in page
        assert client.get(f"/conversations/{anna}").location == f"/conversations/{bobs}"
        assert client.get(f"/conversations/{anna}/messages", headers=SWAP).text.count('<article class="msg"') == 2
        rows = client.get(f"/inboxes/{inbox().id}").text
        assert f'id="conv-{bobs}"' in rows and f'id="conv-{anna}"' not in rows
        # Whoever still has the old page open acts on what it has become.
        assert client.post(f"/conversations/{anna}/close", headers=HERE).status_code == 303
    assert [c.status for c in stored(Conversation)] == ["merged", "open", "closed"]


@pytest.mark.parametrize(("into", "said"), [
    ("1", "That is this conversation itself"), ("999", "has no conversation with this number"),
    ("x", "has no conversation with this number"), ("99999999999999", "has no conversation with this number"),
    ("3", "has no conversation with this number"), ("", "id=\"into-e\"")])
def test_a_merge_that_can_t_be_is_refused_with_words(box, browser_of, into, said):
    with unit():
        inboxes.create_inbox(person("zofia"), "Sales")
    come(box, 0)
    come(box, 1, sender=BOB)
    arrive(connected(address="sales@corp.example", inbox_name="Sales"), letter(to="sales@corp.example"))
    assert [c.id for c in stored(Conversation)] == [1, 2, 3]
    with browser_of("marek") as client:
        answer = client.post("/conversations/1/merge", data={"into": into}, headers=HERE)
    assert answer.status_code == 422 and said in answer.text
    assert {c.status for c in stored(Conversation)} == {"open", "closed"} or all(
        c.merged_into_id is None for c in stored(Conversation))


def test_a_strangers_mail_says_why_it_waits_and_is_put_where_it_belongs(box, browser_of):
    come(box, 0)
    come(box, 1, sender=BOB, answers=0)
    first, second = (c.id for c in stored(Conversation))
    with browser_of("ewa") as client:
        page = client.get(f"/conversations/{second}").text
        assert "takes no part in it" in page and "Put it there" not in page
    with browser_of("marek") as client:
        page = client.get(f"/conversations/{second}").text
        assert f'name="into" value="{first}"' in page and "Whoever knows a Message-ID can refer to it" in page
        assert client.post(f"/conversations/{second}/merge", data={"into": first}, headers=HERE).status_code == 303
        assert "takes no part in it" not in client.get(f"/conversations/{first}").text
    assert {m.conversation_id for m in stored(Message)} == {first}


def test_a_new_subject_in_an_old_conversation_is_offered_to_be_taken_out_once(box, browser_of):
    come(box, 0)
    come(box, 1, answers=0, subject="Re: Pallet")
    come(box, 2, answers=1, subject="Invoice 7")
    come(box, 3, answers=2, subject="Re: invoice  7")
    conversation = stored(Conversation)[0].id
    for name, offers in (("marek", 1), ("ewa", 0)):
        with browser_of(name) as client:
            page = client.get(f"/conversations/{conversation}").text
            assert page.count("New subject: “Invoice 7”.") == 1
            assert page.count("Take it out into a conversation of its own") == offers


def test_who_only_reads_is_refused_and_who_can_t_see_finds_nothing(box, browser_of):
    come(box, 0)
    come(box, 1, answers=0)
    come(box, 2, sender=BOB)
    second = message(1).id
    with unit():
        regroup.merge(person("marek"), stored(Conversation)[1], stored(Conversation)[0])
    event = stored(Event)[0].id
    gets = (f"/messages/{second}/split", "/conversations/1/merge")
    posts = (f"/messages/{second}/split", "/conversations/1/merge", f"/events/{event}/undo")
    with browser_of("ewa") as client:
        assert [client.get(u).status_code for u in gets] == [403, 403]
        assert [client.post(u, headers=HERE).status_code for u in posts] == [403, 403, 403]
        assert client.get(f"/messages/{second}/why").status_code == 200
    with unit():
        inbox().access = "members"
        db.session.add(InboxMember(inbox_id=inbox().id, person_id=person("zofia").id))
    with browser_of("marek") as client:
        assert [client.get(u).status_code for u in (*gets, f"/messages/{second}/why", "/conversations/2")] == [404] * 4
        assert [client.post(u, headers=HERE).status_code for u in posts] == [404, 404, 404]


def test_in_a_deleted_inbox_everything_stays_as_it_was(box, browser_of):
    with unit():
        inboxes.create_inbox(person("zofia"), "Sales")
    sales = connected(address="sales@corp.example", inbox_name="Sales")
    for number in (0, 1):
        arrive(sales, letter(to="sales@corp.example", text=f"Number {number}", Message_ID=f"<{number}@x>",
                             **({"In_Reply_To": "<0@x>"} if number else {})), first_uid=number + 1)
    with unit():
        inboxes.delete_inbox(person("zofia"), inbox("Sales"), "Sales")
    assert db.session.get(Connection, sales).state == "removed"
    second, conversation = message(1).id, message(1).conversation_id
    with browser_of("marek") as client:
        assert client.get(f"/messages/{second}/why").status_code == 200
        for url in (f"/messages/{second}/split", f"/conversations/{conversation}/merge"):
            assert client.get(url).status_code == client.post(url, headers=HERE).status_code == 403
        page = client.get(f"/conversations/{conversation}").text
        assert f"/messages/{second}/why" in page and "/split" not in page
