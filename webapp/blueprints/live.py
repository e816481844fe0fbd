"""What changed, told to open screens: one stream a page, a poll where streams do not get through, and health."""

import json
import queue as stdlib_queue
import random
import time

from flask import Blueprint, Response, abort, current_app, request
from flask_login import current_user
from sqlalchemy import text

from webapp.extensions import db
from webapp.live import HEARTBEAT, versions
from webapp.web import find

blueprint = Blueprint("live", __name__)
NAMES_MAX = 20
LONGEST = 120.0      # seconds of a stream
LOOKS = {"inbox": find.inbox, "conversation": find.conversation, "presence": find.conversation,
         "drafts": find.conversation, "connection": find.connection, "message": find.message}


@blueprint.get("/live")
def stream():
    """Server-sent events: `changed` with a name, for each name that this person may listen to."""
    known, tab = _asked(), f"{current_user.id}-{request.args.get('tab', '')[:40]}"
    hub = current_app.extensions.get("live")
    inbox = hub.listen(known, tab) if hub else None
    if inbox is None:
        abort(503)
    fresh = versions(known)
    db.session.remove()        # a stream must not keep a database connection
    return Response(_events(hub, tab, inbox, known, fresh), mimetype="text/event-stream", headers={
        "Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"})


@blueprint.get("/live/poll")
def poll():
    """The same for clients without a stream: names whose counter is not the one they know."""
    known = _asked()
    fresh = versions(known)
    changed = {name: fresh[name] for name, version in known.items() if fresh[name] > version}
    return (changed, 200) if changed else ("", 204)


@blueprint.get("/health")
def health():
    """200 when the database answers; for the launcher and for proxies."""
    db.session.execute(text("SELECT 1"))
    return {"status": "ok"}


def _events(hub, tab, inbox, known, fresh):
    """Ends after a while: the browser comes again, and is asked again who it is and what it may hear."""
    until = time.monotonic() + LONGEST * random.uniform(0.8, 1.0)
    try:
        yield "retry: 2000\n: hello\n\n" + _event("hello", {})
        for name, version in fresh.items():
            if version > known[name]:
                yield _event("changed", {"name": name, "version": version})
        while time.monotonic() < until:
            try:
                item = inbox.get(timeout=HEARTBEAT)
            except stdlib_queue.Empty:
                yield ": still here\n\n"
                continue
            if item is None:
                return
            yield _event("changed", {"name": item[0], "version": item[1]})
    finally:
        hub.leave(tab, inbox)


def _event(kind, data):
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"


def _asked():
    """{name: version known} from ?on=inbox-2:17. A name that this person may not see is 404, like any look-up."""
    known = {}
    for item in request.args.getlist("on")[:NAMES_MAX]:
        name, _, version = item.partition(":")
        kind, _, number = name.partition("-")
        try:
            row = find.row_id(number)
        except ValueError:
            abort(404)
        if kind == "person":
            if row != current_user.id:
                abort(404)
        elif kind in LOOKS:
            LOOKS[kind](row)
        else:
            abort(404)
        known[name] = int(version) if version.isascii() and version.isdigit() else -1
    return known
