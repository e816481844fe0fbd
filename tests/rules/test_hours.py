import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from webapp.rules import RuleBroken
from webapp.rules.hours import DEFAULT, hours_of, is_there, spans_of, text_of

WARSAW = ZoneInfo("Europe/Warsaw")
OFFICE = {"zone": "Europe/Warsaw", "days": DEFAULT}


@pytest.mark.parametrize("at, there", [
    ("2026-11-30 09:00", True), ("2026-11-30 08:59", False), ("2026-11-30 16:59", True), ("2026-11-30 17:00", False),
    ("2026-11-28 12:00", False), ("2026-11-29 12:00", False)])
def test_the_office(at, there):
    assert is_there(OFFICE, datetime.fromisoformat(at).replace(tzinfo=WARSAW)) is there


def test_who_has_said_no_hours_is_always_there():
    assert is_there(None, datetime(2026, 11, 29, 3, tzinfo=UTC))


def test_a_break_at_noon_and_a_night():
    hours = hours_of("Europe/Warsaw", ["8-12, 13:00–17.30", "", "", "", "22:00-24:00", "0-6", ""])
    assert hours["days"][0] == [["08:00", "12:00"], ["13:00", "17:30"]]
    for at, there in (("2026-11-30 12:30", False), ("2026-11-30 17:29", True), ("2026-12-04 23:59", True),
                      ("2026-12-05 05:59", True), ("2026-12-05 06:00", False)):
        assert is_there(hours, datetime.fromisoformat(at).replace(tzinfo=WARSAW)) is there, at


@pytest.mark.parametrize("at, there", [
    # Spring 2026-03-29: 01:59 CET is followed by 03:00 CEST. Autumn 2026-10-25: 02:00-02:59 comes twice.
    ("2026-03-29T00:59+00:00", True), ("2026-03-29T01:00+00:00", False), ("2026-03-30T07:00+00:00", True),
    ("2026-03-27T07:59+00:00", False), ("2026-03-27T08:00+00:00", True), ("2026-10-25T00:15+00:00", True),
    ("2026-10-25T01:15+00:00", True), ("2026-10-25T02:00+00:00", False)])
def test_the_clocks_change(at, there):
    days = [*DEFAULT[:6], [["01:00", "03:00"]]]
    assert is_there({"zone": "Europe/Warsaw", "days": days}, datetime.fromisoformat(at)) is there


def test_it_is_the_clock_on_the_wall_that_counts():
    rng = random.Random(1)
    for _ in range(5_000):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=rng.randrange(2 * 366 * 24 * 60))
        wall = at.astimezone(WARSAW)
        assert is_there(OFFICE, at) is (wall.weekday() < 5 and 9 <= wall.hour < 17)
        assert is_there(OFFICE, at) is is_there(OFFICE, at.astimezone(ZoneInfo("Pacific/Kiritimati")))


@pytest.mark.parametrize("text, code", [("9", "bad_hours"), ("17-9", "bad_hours"), ("9-25", "bad_hours"),
                                        ("9:70-10", "bad_hours"), ("9-12, 11-13", "hours_overlap"), ("9-9", "bad_hours"),
                                        ("24:30-25", "bad_hours"), ("1-2," * 40, "many_spans"), ("noon", "bad_hours")])
def test_hours_that_are_none(text, code):
    with pytest.raises(RuleBroken) as broken:
        spans_of(text, "day3")
    assert (broken.value.field, broken.value.code) == ("day3", code)


def test_a_zone_that_is_none():
    with pytest.raises(RuleBroken, match="unknown_time_zone"):
        hours_of("../../etc/passwd", [""] * 7)


def test_what_is_shown_can_be_typed_again():
    rng = random.Random(2)
    for _ in range(500):
        times = [f"{m // 60:02}:{m % 60:02}" for m in sorted(rng.sample(range(24 * 60 + 1), rng.choice((0, 2, 4, 8))))]
        spans = [times[i:i + 2] for i in range(0, len(times), 2)]
        assert spans_of(text_of(spans)) == spans


def test_a_week_has_as_many_hours_as_were_said():
    start = datetime(2026, 11, 30, tzinfo=WARSAW)
    assert sum(is_there(OFFICE, start + timedelta(minutes=m)) for m in range(7 * 24 * 60)) == 5 * 8 * 60
