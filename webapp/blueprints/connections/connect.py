"""The form that connects an address, and what the rules say of it while it is typed."""

from flask import current_app, request, url_for
from flask_login import current_user

from webapp.actions import connections, inboxes
from webapp.blueprints.connections.routes import blueprint
from webapp.extensions import db
from webapp.mail.providers import known_provider
from webapp.models.inbox import known_inboxes
from webapp.rules import RuleBroken
from webapp.rules.connections import check_connector
from webapp.web import find
from webapp.web.forms import NEW_INBOX, ConnectPersonal, ConnectTeam
from webapp.web.present import fragment, go, present


@blueprint.get("/connect/<any(personal, team):kind>")
def connect_form(kind):
    form = _form(kind)
    if kind == "team":
        form.inbox.data = request.args.get("inbox") or form.inbox.choices[0][0]
    form.address.data = request.args.get("address", "")[:300]
    return present("connections/connect", form=form, kind=kind, refused=_refused(kind))


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


def _refused(kind):
    """Who may not connect this kind at all hears it before typing anything."""
    try:
        check_connector(current_user.role, kind)
    except RuleBroken as broken:
        return broken
    return None


@blueprint.post("/connect/<any(personal, team):kind>")
def connect(kind):
    form = _form(kind)
    if form.validate_on_submit():
        try:
            connection = connections.begin(current_user, kind, form.address.data, form.password.data,
                                           history=form.history.data,
                                           **(_team_facts(form) if kind == "team" else {}))
        except RuleBroken as broken:
            db.session.rollback()
            form.blame(broken)
        else:
            by_hand = "by_hand" in request.form
            return go(url_for(f"connections.{'servers_form' if by_hand else 'show'}", connection_id=connection.id))
    return present("connections/connect", 422, form=form, kind=kind)


def _form(kind, **given):
    if kind == "personal":
        return ConnectPersonal(**given)
    form = ConnectTeam(**given)
    rows = db.session.scalars(known_inboxes(current_user)).all()
    form.inbox.choices = [(str(i.id), i.name) for i in rows] + [(NEW_INBOX, "+")]
    return form


def _team_facts(form):
    if form.inbox.data == NEW_INBOX:
        inbox = inboxes.create_inbox(current_user, form.new_inbox.data)
    else:
        inbox = find.inbox_to_set(int(form.inbox.data))
    return dict(inbox=inbox, from_name=form.from_name.data or "")
