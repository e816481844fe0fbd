"""The checklist: connecting step by step, a failed step mended in place, other servers, a new password."""

from datetime import UTC, datetime

from flask import request, url_for
from flask_login import current_user
from sqlalchemy import func, select

from webapp.actions import connections
from webapp.actions.connections import STEPS
from webapp.blueprints.connections.routes import blueprint
from webapp.extensions import db
from webapp.mail.types import TEMPORARY_CODES
from webapp.models import Folder, Place
from webapp.rules import RuleBroken
from webapp.web import find
from webapp.web.forms import Act, Password, Servers
from webapp.web.present import fragment, go, present


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
    try:
        connections.try_again(current_user, connection, password=form.password.data or None)
    except RuleBroken as broken:
        form.blame(broken)
        return present("connections/show", 422, **{**_checklist(connection), "password_form": form})
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
    return dict(connection=connection, steps=steps, failed=failed, running=running, order=STEPS,
                progress=_progress(connection, steps), password_form=Password(), form=Act())


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
    stored = db.session.scalar(
        select(func.count()).select_from(Place).join(Folder, Folder.id == Place.folder_id)
        .where(Place.folder_id.in_([f.id for f in folders]), Place.uidvalidity == Folder.uidvalidity,
               Place.gone_at.is_(None))) if folders else 0
    total = stored + sum(f.ahead for f in folders)
    started = steps.get("sync", {}).get("facts", {}).get("started")
    left = None
    if started and stored and total > stored:
        elapsed = (datetime.now(UTC) - datetime.fromisoformat(started)).total_seconds()
        left = (total - stored) * elapsed / stored
    return stored, total, left
