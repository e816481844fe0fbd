"""Hits are marked in the text's own letters."""

import time
from datetime import date

import pytest

from webapp.rules.marks import excerpt, marked
from webapp.rules.search import parse


def shown(text, query, how=marked):
    pieces = how(text, parse(query, date(2026, 11, 28)).wanted)
    return pieces and "".join(f"[{piece}]" if hit else piece for piece, hit in pieces)


@pytest.mark.parametrize("text, query, expected", [
    ("A broken pallet.", "pallet x", "A broken [pallet]."), ("Two Pallets", "pal*", "Two [Pallets]"),
    ("palletised pallet", "pallet x", "palletised [pallet]"), ("W Łodzi, w Łódź", "łódź x", "W Łodzi, w [Łódź]"),
    ("Zażółć gęślą", "gesla", "Zażółć [gęślą]"), ("Hauptstraße 5", "strasse", "Hauptstraße 5"),
    ("Hauptstraße 5", "hauptstrasse x", "[Hauptstraße] 5"), ("Große Straße ok", "straße ok", "Große [Straße] [ok]"),
    ("TW-48213 and TW", "TW-48213 x", "[TW-48213] and TW"), ("the red, red pallet", '"red pallet"', "the red, [red pallet]"),
    ("请查收采购合同,谢谢", "采购合同", "请查收[采购合同],谢谢"), ("合同", "同", "合[同]"), ("iPhone手机壳", "iphone x", "[iPhone]手机壳"),
    ("회의록을", "회의", "[회의]록을"), ("Cafe\u0301 noir", "café x", "[Café] noir"), ("<b>x</b> & co", "co", "<b>x</b> & [co]"),
    ("nothing", "pallet", "nothing"), ("", "pallet", ""), ("a.*b", "a.*b", "[a.*b]")])
def test_marks(text, query, expected):
    assert (shown(text, query) or "") == expected


def test_an_excerpt_stands_around_the_first_hit():
    text = "Dear all,\n\n" + "many words go before it " * 10 + "the pallet is here " + "and more follow " * 30
    line = shown(text, "pallet", excerpt)
    assert line.startswith("… ") and "[pallet] is here and more" in line and line.endswith("…") and len(line) < 200
    assert shown(text, "absent", excerpt) is None
    assert shown("pallet", "pallet", excerpt) == "[pallet]"


@pytest.mark.parametrize("text", ["a" * 10**5, "ż" * 10**5, "pal " * 10**5, "会" * 10**5, "_" * 10**5, "pal_" * 10**5])
def test_no_text_takes_long(text):
    started = time.process_time()
    excerpt(text, parse('pal "pal pal pal" 会会 a* ż*', date(2026, 11, 28)).wanted)
    assert time.process_time() - started < 0.5
