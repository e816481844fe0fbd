"""format=flowed: paragraphs that were broken for the wire are whole again."""

import time

import pytest

from webapp.mail.flowed import unflow
from webapp.mail.parse import parse
from webapp.mail.text import snippet, split_quote, to_html


@pytest.mark.parametrize("text, whole", [
    ("one \ntwo \nthree\nnext\n", "one two three\nnext\n"),
    ("> a \n> b\n>> c \n>> d\nmine", "> a b\n>> c d\nmine"),
    ("> a \nb\n", "> a \nb\n"),                             # the depth changes in the middle
    (" > not a quote\n From here\n", " > not a quote\nFrom here\n"),
    ("we take \n >5 kg\n", "we take >5 kg\n"),
    ("bye \n-- \nJan \nNowak", "bye \n-- \nJan Nowak"),
    ("a \n\nb", "a \nb"),
    ("", ""),
    ("x\r\ny \r\nz\r\n", "x\ny z\n"),
    (">\n> \n>> x", ">\n>\n>> x"),
])
def test_soft_breaks_go_and_hard_ones_stay(text, whole):
    assert unflow(text) == whole


def test_delsp_takes_the_space_as_well():
    assert unflow("日本 \n語\n", delsp=True) == "日本語\n"
    assert unflow("> 日本 \n> 語\n", delsp=True) == "> 日本語\n"


def test_a_mark_of_ones_own_is_no_quote_later_either():
    own = unflow("We can take\n >5 kg of it\n >2 t of that\n")
    assert split_quote(own) == (own, "")
    assert "<blockquote>" not in to_html(own)
    assert "&gt;5 kg of it" in to_html(own)
    assert snippet(own) == "We can take >5 kg of it >2 t of that"


def test_a_message_says_by_its_type_that_it_is_flowed():
    head = b"From: a@b.example\r\nContent-Type: text/plain; charset=utf-8; %s\r\n\r\none \r\ntwo\r\n"
    assert parse(head % b"format=flowed").text.strip() == "one two"
    assert parse(head % b'Format="Flowed"; DelSp=Yes').text.strip() == "onetwo"
    assert parse(head % b"format=fixed").text.strip() == "one \ntwo"


@pytest.mark.parametrize("text", ["x \n" * 350_000, ">" * 1_000_000, "> \n" * 350_000, " " * 1_000_000, "\n" * 1_000_000,
                                  "a \n>b \n" * 150_000])
def test_a_megabyte_takes_no_time(text):
    started = time.process_time()
    unflow(text)
    assert time.process_time() - started < 1.5
