"""Whom a message goes to: what people type is read whole or refused, and nobody is written to twice."""

import pytest

from webapp.rules import RuleBroken
from webapp.rules.bounds import RECIPIENTS_MAX
from webapp.rules.recipients import check, of_all, read, read_loosely, written


@pytest.mark.parametrize(("typed", "found"), [
    ("anna@x.example", [["", "anna@x.example"]]),
    ('"Nowak, Anna" <anna@x.example>; b@y.example,', [["Nowak, Anna", "anna@x.example"], ["", "b@y.example"]]),
    ("Anna <anna@x.example>, ANNA@x.example", [["Anna", "anna@x.example"]]),
    ("Jan <jan@żółw.example>", [["Jan", "jan@żółw.example"]]),
    ("", []), (" , ;", []),
])
def test_what_is_typed_is_read(typed, found):
    assert read(typed) == found
    assert read(written(found)) == found


@pytest.mark.parametrize("typed", [
    "anna", "anna@x.example steal@evil.example", "x\r\nBcc: steal@evil.example", "a@b.example>\r\nRCPT TO:<c@d.example>",
    "a@b.example\x00", "a@b.example\nc@d.example", '"ceo@corp.example" <evil@evil.example>', "<a@b.example", "a@b.example <c@d.example>"])
def test_what_is_no_address_is_refused_and_named(typed):
    with pytest.raises(RuleBroken) as broken:
        read(typed, "cc")
    assert (broken.value.field, broken.value.code) == ("cc", "bad_recipients")


def test_a_draft_keeps_what_is_no_address_yet():
    assert read_loosely("Anna <anna@x.example>, ja") == [["Anna", "anna@x.example"], ["", "ja"]]
    assert written(read_loosely("anna@x.example, ja")) == "anna@x.example, ja"


def test_a_strangers_name_with_an_address_in_it_does_not_become_a_recipient():
    assert written([["a@evil.example, b", "anna@x.example"]]) == "anna@x.example"


def test_an_answer_to_all_leaves_us_out_and_nobody_twice():
    to, cc = of_all([["Anna", "anna@x.example"]], [["", "Support@corp.example"], ["Jan", "jan@y.example"]],
                    [["", "ANNA@x.example"], ["", "oferty@corp.example"], ["Ola", "ola@y.example"]],
                    {"support@corp.example", "oferty@corp.example"})
    assert (to, cc) == ([["Anna", "anna@x.example"], ["Jan", "jan@y.example"]], [["Ola", "ola@y.example"]])


def test_somebody_must_be_named_and_not_everybody():
    for people, code in (([], "nobody_named"), ([["", f"a{n}@x.example"] for n in range(RECIPIENTS_MAX + 1)],
                                                 "many_recipients")):
        with pytest.raises(RuleBroken) as broken:
            check([], people, [])
        assert broken.value.code == code
    check([], [], [["", "a@x.example"]])
