"""Until when, as people say it."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from webapp.rules import RuleBroken
from webapp.rules.snoozing import until

WARSAW = ZoneInfo("Europe/Warsaw")
FRIDAY = datetime(2026, 11, 27, 14, 30, tzinfo=WARSAW)


@pytest.mark.parametrize(("choice", "then"), [
    ("later", datetime(2026, 11, 27, 17, 30)), ("tomorrow", datetime(2026, 11, 28, 8)),
    ("monday", datetime(2026, 11, 30, 8)), ("week", datetime(2026, 12, 4, 8))])
def test_each_choice_is_a_moment_in_ones_own_zone(choice, then):
    assert until(choice, FRIDAY) == then.replace(tzinfo=WARSAW)


def test_monday_said_on_a_monday_is_the_next_one():
    assert until("monday", datetime(2026, 11, 30, 7, tzinfo=WARSAW)).day == 7


def test_eight_in_the_morning_stays_eight_when_the_clocks_change():
    assert until("tomorrow", datetime(2026, 10, 24, 12, tzinfo=WARSAW)).hour == 8


def test_a_typed_time_is_taken_as_it_stands_and_rubbish_is_refused():
    assert until("custom", FRIDAY, "2027-01-02T09:15") == datetime(2027, 1, 2, 9, 15, tzinfo=WARSAW)
    assert until("answer", FRIDAY) is None
    for typed in ("", "soon", "2027-13-01T00:00", "9" * 50):
        with pytest.raises(RuleBroken):
            until("custom", FRIDAY, typed)
