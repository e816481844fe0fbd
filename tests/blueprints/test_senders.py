"""Who wrote it, on every screen: the address always, the spoofed one never; warnings where they belong."""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from mailroom import arrive, connected, folder_of, letter, person, stored

from webapp.actions import receive, sender_check
from webapp.extensions import db, unit
from webapp.mail.types import FetchedHeader
from webapp.models import Audit, Connection, ContactAddress, Conversation, KnownDomain, Message, Participant

CASES = Path(__file__).resolve().parents[3] / "shared/cases/sender-spoof.jsonl"
SPOOF = "ceo@victim.example"
OWN = [     # (raw From header lines, the address that is shown, or none)
    (b"From: =?utf-8?b?Y2VvQHZpY3RpbS5leGFtcGxl?= <x@evil.test>", "x@evil.test"),
    (b'From: "ceo@victim.example" <x@evil.test>', "x@evil.test"),
    ('From: "ceo＠victim.example" <x@evil.test>'.encode(), "x@evil.test"),
    (b"From: ceo@victim.example <x@evil.test>", ""), (b"From: <ceo@victim.example>, <x@evil.test>", ""),
    (b"From: x@evil.test\r\nFrom: ceo@victim.example", ""), (b"From: ceo@victim.example\0@evil.test", ""),
    (b"From: =?utf-8?q?ceo=40victim.example=00?=@evil.test", ""), (b"From: ceo@victim.example@evil.test", ""),
    ("From: Ann\u202eelpmaxe.mitciv@oec <x@evil.test>".encode(), ""),
    ('From: "Ann\u202eelpmaxe.mitciv" <x@evil.test>'.encode(), "x@evil.test"),
    (b"From: (ceo@victim.example) <x@evil.test>", "x@evil.test"),
]
RAWS = OWN + [((c.get("headers_raw") or f"From: {c['from_raw']}\r\n").encode("utf-8", "surrogateescape").rstrip(b"\r\n"),
               None) for c in (json.loads(line) for line in (CASES.open() if CASES.exists() else ()))
              if c.get("spoof") == SPOOF]


def warned(page):
    """[(loud, words)] of a page."""
    found = re.findall(r'<li class="sender__told( sender__told--loud)?">(.*?)</li>', page, re.S)
    return [(bool(loud), unescape(re.sub(r"<[^>]+>|Warning: ", "", text)).strip()) for loud, text in found]


def shows_spoof(text):
    """Not within another address: ceo@victim.example.evil.test is the real one of its mail."""
    return bool(re.search(r"(?<![\w.])ceo@victim\.example(?![\w.@])", text, re.I))


def test_a_spoofed_address_is_on_no_screen_and_is_nobodys(team, browser_of):
    box, wrong = connected(), []
    for uid, (head, _shown) in enumerate(RAWS, 1):
        arrive(box, head + f"\r\nSubject: Case {uid}\r\nMessage-ID: <{uid}@x>\r\n\r\nHello".encode(), first_uid=uid)
    with browser_of("marek") as client:
        for message in stored(Message):
            uid = int(message.message_id.partition("@")[0])
            head, shown = RAWS[uid - 1]
            page = unescape(client.get(f"/conversations/{message.conversation_id}").text.replace("<wbr>", ""))
            row = re.search(rf'<li class="conv" id="conv-{message.conversation_id}".*?</li>',
                            client.get("/inboxes/1/list").text, re.S)
            if shows_spoof(page) or row and shows_spoof(unescape(row[0])) or message.from_address == SPOOF:
                wrong.append((uid, head))
            if shown is not None and message.from_address != shown:
                wrong.append((uid, head, message.from_address))
            if message.from_address and f'msg__addr">{message.from_address}' not in page:
                wrong.append((uid, head, "its address is not shown"))
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u200b\u202a-\u202e\u2066-\u2069]", page)
    assert wrong == [], "\n".join(map(str, wrong))
    assert SPOOF not in {a.address_key for a in stored(ContactAddress)} | set(
        db.session.scalars(db.select(Participant.address_key)))


def test_the_address_stands_beside_the_name_everywhere(team, browser_of):
    arrive(connected(), letter(sender="Anna Nowak <anna@customer.example>"))
    own = connected("personal", "zofia@corp.example", "zofia")
    arrive(own, letter(sender="Jan Lis <jan@customer.example>", to="zofia@corp.example"))
    with browser_of("zofia") as client:
        row = re.search(r'<li class="conv".*?</li>', client.get("/inboxes/1").text, re.S)[0]
        page = client.get("/conversations/1").text
        mails = client.get(f"/mailboxes/{own}/mail").text
    assert 'title="Anna Nowak &lt;anna@customer.example&gt;"' in row
    assert ">anna@customer.example</span>" in row
    assert "anna@<wbr>customer" in re.search(r'<p class="xs faint msg__from">.*?</p>', page)[0]
    assert "Anna Nowak &lt;anna@customer.example&gt;" in re.search(r'composer__to.*?</label>', page, re.S)[0]
    assert "jan@customer.example" in mails


def test_the_list_shows_the_address_of_whoever_wrote_last(team):
    box = connected()
    arrive(box, letter(Message_ID="<a@x>"))
    arrive(box, letter(sender="Anna Nowak <anna@home.example>", Message_ID="<b@x>", References="<a@x>", to="support@corp.example, anna@customer.example"), first_uid=2)
    arrive(box, letter(sender="", to="Jan Lis <jan@customer.example>", Message_ID="<c@x>"), role="sent")
    shown = {(c.who, c.who_address) for c in stored(Conversation)}
    assert ("Jan Lis", "jan@customer.example") in shown
    assert {address for _who, address in shown} >= {"anna@customer.example"} or (
        "Anna Nowak", "anna@home.example") in shown


def test_a_domain_that_looks_like_one_that_wrote_before_is_told_and_not_the_other_way_round(team, browser_of):
    box = connected()
    arrive(box, letter(sender="Anna <anna@kontrahent.example>", Message_ID="<1@x>"))
    arrive(box, letter(sender="Anna <anna@k0ntrahent.example>", Message_ID="<2@x>"), first_uid=2,
           at=datetime.now(UTC) + timedelta(seconds=5))
    assert {d.domain for d in stored_domains()} == {"kontrahent.example", "k0ntrahent.example"}
    with browser_of("marek") as client:
        first, second = (client.get(f"/conversations/{n}").text for n in (1, 2))
    assert warned(first) == []
    assert [loud for loud, _words in warned(second)] == [True]
    assert "looks like kontrahent.example" in warned(second)[0][1]


def test_a_look_alike_that_joins_a_conversation_is_told(team, browser_of):
    box = connected()
    arrive(box, letter(sender="Anna <anna@kontrahent.example>", Message_ID="<1@x>"))
    arrive(box, letter(sender="Anna <anna@kontrahemt.example>", Message_ID="<2@x>", In_Reply_To="<1@x>"), first_uid=2)
    messages = stored(Message)
    with unit():
        for m in messages:
            db.session.get(Message, m.id).conversation_id = messages[0].conversation_id
    with browser_of("marek") as client:
        page = client.get(f"/conversations/{messages[0].conversation_id}").text
    assert [words for _loud, words in warned(page)] == [
        "kontrahemt.example looks like kontrahent.example, which wrote to you before, but is another domain. Check it "
        "before you act on this mail."]


def test_a_reply_to_elsewhere_is_told_quietly_and_above_the_answer(team, browser_of):
    arrive(connected(), letter(sender="News <news@shop.example>", Reply_To="answers@mailer.example"))
    with browser_of("marek") as client:
        page = client.get("/conversations/1").text
    assert warned(page) == [(False, "Answers go to answers@mailer.example, not to shop.example.")]
    goes = re.search(r'<p class="composer__goes.*?</p>', page, re.S)[0]
    assert "answers@mailer.example" in goes
    assert "news@shop.example" in goes
    assert 'aria-describedby="goes"' in page
    assert "warn" not in goes.split(">")[0]


def test_an_answer_to_the_sender_has_no_such_line(team, browser_of):
    arrive(connected(), letter(Reply_To="Anna Nowak <ANNA@customer.example>"))
    with browser_of("marek") as client:
        page = client.get("/conversations/1").text
    assert "composer__goes" not in page
    assert warned(page) == []


FAILED = "mx.corp.example; dmarc=fail header.from=customer.example; spf=fail smtp.mailfrom=x.test"


def test_a_failed_check_counts_only_from_the_server_that_people_have_named(team, browser_of):
    box = connected()
    arrive(box, letter(Authentication_Results=FAILED))
    with browser_of("zofia") as client:
        assert warned(client.get("/conversations/1").text) == []
        page = client.get(f"/connections/{box}/sender-check").text
        assert '<code class="grow">mx.corp.example</code>' in page
        wrong = client.post(f"/connections/{box}/sender-check", data={"authserv_id": "<b>"})
        assert (wrong.status_code, 'value="&lt;b&gt;"' in wrong.text, 'aria-invalid="true"' in wrong.text) == (422, True, True)
        done = client.post(f"/connections/{box}/sender-check", data={"authserv_id": "MX.corp.example"})
        assert (done.status_code, done.location) == (303, "/inboxes/1/settings")
        told = warned(client.get("/conversations/1").text)
        assert [loud for loud, _words in told] == [True]
        assert "mx.corp.example" in told[0][1]
        assert "Senders of mail to support@corp.example are checked by mx.corp.example." in client.get("/audit").text
        client.post(f"/connections/{box}/sender-check", data={"authserv_id": ""})
        assert warned(client.get("/conversations/1").text) == []
    assert [a.facts["names"] for a in stored(Audit, Audit.action == "connection.sender_check_changed")] == [
        "mx.corp.example", ""]


def test_a_forged_result_below_the_servers_own_is_not_read(team, browser_of):
    box = connected()
    raw = letter(Authentication_Results=FAILED)
    arrive(box, b"Authentication-Results: mx.corp.example; dmarc=pass header.from=customer.example\r\n" + raw)
    arrive(box, b"Authentication-Results: other.example; dmarc=pass\r\n" + letter(
        Message_ID="<2@x>", Authentication_Results=FAILED), first_uid=2)
    with unit():
        sender_check.set_authserv_ids(person("zofia"), db.session.get(Connection, box), "mx.corp.example")
    with browser_of("marek") as client:
        assert [warned(client.get(f"/conversations/{n}").text) for n in (1, 2)] == [[], []]


def test_gmails_own_server_is_known_without_anybody_typing_it(team, browser_of):
    box = connected()
    with unit():
        db.session.get(Connection, box).imap_host = "imap.gmail.com"
    arrive(box, letter(Authentication_Results="mx.google.com; dmarc=fail header.from=customer.example"))
    with browser_of("zofia") as client:
        assert [loud for loud, _words in warned(client.get("/conversations/1").text)] == [True]
        assert 'value="mx.google.com"' in client.get(f"/connections/{box}/sender-check").text


def test_a_personal_mail_of_which_only_the_header_is_here_is_judged_too(team, browser_of):
    own = connected("personal", "zofia@corp.example", "zofia")
    raw = letter(sender='"Marek" <marek@evil.test>', to="zofia@corp.example", Reply_To="x@other.test")
    head = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    with unit():
        receive.receive(db.session.get(Connection, own), folder_of(own), [
            FetchedHeader(1, head, len(raw), None, frozenset(), False)])
    with browser_of("zofia") as client:
        page = client.get(f"/mailboxes/{own}/mail/{stored(Message)[0].id}").text
    assert [loud for loud, _words in warned(page)] == [False, False]


def test_our_own_mail_is_not_warned_of(team, browser_of):
    box = connected()
    arrive(box, letter(sender="Zofia <support@corp.example>", to="anna@customer.example", Reply_To="x@other.test"), role="sent")
    arrive(box, letter(sender="Zofia <zofia@corp.example>", Message_ID="<2@x>"), first_uid=2)
    with browser_of("marek") as client:
        assert [warned(client.get(f"/conversations/{c.id}").text) for c in stored(Conversation)] == [[], []]


@pytest.mark.parametrize("name", ["<b>x</b>", "{{ 7*7 }}", '"><script>x()</script>', "a" * 5000])
def test_hostile_names_come_out_escaped_and_bounded(team, browser_of, name):
    quoted = name.replace('"', '\\"')
    arrive(connected(), f'From: "{quoted}" <x@evil.test>\r\nReply-To: "{quoted}" <y@other.test>\r\nSubject: x\r\n\r\nx'.encode())
    with browser_of("marek") as client:
        page = client.get("/conversations/1").text
    for bad in ("<b>x</b>", "49", "<script>x"):
        assert bad not in page.replace("data-since", "") or bad == "49"
    assert max(map(len, re.findall("a+", page))) <= 200


def stored_domains():
    db.session.rollback()
    return db.session.scalars(db.select(KnownDomain)).all()
