"""Who holds an address, changed on purpose: paused, made the default, switched, disconnected, released, asked for."""

from flask import abort, request, url_for
from flask_login import current_user

from webapp.actions import connections, folders, history, holds, inboxes
from webapp.blueprints.connections.routes import blueprint
from webapp.extensions import db
from webapp.models.inbox import known_inboxes
from webapp.rules import RuleBroken
from webapp.rules.access import check_takes_out
from webapp.rules.connections import check_switch
from webapp.web import find
from webapp.web.forms import NEW_INBOX, Act, SwitchToTeam
from webapp.web.present import go, present


@blueprint.post("/connections/<int:connection_id>/pause")
def pause(connection_id):
    return _done(connection_id, holds.pause)


@blueprint.post("/connections/<int:connection_id>/resume")
def resume(connection_id):
    return _done(connection_id, holds.resume)


@blueprint.post("/connections/<int:connection_id>/default")
def make_default(connection_id):
    return _done(connection_id, holds.make_default)


@blueprint.post("/connections/<int:connection_id>/history")
def set_history(connection_id):
    """How far back its mail is read."""
    return _done(connection_id, lambda actor, connection: history.set_history(
        actor, connection, request.form.get("history", "")))


@blueprint.post("/connections/<int:connection_id>/folders")
def choose_folders(connection_id):
    """Which folders are read, besides INBOX and Sent."""
    return _done(connection_id, lambda actor, connection: folders.choose(
        actor, connection, request.form.getlist("folder", type=int)))


@blueprint.get("/connections/<int:connection_id>/switch")
def switch_form(connection_id):
    connection = find.connection(connection_id)
    form = _switch_form(connection)
    return present("connections/switch", connection=connection, form=form, refused=_refused(connection))


@blueprint.post("/connections/<int:connection_id>/switch")
def switch(connection_id):
    """The other kind, in one confirmed step (BEHAVIOUR 0.6)."""
    connection = find.connection(connection_id)
    form, refused = _switch_form(connection), _refused(connection)
    if refused is None and form.validate_on_submit():
        try:
            new = holds.switch(current_user, connection, **_switch_facts(connection, form))
        except RuleBroken as broken:
            db.session.rollback()
            form.blame(broken)
        else:
            return go(url_for("connections.show", connection_id=new.id))
    return present("connections/switch", 422, connection=connection, form=form, refused=refused)


@blueprint.get("/connections/<int:connection_id>/disconnect")
def disconnect_form(connection_id):
    return present("connections/disconnect", connection=find.connection(connection_id), form=Act())


@blueprint.post("/connections/<int:connection_id>/disconnect")
def disconnect(connection_id):
    connection = find.connection(connection_id)
    if not Act().validate_on_submit():
        abort(400)
    kind = connection.kind
    connections.disconnect(current_user, connection)
    return go(url_for("personal.index") if kind == "personal" else url_for("home.index"))


@blueprint.get("/holds/<int:hold_id>/release")
def release_form(hold_id):
    """Asked once more for an address that somebody who is here uses."""
    return present("connections/release", hold=find.hold(hold_id), kind=_kind(request.args.get("kind")),
                   back=request.args.get("back"), form=Act())


@blueprint.post("/holds/<int:hold_id>/release")
def release(hold_id):
    """An admin frees an address that a person holds, and goes on connecting it, or where they came from."""
    hold = find.hold(hold_id)
    if not Act().validate_on_submit():
        abort(400)
    address = hold.address
    try:
        holds.release(current_user, hold)
    except RuleBroken:
        abort(403)
    if request.form.get("back") == "people":
        return go(url_for("people.index"))
    if request.form.get("back") == "leaving" and hold.person_id:
        return go(url_for("people.leaving", person_id=hold.person_id))
    return go(url_for("connections.connect_form", kind=_kind(request.form.get("kind")), address=address))


@blueprint.post("/connect/<any(personal, team):kind>/ask")
def ask(kind):
    """Ask the admins for an address that somebody else holds."""
    if not Act().validate_on_submit():
        abort(400)
    address = request.form.get("address", "")[:300]
    try:
        holds.request(current_user, address, kind)
    except RuleBroken as broken:
        if broken.code == "not_taken":      # free by now
            return go(url_for("connections.connect_form", kind=kind, address=address))
        abort(403 if broken.code == "viewer" else 400)
    return present("connections/asked", address=address.strip(), kind=kind)


def _done(connection_id, act):
    connection = find.connection(connection_id)
    if not Act().validate_on_submit():
        abort(400)
    try:
        act(current_user, connection)
    except RuleBroken:
        abort(409)
    if connection.person_id:
        return go(url_for("personal.index", show=connection.id))
    return go(url_for("team.settings", inbox_id=connection.inbox_id))


def _switch_form(connection):
    if connection.kind == "team":
        return Act()
    form = SwitchToTeam()
    rows = db.session.scalars(known_inboxes(current_user)).all()
    form.inbox.choices = [(str(i.id), i.name) for i in rows] + [(NEW_INBOX, "+")]
    return form


def _switch_facts(connection, form):
    if connection.kind == "team":
        return {}
    if form.inbox.data == NEW_INBOX:
        inbox = inboxes.create_inbox(current_user, form.new_inbox.data)
    else:
        inbox = find.inbox_to_set(int(form.inbox.data))
    return {"inbox": inbox, "from_name": form.from_name.data or ""}


def _refused(connection):
    """What stands against it, before anything is confirmed."""
    uses = [c.use for c in connection.hold.connections] if connection.hold else []
    try:
        if connection.inbox_id:
            check_takes_out(connection.inbox.access, find.belongs_to(connection.inbox))
        check_switch(current_user.role, connection.kind, uses, "team" if connection.kind == "personal" else "personal")
    except RuleBroken as broken:
        return broken
    return None if connection.hold and connection.use == "mail" else RuleBroken("address", "not_now")


def _kind(text):
    return text if text in ("personal", "team") else "team"
