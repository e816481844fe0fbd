"""What was typed becomes plain values, whatever it is."""

from datetime import date

import pytest

from webapp.rules.search import OPERATORS, Filter, Query, day_of, parse

TODAY = date(2026, 11, 28)


def asked(text):
    return parse(text, TODAY)


def terms(text):
    return [(t.words, t.prefix, t.field, t.without) for t in asked(text).terms]


@pytest.mark.parametrize("text, expected", [
    ("pallet", [(("pallet",), True, None, False)]),
    ("Damaged pallet", [(("damaged",), False, None, False), (("pallet",), True, None, False)]),
    ("pal* x", [(("pal",), True, None, False), (("x",), False, None, False)]),
    ('"damaged pallet"', [(("damaged", "pallet"), False, None, False)]),
    ('"damaged pal"*', [(("damaged", "pal"), True, None, False)]),
    ('„Łódź Fabryczna”', [(("lodz", "fabryczna"), False, None, False)]),
    ('"never closed', [(("never", "closed"), False, None, False)]),
    ("a -invoice", [(("a",), False, None, False), (("invoice",), True, None, True)]),
    ("TW-48213 now", [(("tw", "48213"), False, None, False), (("now",), True, None, False)]),
    ("from:anna@x.example ok", [(("anna", "x", "example"), False, "sender", False), (("ok",), True, None, False)]),
    ('to:"Anna Nowak"', [(("anna", "nowak"), False, "people", False)]), ("file:spec", [(("spec",), True, "head", False)]),
    ("合同", [(("合同",), False, None, False)]), ("同", [(("同",), True, None, False)]),
    ("会議録 x", [(("会議", "議録"), False, None, False), (("x",), False, None, False)]),
    ("O'Brien \" OR * --", [(("o", "brien"), False, None, False), (("or",), False, None, False)]),
    ("x AND NOT NEAR(y)", [((w,), False, None, False) for w in ("x", "and", "not")] + [(("near", "y"), False, None, False)]),
    ("https://x.example/a", [(("https", "x", "example", "a"), False, None, False)]),
    ("-from:anna b", [(("anna",), False, "sender", True), (("b",), False, None, False)]),
    ("!!! ---", []), ("", []), ("\0", [])])
def test_words(text, expected):
    assert terms(text) == expected


@pytest.mark.parametrize("text, expected", [
    ("in:spam", Filter("status", "spam")), ("is:Open", Filter("status", "open")), ("-is:closed", Filter("status", "closed", True)),
    ('in:"Obsługa klienta"', Filter("inbox", "Obsługa klienta")), ("in:anywhere", Filter("anywhere", "")),
    ("is:unread", Filter("state", "unread")), ("has:attachment", Filter("has", "file")), ("has:note", Filter("has", "note")),
    ("tag:VIP", Filter("tag", "VIP")), ("assignee:me", Filter("assignee", "me")), ("IN:trash", Filter("status", "trash"))])
def test_filters(text, expected):
    assert asked(text).filters == (expected,)
    assert asked(text).terms == ()


@pytest.mark.parametrize("text, expected", [
    ("2026-11-01", date(2026, 11, 1)), ("1.11.2026", date(2026, 11, 1)), ("2026-11", date(2026, 11, 1)),
    ("2026", date(2026, 1, 1)), ("7d", date(2026, 11, 21)), ("2w", date(2026, 11, 14)), ("1y", date(2025, 11, 28)),
    ("today", TODAY), ("Yesterday", date(2026, 11, 27)), ("2026-13-01", None), ("31.02.2026", None), ("soon", None),
    ("9999y", None), ("0000", None), ("", None)])
def test_days(text, expected):
    assert day_of(text, TODAY) == expected


@pytest.mark.parametrize("text, hint", [
    ("form:anna", ("unknown_operator", "form:")), ("is:purple", ("unknown_state", "purple")),
    ("has:wings", ("unknown_part", "wings")), ("before:soon", ("not_a_day", "soon")), ("from:", ("nothing_behind", "from:")),
    ("-invoice", ("only_without", "-invoice"))])
def test_what_is_not_understood_is_said(text, hint):
    assert asked(text).hints == (hint,)


def test_an_unknown_operator_is_words():
    assert terms("form:anna x") == [(("form", "anna"), False, None, False), (("x",), False, None, False)]


def test_a_number_alone_is_a_conversation_too():
    assert (asked("#48").number, asked("48").number, asked("48 x").number) == (48, 48, None)


def test_any_text_at_all_is_parsed():
    for operator in (*OPERATORS, ""):
        for junk in ('"', '""', "*", "-", "--", ":", "::", "-:", "(", ")", "'", "\\", "\n", "😀", "a" * 5000, "%", "x:" * 200):
            for text in (f"{operator}:{junk}", f"-{operator}:{junk} {junk}", f'"{operator}:{junk}'):
                assert isinstance(asked(text), Query)
