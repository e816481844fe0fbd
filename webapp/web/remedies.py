"""What templates ask about a refused address: the ways out, whom to ask, where it is connected."""

from babel.lists import format_list
from flask_babel import get_locale
from flask_login import current_user
from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Connection
from webapp.models.person import active_admins
from webapp.rules import RuleBroken, connections


def init_app(app):
    for function in (ways_out, broken_of, admin_names, connection_of):
        app.add_template_global(function)


def ways_out(broken):
    return connections.ways_out(broken, current_user.role, current_user.id)


def broken_of(step):
    """The broken rule behind a failed step of the checklist."""
    return RuleBroken("address", step["code"], **step["facts"])


def admin_names():
    return format_list([p.name for p in db.session.scalars(active_admins().limit(3))], style="or", locale=get_locale())


def connection_of(hold_id):
    """The mail connection that hangs on a hold."""
    return db.session.scalar(select(Connection.id).where(Connection.hold_id == hold_id, Connection.use == "mail"))
