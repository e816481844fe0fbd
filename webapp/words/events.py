"""Words of what happened to a conversation."""

from flask_babel import gettext as _


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
    return {
        "unassigned": _("took this off everybody"),
        "closed": _("closed this"),
        "reopened": _("opened this again"),
        "reopened_by_mail": _("Opened again by a new message"),
    }.get(event.kind, event.kind)
