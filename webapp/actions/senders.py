"""Whose mail is spam, and whose never is: what admins say of an inbox (rules.spam)."""

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from webapp.actions.audit import note
from webapp.extensions import db
from webapp.live import announce
from webapp.models import SenderRule
from webapp.rules.access import check_admin
from webapp.rules.spam import check_pattern


def rules_of(inbox_id) -> dict[str, str]:
    """{pattern: "allow" | "deny"}"""
    return dict(db.session.execute(select(SenderRule.pattern, SenderRule.kind).where(
        SenderRule.inbox_id == inbox_id)).all())


def add_rule(actor, inbox, kind, text):
    """Mail of this address or domain is spam from now on ("deny"), or never ("allow"); what was said of it before is
    replaced. Returns the SenderRule. Raises RuleBroken("pattern", …) as rules.spam.check_pattern, and
    "admins_only_here"."""
    check_admin(actor.role, "pattern")
    count = db.session.scalar(select(func.count()).select_from(SenderRule).where(SenderRule.inbox_id == inbox.id))
    pattern = check_pattern(kind, text, count)
    rule = _known(inbox, pattern)
    if rule is None:
        rule = SenderRule(inbox_id=inbox.id, kind=kind, pattern=pattern, made_by_id=actor.id)
        try:
            with db.session.begin_nested():
                db.session.add(rule)
                db.session.flush()
        except IntegrityError:      # somebody else says so at the same time
            rule = _known(inbox, pattern)
    elif rule.kind == kind:
        return rule
    rule.kind, rule.made_by_id = kind, actor.id
    _note(actor, inbox, "denied" if kind == "deny" else "allowed", pattern)
    return rule


def remove_rule(actor, inbox, rule):
    check_admin(actor.role, "pattern")
    db.session.delete(rule)
    _note(actor, inbox, "removed", rule.pattern)


def _known(inbox, pattern):
    return db.session.scalar(select(SenderRule).where(SenderRule.inbox_id == inbox.id, SenderRule.pattern == pattern))


def _note(actor, inbox, what, pattern):
    db.session.flush()
    note(actor, f"inbox.sender_{what}", f"inbox-{inbox.id}", inbox=inbox.name, pattern=pattern)
    announce(f"inbox-{inbox.id}")
