"""Mail of a denied sender goes to spam where it is filed, of an allowed one never."""

import pytest
from mailroom import arrive, inbox, letter, person, stored

from webapp.actions import conversations, senders
from webapp.extensions import db, unit
from webapp.models import Audit, Conversation, Event, SenderRule
from webapp.rules import RuleBroken


def say(kind, pattern, actor="zofia"):
    with unit():
        return senders.add_rule(person(actor), inbox(), kind, pattern).id


def evil(number, sender="Spam <spam@mail.evil.example>", **headers):
    return letter(sender=sender, Message_ID=f"<{number}@evil.example>", **headers)


def test_a_denied_sender_goes_to_spam_at_once_also_in_history(box):
    say("deny", "evil.example")
    arrive(box, evil(1), letter(Message_ID="<1@customer.example>"))
    arrive(box, evil(2), first_uid=3, at=stored(Conversation)[0].opened_at.replace(year=2020))
    assert sorted(c.status for c in stored(Conversation)) == ["open", "spam", "spam"]
    old = min(stored(Conversation), key=lambda c: c.opened_at)
    assert old.status_at.year > 2020         # the days until it is deleted count from now


def test_who_is_allowed_is_never_spam(box):
    say("deny", "evil.example")
    say("allow", "spam@mail.evil.example")
    arrive(box, evil(1))
    number = stored(Conversation)[0].id
    assert stored(Conversation)[0].status == "open"
    with unit():
        conversations.mark_spam(person("zofia"), db.session.get(Conversation, number))
    arrive(box, evil(2, In_Reply_To="<1@evil.example>"), first_uid=2)
    assert [c.status for c in stored(Conversation)] == ["open"]


def test_a_closed_conversation_of_the_denied_goes_to_spam_instead_of_opening(box):
    arrive(box, evil(1))
    number = stored(Conversation)[0].id
    with unit():
        conversations.close(person("zofia"), db.session.get(Conversation, number))
    say("deny", "spam@mail.evil.example")
    arrive(box, evil(2, In_Reply_To="<1@evil.example>"), first_uid=2)
    assert [c.status for c in stored(Conversation)] == ["spam"]
    assert stored(Event)[-1].kind == "spam_by_rule"


def test_a_conversation_of_others_stays(box):
    arrive(box, letter(Message_ID="<1@customer.example>", Cc="spam@mail.evil.example"))
    say("deny", "evil.example")
    arrive(box, evil(2, In_Reply_To="<1@customer.example>"), first_uid=2)
    assert [c.status for c in stored(Conversation)] == ["open"]


def test_the_order_in_which_history_is_read_hides_nobody(box):
    """The newest mail is read first, and it is the denied one's."""
    say("deny", "evil.example")
    arrive(box, evil(2, In_Reply_To="<1@customer.example>", Cc="anna@customer.example"), first_uid=2)
    arrive(box, letter(Message_ID="<1@customer.example>", Cc="spam@mail.evil.example"), first_uid=1,
           at=stored(Conversation)[0].opened_at.replace(year=2020))
    assert [c.status for c in stored(Conversation)] == ["closed"]


def test_only_admins_say_so_and_it_is_in_the_log(box):
    with pytest.raises(RuleBroken, match="admins_only_here"):
        say("deny", "evil.example", actor="marek")
    rule = say("deny", "evil.example")
    assert say("deny", "evil.example") == rule == say("allow", "@evil.example")
    with unit():
        senders.remove_rule(person("zofia"), inbox(), db.session.get(SenderRule, rule))
    said = [a.action for a in db.session.query(Audit).order_by(Audit.number) if "sender" in a.action]
    assert said == ["inbox.sender_denied", "inbox.sender_allowed", "inbox.sender_removed"]


def test_spam_offers_to_deny_its_sender(box, browser_of):
    arrive(box, evil(1))
    number = stored(Conversation)[0].id
    with browser_of("marek") as client:
        client.post(f"/conversations/{number}/spam", headers={"Sec-Fetch-Site": "same-origin"})
        assert "deny-sender" not in client.get(f"/conversations/{number}").text
    with browser_of("zofia") as client:
        page = client.get(f"/conversations/{number}").text
        assert 'value="spam@mail.evil.example"' in page and 'value="mail.evil.example"' in page
        client.post(f"/conversations/{number}/deny-sender", data={"pattern": "mail.evil.example"},
                    headers={"Sec-Fetch-Site": "same-origin"})
        assert 'value="mail.evil.example"' not in client.get(f"/conversations/{number}").text
    assert [(r.kind, r.pattern) for r in stored(SenderRule)] == [("deny", "mail.evil.example")]


def test_a_machine_takes_nothing_out_of_spam(box):
    say("deny", "evil.example")
    arrive(box, evil(1, Cc="anna@customer.example"))
    arrive(box, letter(Message_ID="<2@x>", In_Reply_To="<1@evil.example>", Cc="spam@mail.evil.example",
                       Auto_Submitted="auto-replied"), first_uid=2)
    assert [c.status for c in stored(Conversation)] == ["spam"]
    arrive(box, letter(Message_ID="<3@x>", In_Reply_To="<1@evil.example>", Cc="spam@mail.evil.example"), first_uid=3)
    assert [c.status for c in stored(Conversation)] == ["open"]
