"""What was just done, in a few words, beside the button that takes it back."""

from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from webapp.rules.bounds import TAG_MAX, TAGS_MAX, VIEW_NAME_MAX
from webapp.words.dates import at_time
from webapp.words.rules import sentence

# What may be said of many at once: the page's address has the code alone, which anybody can write.
SAID = {"tag_name": {"limit": TAG_MAX}, "many_tags": {"limit": TAGS_MAX}, "not_a_time": {}, "not_ahead": {},
        "far_ahead": {}, "view_name": {"limit": VIEW_NAME_MAX}}


def done(events):
    """`events`: of one act, at least one."""
    count, first = len({e.conversation_id for e in events}), events[0]
    if count > 1:
        return ngettext("%(what)s: %(num)s conversation", "%(what)s: %(num)s conversations", count, what=_what(first))
    return _what(first) + "."


def refused(code, inbox):
    """Why nothing was done; None: no such code. `inbox`: whose list it is, if of one."""
    facts = {**SAID, **({"here_already_inbox": {"inbox": inbox.name}} if inbox else {})}.get(code)
    return None if facts is None else sentence(code, facts)


def _what(event):
    facts = event.facts
    name = facts.get("name", "")
    return {
        "assigned": lambda: pgettext("done", "Assigned to %(name)s", name=name),
        "unassigned": lambda: _("Assigned to nobody"),
        "assigned_team": lambda: pgettext("done", "Assigned to %(name)s", name=name),
        "unassigned_team": lambda: _("Assigned to nobody"),
        "closed": lambda: pgettext("done", "Closed"),
        "snoozed": lambda: (
            pgettext("done", "Snoozed until %(time)s", time=at_time(facts["until"])) if facts.get("until")
            else pgettext("done", "Snoozed until somebody answers")),
        "spam": lambda: _("Put into spam"),
        "trashed": lambda: _("Thrown away"),
        "tagged": lambda: _("Tagged %(tag)s", tag=name),
        "untagged": lambda: _("Took off %(tag)s", tag=name),
        "moved_inbox": lambda: _("Moved to %(inbox)s", inbox=facts.get("to", "")),
    }.get(event.kind, lambda: _("Opened again"))()
