"""Who else has a conversation on the screen."""

from flask import abort, request
from flask_login import current_user
from sqlalchemy import select

from webapp.actions import presence as actions
from webapp.blueprints.team.routes import blueprint
from webapp.extensions import db
from webapp.models import Draft, Person
from webapp.web import find
from webapp.web.forms import Act
from webapp.web.present import fragment


@blueprint.get("/conversations/<int:conversation_id>/presence")
def presence(conversation_id):
    found = find.conversation(conversation_id)
    return fragment("team/presence", conversation=found, present=who_else(found))


@blueprint.post("/conversations/<int:conversation_id>/presence")
def be_present(conversation_id):
    """A screen says every fifteen seconds that it is there, and at once when somebody begins to write or leaves."""
    found, state = find.conversation(conversation_id), request.form.get("state")
    if not Act().validate_on_submit() or state not in (*actions.STATES, "gone"):
        abort(400)
    if state == "gone":
        actions.gone(current_user.id, found.id)
    else:
        actions.here(current_user.id, found.id, state)
    return "", 204


def who_else(found):
    """[(Person, viewing or writing, have they a draft here)], the writers first."""
    states = actions.others(current_user.id, found.id)
    if not states:
        return []
    people = db.session.scalars(select(Person).where(Person.id.in_(states)).order_by(Person.name)).all()
    drafts = set(db.session.scalars(select(Draft.person_id).where(Draft.conversation_id == found.id)))
    return sorted(((p, states[p.id], p.id in drafts) for p in people), key=lambda row: row[1] != "writing")
