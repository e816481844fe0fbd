"""Where messages lie: what is written, and what is passed over."""

import pytest
from mailroom import arrive, connected, folder_of, letter, stored

from webapp.actions import places
from webapp.extensions import unit
from webapp.models import Message, Place


@pytest.fixture
def box(team):
    made = connected()
    arrive(made, *(letter(subject=f"Number {n}", Message_ID=f"<{n}@x>") for n in range(1, 9)))
    with unit():
        folder_of(made).high_uid = 8
    return made


def gone():
    return [p.uid for p in stored(Place) if p.gone_at]


@pytest.mark.parametrize(("ranges", "expected"), [
    ((), []), (((2, 3),), [2, 3]), (((1, 1), (7, 4_000_000_000)), [1, 7, 8]), (((9, 10),), []),
    (tuple((n * 10, n * 10 + 5) for n in range(1, 500)), []),
    (((8, 8), *((n * 10, n * 10) for n in range(1, 500)), (2, 4)), [2, 3, 4, 8]),
    (tuple((1, 8) for _ in range(500)), [1, 2, 3, 4, 5, 6, 7, 8]),
])
def test_ranges_of_any_size_and_number_mark_what_is_here(box, ranges, expected):
    with unit():
        places.mark_gone(folder_of(box), ranges)
    assert gone() == expected
    assert len(stored(Message)) == 8


def test_what_is_gone_keeps_when_it_went(box):
    with unit():
        places.mark_gone(folder_of(box), ((2, 2),))
    [first] = [p.gone_at for p in stored(Place) if p.gone_at]
    with unit():
        places.mark_gone(folder_of(box), ((1, 8),))
    assert stored(Place, Place.uid == 2)[0].gone_at == first


@pytest.mark.parametrize(("listed", "found"), [
    ([1, 2, 3, 4, 5, 6, 7, 8], ([], 0, 8)), ([], ([], 8, 8)), ([2, 3, 9, 12], ([9, 12], 6, 8)),
    ([1, 2, 3, 4, 5, 6, 7, 8, 100], ([100], 0, 8)),
])
def test_two_lists_are_compared_both_ways(box, listed, found):
    with unit():
        assert places.compare(folder_of(box), 1, listed, 200) == found
    assert gone() == [uid for uid in range(1, 9) if uid not in listed]


def test_a_part_is_compared_without_touching_the_rest(box):
    with unit():
        assert places.compare(folder_of(box), 3, [4], 5) == ([], 2, 3)
    assert gone() == [3, 5]
    with unit():
        assert places.compare(folder_of(box), 1, [], 8, mend=False) == ([], 6, 6)
    assert gone() == [3, 5]


def test_flags_are_written_where_a_place_is_and_other_folders_are_left_alone(box):
    arrive(box, letter(subject="Other"), role="archive", flags=["\\Seen"])
    with unit():
        places.set_flags(folder_of(box), {1: frozenset({"b", "\\Seen"}), 99: frozenset({"x"})})
    flags = {(p.folder_id == folder_of(box).id, p.uid): p.flags for p in stored(Place)}
    assert (flags[True, 1], flags[True, 2], flags[False, 1]) == (["\\Seen", "b"], [], ["\\Seen"])
