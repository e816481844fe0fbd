"""The source of a message as text in which nothing hides."""

import time

from webapp.mail.source import MAX_SHOWN, headers, shown


def test_what_cannot_be_seen_is_shown_by_its_picture_or_number():
    assert shown("a\0b\x1bc\u202ed\u200be\r\nf\rg\th\x7f".encode()) == "a␀b␛c⟨U+202E⟩d⟨U+200B⟩e\nf␍g\th⟨U+007F⟩"


def test_bytes_of_another_charset_are_still_text():
    assert shown("zaż".encode("cp1250")) == "za\u00bf"
    assert shown(b"\x81\x8d") == "\ufffd\ufffd"


def test_a_character_cut_at_the_end_spoils_nothing():
    assert shown(b"x" * (MAX_SHOWN - 1) + "żż".encode()) == "x" * (MAX_SHOWN - 1)


def test_headers_are_decoded_in_their_order_and_bounded():
    raw = (b"Received: one\r\nSubject: =?utf-8?q?Za=C5=BC?=\r\nReceived: two\r\n three\r\nX-Evil: " + "a\u202eb".encode()
           + b"\r\nX-Long: " + b"x" * 30_000 + b"\r\n\r\nFrom: nobody\r\n")
    found = headers(raw)
    assert found[:4] == [("Received", "one"), ("Received", "two three"), ("Subject", "Zaż"), ("X-Evil", "ab")]
    assert max(len(value) for _name, value in found) <= 4_000
    assert len(headers(b"X-A: b\r\n" * 5_000)) <= 300


def test_a_hostile_source_costs_little():
    started = time.process_time()
    for raw in (b"\0" * 1_000_000, b"=?utf-8?q?a?= " * 70_000, b"X: " + b"=?utf-8?q?a?= " * 70_000, b"\xff" * 1_000_000,
                "\u202e".encode() * 300_000, b"X: y\r\n " * 100_000):
        shown(raw), headers(raw)
    assert time.process_time() - started < 2
