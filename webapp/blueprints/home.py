"""The first page: the inbox when there is one to show, else what to do first."""

from flask import Blueprint, redirect, url_for
from flask_login import current_user
from sqlalchemy import func, select

from webapp.extensions import db
from webapp.models import Connection, Inbox, Person
from webapp.models.connection import own_connections
from webapp.models.inbox import readable_inboxes
from webapp.web.present import present

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def index():
    inboxes = db.session.scalars(readable_inboxes(current_user)).all()
    fed = db.session.scalar(select(Connection.inbox_id).where(
        Connection.inbox_id.in_([i.id for i in inboxes]), Connection.state.in_(("active", "paused")))
        .order_by(Connection.inbox_id).limit(1))
    if fed:
        return redirect(url_for("team.inbox", inbox_id=fed))
    return welcome()


@blueprint.get("/welcome")
def welcome():
    mine = db.session.scalars(own_connections(current_user)).all()
    team = db.session.scalar(select(func.count()).select_from(Connection).where(
        Connection.inbox_id.is_not(None), Connection.state == "active"))
    people = db.session.scalar(select(func.count()).select_from(Person).where(Person.state == "active"))
    return present("home/welcome", mine=mine, team=team, people=people,
                   inbox=db.session.scalar(select(Inbox).where(Inbox.is_default)))
