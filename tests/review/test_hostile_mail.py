"""What a stranger can do with nothing but mail."""

import pytest
from mailroom import arrive, connected, letter, stored

from webapp.models import Message


def test_message_ids_as_long_as_allowed_in_any_script_are_stored(team):
    """PostgreSQL indexes at most 2,704 bytes: 900 characters of another script are more."""
    import random
    random.seed(1)
    odd = "".join(chr(random.randrange(0x20000, 0x2A6D0)) for _ in range(890))
    raw = letter().replace(b"Subject:", f"Message-ID: <{odd}@x>\r\nReferences: <{odd[::-1]}@y>\r\nSubject:".encode(), 1)
    arrive(connected(), raw, letter(text="the next"))
    assert [m.state for m in stored(Message)] == ["ok", "ok"]


@pytest.mark.parametrize("many", [30])
def test_a_conversation_of_endless_texts_is_still_a_page(team, browser_of, many):
    text = "some words that go on and on\r\n" * 60_000
    arrive(connected(), letter(text=text, Message_ID="<0@x>"), *(
        letter(text=text, Message_ID=f"<{n}@x>", In_Reply_To="<0@x>") for n in range(1, many)))
    with browser_of("marek") as browser:
        page = browser.get("/conversations/1")
    assert page.status_code == 200 and len(page.data) < 8_000_000


def test_a_value_that_the_database_finds_too_large_is_the_mails_fault_not_the_databases(team, monkeypatch, database):
    """Else one such mail would stop its mailbox for ever."""
    if database != "postgresql":
        pytest.skip("SQLite has no such limit")
    from webapp.mail import parse
    monkeypatch.setattr(parse, "MAX_MESSAGE_ID", 10_000)
    import random
    odd = "".join(chr(random.Random(2).randrange(0x20000, 0x2A6D0)) for _ in range(2)) + "".join(
        chr(0x20000 + random.Random(n).randrange(40_000)) for n in range(880))
    raw = letter().replace(b"Subject:", f"Message-ID: <{odd}@x>\r\nSubject:".encode(), 1)
    arrive(connected(), raw, letter(text="the next"))
    assert sorted(m.state for m in stored(Message)) == ["ok", "unreadable"]
