"""Attachments looked at without opening them: pictures painted anew, text as text, PDF in the browser's own viewer."""

from flask import abort, current_app, make_response, request
from flask_login import current_user

from webapp.actions import files, paintings
from webapp.blueprints.messages.download import content_of, download, held_back, infected, opened, streamed
from webapp.blueprints.messages.routes import blueprint
from webapp.mail import pdf as pdf_file
from webapp.mail.preview import MAX_TEXT, as_text, is_pdf, kind_of
from webapp.mail.repaint import MOST_BYTES, VERSION, NotPainted
from webapp.web import find
from webapp.web.present import present

THUMBNAIL = 320            # pixels, twice what is shown: for screens with fine pixels
LARGE = 2_000
# A frame with the sandbox attribute shows no PDF in any browser. Sent with the PDF itself, the sandbox holds whatever
# the bytes turn out to be, and the viewers of Chromium and Firefox, which are not part of the page, still show it.
PDF_CSP = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"


@blueprint.get("/attachments/<int:attachment_id>/preview")
def preview(attachment_id):
    """A page with the file in it."""
    found = find.attachment(attachment_id)
    kind = kind_of(found.content_type, found.filename)
    if kind is None:
        abort(404)
    if answer := held_back(found):
        return answer
    text = width = None
    if kind == "picture":
        try:
            painted = _painted(found, LARGE)
            width = painted.width, painted.height
        except NotPainted:
            kind = "none"
    else:
        beginning = _beginning(found)
        text = _text(found, beginning) if kind == "text" else None
        if kind == "text" and text is None or kind == "pdf" and not is_pdf(beginning):
            kind = "none"
        elif kind == "pdf" and not _quiet(found):
            kind = "acting"
    others = [a for a in found.message.files if kind_of(a.content_type, a.filename)]
    refused = infected(others)
    return present("messages/preview", attachment=found, message=found.message, kind=kind, text=text, size=width,
                   most=MAX_TEXT, others=[a for a in others if a.id not in refused])


@blueprint.get("/attachments/<int:attachment_id>/thumbnail")
def thumbnail(attachment_id):
    return _picture(attachment_id, THUMBNAIL)


@blueprint.get("/attachments/<int:attachment_id>/picture")
def picture(attachment_id):
    return _picture(attachment_id, LARGE)


@blueprint.get("/attachments/<int:attachment_id>/pdf")
def pdf(attachment_id):
    """The PDF itself, for the browser's viewer. Never anything else, and none that acts by itself."""
    found = find.attachment(attachment_id)
    if kind_of(found.content_type, found.filename) != "pdf" or not is_pdf(_beginning(found)):
        abort(404)
    if answer := held_back(found):
        return answer
    if not _quiet(found):
        abort(404)
    response = download(streamed(found), "application/pdf", found.filename, "inline")
    portals = current_app.config["SETTINGS"].frame_ancestors.split()     # around us, when we are embedded
    response.headers["Content-Security-Policy"] = " ".join([PDF_CSP, *portals])
    return response


def _picture(attachment_id, largest_px):
    found = find.attachment(attachment_id)
    if kind_of(found.content_type, found.filename) != "picture":
        abort(404)
    if answer := held_back(found):
        return answer
    tag = f"{found.sha256}-{largest_px}-{VERSION}"
    if request.if_none_match.contains(tag):
        response = make_response("", 304)
    else:
        try:
            painted = _painted(found, largest_px)
        except NotPainted as no:
            abort(503 if no.code == "busy" else 404)
        response = make_response(painted.content)
        response.headers["Content-Type"] = painted.content_type
    response.set_etag(tag)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _painted(found, largest_px):
    """NotPainted when it is no picture, or too large to be looked at."""
    if found.size > MOST_BYTES:
        raise NotPainted("too_large")
    return paintings.painted(found.sha256, lambda: content_of(found), largest_px, largest_px,
                             found.message_id)


def _quiet(found):
    return found.size <= pdf_file.MAX_BYTES and pdf_file.is_quiet(b"".join(opened(found)))


def _beginning(found):
    try:
        return files.beginning(files.source(found), MAX_TEXT)
    except LookupError:
        abort(404)


def _text(found, beginning):
    """As text, in the charset that its header names; else what is usual where the reader's language is spoken."""
    usual = "windows-1250" if current_user.language == "pl" else None
    return as_text(beginning, files.charset(files.source(found)), usual)
