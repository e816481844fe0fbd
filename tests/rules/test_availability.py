"""Who is there: by hand, by hours of their own clock, by days off."""

from datetime import UTC, date, datetime

import pytest

from webapp.rules import RuleBroken
from webapp.rules.availability import away_because, check_absence, may_set

NINE_TO_FIVE = {"zone": "Europe/Warsaw", "days": [[["09:00", "17:00"]]] * 7}
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize("is_away, hours, absences, zone, reason", [
    (False, None, (), "Europe/Warsaw", None), (True, None, (), "Europe/Warsaw", "said_so"),
    (False, NINE_TO_FIVE, (), "Europe/Warsaw", None), (False, NINE_TO_FIVE, (), "Asia/Tokyo", "off_hours"),
    (False, NINE_TO_FIVE, (), "America/New_York", "off_hours"),
    (True, NINE_TO_FIVE, [(date(2026, 11, 30), date(2026, 11, 30))], "Europe/Warsaw", "absent"),
    (False, None, [(date(2026, 11, 29), date(2026, 11, 29))], "Europe/Warsaw", None),
    (False, None, [(date(2026, 12, 1), date(2026, 12, 1))], "Pacific/Kiritimati", "absent")])
def test_away_because(is_away, hours, absences, zone, reason):
    assert away_because(is_away, hours, absences, zone, NOON) == reason


@pytest.mark.parametrize("first, last, count, field, code", [
    (None, date(2026, 1, 1), 0, "first", "no_day"), (date(2026, 1, 2), date(2026, 1, 1), 0, "last", "ends_before"),
    (date(2025, 1, 2), date(2025, 1, 3), 0, "last", "over_already"),
    (date(2026, 1, 2), date(2028, 1, 3), 0, "last", "long_absence"),
    (date(2026, 1, 2), date(2026, 1, 3), 50, "first", "many_absences")])
def test_days_off_that_cannot_be_are_refused_at_their_field(first, last, count, field, code):
    with pytest.raises(RuleBroken) as broken:
        check_absence(first, last, date(2026, 1, 1), count)
    assert (broken.value.field, broken.value.code) == (field, code)


def test_ones_own_and_an_admins():
    assert may_set("viewer", 1, 1) and may_set("admin", 1, 2) and not may_set("member", 1, 2)
