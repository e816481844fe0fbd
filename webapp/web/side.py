"""What the sidebar counts beside its links, asked only where a template shows it."""

from flask import current_app
from flask_login import current_user
from sqlalchemy import func, select

from webapp.extensions import db
from webapp.models import Connection, Notice
from webapp.models.inbox import live_inboxes


def init_app(app):
    for function in (stopped_mailboxes, unread_notices, inbox_usage):
        app.add_template_global(function)


def stopped_mailboxes():
    """How many of one's own addresses need somebody."""
    return db.session.scalar(select(func.count()).select_from(Connection).where(
        Connection.person_id == current_user.id, Connection.state == "active", Connection.problem.is_not(None)))


def unread_notices():
    return db.session.scalar(select(func.count()).select_from(Notice).where(
        Notice.person_id == current_user.id, Notice.shown, Notice.read_at.is_(None)))


def inbox_usage():
    """(inboxes there are, how many the plan allows or None)."""
    used = db.session.scalar(live_inboxes().with_only_columns(func.count()).order_by(None))
    return used, current_app.config["SETTINGS"].inbox_limit
