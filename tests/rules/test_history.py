"""How far back."""

from datetime import UTC, date, datetime

import pytest

from webapp.rules import RuleBroken
from webapp.rules.bounds import HISTORIES
from webapp.rules.history import check_history, oldest, widens

CONNECTED = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)


def test_each_choice_has_its_day_a_day_early_for_every_zone():
    assert [oldest(h, CONNECTED) for h in HISTORIES] == [
        None, date(2025, 11, 21), date(2026, 8, 22), date(2026, 11, 22)]


def test_the_first_choice_reaches_furthest():
    assert [(a, b) for a in HISTORIES for b in HISTORIES if widens(a, b)] == [
        ("year", "all"), ("quarter", "all"), ("quarter", "year"), ("new", "all"), ("new", "year"), ("new", "quarter")]


@pytest.mark.parametrize("choice", ["", "ALL", "forever", None])
def test_only_what_is_offered(choice):
    with pytest.raises(RuleBroken):
        check_history(choice)
    assert all(check_history(h) is None for h in HISTORIES)
