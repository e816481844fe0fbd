"""Attachments of a message: one by one, and all of them in one archive."""

from functools import partial

from flask import Response, abort

from webapp.actions import files
from webapp.blueprints.messages.archive import archived
from webapp.blueprints.messages.download import download, harmless, held_back, infected, streamed
from webapp.blueprints.messages.routes import blueprint
from webapp.mail.preview import kind_of
from webapp.rules.bounds import ZIP_MAX_MB
from webapp.web import find
from webapp.web.present import present

blueprint.add_app_template_global(infected)


@blueprint.app_template_filter("file_kind")
def file_kind(attachment):
    """How it can be looked at: picture, pdf, text; None when it can only be downloaded."""
    return kind_of(attachment.content_type, attachment.filename)


@blueprint.app_template_filter("pictures_first")
def pictures_first(attachments):
    """In their order, but those that show a small picture stand together."""
    return sorted(attachments, key=lambda a: file_kind(a) != "picture")


@blueprint.app_template_filter("file_icon")
def file_icon(attachment):
    if file_kind(attachment) == "picture" or attachment.content_type.startswith("image/"):
        return "image"
    return {"text/calendar": "calendar", "application/ics": "calendar", "message/rfc822": "mail",
            "application/zip": "archive", "application/x-7z-compressed": "archive", "text/vcard": "contacts",
            "text/x-vcard": "contacts"}.get(attachment.content_type, "file")


@blueprint.get("/attachments/<int:attachment_id>")
def attachment(attachment_id):
    found = find.attachment(attachment_id)
    return held_back(found) or download(streamed(found), harmless(found.content_type), found.filename)


@blueprint.get("/messages/<int:message_id>/files.zip")
def all_files(message_id):
    """What the message's list of files shows, in one archive; without those that the virus scanner refuses."""
    message = find.message(message_id)
    refused = infected(message.files)
    wanted = [a for a in message.files if a.id not in refused]
    if not wanted:
        abort(404)
    if sum(a.size for a in wanted) > ZIP_MAX_MB * 1_000_000:
        return present("messages/too_many", 413, message=message)
    if answer := held_back(*wanted):
        return answer
    content = archived([(a.filename, partial(files.pieces, files.source(a))) for a in wanted], message.at)
    return download(Response(content), "application/zip", f"files-{message.id}.zip")
