"""Team inboxes: making them within the plan."""

from flask import current_app
from sqlalchemy import func, select

from webapp.extensions import db
from webapp.models import Inbox
from webapp.rules import RuleBroken
from webapp.rules.bounds import INBOX_NAME_MAX
from webapp.rules.connections import check_plan


def ensure_default_inbox(name):
    """Every installation starts with one inbox (BEHAVIOUR 5.1)."""
    if not db.session.scalar(select(Inbox.id).where(Inbox.is_default)):
        db.session.add(Inbox(name=name, is_default=True))
        db.session.flush()


def create_inbox(actor, name):
    """A further inbox, open to everyone. Raises RuleBroken("inbox", "plan_limit"), or
    ("new_inbox", "inbox_name" | "inbox_exists")."""
    if actor.role != "admin":
        raise RuleBroken("inbox", "admins_only")
    name = name.strip()
    if not 0 < len(name) <= INBOX_NAME_MAX:
        raise RuleBroken("new_inbox", "inbox_name", limit=INBOX_NAME_MAX)
    check_plan(db.session.scalar(select(func.count()).select_from(Inbox)),
               current_app.config["SETTINGS"].inbox_limit)
    if db.session.scalar(select(Inbox.id).where(Inbox.name == name)):
        raise RuleBroken("new_inbox", "inbox_exists", name=name)
    inbox = Inbox(name=name)
    db.session.add(inbox)
    db.session.flush()
    return inbox
