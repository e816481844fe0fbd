"""The page of an inbox's rules, whatever is open on it."""

from datetime import timedelta

from sqlalchemy import func, select

from webapp.actions import routing
from webapp.blueprints.routing.trial import trial_of
from webapp.extensions import db
from webapp.models import RouteHit
from webapp.models.connection import feeding
from webapp.models.types import now
from webapp.rules.routing import FIELDS, Rule, conflicts, gone_of, takes
from webapp.web import find
from webapp.web.present import present

COUNTED = timedelta(days=30)


def page(found, code=200, form=None, route=None, difference=None, trial=None, otherwise_open=False, otherwise_form=None,
         broken=None):
    """`form`: of the rule that is open, a new one when there is no `route`."""
    routes, known = routing.routes_of(found.id), routing.known_of(found)
    rules = [routing.rule_of(r) for r in routes]
    return present("routing/index", code, inbox=found, rules=rules, known=known, form=form, route=route,
                   people=[(p.id, p.name) for p in routing.able_people(found)], fields=FIELDS, takes=takes,
                   hits=_hits([r.id for r in routes]), conflicts=conflicts(rules, known), difference=difference,
                   otherwise_gone=list(gone_of(Rule(0, (), (found.otherwise,)), known)) if found.otherwise else [],
                   trial=trial or trial_of(found), may_read=find.may_read(found), otherwise_open=otherwise_open,
                   otherwise_form=otherwise_form, broken=broken,
                   connections=db.session.scalars(feeding([found.id])).all())


def _hits(ids):
    return dict(db.session.execute(select(RouteHit.route_id, func.count()).where(
        RouteHit.route_id.in_(ids), RouteHit.at > now() - COUNTED).group_by(RouteHit.route_id)).all())
