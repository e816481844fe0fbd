"""What is known of the conversations that a batch touches, in memory. No database here."""

from dataclasses import dataclass, field
from datetime import datetime

from webapp.actions.contacts import Contacts
from webapp.rules.threading import OURS, REPORT, ties


@dataclass
class Desk:
    """What is known of the conversations that a batch touches, read once for all of it, and what is to be written.

    A conversation is a Conversation when it is stored already, a Row when this batch opens it.
    """

    inbox_id: int
    own: frozenset                                       # our own address keys
    since: datetime                                      # mail from before is history
    known_until: datetime | None = None                  # the server numbered its mail anew: the same for what is older
    found: dict = field(default_factory=dict)            # conversation id -> conversation
    says: dict = field(default_factory=dict)             # Message-ID -> {conversation id: set of Says}
    speaking: dict = field(default_factory=dict)         # (Message-ID, by, or None: its own mail) -> set of these ids
    keys: dict = field(default_factory=dict)             # conversation id -> set of the Message-IDs in `says`
    shared: set = field(default_factory=set)             # Message-IDs that several conversations speak of
    participants: dict = field(default_factory=dict)     # conversation id -> set of address keys
    grown: dict = field(default_factory=dict)            # stored conversation's id -> address keys that are new there
    into: dict = field(default_factory=dict)             # conversation id -> the one that it was merged into
    worked: dict = field(default_factory=dict)           # conversation id -> have people worked in it
    stays: object = None                                 # a conversation that is merged into no other
    senders: dict = field(default_factory=dict)          # pattern -> "allow" or "deny" (rules.spam)
    contacts: Contacts | None = None
    ids: list = field(default_factory=list)              # for conversations to open, ascending
    # Not written yet: a statement for a whole batch costs little more than one for a single message.
    opened: dict = field(default_factory=dict)           # conversation id -> Row
    filed: list = field(default_factory=list)            # (message, conversation)
    new_keys: list = field(default_factory=list)         # (conversation, Message-ID, Says)
    new_participants: list = field(default_factory=list)  # (conversation, address key)
    possible: dict = field(default_factory=dict)         # conversation -> the one that it refers to and may not join
    events: list = field(default_factory=list)           # Row each, of Event


def say(desk, conversation_id, message_id, says):
    """Is it new?"""
    all_says = desk.says.setdefault(message_id, {})
    known = all_says.setdefault(conversation_id, set())
    if says in known:
        return False
    known.add(says)
    desk.speaking.setdefault((message_id, None if says.own else says.by), set()).add(conversation_id)
    desk.keys.setdefault(conversation_id, set()).add(message_id)
    if len(all_says) > 1:
        desk.shared.add(message_id)
    return True


def able(desk, message_id, participants):
    """The conversations that `ties` could tie by this Message-ID to one where these take part, the oldest first: of a
    thousand strangers' who mention it, none."""
    speaking = (desk.speaking.get((message_id, by), ()) for by in (None, OURS, REPORT, *participants))
    return [desk.found[i] for i in sorted(set().union(*speaking), key=lambda i: (i in desk.opened, i))]


def owners_first(desk, message_id):
    """The conversations that speak of this Message-ID: those with its mail first, then the oldest."""
    return [desk.found[i] for i in sorted(desk.says.get(message_id, ()), key=lambda i: (
        i not in desk.speaking.get((message_id, None), ()), i in desk.opened, i))]


def owns(desk, conversation, message_id):
    return conversation.id in desk.speaking.get((message_id, None), ())


def are_tied(desk, message_id, one, other):
    says = desk.says[message_id]
    with_one, with_other = (desk.participants.get(c.id, ()) for c in (one, other))
    return any(ties(a, b, with_one, with_other) for a in says[one.id] for b in says[other.id])


def refuse(desk, conversation, other):
    """What is said of it: the first is named."""
    if conversation.possible_reply_to_id is None:
        desk.possible.setdefault(conversation, other)


def name_refused(desk, conversation, message_id):
    """Who referred to this mail before it was here, and may not join now that it is."""
    message_id = (message_id or "")[:998]
    if owns(desk, conversation, message_id):
        for other in owners_first(desk, message_id):
            if (other is not conversation and not owns(desk, other, message_id)
                    and not are_tied(desk, message_id, conversation, other)):
                refuse(desk, other, conversation)


def now_in(desk, conversation):
    """The conversation that it has become."""
    while conversation.id in desk.into:
        conversation = desk.into[conversation.id]
    return conversation


def say_keys(desk, conversation, keys):
    desk.new_keys += [(conversation, i, says) for i, says in keys if say(desk, conversation.id, i, says)]


def let_take_part(desk, conversation, keys):
    known = desk.participants.setdefault(conversation.id, set())
    new = sorted(keys - known)[:500]
    desk.new_participants += [(conversation, key) for key in new]
    known.update(new)
    if new and conversation.id in desk.found and conversation.id not in desk.opened:
        desk.grown.setdefault(conversation.id, set()).update(new)
