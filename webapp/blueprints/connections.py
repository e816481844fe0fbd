"""Choosing what an address is for, connecting it step by step, reconnecting, disconnecting."""

from datetime import UTC, datetime

from flask import Blueprint, abort, current_app, request, url_for
from flask_login import current_user
from sqlalchemy import func, select

from webapp.actions import connections, inboxes
from webapp.actions.connections import STEPS
from webapp.extensions import db
from webapp.mail.providers import known_provider
from webapp.mail.types import TEMPORARY_CODES
from webapp.models import Connection, Folder, Inbox, Person, Place
from webapp.models.connection import own_connections
from webapp.models.inbox import visible_inboxes
from webapp.rules import RuleBroken
from webapp.rules.connections import PERSONAL_GOALS, TEAM_GOALS, advise
from webapp.web import find
from webapp.web.forms import NEW_INBOX, Act, ConnectPersonal, ConnectTeam, Password, Servers
from webapp.web.present import fragment, go, present

blueprint = Blueprint("connections", __name__)


@blueprint.get("/choose")
def choose():
    return present("connections/choose", **_advice())


@blueprint.get("/choose/advice")
def advice():
    return fragment("connections/advice", **_advice())


def _advice():
    goals = [g for g in request.args.getlist("goal") if g in PERSONAL_GOALS + TEAM_GOALS]
    mine = db.session.scalars(own_connections(current_user)).all()
    seen = visible_inboxes(current_user).with_only_columns(Inbox.id).order_by(None)
    team = db.session.scalars(select(Connection).where(Connection.inbox_id.in_(seen),
                                                       Connection.state == "active")).all()
    return dict(goals=goals, verdict=advise(goals), mine=[c for c in mine if c.state == "active"], team=team,
                inbox_count=db.session.scalar(select(func.count()).select_from(Inbox)))


@blueprint.get("/connect/<any(personal, team):kind>")
def connect_form(kind):
    form = _form(kind)
    if kind == "team" and not form.is_submitted():
        form.inbox.data = request.args.get("inbox") or form.inbox.choices[0][0]
    form.address.data = request.args.get("address", "")
    return present("connections/connect", form=form, kind=kind)


@blueprint.get("/connect/<any(personal, team):kind>/hint")
def hint(kind):
    """While the address is typed: what the rules say of it, and whether its provider is known. No network."""
    form = _form(kind, formdata=request.args)
    typed = (form.address.data or "").strip()
    whole = "@" in typed and "." in typed.rpartition("@")[2]
    if whole:
        form.address.validate(form)
    return fragment("connections/hint", form=form, kind=kind, typed=typed if whole else "",
                    provider=known_provider(typed, current_app.config["SETTINGS"].mail_presets()) if whole else None)


@blueprint.post("/connect/<any(personal, team):kind>")
def connect(kind):
    form = _form(kind)
    if form.validate_on_submit():
        try:
            connection = connections.begin(current_user, kind, form.address.data, form.password.data,
                                           **(_team_facts(form) if kind == "team" else {}))
        except RuleBroken as broken:
            db.session.rollback()
            form.blame(broken)
        else:
            by_hand = "by_hand" in request.form
            return go(url_for(f"connections.{'servers_form' if by_hand else 'show'}", connection_id=connection.id))
    return present("connections/connect", 422, form=form, kind=kind)


@blueprint.get("/connections/<int:connection_id>")
def show(connection_id):
    return present("connections/show", **_checklist(find.connection(connection_id)))


@blueprint.get("/connections/<int:connection_id>/checks")
def checks(connection_id):
    return fragment("connections/checks", **_checklist(find.connection(connection_id)))


@blueprint.post("/connections/<int:connection_id>/again")
def again(connection_id):
    """Try the failed step again; with another password when one was typed."""
    connection, form = find.connection(connection_id), Password()
    if "password" in request.form and not form.validate_on_submit():
        return present("connections/show", 422, **{**_checklist(connection), "password_form": form})
    connections.try_again(current_user, connection, password=form.password.data or None)
    return go(url_for("connections.show", connection_id=connection.id))


@blueprint.get("/connections/<int:connection_id>/servers")
def servers_form(connection_id):
    connection = find.connection(connection_id)
    return present("connections/servers", connection=connection, form=_servers_form(connection))


@blueprint.post("/connections/<int:connection_id>/servers")
def servers(connection_id):
    connection, form = find.connection(connection_id), Servers()
    if form.validate_on_submit():
        try:
            connections.try_again(current_user, connection, password=form.password.data or None, servers=form.servers)
        except RuleBroken as broken:
            form.blame(broken)
        else:
            return go(url_for("connections.show", connection_id=connection.id))
    return present("connections/servers", 422, connection=connection, form=form)


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


@blueprint.post("/holds/<int:hold_id>/release")
def release(hold_id):
    """An admin frees the address of somebody who is gone, and goes on connecting it."""
    hold = find.hold(hold_id)
    if not Act().validate_on_submit():
        abort(400)
    kind, address = request.form.get("kind"), hold.address
    try:
        connections.release(current_user, hold)
    except RuleBroken:
        abort(403)
    return go(url_for("connections.connect_form", kind=kind if kind in ("personal", "team") else "team",
                      address=address))


def _form(kind, **given):
    if kind == "personal":
        return ConnectPersonal(**given)
    form = ConnectTeam(**given)
    rows = db.session.scalars(visible_inboxes(current_user)).all()
    form.inbox.choices = [(str(i.id), i.name) for i in rows] + [(NEW_INBOX, "+")]
    return form


def _team_facts(form):
    if form.inbox.data == NEW_INBOX:
        inbox = inboxes.create_inbox(current_user, form.new_inbox.data)
    else:
        inbox = find.inbox(int(form.inbox.data))
    return dict(inbox=inbox, from_name=form.from_name.data or "")


def _servers_form(connection):
    domain = connection.address.rpartition("@")[2]
    return Servers(data=dict(
        imap_host=connection.imap_host or f"imap.{domain}", imap_port=connection.imap_port or 993,
        imap_security=connection.imap_security or "tls", user_name=connection.user_name or connection.address,
        smtp_host=connection.smtp_host or f"smtp.{domain}", smtp_port=connection.smtp_port or 465,
        smtp_security=connection.smtp_security or "tls"))


def _checklist(connection):
    """The steps as they stand, and the first sync's progress from stored rows."""
    steps = _with_problem(connection)
    failed = next((name for name in STEPS if steps.get(name, {}).get("state") == "fail"), None)
    running = failed is None and any(steps.get(n, {}).get("state", "todo") in ("run", "todo")
                                     for n in STEPS)
    if not steps:
        running = False
    admins = db.session.scalars(select(Person).where(Person.role == "admin", Person.state == "active")).all()
    return dict(connection=connection, steps=steps, failed=failed, running=running, order=STEPS,
                progress=_progress(connection, steps), password_form=Password(), form=Act(), admins=admins)


def _with_problem(connection):
    """The stored steps; what stops a connected mailbox later is shown at the step that it would fail."""
    steps = dict(connection.checks or {})
    if connection.problem and not any(s["state"] == "fail" for s in steps.values()):
        place = STEPS.index("sync" if connection.problem in TEMPORARY_CODES else "receive")
        steps = {name: steps[name] for name in STEPS[:place] if name in steps}
        steps[STEPS[place]] = {"state": "fail", "code": connection.problem, "facts": connection.problem_facts or {}}
    return steps


def _progress(connection, steps):
    """(stored, total, seconds left or None)."""
    folders = [f for f in connection.folders if f.chosen]
    total = sum(f.total for f in folders)
    stored = db.session.scalar(
        select(func.count()).select_from(Place).join(Folder, Folder.id == Place.folder_id)
        .where(Place.folder_id.in_([f.id for f in folders]), Place.uidvalidity == Folder.uidvalidity)) if folders else 0
    started = steps.get("sync", {}).get("facts", {}).get("started")
    left = None
    if started and stored and total > stored:
        elapsed = (datetime.now(UTC) - datetime.fromisoformat(started)).total_seconds()
        left = (total - stored) * elapsed / stored
    return min(stored, total), total, left
