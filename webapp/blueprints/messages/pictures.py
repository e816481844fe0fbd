"""Pictures within the HTML of a message: its own, and those from elsewhere once the person who reads allowed it.

Every one was painted anew by us. A link names the message and the picture's number, never a URL, and ends after an
hour or two. It opens nothing by itself: the frame is of our origin, so its pictures are asked for with the session, and
whoever asks must still be allowed to see them.
"""

import base64
import binascii
import hashlib
import time
from urllib.parse import unquote

from flask import abort, current_app, make_response, request, url_for
from flask_login import current_user
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import select

from webapp.actions import paintings, pictures
from webapp.blueprints.messages.download import content_of
from webapp.blueprints.messages.routes import blueprint
from webapp.extensions import db
from webapp.mail.repaint import MOST_BYTES, NotPainted
from webapp.models import Picture
from webapp.queue import enqueue
from webapp.rules import RuleBroken
from webapp.web import find
from webapp.web.forms import Act, AlwaysPictures
from webapp.web.pictures import allowed_by, is_sure, rows_of
from webapp.web.present import fragment, go, is_swap

LINK_SECONDS = 3600      # how long a link to a picture works at least


@blueprint.get("/image/<token>")
def image(token):
    """One picture of a message, by a link that was made for somebody who may see it."""
    try:
        message_id, number, ends = _signer().loads(token)
    except (BadData, ValueError, TypeError):
        abort(404)
    if ends <= time.time():
        abort(404)
    message = find.message(message_id)
    if not 0 <= number < len(message.images) or message.images[number][0] == "remote" and not allowed_by(message):
        abort(404)
    try:
        painted = _painted(message, number)
    except NotPainted as no:
        abort(503 if no.code == "busy" else 404)
    response = make_response(painted.content)
    response.headers["Content-Type"] = painted.content_type
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = f"private, max-age={LINK_SECONDS}"
    return response


@blueprint.post("/messages/<int:message_id>/pictures")
def show_pictures(message_id):
    """Load them, this time; also what could not be loaded before, once more."""
    message = _acted_on(message_id)
    pictures.show_once(current_user, message)
    return _answer(message)


@blueprint.post("/messages/<int:message_id>/pictures/always")
def always_show_pictures(message_id):
    """Load them for all mail of this sender, or of its domain."""
    message, form = find.message(message_id), AlwaysPictures()
    if not form.validate_on_submit():
        abort(400)
    try:
        pictures.always_show(current_user, message, form.scope.data, is_sure(message))
    except RuleBroken as broken:
        return _answer(message, broken)
    return _answer(message)


@blueprint.post("/messages/<int:message_id>/pictures/hide")
def hide_pictures(message_id):
    message = _acted_on(message_id)
    pictures.hide(current_user, message)
    return _answer(message)


def sources(message):
    """{image number: URL} of what the person who asks is shown of a message: its own pictures, and remote ones that
    this person allowed and that are here. What is missing of those is fetched from now on."""
    remote = set()
    if allowed_by(message):
        rows = rows_of(message)
        remote = {p.number for p in rows if p.state == "stored"}
        if pictures.to_fetch(message, rows):
            enqueue(pictures.JOB, (message.id,), queue=pictures.QUEUE)
    parts = {a.content_id for a in message.attachments if a.content_id}
    return {number: _link(message, number) for number, (kind, url) in enumerate(message.images)
            if kind == "data" or kind == "cid" and url in parts or number in remote}


def _acted_on(message_id):
    message = find.message(message_id)
    if not Act().validate_on_submit():
        abort(400)
    return message


def _answer(message, broken=None):
    """The message's sheet anew for a swap; otherwise the page on which it stands."""
    if is_swap():
        db.session.flush()
        return fragment("_shared/shown", 422 if broken else 200, m=message, broken=broken)
    if broken:
        abort(422)
    if message.conversation_id:
        return go(url_for("team.conversation", conversation_id=message.conversation_id, _anchor=f"m{message.id}",
                          older="all" if request.form.get("older") == "all" else None))
    return go(url_for("personal.message", connection_id=message.connection_id, message_id=message.id))


def _painted(message, number):
    """NotPainted, or 404 for a picture that is not there."""
    kind, url = message.images[number]
    if kind == "remote":
        name = db.session.scalar(select(Picture.sha256).where(
            Picture.message_id == message.id, Picture.number == number, Picture.state == "stored"))
        found = paintings.known(name) if name else None
        if found is None or isinstance(found, NotPainted):
            abort(404)
        return found
    if kind == "cid":
        part = next((a for a in message.attachments if a.content_id == url), None)
        if part is None or part.size > MOST_BYTES:
            abort(404)
        return paintings.painted(part.sha256, lambda: content_of(part), message_id=message.id)
    raw = _data(url) if kind == "data" else abort(404)
    return paintings.painted(hashlib.sha256(raw).hexdigest(), lambda: raw, message_id=message.id)


def _data(url):
    try:
        return base64.b64decode(unquote(url.partition(",")[2]))
    except (binascii.Error, ValueError):
        abort(404)


def _link(message, number):
    """The same for an hour, so that the browser need not load it again each time the frame is drawn anew."""
    ends = (int(time.time()) // LINK_SECONDS + 2) * LINK_SECONDS
    return url_for("messages.image", token=_signer().dumps([message.id, number, ends]))


def _signer():
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="picture")
