"""Who is there to get new conversations: said by hand, by hours, by days off (rules.availability)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from webapp.actions.audit import note
from webapp.actions.notices import tell
from webapp.extensions import db
from webapp.live import announce
from webapp.models import Absence
from webapp.rules import RuleBroken
from webapp.rules.availability import check_absence, may_set
from webapp.rules.hours import hours_of


def set_away(actor, person, is_away):
    """By hand. Whoever is set by somebody else is told, and can set it back."""
    _check(actor, person)
    if person.is_away == is_away:
        return
    person.is_away = is_away
    if actor.id != person.id:
        tell(person, "availability", by=actor.name, away=is_away)
        note(actor, "person.availability", f"person-{person.id}", name=person.name, away=is_away)
    _tell(person)


def set_hours(actor, person, days, zone=None):
    """`days`: seven texts as typed, Monday first; none at all: always. In the person's own zone. Raises RuleBroken as
    rules.hours.hours_of."""
    _check(actor, person)
    person.hours = hours_of(zone or person.time_zone, days)
    _tell(person)


def absences_of(person):
    """Those that are not over, the next first."""
    return db.session.scalars(select(Absence).where(Absence.person_id == person.id, Absence.last >= today(person))
                              .order_by(Absence.first, Absence.id)).all()


def add_absence(actor, person, first, last, hand_over):
    """Raises RuleBroken as rules.availability.check_absence."""
    _check(actor, person)
    count = db.session.scalar(select(func.count()).select_from(Absence).where(
        Absence.person_id == person.id, Absence.last >= today(person)))
    check_absence(first, last, today(person), count)
    db.session.add(Absence(person_id=person.id, first=first, last=last, hand_over=hand_over))
    _tell(person)


def remove_absence(actor, person, absence):
    _check(actor, person)
    db.session.delete(absence)
    _tell(person)


def today(person):
    return datetime.now(UTC).astimezone(ZoneInfo(person.time_zone)).date()


def _check(actor, person):
    if not may_set(actor.role, actor.id, person.id):
        raise RuleBroken("person", "admins_only_here")


def _tell(person):
    db.session.flush()
    announce(f"person-{person.id}")


