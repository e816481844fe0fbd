"""The message byte for byte, as the server sent it."""

from flask import abort, current_app, make_response

from webapp.blueprints.messages.download import download
from webapp.blueprints.messages.routes import blueprint
from webapp.web import find


@blueprint.get("/messages/<int:message_id>/raw")
def raw(message_id):
    """The message byte for byte as the server sent it."""
    message = find.message(message_id)
    if message.raw_sha256 is None:
        abort(404)
    response = make_response(current_app.extensions["blobs"].get_raw(message.raw_sha256))
    return download(response, "message/rfc822", f"message-{message.id}.eml")
