"""What an inbox does by itself: admins say it (BEHAVIOUR 5; rules.autoreply, rules.hours)."""

from sqlalchemy import update

from webapp.actions import answers
from webapp.actions.audit import note
from webapp.extensions import db
from webapp.live import announce
from webapp.models import Inbox
from webapp.queue import later
from webapp.rules.access import check_admin
from webapp.rules.autoreply import check_text
from webapp.rules.hours import hours_of
from webapp.rules.targets import minutes_of


def change_replies(actor, inbox, first, first_text, away, away_text):
    """Whether, and what, is answered to first mail and outside of working hours. Whoever saves this has looked: an
    inbox that stopped goes on. Raises RuleBroken("auto_first_text" | "auto_away_text", …) as check_text does,
    and "admins_only_here"."""
    check_admin(actor.role, "auto_first")
    first_text = check_text("auto_first_text", first, first_text)
    away_text = check_text("auto_away_text", away, away_text, has_hours=bool(inbox.hours))
    inbox.auto_first, inbox.auto_first_text = first, first_text
    inbox.auto_away, inbox.auto_away_text = away, away_text
    inbox.auto_off_at = None
    note(actor, "inbox.replies_changed", f"inbox-{inbox.id}", inbox=inbox.name, first=first, away=away)
    _tell(inbox)


def change_hours(actor, inbox, zone, days, holidays=""):
    """`days`: seven texts as typed, Monday first; none at all: no working hours. Raises RuleBroken as
    rules.hours.hours_of, and "admins_only_here"."""
    check_admin(actor.role, "zone")
    inbox.hours = hours_of(zone, days, holidays)
    _recompute(inbox)
    note(actor, "inbox.hours_changed", f"inbox-{inbox.id}", inbox=inbox.name, hours=inbox.hours)
    _tell(inbox)


def change_targets(actor, inbox, first, later_ones):
    """Within how long mail is answered: `first` mail of a conversation, and `later_ones`, (number, unit) as typed each.
    Raises RuleBroken("first" | "later", "bad_target"), and "admins_only_here"."""
    check_admin(actor.role, "first")
    inbox.first_within, inbox.later_within = minutes_of("first", *first), minutes_of("later", *later_ones)
    note(actor, "inbox.targets_changed", f"inbox-{inbox.id}", inbox=inbox.name, first=inbox.first_within,
         later=inbox.later_within)
    _recompute(inbox)
    _tell(inbox)


def _recompute(inbox):
    db.session.flush()
    # Said to the database: a job may have counted on since the row was read here.
    db.session.execute(update(Inbox).where(Inbox.id == inbox.id).values(due_after=0))
    later(answers.JOB, inbox.id, queue="slow")


def _tell(inbox):
    db.session.flush()
    announce(f"inbox-{inbox.id}")
