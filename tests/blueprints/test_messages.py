"""What belongs to one message: framed with its own policy, images by links that end, files as downloads only."""

import json
import re
import time
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote

import pytest
from itsdangerous import URLSafeSerializer
from mailroom import arrive, connected, letter, stored

from webapp.blueprints.messages.body import SANDBOX
from webapp.extensions import db, unit
from webapp.models import Attachment, Message

from .conftest import PIXEL

CASES = Path(__file__).resolve().parents[3] / "shared/cases/attachment-names.jsonl"
OWN_NAMES = ["report.pdf", "zażółć gęślą.pdf", "..\\..\\boot.ini", "a/b/c.txt", "x\r\nSet-Cookie: a=b.txt", "quote\".html",
             "‮gpj.exe", "🙂.png", "", ".", "..", "%2e%2e%2fpasswd", "a;b=c.svg", "х.xml", "a" * 400 + ".txt"]
NAMES = OWN_NAMES + [json.loads(line)["name"] for line in (CASES.open() if CASES.exists() else ())]


def test_a_body_is_framed_in_a_sandbox_with_its_own_policy_and_asks_nothing_outside(house, browser_of):
    with browser_of("marek") as client:
        answer = client.get(f"/messages/{house['OPENWORD'].message_id}/body")
        policy = answer.headers["Content-Security-Policy"]
        page = client.get(f"/conversations/{house['OPENWORD'].conversation_id}").text
    for needed in ("sandbox allow-", "default-src 'none'", "script-src 'none'", "form-action 'none'", "base-uri 'none'",
                   "img-src http://localhost/image/", "style-src-elem 'sha256-"):
        assert needed in policy
    for never in ("allow-scripts", "allow-forms", "allow-top-navigation", "allow-modals", "data:"):
        assert never not in policy
    assert (answer.headers["Referrer-Policy"], answer.headers["X-Content-Type-Options"]) == ("no-referrer", "nosniff")
    assert "steal" not in answer.text
    assert "track.example" not in answer.text
    assert "OPENWORD" in answer.text
    frame = re.search(r"<iframe[^>]*>", page)[0]
    assert re.search(r'sandbox="([^"]*)"', frame)[1] == SANDBOX and "allow-scripts" not in SANDBOX


def test_an_inline_image_is_shown_by_a_link_that_ends_and_cannot_be_made_up(app, house, browser_of, monkeypatch):
    with browser_of("marek") as client:
        body = client.get(f"/messages/{house['OPENWORD'].message_id}/body").text
        link = re.search(r'src="(/image/[^"]+)"', body)[1]
        assert app.test_client().get(link).status_code == 302, "the link alone opens nothing"
        _ends_and_cannot_be_made_up(app, house, client, link, monkeypatch)


def _ends_and_cannot_be_made_up(app, house, client, link, monkeypatch):
    answer = client.get(link)
    assert (answer.status_code, answer.data[:8], answer.content_type) == (200, PIXEL[:8], "image/png")
    assert b"tEXt" not in answer.data, "painted anew: what was hidden in it is gone"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    token = link.rsplit("/", 1)[1]
    signer, message_id = URLSafeSerializer(app.config["SECRET_KEY"], salt="picture"), house["OPENWORD"].message_id
    ends = time.time() + 1000
    forged = {
        "changed": token[:-2] + ("AA" if token[-2:] != "AA" else "BB"), "nothing": "x", "a number": str(message_id),
        "another key": URLSafeSerializer("guess", salt="picture").dumps([message_id, 0, ends]),
        "another salt": URLSafeSerializer(app.config["SECRET_KEY"], salt="other").dumps([message_id, 0, ends]),
        "a remote one that nobody asked for": signer.dumps([message_id, 1, ends]),
        "no picture": signer.dumps([message_id, 2, ends]), "before the first": signer.dumps([message_id, -1, ends]),
        "nobody's": signer.dumps([99999, 0, ends]), "of another shape": signer.dumps([message_id, 0]),
        "over": signer.dumps([message_id, 0, time.time() - 1]),
    }
    assert {name: client.get(f"/image/{t}").status_code for name, t in forged.items()} == dict.fromkeys(forged, 404)
    later = time.time() + 2 * 3600
    monkeypatch.setattr(time, "time", lambda: later)
    assert client.get(link).status_code == 404


@pytest.mark.parametrize("start", range(0, len(NAMES), 20))
def test_hostile_file_names_come_back_as_safe_downloads_with_the_right_bytes(team, browser_of, start):
    box = connected()
    for uid, name in enumerate(NAMES[start:start + 20], 1):
        message = EmailMessage()
        message["From"], message["Subject"], message["Message-ID"] = "anna@customer.example", "Files", f"<{uid}@x>"
        message.set_content("See the file.")
        message.add_attachment(b"content %d" % uid, "text", "html")
        raw = message.as_bytes().replace(b"Content-Disposition: attachment", b'Content-Disposition: attachment; filename="'
                                         + name.replace('"', '\\"').encode("utf-8", "replace") + b'"')
        arrive(box, raw, first_uid=uid)
    with browser_of("marek") as client:
        files = stored(Attachment)
        assert len(files) == len(NAMES[start:start + 20])
        for attachment in files:
            answer = client.get(f"/attachments/{attachment.id}")
            disposition = answer.headers["Content-Disposition"]
            shown = unquote(disposition.rpartition("''")[2])
            assert answer.data.startswith(b"content ")
            assert disposition.startswith('attachment; filename="')
            assert re.fullmatch(r"attachment; filename=\"[\x20-\x7e]*\"; filename\*=UTF-8''[\w.~%!#$&+^`|-]+", disposition)
            assert not re.search(r"[\x00-\x1f\x7f/\\\u202a-\u202e\u2066-\u2069]", shown), shown
            assert shown not in ("", ".", "..")
            assert len(shown.encode()) <= 255
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in answer.headers["Content-Security-Policy"]
            assert "Set-Cookie" not in answer.headers


def test_the_raw_message_is_a_download_byte_for_byte(team, browser_of):
    raw = letter(text="Hello", html="<script>x()</script>")
    arrive(connected(), raw)
    with browser_of("ewa") as client:
        answer = client.get(f"/messages/{stored(Message)[0].id}/raw")
    assert (answer.data, answer.content_type) == (raw, "message/rfc822")
    assert answer.headers["Content-Disposition"].startswith("attachment;")


@pytest.mark.parametrize("state", ["unreadable", "too_big"])
def test_a_message_that_cannot_be_shown_still_has_its_page(team, browser_of, state):
    arrive(connected(), letter())
    message = stored(Message)[0]
    with unit():
        db.session.get(Message, message.id).state = state
    with browser_of("marek") as client:
        page = client.get(f"/conversations/{message.conversation_id}")
        assert page.status_code == 200
        assert (f"/messages/{message.id}/raw" in page.text) or state == "too_big"


def test_a_part_that_is_not_there_any_more_is_not_found_and_no_crash(app, house, browser_of):
    with unit():
        db.session.get(Attachment, house["OPENWORD"].attachment_id).part_index = 99
    with browser_of("marek") as client:
        assert client.get(f"/attachments/{house['OPENWORD'].attachment_id}").status_code == 404
