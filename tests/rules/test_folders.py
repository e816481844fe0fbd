"""Which folders can be read."""

import pytest

from webapp.rules import RuleBroken
from webapp.rules.bounds import FOLDER_ROLES
from webapp.rules.folders import check_folders, is_needed, is_offered


def test_inbox_and_sent_are_always_read_and_what_nobody_wanted_never():
    assert [role for role in FOLDER_ROLES if is_needed(role)] == ["inbox", "sent"]
    assert [role for role in FOLDER_ROLES if not is_offered(role)] == ["drafts", "trash", "junk"]


@pytest.mark.parametrize("wanted", [[2], [1, 2], [9]])
def test_what_is_not_offered_or_not_there_is_refused(wanted):
    with pytest.raises(RuleBroken):
        check_folders(wanted, {1: "other", 2: "junk"})


def test_others_may_be_chosen():
    check_folders([1, 3], {1: "other", 2: "junk", 3: "all"})
