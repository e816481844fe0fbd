"""What an admin sets: which inboxes there are, their names, who can open them, their addresses."""

from flask import abort, current_app, url_for
from flask_login import current_user
from sqlalchemy import func, select

from webapp.actions import inboxes as actions
from webapp.blueprints.team.routes import blueprint
from webapp.extensions import db
from webapp.models import (
    Conversation,
    Inbox,
    InboxMember,
    InboxTeam,
    Person,
    SenderRule,
    Team,
    TeamMember,
)
from webapp.models.connection import feeding
from webapp.models.inbox import live_inboxes, readable_inboxes
from webapp.models.tally import counts
from webapp.rules import RuleBroken
from webapp.rules.connections import check_plan
from webapp.web import find
from webapp.web.forms import Act
from webapp.web.forms_automatic import forms_of
from webapp.web.forms_inboxes import DeleteInbox, InboxAccess, InboxName, NewInbox
from webapp.web.present import fragment, go, present


@blueprint.get("/inboxes")
def inboxes():
    """Every inbox, for admins: also those that they can't open."""
    _admins()
    rows = db.session.scalars(live_inboxes()).all()
    readable = set(db.session.scalars(readable_inboxes(current_user).with_only_columns(Inbox.id).order_by(None)))
    connections = db.session.scalars(feeding([i.id for i in rows])).all()
    return present("team/inboxes", rows=rows, readable=readable, full=_full(),
                   people=_counts(InboxMember), teams=_counts(InboxTeam),
                   addresses={i.id: [c for c in connections if c.inbox_id == i.id] for i in rows},
                   open=_open_in(readable))


@blueprint.get("/inboxes/new")
def new():
    _admins()
    return present("team/inboxes_new", full=_full(), **_choices(NewInbox()))


@blueprint.post("/inboxes")
def create():
    _admins()
    form = NewInbox()
    if form.did(lambda: actions.create_inbox(current_user, form.name.data, form.access.data, *_chosen(form))):
        return go(url_for("team.settings", inbox_id=form.made.id))
    return present("team/inboxes_new", 422, full=_full(), **_choices(form))


@blueprint.get("/inboxes/<int:inbox_id>/settings")
def settings(inbox_id):
    return page(find.inbox_to_set(inbox_id))


@blueprint.get("/inboxes/<int:inbox_id>/addresses")
def addresses(inbox_id):
    """The addresses alone: drawn again when the state of one changes."""
    found = find.inbox_to_set(inbox_id)
    return fragment("team/inboxes_addresses", inbox=found, connections=_connections(found))


@blueprint.post("/inboxes/<int:inbox_id>/name")
def rename(inbox_id):
    found, form = find.inbox_to_set(inbox_id), InboxName()
    if form.did(lambda: actions.rename_inbox(current_user, found, form.name.data)):
        return go(url_for("team.settings", inbox_id=found.id))
    return page(found, 422, name_form=form)


@blueprint.post("/inboxes/<int:inbox_id>/access")
def access(inbox_id):
    found, form = find.inbox_to_set(inbox_id), InboxAccess()
    if form.did(lambda: actions.change_access(current_user, found, form.access.data, *_chosen(form))):
        return go(url_for("team.settings", inbox_id=found.id))
    return page(found, 422, access_form=form)


@blueprint.post("/inboxes/<int:inbox_id>/join")
def join(inbox_id):
    """An admin adds themselves; its members hear of it."""
    found = find.inbox_to_set(inbox_id)
    if not Act().validate_on_submit():
        abort(400)
    actions.join_inbox(current_user, found)
    return go(url_for("team.settings", inbox_id=found.id))


@blueprint.get("/inboxes/<int:inbox_id>/delete")
def delete_form(inbox_id):
    return present("team/inboxes_delete", **_deleting(find.inbox_to_set(inbox_id), DeleteInbox()))


@blueprint.post("/inboxes/<int:inbox_id>/delete")
def delete(inbox_id):
    found, form = find.inbox_to_set(inbox_id), DeleteInbox()
    if form.did(lambda: actions.delete_inbox(current_user, found, form.typed.data)):
        return go(url_for("team.inboxes"))
    return present("team/inboxes_delete", 422, **_deleting(found, form))


def _open_in(inbox_ids):
    """{inbox: how many of its conversations are open}"""
    found = {}
    for inbox_id, _status, _assignee, n in db.session.execute(counts(inbox_ids, ("open",))):
        found[inbox_id] = found.get(inbox_id, 0) + int(n)
    return found


def _admins():
    if not current_user.is_admin:
        abort(404)


def page(found, status=200, name_form=None, access_form=None, **refused):
    """The settings; `name_form` or `access_form` is the one that was refused. Others: web.forms_automatic.forms_of."""
    own_access = access_form or InboxAccess(formdata=None, access=found.access, people=_ids(InboxMember, found),
                                            teams=_ids(InboxTeam, found))
    return present("team/settings", status, inbox=found, connections=_connections(found),
                   name_form=name_form or InboxName(formdata=None, name=found.name), may_read=_may_read(found),
                   sender_rules=db.session.scalars(select(SenderRule).where(SenderRule.inbox_id == found.id).order_by(
                       SenderRule.kind, SenderRule.pattern)).all(), **forms_of(found, **refused),
                   **_choices(own_access, found))


def _may_read(found):
    return found.access == "everyone" or find.belongs_to(found)


def _choices(form, found=None):
    """The people and teams that can be ticked; viewers too, they read."""
    people = db.session.scalars(select(Person).where(Person.state != "removed").order_by(Person.name, Person.id)).all()
    sizes = dict(db.session.execute(select(TeamMember.team_id, func.count()).group_by(TeamMember.team_id)).all())
    teams = db.session.scalars(select(Team).order_by(Team.name)).all()
    return dict(form=form, all_people=people, all_teams=teams, team_sizes=sizes)


def _chosen(form):
    """(people, teams) that are there."""
    people, teams = set(form.people.data), set(form.teams.data)     # of any number: no database is asked for them
    return ([p for p in db.session.scalars(select(Person)) if p.id in people],
            [t for t in db.session.scalars(select(Team)) if t.id in teams])


def _ids(table, found):
    column = table.person_id if table is InboxMember else table.team_id
    return [str(i) for i in db.session.scalars(select(column).where(table.inbox_id == found.id))]


def _counts(table):
    """{inbox: how many people, or teams, are named in it}"""
    query = select(table.inbox_id, func.count()).group_by(table.inbox_id)
    if table is InboxMember:
        query = query.join(Person, Person.id == InboxMember.person_id).where(Person.state != "removed")
    return dict(db.session.execute(query).all())


def _connections(found):
    return db.session.scalars(feeding([found.id])).all()


def _deleting(found, form):
    count = db.session.scalar(select(func.count()).select_from(Conversation)
                              .where(Conversation.inbox_id == found.id))
    return dict(inbox=found, form=form, conversations=count, connections=_connections(found))


def _full():
    """The broken rule when the plan allows no further inbox, else None."""
    used = db.session.scalar(live_inboxes().with_only_columns(func.count()).order_by(None))
    try:
        check_plan(used, current_app.config["SETTINGS"].inbox_limit)
    except RuleBroken as broken:
        return broken
    return None
