"""What a list shows, said in its address and back."""

from itertools import product

from webapp.rules.listing import SORTS, STATUSES, VIEWS, Listing


def test_every_list_comes_back_from_its_address():
    for status, view, sort, tag, files, late in product(STATUSES, VIEWS, SORTS, (None, 7), *[(False, True)] * 2):
        one = Listing(3, status, view, sort, tag, None, 9 if tag else None, files, late)
        assert Listing.of(one.query(), 3) == one


def test_a_plain_list_says_nothing_and_rubbish_is_left_out():
    assert Listing(3).query() == {} and Listing().query() == {}
    odd = {"status": "<b>", "view": ["mine"], "sort": "", "tag": "9999999999999", "assignee": "-1", "team": "x", "files": "0"}
    assert Listing.of(odd, 3) == Listing(3)
