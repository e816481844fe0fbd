"""When one is there to get new conversations, and when somebody else is: for oneself, and for admins."""

from flask import Blueprint, abort, request, url_for
from flask_login import current_user
from sqlalchemy import select

from webapp.actions import availability, routing
from webapp.extensions import db
from webapp.models import Absence
from webapp.web import find
from webapp.web.forms import pressed
from webapp.web.forms_automatic import DayOff, OwnHours, typed_hours
from webapp.web.present import go, present

blueprint = Blueprint("availability", __name__)
SAVED = ("away", "hours", "absence")


@blueprint.get("/availability")
def index():
    saved = request.args.get("saved")
    return _page(saved=saved if saved in SAVED else None)


@blueprint.post("/availability")
def set_away():
    """`away`: y, or not there."""
    pressed()
    availability.set_away(current_user, current_user, request.form.get("away") == "y")
    return _there("away")


@blueprint.post("/availability/hours")
def set_hours():
    form = OwnHours()
    if form.did(lambda: availability.set_hours(current_user, current_user, form.typed)):
        return _there("hours")
    return _page(422, hours_form=form)


@blueprint.post("/availability/absences")
def add_absence():
    form = DayOff()
    if form.did(lambda: availability.add_absence(current_user, current_user, form.first.data, form.last.data,
                                                 form.hand_over.data)):
        return _there("absence")
    return _page(422, absence_form=form)


@blueprint.post("/availability/absences/<int:absence_id>/remove")
def remove_absence(absence_id):
    found = db.session.scalar(select(Absence).where(Absence.id == absence_id, Absence.person_id == current_user.id))
    if found is None:
        abort(404)
    pressed()
    availability.remove_absence(current_user, current_user, found)
    return _there("absence")


@blueprint.post("/people/<int:person_id>/availability")
def set_others(person_id):
    """By an admin; they are told."""
    person = find.person(person_id)
    pressed()
    availability.set_away(current_user, person, request.form.get("away") == "y")
    return go(url_for("people.show", person_id=person.id))


def _page(code=200, saved=None, hours_form=None, absence_form=None):
    me = current_user
    return present("availability/index", code, saved=saved, reason=routing.away([me])[me.id],
                   absences=availability.absences_of(me), today=availability.today(me),
                   hours_form=hours_form or OwnHours(formdata=None, data=typed_hours(me.hours)),
                   absence_form=absence_form or DayOff(formdata=None))


def _there(saved):
    return go(url_for("availability.index", saved=saved))
