"""Lists that people keep under a name."""

from webapp.extensions import db
from webapp.live import announce
from webapp.models import SavedView
from webapp.rules import RuleBroken
from webapp.rules.bounds import VIEW_NAME_MAX
from webapp.rules.people import clean_name


def keep(actor, name, listing, shared):
    """Raises RuleBroken("name", "view_name")."""
    name = clean_name(name or "")
    if not 0 < len(name) <= VIEW_NAME_MAX:
        raise RuleBroken("name", "view_name", limit=VIEW_NAME_MAX)
    query = {**listing.query(), **({"inbox": listing.inbox_id} if listing.inbox_id else {})}
    view = SavedView(person_id=actor.id, name=name, query=query, shared=bool(shared))
    db.session.add(view)
    db.session.flush()
    announce(f"person-{actor.id}")
    return view


def forget(actor, view):
    db.session.delete(view)
    db.session.flush()
    announce(f"person-{actor.id}")
