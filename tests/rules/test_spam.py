import random

import pytest

from webapp.rules import RuleBroken
from webapp.rules.spam import check_pattern, offers, pattern_of, verdict


@pytest.mark.parametrize("typed, pattern", [
    ("Anna@Firma.Example", "anna@firma.example"), (" firma.example ", "firma.example"), ("@firma.example", "firma.example"),
    ("*.firma.example", "firma.example"), ("*@firma.example", "*@firma.example"), ("żółw.example", "xn--w-uga1v8h.example"),
    ("ola@żółw.example", "ola@xn--w-uga1v8h.example"), ("firma.example.", "firma.example")])
def test_what_is_kept(typed, pattern):
    assert pattern_of(typed) == pattern


@pytest.mark.parametrize("typed, code", [("", "bad_pattern"), ("a b@c.example", "bad_pattern"), ("com", "wide_pattern"),
                                         ("a@com", "bad_pattern"), ("@", "bad_pattern"), ("*", "bad_pattern"),
                                         ("x" * 300 + ".example", "bad_pattern"), ("a@b@c.example", "bad_pattern")])
def test_what_is_no_pattern(typed, code):
    with pytest.raises(RuleBroken, match=code):
        pattern_of(typed)


def test_a_provider_of_everybody_is_not_denied_as_a_whole():
    with pytest.raises(RuleBroken, match="public_pattern"):
        check_pattern("deny", "gmail.com", 0)
    assert check_pattern("allow", "gmail.com", 0) == "gmail.com" and check_pattern("deny", "x@gmail.com", 0)
    assert offers("x@gmail.com") == ["x@gmail.com"] and offers("x@evil.example") == ["x@evil.example", "evil.example"]
    assert offers("nobody") == []


@pytest.mark.parametrize("address, rules, said", [
    ("a@evil.example", {"evil.example": "deny"}, "deny"), ("a@mail.evil.example", {"evil.example": "deny"}, "deny"),
    ("a@notevil.example", {"evil.example": "deny"}, None), ("A@EVIL.example", {"a@evil.example": "deny"}, "deny"),
    ("b@evil.example", {"a@evil.example": "deny"}, None),
    ("a@x.evil.example", {"evil.example": "deny", "x.evil.example": "allow"}, "allow"),
    ("a@x.evil.example", {"evil.example": "allow", "x.evil.example": "deny"}, "allow"),
    ("a@evil.example", {"evil.example": "deny", "a@evil.example": "allow"}, "allow"),
    ("a@evil.example", {"evil.example": "allow", "a@evil.example": "deny"}, "deny"),
    ("a@żółw.example", {"xn--w-uga1v8h.example": "deny"}, "deny"), ("no address", {"evil.example": "deny"}, None)])
def test_what_the_lists_say(address, rules, said):
    assert verdict(address, rules) == said


def test_whatever_is_typed_is_kept_once_or_refused():
    rng, kept = random.Random(1), 0
    for _ in range(5_000):
        text = "".join(rng.choice("aB@.*-żł \x00\ud800") for _ in range(rng.randint(0, 12)))
        try:
            pattern = pattern_of(text)
        except RuleBroken:
            continue
        kept += 1
        assert pattern_of(pattern) == pattern and pattern == pattern.lower()
    assert kept > 10
