"""One way to words for what is stored and what is asked."""

import time

import pytest

from webapp.rules.tokens import MAX_DISTINCT, MAX_TOKENS, MAX_WORD, fold, tokens


@pytest.mark.parametrize("text, expected", [
    ("Zażółć gęślą jaźń", ["zazolc", "gesla", "jazn"]), ("Łódź ŁÓDŹ łódź", ["lodz"] * 3),
    ("Straße STRASSE", ["strasse", "strasse"]), ("Grüße aus Köln", ["grusse", "aus", "koln"]),
    ("Ærø Þór Đuro œuvre", ["aero", "thor", "duro", "oeuvre"]), ("İstanbul ISPARTA ısparta", ["istanbul", "isparta", "isparta"]),
    ("Cafe\u0301 café", ["cafe", "cafe"]), ("TW-48213/B", ["tw", "48213", "b"]), ("Ｆｕｌｌ ｗｉｄｔｈ", ["full", "width"]),
    ("anna.nowak+x@corp.example", ["anna", "nowak", "x", "corp", "example"]), ("snake_case O'Brien", ["snake", "case", "o", "brien"]),
    ("合同", ["合同", "同"]), ("会議議事録", ["会議", "議議", "議事", "事録", "録"]), ("ﾃｽﾄ", ["テス", "スト", "ト"]),
    ("が", ["が"]), ("회의록", ["회의", "의록", "록"]), ("iPhone手机壳", ["iphone", "手机", "机壳", "壳"]),
    ("ใบแจ้งหนี้", ["ใบ", "บแ", "แจ", "จ้", "้ง", "งห", "หน", "นี", "ี้", "้"]), ("счёт Ёлка", ["счет", "елка"]),
    ("नमस्ते", ["नमस्ते"]), ("", []), ("!!! -- *** 🎈", []), ("ﬁnal", ["final"]), ("Ⅳ ½", ["iv", "1", "2"]),
    ("العَرَبِيَّة", ["العربية"]), ("שָׁלוֹם", ["שלום"])])
def test_text_becomes_words(text, expected):
    assert tokens(text) == expected


@pytest.mark.parametrize("text, expected", [("合同", ["合同"]), ("同", ["同"]), ("会議録", ["会議", "議録"]), ("Łódź", ["lodz"])])
def test_what_is_asked_does_not_say_the_last_character_again(text, expected):
    assert tokens(text, asked=True) == expected


def test_every_word_stays_itself_when_it_is_folded_again():
    for text in ("Zażółć", "Straße", "İstanbul", "会議", "회의", "ใบแจ้งหนี้", "ﬁnal"):
        assert fold(fold(text)) == fold(text)
        assert all(tokens(t, asked=True) == [t] for t in tokens(text) if len(t) > 1)


def test_nothing_but_letters_and_digits_is_left():
    everything = "".join(map(chr, [*range(1, 0xd800), *range(0xe000, 0x20000)]))
    for start in range(0, len(everything), 5000):
        for token in tokens(everything[start:start + 5000]):
            assert not set(token) & set(" \t\n\r\x0b\x0c\x00'\"\\*:&|!()<>-+^{}") and token.strip() == token


def test_a_message_of_any_size_is_a_bounded_number_of_words():
    assert len(tokens("a " * 500_000)) == MAX_TOKENS
    assert len(set(tokens(" ".join(f"w{i}" for i in range(10_000))))) == MAX_DISTINCT
    assert {len(t) for t in tokens("x" * 300_000)} == {MAX_WORD}
    assert {len(t) for t in tokens("ż" * 300_000)} == {MAX_WORD}


@pytest.mark.parametrize("text", ["a" * 10**6, "ż " * 10**6, "\u0301" * 10**6, "会" * 10**6, "a\u0301" * 10**6, "ﷺ" * 10**6, " " * 10**6])
def test_no_text_takes_long(text):
    started = time.process_time()
    tokens(text)
    assert time.process_time() - started < 1.0
