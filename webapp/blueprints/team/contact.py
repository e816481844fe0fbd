"""Whose contact it is: rules give the contact's conversations to its owner."""

from flask import abort, make_response, request
from flask_login import current_user

from webapp.actions import contacts
from webapp.blueprints.team.routes import blueprint
from webapp.blueprints.team.rows import conversation_url
from webapp.web import find
from webapp.web.forms import pressed
from webapp.web.present import finish, go, is_swap


@blueprint.post("/conversations/<int:conversation_id>/owner")
def set_owner(conversation_id):
    """`owner`: somebody who may act in this inbox, or empty for nobody."""
    found = find.to_act(conversation_id)
    pressed()
    if found.contact is None:
        abort(404)
    number = find.number(request.form.get("owner"))
    owner = next((p for p in find.assignees(found.inbox) if p.id == number), None)
    if number and number == found.contact.owner_id:     # left as it is, also where they can't act
        owner = found.contact.owner
    if owner is None and request.form.get("owner"):
        abort(404)
    contacts.set_owner(current_user, found, owner)
    if is_swap():
        return finish(make_response("", 204))
    return go(conversation_url(found.id))
