"""Pictures within the HTML of a message."""

from flask import abort, current_app, make_response, url_for
from itsdangerous import BadSignature, URLSafeTimedSerializer

from webapp.blueprints.messages.download import RASTER, content_of
from webapp.blueprints.messages.routes import blueprint
from webapp.extensions import db
from webapp.models import Attachment

IMAGE_SECONDS = 3600      # how long a link to an inline image works


@blueprint.get("/image/<token>")
def image(token):
    """An inline image of a message. The frame has no cookies, so the link itself is the permission, for an hour."""
    try:
        attachment_id = _serializer().loads(token, max_age=IMAGE_SECONDS)
    except BadSignature:
        abort(404)
    found = db.session.get(Attachment, attachment_id)
    if found is None or found.content_type not in RASTER:
        abort(404)
    response = make_response(content_of(found))
    response.headers["Content-Type"] = found.content_type
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # the sandboxed frame has no origin
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def sources(message):
    """{image number: URL} of what may be shown without asking the outside: parts of the mail itself."""
    parts = {a.content_id: a for a in message.attachments if a.content_id and a.content_type in RASTER}
    sources = {}
    for number, (kind, url) in enumerate(message.images):
        if kind == "cid" and url in parts:
            sources[number] = url_for("messages.image", token=_serializer().dumps(parts[url].id))
        elif kind == "data":
            sources[number] = url
    return sources


def _serializer():
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="inline-image")
