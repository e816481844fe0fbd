"""What people do with a conversation: assign, close, snooze, call it spam, throw it away, move it, read it.

Each is told in its history and can be taken back (actions.acts). `act`: the click that it is part of.
"""

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from webapp.actions import answers, notices
from webapp.actions.acts import as_it_is, happened, set_status
from webapp.extensions import db
from webapp.live import announce
from webapp.models import Conversation, Follower, Mention, Message, Note, Seen
from webapp.models.inbox import may_act
from webapp.models.types import now
from webapp.rules import RuleBroken
from webapp.rules.statuses import check_snooze


def assign(actor, conversation, assignee, act=None):
    """`assignee`: a person who may act in the inbox, or None to take it off everybody."""
    if conversation.assignee_id == (assignee.id if assignee else None):
        return
    before = as_it_is(conversation)
    conversation.assignee, conversation.assignee_id = assignee, assignee.id if assignee else None
    happened(actor, conversation, "assigned" if assignee else "unassigned", act, before,
             **({"to": assignee.id, "name": assignee.name} if assignee else {}))


def assign_team(actor, conversation, team, act=None):
    """It is for this team to take on: whoever had it no longer does. `team` None: for no team any more."""
    if conversation.team_id == (team.id if team else None) and (team is None or conversation.assignee_id is None):
        return
    before = as_it_is(conversation)
    conversation.team, conversation.team_id = team, team.id if team else None
    if team is not None:
        conversation.assignee = conversation.assignee_id = None
    happened(actor, conversation, "assigned_team" if team else "unassigned_team", act, before,
             name=(team.name if team else ""))


def lose_assignee(actor, conversation):
    """Its assignee can't open this inbox any more; somebody else is to take it on."""
    facts = {"of": conversation.assignee_id, "name": conversation.assignee.name}
    conversation.assignee = conversation.assignee_id = None
    happened(actor, conversation, "access_lost", **facts)


def close(actor, conversation, act=None):
    settled = conversation.settled_id
    if event := _status(actor, conversation, "closed", "closed", act):
        answers.closed(conversation, event, settled)


def reopen(actor, conversation, act=None):
    """From wherever it is: closed, snoozed, spam, trash."""
    kind = {"spam": "not_spam", "trash": "restored", "snoozed": "unsnoozed"}.get(conversation.status, "reopened")
    was_closed = conversation.status == "closed"
    _status(actor, conversation, "open", kind, act)
    if was_closed:
        answers.reopened(conversation)


def snooze(actor, conversation, until, act=None):
    """Out of the way until then, or, when that is None, until somebody answers; an answer brings it back in any case.
    Raises RuleBroken("until", ...)."""
    check_snooze(until, now())
    before, was_closed = as_it_is(conversation), conversation.status == "closed"
    set_status(conversation, "snoozed", until)
    if was_closed:
        answers.reopened(conversation)
    if as_it_is(conversation) != before:
        happened(actor, conversation, "snoozed", act, before, until=until.isoformat() if until else None)


def wake(conversation):
    """Its time has come."""
    set_status(conversation, "open")
    conversation.woke_at = now()
    happened(None, conversation, "woke")
    if conversation.assignee_id:
        announce(f"person-{conversation.assignee_id}")


def asleep_until_now():
    """SELECT of the ids whose snooze is over."""
    return select(Conversation.id).where(Conversation.snoozed_until <= now()).order_by(Conversation.snoozed_until)


def mark_spam(actor, conversation, act=None):
    _status(actor, conversation, "spam", "spam", act)


def throw_away(actor, conversation, act=None):
    _status(actor, conversation, "trash", "trashed", act)


def move(actor, conversation, inbox, act=None):
    """To another inbox, whose people read and answer it from now on; later mail follows. Raises RuleBroken("inbox",
    "here_already")."""
    if inbox.id == conversation.inbox_id:
        raise RuleBroken("inbox", "here_already_inbox", inbox=inbox.name)
    before, left = as_it_is(conversation), conversation.inbox
    conversation.inbox, conversation.inbox_id = inbox, inbox.id
    if conversation.assignee is not None and not may_act(conversation.assignee, inbox):
        conversation.assignee = conversation.assignee_id = None
    conversation.within = None          # said by a rule of the inbox that it leaves
    answers.say_due(conversation)       # by the target of that one
    happened(actor, conversation, "moved_inbox", act, before, left=left.name, to=inbox.name)
    announce(f"inbox-{left.id}")


def follow(actor, conversation):
    """The actor is told of everything that happens here."""
    if db.session.get(Follower, (conversation.id, actor.id)) is None:
        db.session.add(Follower(conversation_id=conversation.id, person_id=actor.id))
        db.session.flush()
    announce(f"conversation-{conversation.id}", f"person-{actor.id}")


def unfollow(actor, conversation):
    db.session.execute(delete(Follower).where(Follower.conversation_id == conversation.id,
                                              Follower.person_id == actor.id))
    announce(f"conversation-{conversation.id}", f"person-{actor.id}")


def see(actor, conversation):
    """The actor has the conversation on the screen, up to its newest incoming message: whatever called them in is read.
    """
    _seen(actor, conversation, conversation.last_in_id)
    here = select(Note.id).where(Note.conversation_id == conversation.id)
    met = db.session.query(Mention).filter(Mention.person_id == actor.id, Mention.seen_at.is_(None),
                                           Mention.note_id.in_(here)).update({"seen_at": now()}, False)
    told = notices.read_of(actor, conversation.id)
    if met and not told:
        announce(f"person-{actor.id}")


def unseen(actor, conversation):
    """Would `see` change anything?"""
    seen = db.session.scalar(select(Seen.last_in_id).where(Seen.conversation_id == conversation.id,
                                                           Seen.person_id == actor.id))
    called = select(Mention.note_id).join(Note, Note.id == Mention.note_id).where(
        Note.conversation_id == conversation.id, Mention.person_id == actor.id, Mention.seen_at.is_(None)).limit(1)
    return bool(conversation.last_in_id > (seen or 0) or db.session.scalar(called)
                or db.session.scalar(notices.unread_of(actor, conversation.id).limit(1)))


def mark_unread(actor, conversation, message):
    """From this message on, to read it again later."""
    before = db.session.scalar(select(func.max(Message.id)).where(
        Message.conversation_id == conversation.id, ~Message.outgoing, Message.id < message.id,
        Message.at <= message.at)) or 0
    _seen(actor, conversation, min(before, max(conversation.last_in_id - 1, 0)))
    announce(f"inbox-{conversation.inbox_id}")


def _seen(actor, conversation, up_to):
    insert = (postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite).insert(Seen)
    db.session.execute(insert.values(conversation_id=conversation.id, person_id=actor.id, last_in_id=up_to)
                       .on_conflict_do_update(index_elements=["conversation_id", "person_id"],
                                              set_={"last_in_id": up_to}))


def _status(actor, conversation, status, kind, act):
    """The event, if that changed anything."""
    if conversation.status == status:
        return None
    before = as_it_is(conversation)
    set_status(conversation, status)
    return happened(actor, conversation, kind, act, before)
