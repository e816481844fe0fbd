"""The message as the server sent it: byte for byte to download, and shown as the text that it is."""

from flask import Response, abort, current_app

from webapp.blueprints.messages.download import download, held_back
from webapp.blueprints.messages.routes import blueprint
from webapp.mail.source import MAX_SHOWN, headers, shown
from webapp.web import find
from webapp.web.present import present


@blueprint.get("/messages/<int:message_id>/raw")
def raw(message_id):
    """The message byte for byte as the server sent it, once its files may be handed out."""
    message = find.message(message_id)
    if answer := held_back(*message.attachments):       # what is refused alone is not handed out within the whole
        return answer
    return download(Response(_pieces(message)), "message/rfc822", f"message-{message.id}.eml")


@blueprint.get("/messages/<int:message_id>/original")
def original(message_id):
    """Its headers, decoded, and the beginning of its source."""
    message = find.message(message_id)
    found, size = [], 0
    for piece in _pieces(message):
        found.append(piece)
        size += len(piece)
        if size > MAX_SHOWN:
            break
    beginning = b"".join(found)
    return present("messages/original", message=message, headers=headers(beginning), source=shown(beginning),
                   most=MAX_SHOWN)


def _pieces(message):
    if message.raw_sha256 is None:
        abort(404)
    return current_app.extensions["blobs"].open_raw(message.raw_sha256)
