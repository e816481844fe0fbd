import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from webapp.rules import RuleBroken
from webapp.rules.hours import (
    DEFAULT,
    HOLIDAYS_MOST,
    after_work,
    holidays_of,
    hours_of,
    is_there,
    spans_of,
    text_of,
    work_seconds,
)

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


def counted(hours, start, end):
    """By looking at every minute: slow, and without doubt."""
    minutes = (end - start) // timedelta(minutes=1)
    return 60 * sum(is_there(hours, start + timedelta(minutes=m)) for m in range(minutes))


def some_hours(rng, zone):
    days = []
    for _ in range(7):
        marks = sorted(rng.sample(range(24 * 60 + 1), rng.choice((0, 2, 2, 4))))
        texts = [f"{m // 60:02}:{m % 60:02}" for m in marks]
        days.append([texts[i:i + 2] for i in range(0, len(texts), 2)])
    return {"zone": zone, "days": days}


@pytest.mark.parametrize("zone, changes", [
    ("Europe/Warsaw", "2026-03-29"), ("Europe/Warsaw", "2026-10-25"), ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"), ("Australia/Lord_Howe", "2026-04-05"), ("Africa/Cairo", "2026-04-24"),
    ("Africa/Cairo", "2026-10-30"), ("Asia/Kathmandu", "2026-05-01"), ("UTC", "2026-05-01")])
def test_working_time_is_the_time_in_which_somebody_is_there(zone, changes):
    rng = random.Random(f"{zone}{changes}")
    for _ in range(20):
        hours = some_hours(rng, zone)
        start = datetime.fromisoformat(changes).replace(tzinfo=UTC) - timedelta(minutes=rng.randrange(24 * 60))
        end = start + timedelta(minutes=rng.randrange(2 * 24 * 60))
        assert work_seconds(hours, start, end) == counted(hours, start, end), (hours, start, end)


@pytest.mark.parametrize("zone", ["Europe/Warsaw", "America/New_York", "Asia/Kathmandu"])
def test_what_is_added_is_what_is_counted(zone):
    rng = random.Random(zone)
    for _ in range(300):
        hours = some_hours(rng, zone) | {"holidays": ["2026-03-30", "2026-10-26"]}
        start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(366 * 86_400))
        middle = start + timedelta(seconds=rng.randrange(10 * 86_400))
        end = middle + timedelta(seconds=rng.randrange(10 * 86_400))
        parts = [work_seconds(hours, *pair) for pair in ((start, middle), (middle, end), (start, end))]
        assert parts[0] + parts[1] == parts[2] and parts[2] <= (end - start).total_seconds()
        seconds = rng.randrange(1, 60 * 3600)
        due = after_work(hours, start, seconds)
        if not any(hours["days"]):
            assert due is None
            continue
        assert work_seconds(hours, start, due) == seconds
        assert work_seconds(hours, start, due - timedelta(seconds=1)) == seconds - 1
        assert due <= after_work(hours, start, seconds + rng.randrange(3600))


@pytest.mark.parametrize("start, minutes, due", [
    ("2026-11-30 09:00", 240, "2026-11-30 13:00"), ("2026-11-30 16:00", 120, "2026-12-01 10:00"),
    ("2026-11-28 12:00", 60, "2026-11-30 10:00"), ("2026-11-30 09:00", 480, "2026-11-30 17:00"),
    ("2026-12-23 16:30", 60, "2026-12-28 09:30"),      # Christmas, then a week-end
    ("2026-03-27 16:00", 120, "2026-03-30 10:00"), ("2026-10-23 16:00", 120, "2026-10-26 10:00")])
def test_when_an_answer_is_due(start, minutes, due):
    hours = OFFICE | {"holidays": ["2026-12-24", "2026-12-25"]}
    start, due = (datetime.fromisoformat(t).replace(tzinfo=WARSAW) for t in (start, due))
    assert after_work(hours, start, minutes * 60) == due


def test_without_hours_the_clock_counts():
    start = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert after_work(None, start, 86_400) == start + timedelta(days=1)
    assert work_seconds(None, start, start + timedelta(hours=30)) == 30 * 3600
    assert work_seconds(None, start, start - timedelta(1)) == work_seconds(OFFICE, start, start - timedelta(1)) == 0


def test_where_nobody_ever_is_nothing_is_ever_due():
    closed = {"zone": "UTC", "days": [[] for _ in range(7)]}
    assert after_work(closed, datetime(2026, 1, 1, tzinfo=UTC), 60) is None
    seldom = {"zone": "UTC", "days": [[["09:00", "09:01"]]] + [[]] * 6}
    assert after_work(seldom, datetime(2026, 1, 1, tzinfo=UTC), 60 * 1_000) is None
    assert hours_of("UTC", [""] * 7) is None
    with pytest.raises(RuleBroken, match="no_hours_at_all"):
        hours_of("UTC", [""] * 7, "2026-12-25")


def test_nobody_is_there_on_a_holiday():
    hours = hours_of("Europe/Warsaw", ["9-17"] * 7, "25.12.2026, 2026-12-24\n1/1/2027 2026-12-24")
    assert hours["holidays"] == ["2026-12-24", "2026-12-25", "2027-01-01"]
    assert not is_there(hours, datetime(2026, 12, 25, 12, tzinfo=WARSAW))
    assert is_there(hours, datetime(2026, 12, 26, 12, tzinfo=WARSAW))


@pytest.mark.parametrize("text, code", [("31.02.2026", "bad_holiday"), ("Christmas", "bad_holiday"),
                                        ("2026-12-24 " * (HOLIDAYS_MOST + 1), "many_holidays")])
def test_holidays_that_are_none(text, code):
    with pytest.raises(RuleBroken, match=code) as broken:
        holidays_of(text)
    assert broken.value.field == "holidays"
