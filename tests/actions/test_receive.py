"""What a mailbox brings is stored exactly once, byte for byte, and one bad message stops nothing (DESIGN 7)."""

import hashlib
from datetime import UTC, datetime

import pytest
from mailroom import arrive, connected, folder_of, letter, person, stored
from sqlalchemy.exc import OperationalError

from webapp.actions import contents, receive, replies, threads
from webapp.actions.threads import filing
from webapp.extensions import db, unit
from webapp.mail.types import Fetched, FetchedHeader, Oversized
from webapp.models import Attachment, Connection, Conversation, Message, Place
from webapp.rules.bounds import MESSAGE_STATES

PIXEL = bytes.fromhex("89504e470d0a1a0a0000000d49484452")


def facts():
    """Everything that a second run could change."""
    return ([(m.id, m.conversation_id, m.digest, m.state) for m in stored(Message)],
            [(p.message_id, p.folder_id, p.uidvalidity, p.uid) for p in stored(Place)],
            [(c.id, c.message_count, c.last_in_id, c.last_at, c.status) for c in stored(Conversation)],
            [(a.message_id, a.sha256) for a in stored(Attachment)])


def test_a_batch_received_twice_changes_nothing_the_second_time(box):
    batch = [letter(Message_ID="<a@x>", files=[("one.png", "image/png", PIXEL)]), letter(Message_ID="<b@x>")]
    arrive(box, *batch)
    once = facts()
    arrive(box, *batch)
    assert facts() == once
    assert len(once[0]) == 2


def test_raw_bytes_come_back_byte_for_byte(box, app):
    raw = letter(files=[("one.png", "image/png", PIXEL * 5000)]) + b"odd\x00end \r no newline \xff"
    arrive(box, raw)
    [message] = stored(Message)
    assert app.extensions["blobs"].get_raw(message.raw_sha256) == raw
    assert message.raw_sha256 == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize("where", ["parse", "threads"])
def test_one_bad_message_is_kept_raw_alone_and_the_rest_of_its_batch_lands(box, app, monkeypatch, where):
    bad = letter(subject="from hell", Message_ID="<bad@x>")
    target, name = (contents, "parse") if where == "parse" else (filing, "_file_one")
    real = getattr(target, name)

    def breaks(*arguments):
        if "from hell" in (arguments[0].decode("latin-1") if where == "parse" else arguments[2].subject):
            raise RuntimeError("a bug of ours")
        return real(*arguments)
    monkeypatch.setattr(target, name, breaks)
    arrive(box, letter(Message_ID="<a@x>"), bad, letter(Message_ID="<c@x>"))
    messages = stored(Message)
    assert sorted(m.state for m in messages) == ["ok", "ok", "unreadable"]
    unreadable = next(m for m in messages if m.state == "unreadable")
    assert app.extensions["blobs"].get_raw(unreadable.raw_sha256) == bad
    assert unreadable.conversation_id, "people see it in the list"
    assert sorted(p.uid for p in stored(Place)) == [1, 2, 3]
    arrive(box, letter(Message_ID="<a@x>"), bad, letter(Message_ID="<c@x>"))
    assert len(stored(Message)) == 3


def test_a_database_in_trouble_is_not_blamed_on_the_mail(box, monkeypatch):
    def away(*_):
        raise OperationalError("INSERT", {}, Exception("server closed the connection"))
    with monkeypatch.context() as patch, pytest.raises(OperationalError):
        patch.setattr(threads, "file", away)
        arrive(box, letter())
    assert stored(Message) == []
    arrive(box, letter())
    assert [m.state for m in stored(Message)] == ["ok"]


def test_the_same_mail_in_two_folders_is_one_message_in_two_places(box):
    raw = letter(Message_ID="<a@x>")
    arrive(box, raw, raw)             # twice in one batch, as some servers have it
    arrive(box, raw, role="archive")
    assert len(stored(Message)) == 1
    assert len(stored(Place)) == 3
    assert stored(Conversation)[0].message_count == 1


def test_numbers_that_start_anew_make_new_places_and_no_second_copy(box):
    raws = [letter(Message_ID=f"<{n}@x>", text=f"Number {n}") for n in range(3)]
    arrive(box, *raws)
    with unit():
        folder_of(box).uidvalidity = 2
    arrive(box, *reversed(raws), first_uid=1)
    assert len(stored(Message)) == 3
    assert [c.message_count for c in stored(Conversation)] == [1, 1, 1]
    assert {(p.uidvalidity, p.uid) for p in stored(Place)} == {(v, u) for v in (1, 2) for u in (1, 2, 3)}


def test_our_own_mail_that_a_server_changed_on_the_way_to_sent_gets_its_place_and_no_second_copy(box, app):
    arrive(box, letter(Message_ID="<q@x>"))
    with unit():
        row = replies.reply(person("marek"), stored(Conversation)[0], "We will replace it.")
        raw = app.extensions["blobs"].get_raw(row.raw_sha256)
    changed = b"X-Relay: added\r\n" + raw.replace(b"MIME-Version: 1.0\r\n", b"MIME-Version: 1.0 (fixed)\r\n")
    arrive(box, changed, role="sent")
    own = [m for m in stored(Message) if m.outgoing]
    assert [(m.author_id is not None, len(m.places)) for m in own] == [(True, 1)]
    # A stranger who copies our Message-ID into a mail of his own is not us.
    arrive(box, changed.replace(b"replace", b"forget"), role="inbox", first_uid=9)
    assert len(stored(Message)) == 3


def test_what_is_too_big_and_what_the_server_withholds_is_listed_and_kept(box):
    header = b"From: anna@customer.example\r\nSubject: Big\r\nMessage-ID: <big@x>\r\n\r\n"
    arrive(box, Oversized(5, 90_000_000, header, datetime(2026, 1, 1, tzinfo=UTC)))
    with unit():
        receive.keep_place(db.session.get(Connection, box), folder_of(box), 6)
    assert [(m.state, m.subject, m.size) for m in stored(Message)] == [("too_big", "Big", 90_000_000),
                                                                      ("unreadable", "", 0)]
    assert {m.state for m in stored(Message)} < set(MESSAGE_STATES)
    assert [p.uid for p in stored(Place)] == [5, 6]


def test_of_personal_mail_the_header_is_stored_and_the_body_only_when_it_is_opened(team, app):
    box = connected("personal", "zofia@corp.example", "zofia")
    raw = letter(to="zofia@corp.example", text="Secret dinner", files=[("a.png", "image/png", PIXEL)])
    header = raw[:raw.index(b"\r\n\r\n") + 4]
    arrive(box, FetchedHeader(1, header, len(raw), datetime.now(UTC), frozenset(), True))
    [message] = stored(Message)
    assert (message.state, message.raw_sha256, message.conversation_id, message.has_attachments) == (
        "header", None, None, True)
    assert stored(Conversation) == []
    with unit():
        receive.store_body(db.session.get(Message, message.id), raw)
    [message] = stored(Message)
    assert (message.text.strip(), app.extensions["blobs"].get_raw(message.raw_sha256)) == ("Secret dinner", raw)
    assert len(stored(Attachment)) == 1


@pytest.mark.parametrize("date", [None, "Thu, 01 Jan 1970 00:00:00 +0000", "Fri, 01 Jan 2050 00:00:00 +0000", "yesterday"])
def test_a_date_header_decides_nothing_when_the_server_says_when_it_came(box, date):
    at = datetime(2026, 5, 12, 8, 0, tzinfo=UTC)
    arrive(box, letter(Date=date), at=at)
    assert stored(Message)[0].at == at


# thread-attacks 012-014, 016, 017: odd Message-IDs are stored, each mail once, and match nothing by accident.
@pytest.mark.parametrize("ids", [
    {}, {"Message_ID": "<>"}, {"Message_ID": "no brackets"}, {"Message_ID": "<" + "x" * 5000 + "@y>"},
    {"Message_ID": "<ok@x>", "References": " ".join(f"<{n}@many.example>" for n in range(5000))},
], ids=["none", "empty", "bare", "long", "5000 references"])
def test_odd_message_ids_are_stored_once_each_and_never_tie_strangers_together(box, ids):
    one, other = letter(text="One", **ids), letter(text="Other", sender="eva@else.example", **ids)
    arrive(box, one, other, one)
    assert len(stored(Message)) == 2
    assert len(stored(Conversation)) == 2


@pytest.mark.parametrize("odd", [b"Message-ID: <a\x00b@x>\r\n", b"Message-ID: <a\xffb@x>\r\n",
                                 b"Message-ID: <a\r\n b@x>\r\n", b"Subject: =?utf-8?b?7aCA?=\r\n",
                                 b"Subject: \xed\xa0\x80 half a pair\r\n", b"From: \x00\r\n"])
def test_bytes_that_no_database_takes_are_stored_all_the_same(box, odd):
    arrive(box, odd + b"From: anna@customer.example\r\n\r\nHello \x00 \xed\xa0\x80\r\n")
    assert [m.state for m in stored(Message)] == ["ok"]


def test_a_fetched_item_is_what_the_mail_layer_says():
    assert Fetched._fields[:4] == ("uid", "raw", "internal_date", "flags")
