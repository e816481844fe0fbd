"""Which server's word about senders is believed in a mailbox (RFC 8601)."""

from flask import url_for
from flask_login import current_user

from webapp.actions import sender_check
from webapp.blueprints.connections.routes import blueprint
from webapp.rules import RuleBroken
from webapp.web import find
from webapp.web.forms_senders import SenderCheck
from webapp.web.present import go, present
from webapp.web.senders import trusted


@blueprint.get("/connections/<int:connection_id>/sender-check")
def sender_check_form(connection_id):
    connection = find.connection(connection_id)
    return _page(connection, SenderCheck(formdata=None, data={"authserv_id": trusted(connection)}))


@blueprint.post("/connections/<int:connection_id>/sender-check")
def set_sender_check(connection_id):
    connection, form = find.connection(connection_id), SenderCheck()
    if form.validate_on_submit():
        try:
            sender_check.set_authserv_ids(current_user, connection, form.authserv_id.data or "")
        except RuleBroken as broken:
            form.blame(broken)
        else:
            return go(_back(connection))
    return _page(connection, form, 422)


def _page(connection, form, code=200):
    return present("connections/sender_check", code, connection=connection, form=form, back=_back(connection),
                   suggested=sender_check.suggested(connection))


def _back(connection):
    if connection.person_id:
        return url_for("personal.index", show=connection.id)
    return url_for("team.settings", inbox_id=connection.inbox_id)
