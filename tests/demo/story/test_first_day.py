"""What the mailboxes hold before anybody comes: enough, believable, and shaped as real mail is."""

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from webapp.demo.people import DOMAIN
from webapp.demo.story.first_day import first_mail

NOW = datetime(2026, 6, 8, 8, 8, tzinfo=UTC)
KONTAKT = f"kontakt@{DOMAIN}"


@pytest.fixture(scope="module")
def mails():
    return first_mail(NOW, 1)


@pytest.fixture(scope="module")
def messages(mails):
    return [(mail, message_from_bytes(mail.raw, policy=policy.default)) for mail in mails]


def subjects(messages, address=KONTAKT):
    return [message["Subject"] for mail, message in messages if mail.address == address]


def test_the_same_seed_gives_the_same_mail_twice(mails):
    assert first_mail(NOW, 1) == mails
    assert first_mail(NOW, 2) != mails


@pytest.mark.parametrize("start", [NOW, datetime(2026, 1, 1, 0, 1, tzinfo=UTC),
                                   datetime(2026, 3, 29, 1, 30, tzinfo=UTC)])
def test_nothing_is_from_the_future_older_than_eight_weeks_or_before_what_it_answers(start):
    when = {}
    for mail in first_mail(start, 1):
        message = message_from_bytes(mail.raw, policy=policy.default)
        assert 0 <= (start - mail.arrived).days < 56
        assert mail.arrived <= start
        when[message["Message-ID"]] = mail.arrived
        assert message["In-Reply-To"] is None or when[message["In-Reply-To"]] < mail.arrived


@pytest.mark.parametrize("subject", [
    "Uszkodzona paleta – przesyłka TW-48213", "Temperatura w naczepie podczas rozładunku",
    "Prośba o fakturę zbiorczą za maj", "Okno załadunku w czwartek 4:30–5:15", "Rückladung Poznań–Hamburg, KW 25",
    "Dostawy nocne do sześciu aptek w Łodzi", "Potwierdzenie zlecenia 7741/06", "Jak oznaczyć palety „kruche”?",
    "Reklamacja do faktury FV/2026/05/1187", "Zmiana adresu rozładunku"])
def test_the_conversations_of_the_mock_ups_are_there(messages, subject):
    assert subject in subjects(messages)


def test_one_thread_is_long_and_has_both_sides(messages):
    thread = [(mail, message) for mail, message in messages if "HP-2291" in message["Subject"]]
    assert len(thread) >= 12
    assert {mail.folder for mail, _ in thread} == {"INBOX", "\\Sent"}
    root = thread[0][1]["Message-ID"]
    assert all(message["References"].split()[0] == root for _, message in thread[1:])


def test_every_kind_of_mail_and_attachment_is_there(messages):
    parts = [part for _, message in messages for part in message.walk()]
    kinds = {part.get_content_type() for part in parts}
    assert kinds >= {"application/pdf", "image/png", "image/jpeg", "text/csv", "text/calendar", "text/html",
                     "multipart/report", "message/delivery-status"}
    assert any("spreadsheetml" in kind for kind in kinds) and any("wordprocessingml" in kind for kind in kinds)
    assert {part.get_content_charset() for part in parts} >= {"utf-8", "iso-8859-2", "windows-1250"}
    assert any(part["Content-ID"] and part.get_content_disposition() == "inline" for part in parts)
    assert any(message["Auto-Submitted"] == "auto-replied" for _, message in messages)
    assert any(message["Message-ID"] is None for _, message in messages)
    assert any(message["List-Unsubscribe"] for _, message in messages)
    assert any("お問い合わせ" in message["Subject"] for _, message in messages)


def test_no_mark_of_the_template_is_left_and_every_address_is_a_made_up_one(mails, messages):
    for mail, message in messages:
        body = message.get_body(("plain",))
        assert body is None or "{" not in body.get_content()
        for name in ("From", "To", "Cc"):
            if message.defects or not message[name] or b"skaner@biuro" in mail.raw:
                continue
            assert all(address.domain.endswith(".example") for address in message[name].addresses)


def test_newest_mail_is_minutes_old_and_unread(mails):
    newest = max(mails, key=lambda mail: mail.arrived)
    assert (NOW - newest.arrived).total_seconds() < 3600
    assert "\\Seen" not in newest.flags
