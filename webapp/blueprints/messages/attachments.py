"""Attachments of a message."""

from flask import make_response

from webapp.blueprints.messages.download import content_of, download, harmless
from webapp.blueprints.messages.routes import blueprint
from webapp.web import find


@blueprint.get("/attachments/<int:attachment_id>")
def attachment(attachment_id):
    found = find.attachment(attachment_id)
    return download(make_response(content_of(found)), harmless(found.content_type), found.filename)
