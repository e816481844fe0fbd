"""What the lists show of a conversation, kept with every mail: the same that `summary` derives from all of them."""

import re
from datetime import timedelta

from sqlalchemy import func, select

from webapp.actions import answers
from webapp.extensions import db
from webapp.models import Event, Message
from webapp.models.inbox import may_act
from webapp.models.rows import Row
from webapp.models.types import now
from webapp.rules.spam import verdict
from webapp.rules.statuses import HIDDEN, after_incoming, after_outgoing, joined

RECENT = timedelta(days=30)   # imported mail newer than this opens a conversation, older is history
SAID_TO_BE_SPAM = ("spam", "spam_by_rule", "split_off", "merged_in")       # a part of what was
_PREFIX = re.compile(r"^\s*((re|fwd?|odp|aw|wg|sv|pd)\s*(\[\d+\])?\s*:\s*)+", re.IGNORECASE)


def open_for(desk, message):
    recent = message.at > desk.since - RECENT and not _looked_at(desk, message)
    conversation = Row(id=desk.ids.pop(0), inbox_id=desk.inbox_id, subject=base_subject(message.subject),
                       status="open" if recent else "closed", status_at=message.at, snoozed_until=None, woke_at=None,
                       asked_at=None, asks_first=True, due_at=None, within=None, settled_id=0, assignee_id=None,
                       team_id=None, contact_id=None, opened_at=message.at, last_at=message.at,
                       last_outgoing=False, last_out_at=None, last_snippet="", who="", who_address="", who_at=None,
                       message_count=0, has_attachments=False, last_in_id=0, possible_reply_to_id=None,
                       merged_into_id=None)
    conversation.who, conversation.who_address = who_of(message)
    desk.opened[conversation.id] = desk.found[conversation.id] = conversation
    return conversation


def count_in(desk, conversation, message, seen, written_here=False):
    _count_in(desk, conversation, message, seen, written_here)
    if answers.is_question(message, max(desk.since, desk.known_until or desk.since)):
        answers.asked(conversation, message)
    answers.say_due(conversation)


def _count_in(desk, conversation, message, seen, written_here):
    at = counts_at(message)
    is_newest = at >= conversation.last_at or not conversation.message_count
    is_first, customer = not conversation.message_count, conversation.who_address
    if message.outgoing and not is_first and (message.auto or is_to_leave(message)):
        return _count_in_quietly(conversation, message)
    conversation.message_count += 1
    conversation.has_attachments = conversation.has_attachments or message.has_attachments
    if at <= conversation.opened_at:
        conversation.opened_at, conversation.subject = at, base_subject(message.subject)
    _meet_customer(conversation, message)
    if is_newest:
        conversation.last_at, conversation.last_outgoing = at, message.outgoing
        conversation.last_snippet = message.snippet
    if is_to_leave(message):
        return
    if message.outgoing:
        conversation.last_out_at = max(conversation.last_out_at or message.at, message.at)
        _stands(conversation, after_outgoing(conversation.status, is_newest, written_here), message.at)
        return
    if not seen and not _looked_at(desk, message):
        conversation.last_in_id = max(conversation.last_in_id, message.id)
    said = None if message.bounce else verdict(message.from_address, desk.senders)
    if said == "deny":
        return _put_into_spam(desk, conversation, message, is_first or customer == message.from_address)
    if conversation.status == "spam" and (said == "allow" or not (message.bounce or message.auto)
                                          and _is_spam_by_rule(desk, conversation)):
        _stands(conversation, "closed", message.at)
    if message.bounce or not message.auto:      # a robot opens nothing, unless our answer did not arrive
        is_news = message.at > desk.since and not _looked_at(desk, message)
        _reopen(desk, conversation, message, after_incoming(conversation.status, is_newest, is_news))


def _count_in_quietly(conversation, message):
    """What a machine of ours wrote, and what is to leave later, answers nothing: the conversation stands where it did,
    and the list shows who waits."""
    conversation.message_count += 1
    conversation.has_attachments = conversation.has_attachments or message.has_attachments


def is_to_leave(message):
    """Was it written here for a time that has not come? `at` of such a message is that time."""
    return message.author_id is not None and message.at > now()


def counts_at(message):
    """Its place in time: of what is to leave that is now. A customer's answer comes after it, whenever that is."""
    return min(message.at, now()) if is_to_leave(message) else message.at


def left(conversation, message):
    """What was written for later is on its way: from now on it is our newest mail. It answers what is open, unless
    somebody has written since; what was put off or done with meanwhile stays so."""
    if message.at >= conversation.last_at:
        conversation.last_at, conversation.last_outgoing = message.at, True
        conversation.last_snippet = message.snippet
    conversation.opened_at = db.session.scalar(select(func.min(Message.at)).where(
        Message.conversation_id == conversation.id, ~Message.is_to_leave(), ~(Message.outgoing & Message.auto)))
    conversation.last_out_at = max(conversation.last_out_at or message.at, message.at)
    alone = conversation.last_in_id < message.id
    _stands(conversation, after_outgoing(conversation.status, alone, written_here=False), now())


def _put_into_spam(desk, conversation, message, is_theirs):
    """Its sender is denied. `is_theirs`: the conversation is this sender's; one of others does not go for them. What is
    kept for some days counts from now, however old it is."""
    if not is_theirs or conversation.status in HIDDEN:
        return
    _stands(conversation, "spam", max(message.at, now()))
    if conversation.id not in desk.opened:
        desk.events.append(Row(conversation_id=conversation.id, kind="spam_by_rule", actor_id=None,
                               facts={"address": message.from_address}, at=message.at))


def _is_spam_by_rule(desk, conversation):
    """Nobody has said so; mail of a denied sender was read here before that of others."""
    return conversation.id in desk.opened or not db.session.scalar(select(Event.id).where(
        Event.conversation_id == conversation.id, Event.kind.in_(SAID_TO_BE_SPAM)).limit(1))


def _meet_customer(conversation, message):
    """Whose conversation the list says it is: whoever of them wrote last; until somebody has, whom we wrote to."""
    if names_customer(message):
        if conversation.who_at is None or message.at >= conversation.who_at:
            (conversation.who, conversation.who_address), conversation.who_at = who_of(message), message.at
    elif conversation.who_at is None and message.at >= conversation.last_at and any(who_of(message)):
        conversation.who, conversation.who_address = who_of(message)


def meet_contact(desk, conversation, message, parsed, sender):
    if message.outgoing or not sender or sender in desk.own or message.bounce:
        return
    contact_id = desk.contacts.meet(sender, parsed.sender, message.at)
    if conversation.contact_id is None:
        conversation.contact_id = contact_id


def learn(conversation, message):
    """What the lists show, of a message that was counted in before anybody knew what it says."""
    conversation.has_attachments = conversation.has_attachments or message.has_attachments
    if message.at <= conversation.opened_at:
        conversation.subject = base_subject(message.subject)
    if message.at >= conversation.last_at:
        conversation.last_snippet = message.snippet
    _meet_customer(conversation, message)


def _reopen(desk, conversation, message, status):
    """What is done with, or was put off, is for somebody again."""
    was = conversation.status
    if status == was:
        return
    _stands(conversation, status, message.at)
    if conversation.assignee_id and not may_act(conversation.assignee, conversation.inbox):
        conversation.assignee = None        # whoever had it is gone: somebody else sees it among the unassigned
    if was != "waiting":        # there, an answer is what everybody waits for
        desk.events.append(Row(conversation_id=conversation.id, kind="woke_by_mail" if was == "snoozed"
                               else "reopened_by_mail", actor_id=None, facts={}, at=message.at))


def _stands(conversation, status, at):
    if status != conversation.status:
        conversation.status, conversation.status_at = status, at
        conversation.snoozed_until = conversation.woke_at = None


def absorb(keep, other):
    keep.message_count += other.message_count
    keep.has_attachments = keep.has_attachments or other.has_attachments
    keep.last_in_id = max(keep.last_in_id, other.last_in_id)
    keep.contact_id = keep.contact_id or other.contact_id
    if other.who_at and (keep.who_at is None or other.who_at > keep.who_at) or (
            not keep.who_at and other.last_at > keep.last_at):
        keep.who, keep.who_address, keep.who_at = other.who, other.who_address, other.who_at
    if other.opened_at < keep.opened_at:
        keep.opened_at, keep.subject = other.opened_at, other.subject
    if other.last_at > keep.last_at:
        keep.last_at, keep.last_snippet, keep.last_outgoing = other.last_at, other.last_snippet, other.last_outgoing
    keep.last_out_at = max(filter(None, (keep.last_out_at, other.last_out_at)), default=None)
    _stands(keep, joined(keep.status, other.status, keep.last_outgoing), keep.last_at)
    answers.join(keep, other)


def _looked_at(desk, message):
    """Was it there when we looked, before the server numbered its mail anew? Then nobody hears of it again."""
    return desk.known_until is not None and message.at <= desk.known_until


def base_subject(subject):
    return _PREFIX.sub("", subject).strip()


def names_customer(message):
    """Does its sender tell whose conversation this is? Neither we nor a mail server that returns something do."""
    return bool(not message.outgoing and message.from_address and not message.bounce)


def who_of(message):
    """(name or address, address): the sender's; of our own mail of the first that it went to."""
    if message.outgoing:
        name, address = message.to[0] if message.to else ("", "")
    else:
        name, address = message.from_name, message.from_address
    return name or address, address
