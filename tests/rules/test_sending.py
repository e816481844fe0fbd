"""Limits of an address, files of a message, the name that customers see."""

from datetime import UTC, datetime, timedelta

import pytest

from webapp.rules import RuleBroken
from webapp.rules.bounds import FILES_MAX, FILES_MAX_MB
from webapp.rules.sending import DAY, MINUTE, check_files, check_later, check_letter, from_name, room_at

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def at(*seconds):
    return [NOW - timedelta(seconds=s) for s in seconds]


@pytest.mark.parametrize(("per_minute", "per_day", "seconds", "found"), [
    (0, 0, (1, 1, 1), (None, None)), (2, 0, (5,), (None, None)),
    (2, 0, (50, 5), (NOW + MINUTE - timedelta(seconds=50), "limit_minute")),
    (2, 0, (55, 50, 5), (NOW + MINUTE - timedelta(seconds=50), "limit_minute")),
    (0, 2, (7200, 3600), (NOW + DAY - timedelta(seconds=7200), "limit_day")),
    (1, 1, (7200,), (NOW + DAY - timedelta(seconds=7200), "limit_day")),
])
def test_when_there_is_room_again(per_minute, per_day, seconds, found):
    left = sorted(at(*seconds))
    assert room_at(per_minute, per_day, [t for t in left if t > NOW - MINUTE], left) == found


def test_files_have_bounds():
    check_files([FILES_MAX_MB * 1_000_000])
    for sizes, code in (([1] * (FILES_MAX + 1), "many_files"), ([FILES_MAX_MB * 1_000_000, 1], "large_files")):
        with pytest.raises(RuleBroken) as broken:
            check_files(sizes)
        assert broken.value.code == code


def test_a_letter_says_something_unless_it_carries_something():
    for text, files, forwards in (("x", False, False), ("", True, False), (" ", False, True)):
        check_letter(text, None, "", files, forwards)
    with pytest.raises(RuleBroken):
        check_letter(" \n", None, "Subject", False)


def test_later_is_ahead_and_within_a_year():
    check_later(NOW + timedelta(days=3), NOW)
    for wrong, code in ((NOW, "not_ahead"), (NOW + timedelta(days=400), "year_ahead")):
        with pytest.raises(RuleBroken) as broken:
            check_later(wrong, NOW)
        assert broken.value.code == code


def test_the_name_that_customers_see():
    assert from_name("person", "Zofia Lis", "Transwisła") == "Zofia Lis, Transwisła"
    assert from_name("company", "Zofia Lis", "Transwisła") == "Transwisła"
