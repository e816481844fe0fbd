"""People know better than headers: messages taken out into a conversation of their own, or put into another one.

What a message was moved by is kept with it, so that it can be put back. Message-IDs go where their mails go, those that
are only mentioned, too: answers that come later follow the mail that they answer.
"""

from sqlalchemy import delete, literal, select, update

from webapp.actions import answers
from webapp.actions.acts import set_status
from webapp.actions.drafts import in_a_row
from webapp.actions.summary import summarise
from webapp.actions.threads import SPEAKING, give_keys, insert_into, remember_keys
from webapp.extensions import db
from webapp.live import announce
from webapp.models import (
    Conversation,
    ConversationTag,
    Draft,
    Event,
    Follower,
    Message,
    Note,
    Seen,
    ThreadKey,
)
from webapp.rules import RuleBroken
from webapp.rules.statuses import joined

AT_ONCE = 500       # ids a statement


def split(actor, conversation, message, following):
    """Take this message, and with `following` all that came after it, out of the conversation. Returns the new one.
    Raises RuleBroken("what", "moved_meanwhile" | "nothing_stays")."""
    [source] = _locked(conversation.id)
    db.session.refresh(message, ["conversation_id"])
    if message.conversation_id != source.id:
        raise RuleBroken("what", "moved_meanwhile", number=message.conversation_id)
    rows = db.session.execute(select(Message.id, Message.at).where(Message.conversation_id == source.id)).all()
    ids = [i for i, at in rows if i == message.id or following and (at, i) > (message.at, message.id)]
    if len(ids) == len(rows):
        raise RuleBroken("what", "nothing_stays")
    new = Conversation(inbox_id=source.inbox_id, status=source.status, assignee_id=source.assignee_id)
    db.session.add(new)
    db.session.flush()
    event = _happened(actor, new, "split_off", source, len(ids))
    _copy_seen(source, new)
    _move(ids, source, new, event)
    _happened(actor, source, "split", new, len(ids))
    _announce(source, new)
    return new


def merge(actor, conversation, other):
    """Put all of the conversation into the other one, which keeps its number, its assignee and its history. Returns the
    other one. Raises RuleBroken("into", "same_conversation" | "other_inbox" | "moved_meanwhile")."""
    source, other = _locked(conversation.id, other.id)
    if source.merged_into_id == other.id:
        return other                # pressed twice
    if "merged" in (source.status, other.status):
        raise RuleBroken("into", "moved_meanwhile", number=source.merged_into_id or other.merged_into_id)
    if source.id == other.id:
        raise RuleBroken("into", "same_conversation", number=other.id)
    if source.inbox_id != other.inbox_id:
        raise RuleBroken("into", "other_inbox", inbox=source.inbox.name)
    ids = db.session.scalars(select(Message.id).where(Message.conversation_id == source.id)).all()
    event = _happened(actor, other, "merged_in", source, len(ids), status=source.status,
                      refers=source.possible_reply_to_id, notes=_give_notes(source, other))
    _join_tags_and_followers(source, other)
    _happened(actor, source, "merged", other, len(ids))
    set_status(other, joined(other.status, source.status, last_is_ours=False))
    other.assignee_id = other.assignee_id or source.assignee_id
    _join_seen(source, other)
    _move(ids, source, other, event)
    _close_up(source, other)
    _announce(source, other)
    return other


def put_back(actor, event):
    """Undo a split or a merge: what it moved, and still lies there, goes back. Returns the conversation that has it
    again. Raises RuleBroken("event", "nothing_to_put_back")."""
    home_id = event.facts.get("number") if event.kind in ("split_off", "merged_in") else None
    source, home = _locked(event.conversation_id, home_id)
    while home is not None and home.status == "merged" and home.merged_into_id != source.id:
        source, home = _locked(source.id, home.merged_into_id)     # it was put elsewhere as a whole meanwhile
    ids = db.session.scalars(select(Message.id).where(Message.conversation_id == source.id,
                                                      Message.moved_id == event.id)).all()
    opened_again = event.kind == "merged_in" and home is not None and home.merged_into_id == source.id
    if home is None or not ids or home.status == "merged" and not opened_again or home.id == source.id:
        raise RuleBroken("event", "nothing_to_put_back")
    settled = home.settled_id
    if opened_again:
        home.merged_into_id = None
        set_status(home, event.facts.get("status", "open"))
        db.session.execute(update(Note).where(Note.id.in_(event.facts.get("notes", ()))).values(
            conversation_id=home.id))
        refers = event.facts.get("refers")
        home.possible_reply_to_id = refers if refers and db.session.get(Conversation, refers) else None
        _copy_seen(source, home)
    else:
        _join_seen(source, home)
        set_status(home, joined(home.status, source.status, last_is_ours=False))
    _move(ids, source, home, None)
    if opened_again:        # as it was when it was put away
        home.settled_id = settled
        answers.stands(home)
        if home.status != "closed":
            answers.derive(home)
    _happened(actor, source, "put_back", home, len(ids))
    _happened(actor, home, "came_back", source, len(ids))
    if not source.message_count:
        _close_up(source, home)
    _announce(source, home)
    return home


def _move(ids, source, target, event):
    """Messages with all that hangs on them; both conversations say afterwards what they hold."""
    rows = db.session.execute(select(Message.id, Message.at, *SPEAKING).where(
        Message.conversation_id == source.id)).all()
    chosen = set(ids)
    staying, going = [r for r in rows if r.id not in chosen], [r for r in rows if r.id in chosen]
    for part in _parts(sorted(chosen)):
        db.session.execute(update(Message).where(Message.id.in_(part)).values(
            conversation_id=target.id, moved_id=event.id if event else None))
    _move_keys(staying, going, source, target)
    if rows and max(rows, key=lambda r: (r.at, r.id)).id in chosen:     # what is being written answers the newest
        _move_drafts(source, target)
    target.settled_id = answers.settled_of_both(source, target)
    unread_to = max(source.last_in_id, target.last_in_id)
    for conversation in (source, target):
        summarise(conversation, unread_to)
    db.session.flush()


def _move_keys(staying, going, source, target):
    """Each conversation has the keys of its own mail, as if it had been read there."""
    if not staying:
        give_keys(source, target)
        return
    db.session.execute(delete(ThreadKey).where(ThreadKey.conversation_id == source.id))
    remember_keys(source, staying)
    remember_keys(target, going)


def _move_drafts(source, target):
    there = {d.person_id: d for d in db.session.scalars(select(Draft).where(Draft.conversation_id == target.id))}
    for draft in db.session.scalars(select(Draft).where(Draft.conversation_id == source.id)).all():
        other = there.get(draft.person_id)
        if other is None:
            draft.conversation_id = target.id
        else:
            other.text, other.html = in_a_row((other.text, other.html), (draft.text, draft.html))
            other.files += list(draft.files)
            db.session.flush()
            db.session.delete(draft)


def _close_up(source, target):
    """The source is empty: its number leads to the target, and nothing refers to it any more."""
    set_status(source, "merged")
    source.merged_into_id, source.possible_reply_to_id = target.id, None
    if target.possible_reply_to_id == source.id:
        target.possible_reply_to_id = None
    db.session.flush()
    db.session.execute(update(Conversation).where(Conversation.possible_reply_to_id == source.id,
                                                  Conversation.id != target.id).values(possible_reply_to_id=target.id))


def _give_notes(source, target):
    """Their ids: they go back with the rest."""
    return db.session.scalars(update(Note).where(Note.conversation_id == source.id).values(
        conversation_id=target.id).returning(Note.id)).all()


def _join_tags_and_followers(source, target):
    for model, column in ((ConversationTag, ConversationTag.tag_id), (Follower, Follower.person_id)):
        theirs = select(literal(target.id), column).where(model.conversation_id == source.id)
        db.session.execute(insert_into(model).from_select(["conversation_id", column.key], theirs)
                           .on_conflict_do_nothing())
    db.session.expire(target, ["tags"])


def _copy_seen(source, target):
    """Who has read the one has read as much of the other."""
    db.session.execute(delete(Seen).where(Seen.conversation_id == target.id))
    for person_id, mark in _marks(source).items():
        db.session.add(Seen(conversation_id=target.id, person_id=person_id, last_in_id=mark))
    db.session.flush()


def _join_seen(source, target):
    """What somebody had not read in either of them is not read now."""
    both = [(_marks(c), c.last_in_id) for c in (source, target)]
    db.session.execute(delete(Seen).where(Seen.conversation_id == target.id))
    for person_id in {p for marks, _newest in both for p in marks}:
        had = [(marks.get(person_id, 0), newest) for marks, newest in both]
        unread = [mark for mark, newest in had if mark < newest]
        db.session.add(Seen(conversation_id=target.id, person_id=person_id,
                            last_in_id=min(unread) if unread else max(mark for mark, _newest in had)))
    db.session.flush()


def _marks(conversation):
    return dict(db.session.execute(select(Seen.person_id, Seen.last_in_id).where(
        Seen.conversation_id == conversation.id)).all())


def _locked(*ids):
    """These conversations, as they are now, nobody else's until the commit; None for an id that there is not. Locked in
    the order of their ids, so that two who do this at once don't wait for each other."""
    found = {c.id: c for c in db.session.scalars(
        select(Conversation).where(Conversation.id.in_([i for i in ids if i])).order_by(Conversation.id)
        .with_for_update(key_share=True).execution_options(populate_existing=True))}
    return [found.get(i) for i in ids]


def _happened(actor, conversation, kind, other, count, **facts):
    event = Event(conversation_id=conversation.id, kind=kind, actor_id=actor.id,
                  facts={"number": other.id, "subject": other.subject, "count": count, **facts})
    db.session.add(event)
    db.session.flush()
    return event


def _announce(*conversations):
    announce(*(f"conversation-{c.id}" for c in conversations), *{f"inbox-{c.inbox_id}" for c in conversations})


def _parts(values):
    return (values[start:start + AT_ONCE] for start in range(0, len(values), AT_ONCE))
