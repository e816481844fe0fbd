"""Reading a message again: what could not be read, or was too large."""

from flask import abort, url_for
from flask_login import current_user

from webapp.actions import reread
from webapp.blueprints.messages.routes import blueprint
from webapp.web import find
from webapp.web.forms import Act
from webapp.web.present import fragment, go, is_swap


@blueprint.post("/messages/<int:message_id>/again")
def again(message_id):
    """Read it again: what could not be read, or was too large. What comes of it is shown when it is done."""
    message = find.message(message_id)
    conversation = message.conversation
    if conversation is not None and not find.may_act(conversation.inbox):
        abort(403)
    if not Act().validate_on_submit():
        abort(400)
    reread.ask(current_user, message)
    if is_swap():
        return fragment("_shared/message", m=message, waiting=message.is_waiting, may_act=True)
    if conversation is not None:
        return go(url_for("team.conversation", conversation_id=conversation.id, _anchor=f"m{message.id}"))
    return go(url_for("personal.message", connection_id=message.connection_id, message_id=message.id))
