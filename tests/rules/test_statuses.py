"""What mail makes of where a conversation stands."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from webapp.rules import RuleBroken
from webapp.rules.bounds import CONVERSATION_STATES
from webapp.rules.statuses import after_incoming, after_outgoing, check_snooze, joined

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.mark.parametrize(("status", "newest", "news", "then"), [
    ("waiting", True, True, "open"), ("waiting", True, False, "open"), ("waiting", False, True, "waiting"),
    ("closed", True, True, "open"), ("closed", True, False, "closed"), ("snoozed", True, True, "open"),
    ("snoozed", True, False, "snoozed"), ("trash", True, True, "open"), ("spam", True, True, "spam"),
    ("open", False, False, "open")])
def test_an_answer_brings_back_what_was_put_away_and_history_does_not(status, newest, news, then):
    assert after_incoming(status, newest, news) == then


@pytest.mark.parametrize(("status", "newest", "here", "then"), [
    ("open", True, True, "waiting"), ("closed", True, True, "waiting"), ("snoozed", True, True, "waiting"),
    ("spam", True, True, "spam"), ("open", True, False, "waiting"), ("open", False, False, "open"),
    ("closed", True, False, "closed"), ("snoozed", True, False, "snoozed")])
def test_our_answer_makes_it_wait_for_the_customer(status, newest, here, then):
    assert after_outgoing(status, newest, here) == then


def test_two_that_become_one_are_for_somebody_when_either_was():
    for one, other, ours in itertools.product(CONVERSATION_STATES, CONVERSATION_STATES, (True, False)):
        after = joined(one, other, ours)
        if one in ("spam", "trash"):
            assert after == one
        elif "open" in (one, other) and "waiting" not in (one, other):
            assert after == "open"
        elif "waiting" in (one, other):
            assert after == ("waiting" if ours else "open")
        else:
            assert after == one


def test_a_snooze_ends_in_the_future_and_not_in_ten_years():
    check_snooze(None, NOW)
    check_snooze(NOW + timedelta(minutes=1), NOW)
    for until, code in ((NOW, "not_ahead"), (NOW - timedelta(days=1), "not_ahead"), (NOW + timedelta(days=999), "far_ahead")):
        with pytest.raises(RuleBroken) as broken:
            check_snooze(until, NOW)
        assert (broken.value.field, broken.value.code) == ("until", code)
