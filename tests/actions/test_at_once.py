"""Two people who merge the same conversations at the same moment."""

import pytest
from mailroom import arrive, connected, letter, person, stored
from sqlalchemy import select
from tabs import at_once, let_two_meet

from webapp.actions import regroup
from webapp.extensions import db
from webapp.models import Conversation, Message, ThreadKey
from webapp.rules import RuleBroken


def mail(number, answers=None):
    ties = {"In_Reply_To": f"<{answers}@x>"} if answers is not None else {}
    return letter(text=f"Number {number}", Message_ID=f"<{number}@x>", **ties)


def whole(count):
    """All mails are there, each conversation counts its own, and a merged one leads to where its mail is, in no circle."""
    conversations = {c.id: c for c in stored(Conversation)}
    messages = stored(Message)
    assert len(messages) == count
    for number, conversation in conversations.items():
        assert conversation.message_count == sum(m.conversation_id == number for m in messages), number
        steps = 0
        while conversation.status == "merged":
            assert conversation.message_count == 0
            conversation, steps = conversations[conversation.merged_into_id], steps + 1
            assert steps < 5, "a circle"
    own = dict(db.session.execute(select(ThreadKey.message_id, ThreadKey.conversation_id).where(ThreadKey.own)).all())
    assert own == {m.message_id: m.conversation_id for m in messages}
    db.session.rollback()
    return [c for c in conversations.values() if c.status != "merged"]


@pytest.mark.parametrize(("one", "other", "stay"), [((0, 1), (1, 0), 2), ((0, 1), (0, 1), 2), ((0, 1), (1, 2), 1),
                                                    ((0, 1), (2, 1), 1), ((0, 1), (0, 2), 2), ((2, 0), (0, 1), 1)],
                         ids=["each into the other", "twice", "in a row", "into the same", "into two", "in a row, down"])
def test_two_merges_of_the_same_conversations_lose_nothing(app, team, monkeypatch, one, other, stay):
    box = connected()
    arrive(box, *(mail(n) for n in range(3)))
    ids = [c.id for c in stored(Conversation)]
    db.session.rollback()
    let_two_meet(monkeypatch, regroup, "_locked")

    def merges(name, source, target):
        def merge():
            try:
                regroup.merge(person(name), *(db.session.get(Conversation, ids[n]) for n in (source, target)))
            except RuleBroken as broken:
                assert broken.code == "moved_meanwhile"
                db.session.rollback()
        return merge
    at_once(app, merges("zofia", *one), merges("marek", *other))
    left = whole(3)
    assert len(left) in (stay, 2), "whoever was slower may be told so"
    assert sum(c.message_count for c in left) == 3
