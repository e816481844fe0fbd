"""The guide: what is the address for, which connection fits, and is this address free for it?"""

from flask import request
from flask_login import current_user
from sqlalchemy import func, select

from webapp.blueprints.connections.routes import blueprint
from webapp.extensions import db
from webapp.models import Connection, Inbox
from webapp.models.connection import connection_id_of, held, own_connections
from webapp.models.inbox import known_inboxes, live_inboxes
from webapp.rules import RuleBroken
from webapp.rules.connections import PERSONAL_GOALS, TEAM_GOALS, Holder, advise, ask, check_address, check_connector
from webapp.web.present import fragment, present


@blueprint.get("/choose")
def choose():
    return present("connections/choose", **_advice())


@blueprint.get("/choose/advice")
def advice():
    return fragment("connections/advice", **_advice())


def _advice():
    goals = [g for g in request.args.getlist("goal") if g in PERSONAL_GOALS + TEAM_GOALS]
    mine = db.session.scalars(own_connections(current_user)).all()
    seen = known_inboxes(current_user).with_only_columns(Inbox.id).order_by(None)
    team = db.session.scalars(select(Connection).where(Connection.inbox_id.in_(seen),
                                                       Connection.state == "active")).all()
    verdict, address = advise(goals), request.args.get("address", "").strip()[:300]
    return dict(goals=goals, verdict=verdict, mine=[c for c in mine if c.state == "active"], team=team,
                address=address, answers=_answers(verdict, address, "meetings" in goals),
                inbox_count=db.session.scalar(live_inboxes().with_only_columns(func.count()).order_by(None)))


def _answers(verdict, address, meetings):
    """[(kind, the rule that is broken or None)] for the kinds that the goals ask for."""
    kinds = {"none": ("personal", "team"), "both": ("personal", "team")}.get(verdict, (verdict,))
    if not address:
        return []
    try:
        key = check_address(address)
    except RuleBroken as broken:
        return [(None, broken)]
    return [(kind, _broken(kind, key, address, meetings and kind == "personal")) for kind in kinds]


def _broken(kind, key, address, meetings):
    holder = Holder("personal", current_user.id) if kind == "personal" else Holder("team", 0)   # 0: any inbox
    try:
        check_connector(current_user.role, kind)
        for use in ("mail", "calendar") if meetings else ("mail",):
            if ask(holder, use, held(key)) == "here already" and use == "mail":
                return RuleBroken("address", "here_already", address=address, connection=connection_id_of(key, use))
    except RuleBroken as broken:
        return broken
    return None
