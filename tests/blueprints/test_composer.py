"""The composer through the browser's eyes: answers, drafts, files, two windows, a colleague who was faster."""

import html
import io
import re
from datetime import timedelta

import pytest
from mailroom import arrive, connected, inbox, letter, person, stored
from sqlalchemy import update

from webapp.actions import drafts, letters, replies
from webapp.extensions import db, unit
from webapp.live import versions
from webapp.models import Connection, Conversation, Draft, DraftFile, Event, InboxMember, Message, Note, Outbox
from webapp.models.types import now
from webapp.rules.bounds import FILES_MAX, FILES_MAX_MB

HERE = {"Sec-Fetch-Site": "same-origin"}
SWAP = {**HERE, "HX-Request": "true", "HX-Request-Type": "partial"}
ANNA = "Anna Nowak <anna@customer.example>"


@pytest.fixture
def url(team):
    arrive(connected(), letter(to="support@corp.example, jan@y.example", Message_ID="<q1@x>",
                               files=[("plan.pdf", "application/pdf", b"%PDF-1.4 plan")]))
    return f"/conversations/{stored(Conversation)[0].id}"


def fields(page):
    """The values of the composer's form."""
    form = re.search(r'<form class="composer[^"]*" id="composer".*?</form>', page, re.S)[0]
    found = dict(re.findall(r'<input(?=[^>]*name="([^"]+)")[^>]*?value="([^"]*)"', form))
    found["text"] = re.search(r"<textarea[^>]*>(.*?)</textarea>", form, re.S)[1]
    found.pop("csrf_token", None)
    return {name: html.unescape(value) for name, value in found.items()}


def test_the_form_as_it_is_drawn_sends(url, browser_of):
    with browser_of("marek") as client:
        form = fields(client.get(url).text)
        assert (form["to"], form["subject"], form["kind"]) == (ANNA, "Re: Broken pallet", "reply")
        sent = client.post(f"{url}/reply", data={**form, "text": "Hello", "do": "send"}, headers=HERE)
        assert sent.status_code == 303
    assert [m.to for m in stored(Message, Message.outgoing)] == [[["Anna Nowak", "anna@customer.example"]]]


def test_reply_to_all_and_forward_from_the_menu_of_a_message(url, browser_of):
    message = stored(Message)[0].id
    with browser_of("marek") as client:
        assert f"write=forward&amp;of={message}" in client.get(url).text
        everybody = fields(client.get(f"{url}?write=all&of={message}").text)
        assert everybody["to"] == f"{ANNA}, jan@y.example"
        on = client.get(f"{url}/composer?write=forward&of={message}", headers=SWAP).text
        assert "<html" not in on and fields(on)["to"] == "" and fields(on)["subject"] == "Fwd: Broken pallet"
        for headers, status in ((SWAP, 200), (HERE, 303), (SWAP, 200)):
            listed = client.post(f"/messages/{message}/files", headers=headers)
            assert listed.status_code == status and (status == 303 or "plan.pdf" in listed.text)
        assert len(stored(DraftFile)) == 1, "once"
        on = fields(client.get(f"{url}?write=forward&of={message}").text)
        refused = client.post(f"{url}/reply", data={**on, "text": "See", "do": "send"}, headers=HERE)
        assert refused.status_code == 422 and "at least one address" in refused.text
        client.post(f"{url}/reply", data={**on, "to": "depot@z.example", "text": "See", "do": "send"}, headers=HERE)
    [sent] = stored(Message, Message.outgoing)
    assert (sent.to, [a.filename for a in sent.attachments]) == ([["", "depot@z.example"]], ["plan.pdf"])


def test_a_click_that_comes_twice_and_a_second_window_send_once(url, browser_of):
    with browser_of("marek") as client:
        form = {**fields(client.get(url).text), "text": "Hello", "do": "send"}
        other = {**fields(client.get(url).text), "text": "Hello", "do": "send"}
        for data in (form, form, other):
            assert client.post(f"{url}/reply", data=data, headers=HERE).status_code == 303
        assert len(stored(Outbox)) == 1
        changed = client.post(f"{url}/reply", data={**other, "text": "Something else"}, headers=HERE)
        assert changed.status_code == 409 and "Something else" in changed.text
        assert len(stored(Outbox)) == 1
        again = {**fields(changed.text), "do": "send"}
        assert again["anyway"] == "y"
        assert client.post(f"{url}/reply", data=again, headers=HERE).status_code == 303
    assert [o.written["text"] for o in stored(Outbox)] == ["Hello", "Something else"]


@pytest.mark.parametrize("headers", [HERE, SWAP], ids=["page", "swap"])
def test_after_a_colleagues_answer_one_is_asked_once_and_shown_it(url, browser_of, headers):
    with browser_of("marek") as client:
        form = {**fields(client.get(url).text), "text": "Mine", "do": "send"}
        with unit():
            replies.reply(person("zofia"), db.session.get(Conversation, 1), "Zofia was faster")
        answer = client.post(f"{url}/reply", data=form, headers=headers)
        assert answer.status_code == 409
        assert "Mine" in answer.text and "Zofia was faster" in answer.text and "Send anyway" in answer.text
        assert len(stored(Outbox)) == 1
        anyway = client.post(f"{url}/reply", data={**fields(answer.text), "do": "send"}, headers=headers)
        assert anyway.status_code < 400
    assert len(stored(Outbox)) == 2


def test_a_draft_holds_the_whole_message_and_colleagues_read_it(url, browser_of):
    with browser_of("marek") as client:
        data = {**fields(client.get(url).text), "text": "Half a th", "cc": "ola@y.example, ja", "subject": "Re: Other"}
        assert "Draft saved" in client.post(f"{url}/draft", data=data, headers=SWAP).text
        again = fields(client.get(url).text)
        assert (again["text"], again["cc"], again["subject"]) == ("Half a th", "ola@y.example, ja", "Re: Other")
        assert "Half a th" in client.get("/drafts").text
    marek = person("marek").id
    with browser_of("zofia") as client:
        page = client.get(url).text
        assert "Half a th" not in page and "Marek has written something here" in page
        assert "Half a th" in client.get(f"{url}/drafts/{marek}").text
        assert "<html" not in client.get(f"{url}/drafts/{marek}", headers=SWAP).text
        assert 'data-live="drafts-1"' in client.get(f"{url}/drafts/{marek}").text
        known = versions(["drafts-1"])["drafts-1"]
        with unit():
            drafts.save_draft(person("marek"), db.session.get(Conversation, 1), "Half a thought")
        assert client.get(f"/live/poll?on=drafts-1:{known}").json["drafts-1"] > known
        assert "Half a thought" in client.get(f"{url}/drafts/{marek}", headers=SWAP).text
    with browser_of("ewa") as client:
        assert client.get(f"{url}/drafts/{marek}").status_code == 404
        assert "Marek has written" not in client.get(url).text
    with browser_of("marek") as client:
        assert client.post(f"{url}/draft/discard", headers=HERE).status_code == 303
    assert stored(Draft) == []
    with browser_of("zofia") as client:
        gone = client.get(f"{url}/drafts/{marek}", headers=SWAP)
        assert gone.status_code == 404 and "It was sent, or thrown away." in gone.text
        assert client.get(f"{url}/drafts/{marek}").status_code == 404


def test_nobody_who_left_the_inbox_reads_its_drafts(url, browser_of, team):
    with unit():
        drafts.save_draft(person("marek"), db.session.get(Conversation, 1), "Secret")
        drafts.save_new(person("marek"), inbox(), "n" + "1" * 32, text="Secret, too")
        inbox().access = "members"
        db.session.add(InboxMember(inbox_id=1, person_id=team.zofia))
    new = stored(Draft, Draft.conversation_id.is_(None))[0].id
    with browser_of("marek") as client:
        assert client.get(f"{url}/drafts/{team.marek}").status_code == 404
        assert client.get(f"/drafts/{new}").status_code == 404
    with browser_of("zofia") as client:
        assert "Secret, too" in client.get(f"/drafts/{new}").text
        assert client.post(f"/drafts/{new}/discard", headers=HERE).status_code == 403


def test_ones_own_draft_stays_when_its_conversation_is_out_of_sight_and_shows_nothing_of_it(url, browser_of):
    with browser_of("marek") as client:
        data = {**fields(client.get(url).text), "text": "Half a th"}
        client.post(f"{url}/draft", data=data, headers=SWAP)
        assert "Re: Broken pallet" in client.get("/drafts").text
        with unit():
            inbox().access = "members"
        page = client.get("/drafts").text
        assert "Half a th" in page and "Broken pallet" not in page and f'href="{url}"' not in page
        assert client.get(url).status_code == 404
        discard = re.search(r'action="(/drafts/\d+/discard)"', page)[1]
        assert client.post(discard, headers=HERE).status_code == 303
        assert stored(Draft) == [] and "Half a th" not in client.get("/drafts").text


def test_who_only_reads_now_sees_and_discards_what_they_have_written(url, browser_of):
    with unit():
        drafts.save_draft(person("marek"), db.session.get(Conversation, 1), "An answer")
        drafts.save_new(person("marek"), inbox(), "n" + "1" * 32, text="A new one")
        person("marek").role = "viewer"
    with browser_of("marek") as client:
        page = client.get("/drafts").text
        assert "An answer" in page and "A new one" in page and 'href="/drafts/' not in page
        for discard in re.findall(r'action="(/drafts/\d+/discard)"', page):
            assert client.post(discard, headers=HERE).status_code == 303
    assert stored(Draft) == []


def test_robots_that_fill_the_screen_do_not_become_whom_one_answers(url, browser_of):
    human = stored(Message)[0].id
    arrive(stored(Connection)[0].id, *(letter(sender="robot@x.example", Message_ID=f"<r{n}@x>", In_Reply_To="<q1@x>",
                                              References="<q1@x>", Auto_Submitted="auto-generated") for n in range(31)),
           first_uid=10, at=now() + timedelta(seconds=5))
    with unit():
        db.session.execute(update(Message).values(conversation_id=1))
    with browser_of("marek") as client:
        assert fields(client.get(url).text)["of"] == str(human)


def test_a_new_message_from_the_first_key_to_the_click(url, browser_of):
    with browser_of("marek") as client:
        form = fields(client.get(f"/compose?inbox={inbox().id}&to=a@x.example&subject=Hi&bcc=spy@x.example").text)
        assert (form["to"], form["subject"], form["bcc"]) == ("a@x.example", "Hi", "")
        data = {**form, "inbox": str(inbox().id), "text": "Hello"}
        assert client.post("/compose/draft", data={**data, "to": "", "subject": "", "text": " "}, headers=SWAP).text.strip() == ""
        assert stored(Draft) == [], "an empty page is no draft"
        for _ in range(2):
            assert "Draft saved" in client.post("/compose/draft", data=data, headers=SWAP).text
        [draft] = stored(Draft)
        assert f"/drafts/{draft.id}" in client.get("/drafts").text
        assert fields(client.get(f"/drafts/{draft.id}").text)["text"] == "Hello"
        first = client.post("/compose", data={**data, "do": "send"}, headers=HERE)
        second = client.post("/compose", data={**data, "do": "send"}, headers=HERE)
        assert first.status_code == second.status_code == 303 and first.location == second.location
        assert len(stored(Outbox)) == 1 and stored(Draft) == []
        assert "Hello" in client.get(first.location).text
        assert client.post(f"/outbox/{stored(Outbox)[0].id}/undo", headers=HERE).location == "/drafts"
        assert client.get(first.location).status_code == 404
    assert [d.text for d in stored(Draft)] == ["Hello"]


def test_other_words_from_a_second_window_are_asked_about_and_leave_too(url, browser_of):
    with browser_of("marek") as client:
        form = fields(client.get(f"/compose?inbox={inbox().id}&to=a@x.example&subject=Hi").text)
        data = {**form, "inbox": str(inbox().id), "text": "The first"}
        client.post("/compose/draft", data=data, headers=SWAP)
        client.post("/compose", data={**data, "do": "send"}, headers=HERE)
        client.post("/compose/draft", data=data, headers=SWAP)
        assert stored(Draft) == [], "kept late, what has left already"
        client.post("/compose/draft", data={**data, "text": "The second"}, headers=SWAP)
        asked = client.post("/compose", data={**data, "text": "The second", "do": "send"}, headers=HERE)
        assert asked.status_code == 303 and len(stored(Outbox)) == 1
        page = client.get(asked.location).text
        assert "Press Send once more" in page
        again = fields(page)
        assert again["text"] == "The second" and again["token"] != data["token"]
        client.post("/compose", data={**again, "inbox": data["inbox"], "do": "send"}, headers=HERE)
    assert [m.text for m in stored(Message, Message.outgoing)] == ["The first", "The second"] and stored(Draft) == []


def test_two_clicks_at_the_same_moment_send_once(url, browser_of, monkeypatch):
    asked, real = [], letters.sent_with
    with browser_of("marek") as client:
        form = fields(client.get(f"/compose?inbox={inbox().id}&to=a@x.example&subject=Hi").text)
        data = {**form, "inbox": str(inbox().id), "text": "Hello", "do": "send"}
        first = client.post("/compose", data=data, headers=HERE)
        monkeypatch.setattr(letters, "sent_with", lambda token: asked.append(token) or len(asked) > 2 and real(token) or None)
        second = client.post("/compose", data=data, headers=HERE)
        assert second.status_code == 303 and second.location == first.location and len(asked) > 2
    assert len(stored(Outbox)) == 1


def test_a_late_draft_of_what_has_left_is_not_kept(url, browser_of):
    with browser_of("marek") as client:
        form = {**fields(client.get(url).text), "text": "Hello"}
        client.post(f"{url}/reply", data={**form, "do": "send"}, headers=HERE)
        assert client.post(f"{url}/draft", data=form, headers=SWAP).status_code == 200 and stored(Draft) == []
        client.post(f"{url}/draft", data={**form, "text": "And"}, headers=SWAP)
    assert [d.text for d in stored(Draft)] == ["And"]


def test_files_come_with_a_plain_form_or_by_themselves_and_go_again(url, browser_of):
    with browser_of("marek") as client:
        form = {**fields(client.get(url).text), "text": "Hello", "do": "attach",
                "files": [(io.BytesIO(b"one"), "one.txt"), (io.BytesIO(b"two"), "../two.txt")]}
        assert client.post(f"{url}/reply", data=form, headers=HERE).status_code == 303
        names = [f.filename for f in stored(DraftFile)]
        assert names[0] == "one.txt" and "/" not in names[1]
        page = client.get(url).text
        assert "one.txt" in page and "Hello" in page
        listed = client.post(f"{url}/files", data={"files": (io.BytesIO(b"three"), "three.txt")}, headers=SWAP)
        assert listed.status_code == 200 and "three.txt" in listed.text and "one.txt" in listed.text
        gone = client.post(f"/draft-files/{stored(DraftFile)[0].id}/remove", headers=SWAP)
        assert "one.txt" not in gone.text and "three.txt" in gone.text
        client.post(f"{url}/reply", data={**fields(client.get(url).text), "text": "Hello", "do": "send"}, headers=HERE)
    assert [a.filename for a in stored(Message, Message.outgoing)[0].attachments][1:] == ["three.txt"]


def test_too_many_files_and_too_large_ones_are_refused_and_nothing_of_them_is_kept(url, browser_of):
    with browser_of("marek") as client:
        many = [(io.BytesIO(b"x"), f"{n}.txt") for n in range(FILES_MAX + 1)]
        answer = client.post(f"{url}/files", data={"files": many}, headers=SWAP)
        assert answer.status_code == 413 and str(FILES_MAX) in answer.text
        large = {"files": (io.BytesIO(b"x" * (FILES_MAX_MB * 1_000_000 + 1)), "large.bin")}
        assert client.post(f"{url}/files", data=large, headers=SWAP).status_code == 413
        answer = client.post(f"{url}/reply", data={"text": "Kept", "do": "send", **large, "files": (
            io.BytesIO(b"x" * (FILES_MAX_MB * 1_000_000 + 1)), "large.bin")}, headers=HERE)
        assert answer.status_code == 422 and "Kept" in answer.text and f"{FILES_MAX_MB} MB" in answer.text
    assert stored(DraftFile) == [] and stored(Outbox) == []


def test_a_picture_within_the_text_is_shown_to_those_who_may_act_and_nothing_else_is(url, browser_of):
    with browser_of("marek") as client:
        for name, kind in (("a.png", "image/png"), ("a.html", "text/html"), ("a.svg", "image/svg+xml")):
            client.post(f"{url}/files", data={"do": "within", "files": (io.BytesIO(b"<script>"), name, kind)}, headers=SWAP)
        picture, page, drawing = (client.get(f"/draft-files/{f.id}") for f in stored(DraftFile))
        assert (picture.status_code, page.status_code, drawing.status_code) == (200, 404, 404)
        assert "sandbox" in picture.headers["Content-Security-Policy"] and picture.mimetype == "image/png"
        written = f'<div>Look<img src="/draft-files/{stored(DraftFile)[0].id}"><img src="https://t.example/x"></div>'
        client.post(f"{url}/draft", data={"html": written, "text": "ignored"}, headers=SWAP)
        assert f'/draft-files/{stored(DraftFile)[0].id}"' in fields(client.get(url).text)["html"]
    assert "cid:" in stored(Draft)[0].html and "t.example" not in stored(Draft)[0].html
    assert stored(Draft)[0].text == "Look"
    with browser_of("ewa") as client:
        assert client.get(f"/draft-files/{stored(DraftFile)[0].id}").status_code == 404


def test_formatting_is_cleaned_on_the_server(url, browser_of):
    with browser_of("marek") as client:
        client.post(f"{url}/reply", data={"html": '<div>Hi <b onclick="a()">you</b><script>a()</script></div>',
                                          "text": "", "do": "send"}, headers=HERE)
        shown = client.get(url).text
    assert stored(Outbox)[0].written["html"] == "<div>Hi <b>you</b></div>"
    assert stored(Message, Message.outgoing)[0].text.startswith("Hi you") and "<script>a()" not in shown


def test_without_the_editor_the_text_counts_and_untouched_words_keep_their_formatting(url, browser_of):
    with browser_of("marek") as client:
        client.post(f"{url}/draft", data={"html": "<div>Hi <b>you</b></div><div>there</div>", "text": ""}, headers=SWAP)
        page = client.get(url).text
        assert re.search(r'name="html" value="[^"]+" disabled', page)
        form = {**fields(page), "text": "Hi you\r\nthere\r\n"}
        form.pop("html")
        client.post(f"{url}/draft", data=form, headers=SWAP)
        assert stored(Draft)[0].html == "<div>Hi <b>you</b></div><div>there</div>"
        client.post(f"{url}/draft", data={**form, "text": "Hi all"}, headers=SWAP)
    assert [(d.text, d.html) for d in stored(Draft)] == [("Hi all", None)]


def test_send_later_can_be_changed_or_sent_at_once(url, browser_of):
    with browser_of("marek") as client:
        form = {**fields(client.get(url).text), "text": "Tomorrow"}
        past = client.post(f"{url}/reply", data={**form, "later": "custom", "until": "2020-01-01T10:00"}, headers=HERE)
        assert past.status_code == 422 and "has passed" in past.text and "Tomorrow" in past.text
        assert client.post(f"{url}/reply", data={**form, "later": "tomorrow"}, headers=HERE).status_code == 303
        row = stored(Outbox)[0].id
        for listed in (client.get("/inboxes/1").text, client.get(url).text):
            assert re.search(r'conv__hint">.*?Leaves tomorrow 8:00', listed), "in the list where it was"
        assert "Leaves" not in client.get("/inboxes/1?status=waiting").text
        page = client.get(url).text
        assert "Change it" in page and "Send it now" in page
        client.post(f"/outbox/{row}/undo", headers=HERE)
        assert [d.text for d in stored(Draft)] == ["Tomorrow"]
        client.post(f"{url}/reply", data={**fields(client.get(url).text), "later": "week"}, headers=HERE)
        row = stored(Outbox)[1].id
        assert client.post(f"/outbox/{row}/now", headers=HERE).status_code == 303
        assert "Leaves in a moment" in client.get(url).text


def test_send_and_close_is_one_click_with_one_undo(url, browser_of):
    with browser_of("marek") as client:
        answer = client.post(f"{url}/reply", data={**fields(client.get(url).text), "text": "Bye", "do": "close"}, headers=HERE)
        assert stored(Conversation)[0].status == "closed" and "done=" in answer.location
    assert "closed" in {e.kind for e in stored(Event)}


def test_a_note_is_written_where_answers_are_and_stays_here(url, browser_of):
    with browser_of("marek") as client:
        page = client.get(f"{url}?write=note").text
        assert 'name="note"' in page and 'id="composer"' not in page and "composer--note" in page
        assert re.search(r'<option value="Zofia" data-who="person-\d+"', page)
        empty = client.post(f"{url}/notes", data={"note": " "}, headers=SWAP)
        assert empty.status_code == 422 and "Write something first" in empty.text and "composer--note" in empty.text
        client.post(f"{url}/notes", data={"note": "For us"}, headers=HERE)
    assert len(stored(Note)) == 1 and stored(Outbox) == []


def test_people_are_completed_from_conversations_that_one_may_read(url, browser_of):
    with browser_of("marek") as client:
        for typed in ("ann", "now", "ANNA@cust"):
            assert "anna@customer.example" in client.get(f"/contacts/complete?q={typed}").text, typed
        for typed in ("a", "%", "nna", "___"):
            assert "anna@" not in client.get(f"/contacts/complete?q={typed}").text, typed
        with unit():
            inbox().access = "members"
        assert "anna@" not in client.get("/contacts/complete?q=anna").text


def test_the_first_template_is_found_without_being_told_where(url, browser_of):
    with browser_of("zofia") as client:
        assert 'popovertarget="template-menu"' in client.get(url).text
        assert 'href="/templates"' in client.get(url).text
        assert 'href="/templates"' in client.get(f"/inboxes/{inbox().id}/settings").text


def test_a_template_is_put_below_what_is_written(url, browser_of):
    with browser_of("marek") as client:
        bad = client.post("/templates", data={"name": "T", "text": "Hi {{contact.secret}}"}, headers=HERE)
        assert bad.status_code == 422 and "contact.secret" in bad.text
        assert client.post("/templates", data={"name": "T", "text": "Hi {{contact.first_name}}"}, headers=HERE).status_code == 303
        form = {**fields(client.get(url).text), "text": "Before"}
        assert client.post("/templates/1/fill", data=form, headers=SWAP).text == "Hi Anna"
        assert client.post("/templates/1/fill", data=form, headers=HERE).status_code == 303
        assert fields(client.get(url).text)["text"] == "Before\n\nHi Anna"
        assert client.post("/templates/1/delete", headers=HERE).status_code == 303


def test_the_settings_of_sending(url, browser_of):
    settings = f"/inboxes/{inbox().id}/sending"
    with browser_of("zofia") as client:
        data = {"company": "Transwisła", "person": "y", "signature": "Transwisła\r\nPortowa 3"}
        assert client.post(settings, data=data, headers=HERE).status_code == 303
        assert "Portowa 3" in client.get(f"/inboxes/{inbox().id}/settings").text
        assert client.post(settings, data={"company": "x" * 200}, headers=HERE).status_code == 422
    db.session.rollback()
    assert (inbox().company, inbox().from_form, inbox().signature) == ("Transwisła", "person", "Transwisła\nPortowa 3")
