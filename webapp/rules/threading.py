"""Who may join a conversation (DEFENCE 4.6). References say where a message wants to go; this says whether it may.

Every message starts alone. Two conversations become one when mail of theirs speaks of the same Message-ID and `ties`
says so; who takes part in either then takes part in both, which can tie more. More people never tie less, so what comes
out in the end is the same in whatever order mail is read.
"""

from typing import NamedTuple

# Who speaks of a Message-ID: an address key, or one of these, which no address can be.
OURS = ""           # mail that we sent
NOBODY = "?"        # mail without a sender, or with several
REPORT = "<>"       # a delivery report, of an id that we minted
REPLY_TO = ">"      # before an address key: where the mail with this id asks for its answers


class Says(NamedTuple):
    """A mail speaks of a Message-ID: it is its `own`, or it mentions it. `by`: whose mail it is."""

    own: bool
    by: str


def ties(one: Says, other: Says, with_one, with_other) -> bool:
    """Do these two, who speak of the same Message-ID, make one of their conversations? `with_one`, `with_other`:
    address keys of who takes part in each; our own is never among them."""
    if one.own == other.own:
        return _same_mail(one, other, with_one, with_other)
    if one.own:
        one, other, with_one, with_other = other, one, with_other, with_one
    if one.by == OURS:      # our answer goes to whoever wrote what it answers, not to whoever copied its Message-ID
        return other.by == OURS or other.by.removeprefix(REPLY_TO) in with_one
    if one.by == REPORT:
        return other.by == OURS
    return one.by in with_other


def _same_mail(one, other, with_one, with_other):
    """Both mention a mail, which need not be here, or both have its Message-ID. Each must know the other: a stranger
    can write to whom he likes, but nobody there writes to him. We know whom we wrote to."""
    if OURS not in (one.by, other.by):
        return one.by in with_other and other.by in with_one
    if one.own:
        return one.by == other.by
    return other.by in with_one if one.by == OURS else one.by in with_other


def changes_subject(before: str, after: str) -> bool:
    """Subjects without their prefixes: is a mail about something else than the one before it? Then it may be taken out
    of the conversation; people decide. None at all says nothing."""
    return bool(after) and " ".join(before.casefold().split()) != " ".join(after.casefold().split())


def ids_of(message_id, in_reply_to, references) -> list[str]:
    """Message-IDs that place a message in a thread, strongest first. Empty and absent ids never match anything."""
    seen = []
    for mid in (message_id, *reversed(in_reply_to), *reversed(references)):
        if mid and mid.strip() and mid not in seen:
            seen.append(mid)
    return seen
