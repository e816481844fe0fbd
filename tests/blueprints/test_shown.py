"""What a stranger wrote, wherever it is shown: in the frame, in lists, searches and notices, and in what we answer."""

import re
from email import message_from_bytes, policy

import pytest
from mailroom import arrive, connected, letter, person, stored
from sqlalchemy import update

from webapp.actions import replies
from webapp.actions.receive import blobs
from webapp.extensions import db, unit
from webapp.models import Conversation, Message, Outbox, Person

EVIL = ("<p>Seen words</p><div style='display:none'>KOBOLD hidden</div><p style='font-size:0'>KOBOLD tiny</p>"
        "<p hidden>KOBOLD attribute</p><style>.k{display:none}</style><p class=k>KOBOLD by class</p>"
        "<script>KOBOLD()</script><img src=x onerror=KOBOLD()><title>KOBOLD title</title><!-- KOBOLD comment -->"
        "<noscript>KOBOLD</noscript>\x07\x1b[31m&#8238;&lt;b onclick=steal()&gt;")
QUOTING = ("<p>NEW words</p><div class=gmail_quote><div class=gmail_attr>On Mon, 2 Mar 2026 at 08:00, A &lt;a@customer.example&gt; "
           "wrote:</div><blockquote class=gmail_quote>OLD words</blockquote></div>")


@pytest.fixture
def box(team):
    return connected()


def html_only(html, **headers):
    raw = letter(text="x", Content_Language="en", **headers)
    head = raw.split(b"\r\n\r\n", 1)[0].replace(b"text/plain", b"text/html")
    return head.replace(b"7bit", b"8bit") + b"\r\n\r\n" + html.encode() + b"\r\n"


def test_hidden_words_reach_no_list_no_search_and_no_answer(app, box, browser_of):
    arrive(box, html_only(EVIL, Subject="Evil\x07 <b>subject</b>", Message_ID="<e@x>"))
    message, conversation = stored(Message)[0], stored(Conversation)[0]
    assert "Seen words" in message.text and "KOBOLD" not in message.text and "KOBOLD" not in message.snippet
    assert not re.search("[\x00-\x08\x0b-\x1f]", message.text + message.snippet + message.subject)
    assert "\u202e" not in message.snippet + message.subject
    with unit():
        db.session.execute(update(Person).where(Person.name == "Marek").values(language="en"))
        out = replies.reply(person("marek"), db.session.get(Conversation, conversation.id), "My answer.")
        sent = blobs().get_raw(db.session.get(Outbox, out.id).message.raw_sha256)
    whole = message_from_bytes(sent, policy=policy.default)
    said = "".join(part.get_content() for part in whole.walk() if part.get_content_maintype() == "text")
    assert "My answer." in said and "Seen words" not in said and "KOBOLD" not in said
    with browser_of("marek") as client:
        for path in (f"/inboxes/{conversation.inbox_id}", f"/conversations/{conversation.id}", f"/messages/{message.id}/body"):
            page = client.get(path).text
            assert not re.search(r"<script>KOBOLD|onerror=|<b onclick|<b>subject", page), path
        assert "KOBOLD by class" not in client.get(f"/inboxes/{conversation.inbox_id}").text


def test_an_answer_in_text_is_escaped_where_it_is_shown_and_in_what_leaves(app, box, browser_of):
    arrive(box, letter(Message_ID="<a@x>"))
    conversation = stored(Conversation)[0]
    with unit():
        out = replies.reply(person("marek"), db.session.get(Conversation, conversation.id), "> <img src=x onerror=a()>\nno")
        sent = blobs().get_raw(db.session.get(Outbox, out.id).message.raw_sha256)
    html = message_from_bytes(sent, policy=policy.default).get_body(("html",)).get_content()
    assert "<img" not in html and "&lt;img" in html and "<blockquote>" in html
    with browser_of("marek") as client:
        assert "<img src=x" not in client.get(f"/conversations/{conversation.id}").text


@pytest.mark.parametrize("language, label", [("en", "Show quoted text"), ("pl", "Pokaż cytowany tekst")])
def test_the_fold_speaks_the_readers_language_and_what_is_stored_speaks_none(box, browser_of, language, label):
    arrive(box, html_only(QUOTING, Message_ID="<q@x>"))
    with unit():
        db.session.execute(update(Person).where(Person.name == "Marek").values(language=language))
    message = stored(Message)[0]
    assert "details" not in message.html and label not in message.html
    with browser_of("marek") as client:
        page = client.get(f"/messages/{message.id}/body").text
    assert f'<summary title="{label}">' in page and page.index("NEW words") < page.index("<details") < page.index("OLD words")
    assert message.height < 150, "the guess is for the folded letter"


def test_what_is_forwarded_is_not_folded(box, browser_of):
    arrive(box, html_only(QUOTING, Subject="Fwd: Pallet", Message_ID="<f@x>"))
    with browser_of("marek") as client:
        assert "<details" not in client.get(f"/messages/{stored(Message)[0].id}/body").text


def test_whatever_is_stored_the_exit_lets_only_harmless_tags_out(box, browser_of):
    """The day on which a hole is found in the sanitiser: what it let in before is still stored."""
    arrive(box, html_only("<p>x</p>", Message_ID="<h@x>"))
    with unit():
        db.session.execute(update(Message).values(
            html="<p>fine</p><script>a()</script><img src=x onerror=a()><a href='javascript:a()'>x</a><IFRAME src=//leak.test>"
                 '<p style="background:url(//leak.test)">y</p><form><input></form><link rel=preconnect href=//leak.test>'))
    with browser_of("marek") as client:
        answer = client.get(f"/messages/{stored(Message)[0].id}/body")
    body = answer.text.split("</style>", 1)[1]
    assert re.findall(r"<[^>]*>", body) == ["<p>", "</p>", "</a>", "</p>"]
    assert answer.headers["X-DNS-Prefetch-Control"] == "off"
