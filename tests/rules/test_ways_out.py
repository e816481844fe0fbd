"""What a person who was refused can do next: every holder, for an admin, a member and the holder themselves."""

import pytest

from webapp.rules import RuleBroken
from webapp.rules.connections import Held, Holder, ask, check_release, check_switch, ways_out

ME, OTHER, GONE, SALES, BOARD = 1, 2, 3, 5, 6
HELD = {
    "mine": Held(Holder("personal", ME), frozenset({"mail"}), hold_id=9),
    "mine, takes bookings": Held(Holder("personal", ME), frozenset({"mail", "calendar"}), hold_id=9),
    "mine, only bookings": Held(Holder("personal", ME), frozenset({"calendar"}), hold_id=9),
    "mine, by login": Held(Holder("personal", ME), frozenset({"mail"}), by_login=True, hold_id=9),
    "a colleague's": Held(Holder("personal", OTHER), frozenset({"mail"}), hold_id=9),
    "a colleague's bookings": Held(Holder("personal", OTHER), frozenset({"calendar"}), hold_id=9),
    "a removed person's": Held(Holder("personal", GONE), frozenset({"mail"}), gone=True, hold_id=9),
    "an inbox's": Held(Holder("team", SALES), frozenset({"mail"}), hold_id=9),
    "a restricted inbox's": Held(Holder("team", BOARD), frozenset({"mail"}), restricted=True, hold_id=9),
}
GHOST, ASK = ("release", "restore", "another"), ("ask", "another")
# what is there, wanted as -> ways out for an admin, for a member
WAYS = {
    ("mine", "team"): (("switch", "mailboxes", "another"), ("mailboxes", "another")),
    ("mine, takes bookings", "team"): (("mailboxes", "another"),) * 2,
    ("mine, only bookings", "team"): (("mailboxes", "another"),) * 2,
    ("mine, by login", "team"): (("mailboxes", "another"),) * 2,
    ("mine, by login", "personal"): (("mailboxes", "another"),) * 2,
    ("a colleague's", "personal"): (("release_living", "another"), ASK),
    ("a colleague's", "team"): (("release_living", "another"), ASK),
    ("a colleague's bookings", "team"): (("release_living", "another"), ASK),
    ("a removed person's", "personal"): (GHOST, ASK),
    ("a removed person's", "team"): (GHOST, ASK),
    ("an inbox's", "personal"): (("switch", "inbox", "another"), ("inbox", "ask", "another")),
    ("an inbox's", "team"): (("inbox", "another"), ("inbox", "ask", "another")),
    ("a restricted inbox's", "personal"): (("switch", "inbox", "another"), ASK),
    ("a restricted inbox's", "team"): (("inbox", "another"), ASK),
}


@pytest.mark.parametrize(("there", "wanted"), WAYS)
def test_each_refusal_has_its_way_out(there, wanted):
    holder = Holder("personal", ME) if wanted == "personal" else Holder("team", 4)
    with pytest.raises(RuleBroken) as refused:
        ask(holder, "mail", HELD[there])
    assert tuple(ways_out(refused.value, role, ME) for role in ("admin", "member")) == WAYS[there, wanted]
    assert all(ways_out(refused.value, role, ME) for role in ("admin", "member", "viewer"))


@pytest.mark.parametrize(("broken", "ways"), [
    (RuleBroken("address", "here_already", connection=4), ("show",)),
    (RuleBroken("address", "here_already", connection=0), ("another",)),
    (RuleBroken("address", "not_an_address"), ()),
    (RuleBroken("address", "team_calendar"), ("another",)),
])
def test_what_needs_no_holder(broken, ways):
    assert ways_out(broken, "admin", ME) == ways


def verdict(rule, *arguments):
    try:
        return rule(*arguments) or "yes"
    except RuleBroken as broken:
        return broken.code


@pytest.mark.parametrize(("role", "kind", "uses", "wanted", "answer"), [
    ("admin", "personal", ["mail"], "team", "yes"), ("admin", "team", ["mail"], "personal", "yes"),
    ("admin", "personal", ["mail", "calendar"], "team", "takes_bookings"),
    ("admin", "personal", ["mail"], "personal", "not_now"),
    ("member", "personal", ["mail"], "team", "admins_only"), ("member", "team", ["mail"], "personal", "admins_only"),
    ("viewer", "personal", ["mail"], "team", "viewer"), ("viewer", "team", ["mail"], "personal", "viewer"),
])
def test_who_may_switch_the_kind(role, kind, uses, wanted, answer):
    assert verdict(check_switch, role, kind, uses, wanted) == answer


@pytest.mark.parametrize(("role", "kind", "answer"), [
    ("admin", "personal", "yes"), ("admin", "team", "disconnect_it"), ("member", "personal", "admins_only_here"),
    ("viewer", "personal", "admins_only_here")])
def test_who_may_release(role, kind, answer):
    assert verdict(check_release, role, kind) == answer
