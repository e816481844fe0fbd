from datetime import UTC, datetime, timedelta

import pytest

from webapp.rules import RuleBroken
from webapp.rules.hours import DEFAULT
from webapp.rules.statuses import ACTIVE
from webapp.rules.targets import TARGET_MAX, due, minutes_of, rough, target_of, took, typed, urgency

FRIDAY = datetime(2026, 11, 27, 15, tzinfo=UTC)     # 16:00 in Warsaw
OFFICE = {"zone": "Europe/Warsaw", "days": DEFAULT}


@pytest.mark.parametrize("number, unit, minutes", [
    ("4", "hours", 240), (" 30 ", "minutes", 30), ("", "hours", None), (" ", "minutes", None),
    ("720", "hours", TARGET_MAX)])
def test_a_target_is_typed_as_a_number_and_a_unit(number, unit, minutes):
    assert minutes_of("first", number, unit) == minutes
    assert minutes_of("first", *typed(minutes)) == minutes


@pytest.mark.parametrize("number, unit", [("0", "hours"), ("-1", "hours"), ("1.5", "hours"), ("721", "hours"), ("²", "hours"),
                                          ("4", "weeks"), ("four", "hours"), ("9999999", "minutes")])
def test_targets_that_are_none(number, unit):
    with pytest.raises(RuleBroken, match="bad_target") as broken:
        minutes_of("later", number, unit)
    assert broken.value.field == "later"


@pytest.mark.parametrize("hours, at", [(None, FRIDAY + timedelta(hours=4)), (OFFICE, FRIDAY + timedelta(days=2, hours=20))])
def test_it_is_due_by_working_time_or_by_the_clock(hours, at):
    assert due("open", FRIDAY, 240, hours) == at


@pytest.mark.parametrize("status", ["snoozed", "closed", "spam", "trash", "merged"])
def test_what_is_put_off_or_done_with_owes_nothing(status):
    assert due(status, FRIDAY, 240, None) is None
    assert due("waiting", FRIDAY, 240, None) and set(ACTIVE) - {"snoozed"} == {"open", "waiting"}


def test_without_a_question_or_a_target_nothing_is_due():
    assert due("open", None, 240, None) is None and due("open", FRIDAY, None, None) is None
    assert (target_of(60, None, True), target_of(60, None, False), target_of(None, 30, False)) == (60, None, 30)


@pytest.mark.parametrize("minutes, in_time", [(None, None), (180, True), (60, True), (59, False)])
def test_how_long_it_took(minutes, in_time):
    monday = FRIDAY + timedelta(days=2, hours=17)
    assert took(FRIDAY, monday, minutes, OFFICE) == (65 * 3600, 3600, in_time)


def test_a_minute_of_working_time_less_is_in_time_again():
    assert took(FRIDAY, FRIDAY + timedelta(minutes=59), 59, OFFICE)[2] is True


def test_how_urgent_it_is():
    assert [urgency(FRIDAY + timedelta(minutes=m), FRIDAY) for m in (-1, 1, 60, 61)] == ["overdue", "soon", "soon", "due"]


@pytest.mark.parametrize("minutes, said", [(0, (1, "minutes")), (45, (45, "minutes")), (89, (89, "minutes")), (90, (1, "hours")),
                                           (47 * 60, (47, "hours")), (72 * 60 + 5, (3, "days")), (-125, (2, "hours"))])
def test_a_span_in_one_number(minutes, said):
    assert rough(timedelta(minutes=minutes)) == said
