"""Who is shown which pictures: what may be allowed for good, what a leave is worth, when it is tried again."""

from datetime import timedelta

import pytest

from webapp.rules import RuleBroken
from webapp.rules.pictures import FREEMAIL, LEAVES_MOST, TRIES_MOST, check_leave, is_allowed, next_try, values_of


@pytest.mark.parametrize(("address", "sure", "values"), [
    ("Anna@Customer.example", True, {"sender": "anna@customer.example", "domain": "customer.example"}),
    ("anna@żółw.example", True, {"sender": "anna@xn--w-uga1v8h.example", "domain": "xn--w-uga1v8h.example"}),
    ("anna@GMAIL.com", True, {"sender": "anna@gmail.com"}),
    ("a@yahoo.com.mx", True, {"sender": "a@yahoo.com.mx"}), ("a@live.se", True, {"sender": "a@live.se"}),
    ("a@duck.com", True, {"sender": "a@duck.com"}), ("a@ziggo.nl", True, {"sender": "a@ziggo.nl"}),
    ("a@live-shop.example", True, {"sender": "a@live-shop.example", "domain": "live-shop.example"}), ("jan@wp.pl", True, {"sender": "jan@wp.pl"}),
    ("anna@customer.example", False, {}), ("", True, {}), ("nobody", True, {}), ("a@b@c", True, {}),
])
def test_what_may_be_allowed_for_good(address, sure, values):
    assert values_of(address, sure) == values


LEAVES = {("sender", "anna@customer.example"), ("domain", "shop.example"), ("message", "7")}


@pytest.mark.parametrize(("message_id", "address", "sure", "by"), [
    (7, "stranger@evil.example", True, "message"), (7, "anna@customer.example", False, "message"),
    (7, "anna@customer.example", True, "sender"),
    (8, "Anna@customer.example", True, "sender"), (8, "jan@customer.example", True, None),
    (8, "anyone@shop.example", True, "domain"), (8, "anyone@mail.shop.example", True, None),
    (8, "anyone@shop.example.evil.example", True, None), (8, "anna@customer.example", False, None),
    (8, "anyone@shop.example", False, None), (8, "", True, None), (77, "stranger@evil.example", True, None),
])
def test_a_leave_counts_for_exactly_what_it_names_and_not_for_a_sender_in_doubt(message_id, address, sure, by):
    assert is_allowed(message_id, address, sure, LEAVES) == by
    assert is_allowed(message_id, address, sure, set()) is None


@pytest.mark.parametrize(("scope", "address", "sure", "count", "code"), [
    ("sender", "anna@customer.example", False, 0, "sender_unsure"), ("domain", "", True, 0, "sender_unsure"),
    ("domain", "anna@gmail.com", True, 0, "freemail_domain"), ("message", "anna@customer.example", True, 0, "not_a_choice"),
    ("", "anna@customer.example", True, 0, "not_a_choice"),
    ("sender", "anna@customer.example", True, LEAVES_MOST, "too_many_senders"),
])
def test_what_cannot_be_allowed_says_why(scope, address, sure, count, code):
    with pytest.raises(RuleBroken) as broken:
        check_leave(scope, address, sure, count)
    assert (broken.value.field, broken.value.code) == ("scope", code)


def test_what_can_be_allowed_is_stored_in_one_form():
    assert check_leave("sender", "Anna@Gmail.com", True, 0) == "anna@gmail.com"
    assert check_leave("domain", "Anna@Customer.Example", True, LEAVES_MOST - 1) == "customer.example"


def test_domains_of_everybody_are_written_as_they_are_compared():
    assert {"gmail.com", "wp.pl", "o2.pl", "outlook.com", "gmx.de"} <= FREEMAIL
    assert all(values_of(f"a@{domain}", True) == {"sender": f"a@{domain}"} for domain in FREEMAIL)


def test_only_what_may_pass_is_tried_again_and_not_for_ever():
    assert [next_try("unreachable", tries) for tries in (1, 2)] == [timedelta(minutes=1), timedelta(minutes=10)]
    assert [next_try("unreachable", tries) for tries in (0, TRIES_MOST, 99)] == [None] * 3
    assert [next_try(why, 1) for why in ("missing", "not_allowed", "not_a_picture", "too_large", "too_many")] == [None] * 5
