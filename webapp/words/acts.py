"""What was just done, in a few words, beside the button that takes it back."""

from flask_babel import gettext as _
from flask_babel import ngettext

from webapp.words.dates import at_time


def done(events):
    """`events`: of one act, at least one."""
    count, first = len({e.conversation_id for e in events}), events[0]
    if count > 1:
        return ngettext("%(what)s: %(num)s conversation", "%(what)s: %(num)s conversations", count, what=_what(first))
    return _what(first) + "."


def _what(event):
    facts = event.facts
    name = facts.get("name", "")
    return {
        "assigned": lambda: _("Assigned to %(name)s", name=name),
        "unassigned": lambda: _("Assigned to nobody"),
        "assigned_team": lambda: _("Assigned to %(name)s", name=name),
        "unassigned_team": lambda: _("Assigned to nobody"),
        "closed": lambda: _("Closed"),
        "snoozed": lambda: (_("Snoozed until %(time)s", time=at_time(facts["until"])) if facts.get("until")
                            else _("Snoozed until somebody answers")),
        "spam": lambda: _("Put into spam"),
        "trashed": lambda: _("Thrown away"),
        "tagged": lambda: _("Tagged %(tag)s", tag=name),
        "untagged": lambda: _("Took off %(tag)s", tag=name),
        "moved_inbox": lambda: _("Moved to %(inbox)s", inbox=facts.get("to", "")),
    }.get(event.kind, lambda: _("Opened again"))()
