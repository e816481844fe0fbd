"""The first page: the inbox when there is one to show, else what to do first."""

from flask import Blueprint, redirect, url_for
from flask_login import current_user
from sqlalchemy import exists, func, select

from webapp.extensions import db
from webapp.models import Connection, Inbox, Person
from webapp.models.connection import own_connections
from webapp.models.inbox import readable_inboxes
from webapp.web.present import present

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def index():
    fed = _fed()
    return redirect(url_for("team.inbox", inbox_id=fed.id)) if fed else welcome()


@blueprint.get("/welcome")
def welcome():
    mine = db.session.scalars(own_connections(current_user)).all()
    team = db.session.scalar(select(func.count()).select_from(Connection).where(
        Connection.inbox_id.is_not(None), Connection.state == "active"))
    people = db.session.scalar(select(func.count()).select_from(Person).where(Person.state == "active"))
    return present("home/welcome", mine=mine, team=team, people=people,
                   inbox=_fed())


def _fed():
    """The first inbox that this person may read and that has an address, or None."""
    has_one = exists().where(Connection.inbox_id == Inbox.id, Connection.state.in_(("active", "paused")))
    return db.session.scalar(readable_inboxes(current_user).where(has_one).order_by(None).order_by(Inbox.id).limit(1))
