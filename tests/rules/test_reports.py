import random
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest

from webapp.rules.reports import (
    HEAT,
    LONGEST,
    Measures,
    Period,
    change,
    nice_top,
    order,
    percentile,
    shade,
)

TODAY = date(2026, 11, 30)


@pytest.mark.parametrize("asked, first, last", [
    ({}, "2026-11-01", "2026-11-30"), ({"days": "7"}, "2026-11-24", "2026-11-30"), ({"days": "90"}, "2026-09-02", "2026-11-30"),
    ({"days": "own", "since": "2026-01-05", "until": "2026-01-09"}, "2026-01-05", "2026-01-09"),
    ({"days": "own", "since": "2026-01-09", "until": "2026-01-05"}, "2026-01-05", "2026-01-09"),
    ({"days": "own", "since": "2026-11-25", "until": "2030-01-01"}, "2026-11-25", "2026-11-30"),
    ({"days": "own", "since": "1999-01-01", "until": "2026-01-05"}, "2025-01-05", "2026-01-05"),
    ({"days": "own", "since": "2026-01-09"}, "2026-11-01", "2026-11-30"), ({"days": "8"}, "2026-11-01", "2026-11-30"),
    ({"days": "own", "since": "x", "until": "<b>"}, "2026-11-01", "2026-11-30")])
def test_the_days_of_a_report(asked, first, last):
    period = Period.of(asked, TODAY)
    assert (period.first.isoformat(), period.last.isoformat()) == (first, last)
    assert Period.of({k: str(v) for k, v in period.query().items()}, TODAY) == period


def test_the_period_before_is_as_long_and_ends_where_this_one_begins():
    rng = random.Random(3)
    for _ in range(300):
        a, b = sorted(TODAY - timedelta(days=rng.randrange(700)) for _ in range(2))
        period = Period.of({"days": "own", "since": a.isoformat(), "until": b.isoformat()}, TODAY)
        before = period.before()
        assert before.length == period.length <= LONGEST and before.last + timedelta(days=1) == period.first
        bars = period.bars()
        assert (bars[0][0], bars[-1][1]) == (period.first, period.last) and len(bars) <= 92
        assert all(x[1] + timedelta(days=1) == y[0] for x, y in zip(bars, bars[1:], strict=False))


def test_a_period_goes_from_midnight_to_midnight():
    period = Period.of({"days": "7"}, TODAY)
    at = period.bounds(lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC))
    assert at == (datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))


def test_percentiles_are_those_of_the_sorted_list():
    rng = random.Random(4)
    for _ in range(300):
        values = sorted(rng.choices(range(50), k=rng.randrange(1, 60)))
        counted = {v: values.count(v) for v in values}
        for share in (50, 90):
            assert percentile(counted, share) == values[-(-len(values) * share // 100) - 1]
    assert percentile({}, 50) is None and percentile({7: 1}, 90) == 7


def test_measures():
    one = Measures(first={5: 1, 10: 1, 600: 1}, closing={60: 1}, kept=199, missed=1)
    assert (one.first_median, one.first_p90, one.close_median, one.in_time) == (10, 600, 60, 99)
    assert Measures().is_empty and Measures().in_time is None and Measures().first_median is None and not one.is_empty


@pytest.mark.parametrize("now, before, by", [(12, 10, 20), (5, 10, -50), (5, 0, None), (None, 5, None), (5, None, None), (0, 4, -100)])
def test_changes(now, before, by):
    assert change(now, before) == by


def test_the_top_of_a_plot_is_round_and_not_far_above():
    for most in range(2000):
        top = nice_top(most)
        assert most <= top <= max(1, most * 5 // 2)


def test_shades():
    assert [shade(n, 10) for n in (0, 1, 2, 3, 10)] == [0, 1, 1, 2, HEAT] and shade(0, 0) == 0


def test_rows_are_sorted_by_a_column_with_what_is_unknown_last():
    rows = [SimpleNamespace(measures=m) for m in (Measures(mail_in=1), Measures(mail_in=3, first={4: 1}), Measures(first={9: 1}))]
    assert [r.measures.mail_in for r in order(rows, "mail_in")[0]] == [3, 1, 0]
    assert [r.measures.first_median for r in order(rows, "first_median")[0]] == [9, 4, None]
    assert order(rows, "__class__")[1] == "mail_in"
