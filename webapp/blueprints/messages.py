"""What belongs to one message: its HTML in a frame of its own, its images, attachments and raw bytes."""

from urllib.parse import quote

from flask import Blueprint, abort, current_app, make_response, url_for
from flask_login import current_user
from itsdangerous import BadSignature, URLSafeTimedSerializer

from webapp.actions import reread
from webapp.extensions import db
from webapp.mail.html import fill
from webapp.mail.parse import part_content
from webapp.models import Attachment
from webapp.web import find
from webapp.web.forms import Act
from webapp.web.present import fragment, go, is_swap

blueprint = Blueprint("messages", __name__)

IMAGE_SECONDS = 3600      # how long a link to an inline image works
FRAME_CSP = ("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src 'self' data:;"
             " style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'")
RASTER = ("image/png", "image/jpeg", "image/gif", "image/webp")
DOCUMENTS = ("application/pdf", "application/zip", "application/msword", "text/plain", "text/csv", "text/calendar")


@blueprint.get("/messages/<int:message_id>/body")
def body(message_id):
    """Customer HTML, sanitised when it came in, in a sandbox with its own policy (DEFENCE 1.3, layer 5)."""
    message = find.message(message_id)
    if message.html is None:
        abort(404)
    page = _page(fill(message.html, _sources(message)))
    response = make_response(page)
    portals = current_app.config["SETTINGS"].frame_ancestors.split()     # around us, when we are embedded
    response.headers["Content-Security-Policy"] = " ".join([FRAME_CSP, *portals])
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "private, max-age=300"
    return response


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
    return _bytes(found, inline=True)


@blueprint.get("/attachments/<int:attachment_id>")
def attachment(attachment_id):
    return _bytes(find.attachment(attachment_id), inline=False)


@blueprint.get("/messages/<int:message_id>/raw")
def raw(message_id):
    """The message byte for byte as the server sent it."""
    message = find.message(message_id)
    if message.raw_sha256 is None:
        abort(404)
    response = make_response(current_app.extensions["blobs"].get_raw(message.raw_sha256))
    return _download(response, "message/rfc822", f"message-{message.id}.eml")


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


def _sources(message):
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


def _page(html):
    return ('<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light"><title>Message</title>'
            "<style>html{background:#fff;color:#222}body{margin:0;padding:12px 16px;"
            "font:14px/1.5 Arial,'Liberation Sans',sans-serif;overflow-wrap:anywhere}"
            "img{max-width:100%!important;height:auto}"
            "table,td,div{max-width:100%!important}@media(max-width:640px){"
            "table[width]:not([width$='%']),table[style*=width]{width:100%!important;min-width:0!important}"
            "td[width]:not([width$='%']),td[style*=width],div[style*=width]{width:auto!important;min-width:0!important}}"
            "blockquote{margin:0 0 0 .8ex;border-left:2px solid #ccc;padding-left:1ex}</style>" + html)


def _content(found):
    """Of a large part without its message: a letter with a hundred pictures must not be read a hundred times."""
    blobs = current_app.extensions["blobs"]
    content = blobs.get_part(found.sha256)
    if content is None:
        raw_message = blobs.get_raw(found.message.raw_sha256)
        try:
            content = part_content(raw_message, found.part_index)
        except LookupError:     # a better parser may count the parts in another way
            abort(404)
    return content


def _bytes(found, inline):
    response = make_response(_content(found))
    if inline:
        response.headers["Content-Type"] = found.content_type
        response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # the sandboxed frame has no origin
        response.headers["Cache-Control"] = "private, max-age=3600"
        return response
    return _download(response, _harmless(found.content_type), found.filename)


def _harmless(content_type):
    """The type of a download. Never one that a page could take in as a script, a style or a document (nosniff)."""
    plain = content_type in (*RASTER, *DOCUMENTS) or content_type.startswith(("audio/", "video/", "application/vnd."))
    return content_type if plain and not content_type.endswith("xml") else "application/octet-stream"


def _download(response, content_type, filename):
    """Always a download, never a page of ours (DEFENCE 1.3, layer 9)."""
    ascii_name = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in filename)
    response.headers["Content-Type"] = content_type
    encoded = quote(filename, safe="")
    response.headers["Content-Disposition"] = f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{encoded}"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-store"
    return response
