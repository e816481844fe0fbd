"""Words of what happened to a conversation."""

from flask_babel import gettext as _
from flask_babel import ngettext

from webapp.words.dates import at_time

# Each is followed by the other conversation's number and subject.
MOVES = {
    "split": lambda n: ngettext("took %(num)s message out of here:", "took %(num)s messages out of here:", n),
    "split_off": lambda n: ngettext("took %(num)s message out of another conversation:",
                                    "took %(num)s messages out of another conversation:", n),
    "merged": lambda n: _("put all of this into another conversation:"),
    "merged_in": lambda n: ngettext("put another conversation with %(num)s message in here:",
                                    "put another conversation with %(num)s messages in here:", n),
    "put_back": lambda n: ngettext("put %(num)s message back:", "put %(num)s messages back:", n),
    "came_back": lambda n: ngettext("brought %(num)s message back from another conversation:",
                                    "brought %(num)s messages back from another conversation:", n),
}

NAMED = {
    "assigned_team": lambda f: _("gave this to %(team)s", team=f.get("name", "")),
    "tagged": lambda f: _("added the tag %(tag)s", tag=f.get("name", "")),
    "untagged": lambda f: _("took off the tag %(tag)s", tag=f.get("name", "")),
    "moved_inbox": lambda f: _("moved this from %(left)s to %(to)s", left=f.get("left", ""), to=f.get("to", "")),
    "owner_set": lambda f: _("made %(name)s the owner of this contact", name=f.get("name", "")),
    "owner_gone": lambda f: _("took the owner off this contact"),
    "snoozed": lambda f: (_("snoozed this until %(time)s", time=at_time(f["until"])) if f.get("until")
                          else _("snoozed this until somebody answers")),
}


def _rule(facts):
    n = facts.get("rule")
    return _("Rule %(number)s", number=n) if n else _("Routing")


def _routed(facts, to_viewer):
    if facts.get("waited"):
        return (_("Given to you: you came back first") if to_viewer
                else _("Given to %(name)s, who came back first", name=facts.get("name", "")))
    return (_("%(rule)s: given to you", rule=_rule(facts)) if to_viewer
            else _("%(rule)s: given to %(name)s", rule=_rule(facts), name=facts.get("name", "")))


ROUTED = {
    "routed": _routed,
    "routed_team": lambda f, _mine: _("%(rule)s: given to the team %(name)s", rule=_rule(f), name=f.get("name", "")),
    "handed_over": lambda f, _mine: _("%(name)s is away: this goes to somebody else", name=f.get("name", "")),
}

# What a rule did by itself, in whole sentences: nobody's name stands before.
BY_RULE = {
    "closed": lambda f: _("Closed by a rule"),
    "spam": lambda f: _("Put into spam by a rule"),
    "tagged": lambda f: _("A rule added the tag %(tag)s", tag=f.get("name", "")),
    "moved_inbox": lambda f: _("A rule moved this from %(left)s to %(to)s", left=f.get("left", ""), to=f.get("to", "")),
    "snoozed": lambda f: _("Snoozed by a rule until %(time)s", time=at_time(f["until"]) if f.get("until") else ""),
}


def moves(event):
    """The facts of an event that moved messages: the other conversation's `number` and `subject`; else None."""
    return event.facts if event.kind in MOVES and "number" in event.facts else None


def happened(event, viewer):
    """The sentence after the actor's name; for events without an actor the whole sentence."""
    to_viewer = event.facts.get("to") == viewer.id
    if event.kind == "assigned":
        if event.actor_id == event.facts.get("to"):
            return _("took this on")
        return _("assigned you") if to_viewer else _("assigned %(name)s", name=event.facts.get("name", ""))
    if event.kind == "access_lost":
        name = event.facts.get("name", "")
        return (_("closed this inbox to %(name)s, who had taken this on", name=name) if event.actor_id
                else _("%(name)s can’t open this inbox any more; nobody has this now", name=name))
    if event.kind in ROUTED:
        return ROUTED[event.kind](event.facts, to_viewer)
    if event.actor_id is None and event.kind in BY_RULE:
        return BY_RULE[event.kind](event.facts)
    if event.kind in NAMED:
        return NAMED[event.kind](event.facts)
    if event.kind in MOVES:
        return MOVES[event.kind](event.facts.get("count", 1))
    return {
        "unassigned": _("took this off everybody"),
        "unassigned_team": _("took this off the team"),
        "closed": _("closed this"),
        "reopened": _("opened this again"),
        "reopened_by_mail": _("Opened again by a new message"),
        "unsnoozed": _("ended the snooze"),
        "woke": _("Back from snooze"),
        "woke_by_mail": _("Back from snooze: somebody answered"),
        "spam_by_rule": _("Put into spam: an admin has denied %(address)s", address=event.facts.get("address", "")),
        "spam": _("said that this is spam"),
        "not_spam": _("said that this is no spam"),
        "trashed": _("threw this away"),
        "restored": _("took this out of the trash"),
        "taken_back": _("took that back"),
    }.get(event.kind, event.kind)
