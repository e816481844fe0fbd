"""What rules make of a mail that is typed, of one that came, and of the last that came. Nothing is sent or moved."""

from dataclasses import dataclass, field
from typing import NamedTuple

from flask_login import current_user
from sqlalchemy import select

from webapp.actions import routing
from webapp.extensions import db
from webapp.models import Conversation, Inbox, Message
from webapp.models.message import visible_messages
from webapp.models.types import now
from webapp.rules.hours import after_work
from webapp.rules.routing import Rule, decide
from webapp.web import find

RECENT, REPLAYED = 12, 200


@dataclass
class Trial:
    """What was typed, or chosen, and what the rules make of it: steps as Routed keeps them."""

    sender: str = ""
    subject: str = ""
    text: str = ""
    message_id: int | None = None
    steps: list = field(default_factory=list)
    actions: list = field(default_factory=list)
    why: str = ""
    name: str = ""
    due_at: object = None
    recent: list = field(default_factory=list)


class Change(NamedTuple):
    message: object
    before: list        # actions, as the rules stand
    after: list


def trial_of(found):
    return Trial(recent=_recent(found, RECENT) if find.may_read(found) else [])


def decide_of(found, trial, mail):
    routes = routing.routes_of(found.id)
    decision = decide([routing.rule_of(r) for r in routes], mail)
    numbers = {route.id: n for n, route in enumerate(routes, 1)}
    trial.steps = routing.steps_of(decision, routes)
    trial.actions = [(numbers[i], a) for i, a in decision.actions if a["do"] not in routing.GIVES]
    if routing.gives_work(decision):
        moved = decision.action("move")
        where = moved and db.session.get(Inbox, moved["inbox"]) or found
        chosen = routing.choice_of(where, routing.giving(decision, where)[1], mail.owner_id)
        trial.why, trial.name = chosen.why, getattr(chosen.person or chosen.team, "name", "")
    target = decision.action("target")
    if target:
        trial.due_at = after_work(found.hours, now(), target["minutes"] * 60)


def replayed(found, form, route):
    """(how many were looked at, [Change of those that would go another way])."""
    conditions, actions = routing.checked(found, form.given)
    routes = routing.routes_of(found.id)
    before = [routing.rule_of(r) for r in routes]
    changed = Rule(route.id if route else 0, tuple(conditions), tuple(actions), form.match, form.go_on,
                   route.is_on if route else True)
    after = [changed if route and r.id == route.id else r for r in before] + ([] if route else [changed])
    messages = _recent(found, REPLAYED) if find.may_read(found) else []
    changes = []
    for message in messages:
        mail = routing.mail_of(message, message.conversation, found)
        was, will = (_said(rules, mail, found) for rules in (before, after))
        if was != will:
            changes.append(Change(message, was, will))
    return len(messages), changes


def _said(rules, mail, found):
    decision = decide(rules, mail)
    actions = [a for _id, a in decision.actions]
    _rule, given = routing.giving(decision, found)
    return actions if given is None or given in actions else [*actions, given]


def _recent(found, most):
    """The newest mail that opened a conversation here."""
    first = select(Message.id).where(Message.conversation_id == Conversation.id, ~Message.outgoing).order_by(
        Message.at, Message.id).limit(1).scalar_subquery()
    newest = select(first.label("id")).select_from(Conversation).where(
        Conversation.inbox_id == found.id, Conversation.status.not_in(("merged", "trash"))).order_by(
        Conversation.opened_at.desc()).limit(most).subquery()
    return db.session.scalars(visible_messages(current_user).join(newest, newest.c.id == Message.id).order_by(
        Message.at.desc(), Message.id.desc())).all()
