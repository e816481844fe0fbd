"""Further addresses that a team address writes from."""

from flask import abort, url_for
from flask_login import current_user

from webapp.actions import aliases
from webapp.blueprints.connections.routes import blueprint
from webapp.web import find
from webapp.web.forms import Act
from webapp.web.forms_senders import NewAlias
from webapp.web.present import go, present


@blueprint.get("/connections/<int:connection_id>/aliases")
def aliases_page(connection_id):
    return _page(find.team_connection(connection_id), NewAlias(formdata=None))


@blueprint.post("/connections/<int:connection_id>/aliases")
def add_alias(connection_id):
    connection, form = find.team_connection(connection_id), NewAlias()
    if form.did(lambda: aliases.add(current_user, connection, form.address.data or "")):
        return go(_here(connection))
    return _page(find.team_connection(connection_id), form, 422)


@blueprint.post("/connections/<int:connection_id>/aliases/<int:hold_id>/remove")
def remove_alias(connection_id, hold_id):
    connection = find.team_connection(connection_id)
    found = next((a for a in connection.aliases if a.hold_id == hold_id), None)
    if found is None:
        abort(404)
    if not Act().validate_on_submit():
        abort(400)
    aliases.remove(current_user, connection, found)
    return go(_here(connection))


def _here(connection):
    return url_for("connections.aliases_page", connection_id=connection.id)


def _page(connection, form, code=200):
    return present("connections/aliases", code, connection=connection, form=form, aliases=connection.aliases,
                   back=url_for("team.settings", inbox_id=connection.inbox_id, _anchor="addresses"))
