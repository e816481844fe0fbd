"""Whoever was taken off does nothing more, not even with what was their own."""

import pytest
from mailroom import arrive, connected, letter, person, stored

from webapp.actions import replies
from webapp.extensions import db, unit
from webapp.models import Conversation, Inbox, Outbox


@pytest.mark.parametrize("how", ["made a viewer", "not a member"])
def test_an_uncertain_mail_is_not_sent_again_by_who_may_not_answer_any_more(team, browser_of, how):
    arrive(connected(), letter())
    with browser_of("marek") as browser:
        with unit():
            row = replies.reply(person("marek"), db.session.get(Conversation, 1), "Hello")
            row.state = "uncertain"
            outbox_id = row.id
        with unit():
            if how == "made a viewer":
                person("marek").role = "viewer"
            else:
                db.session.get(Inbox, 1).access = "members"
        assert browser.post(f"/outbox/{outbox_id}/again").status_code in (403, 404)
        assert browser.post(f"/outbox/{outbox_id}/undo").status_code in (404, 303)
    assert stored(Outbox)[0].state == "uncertain"
