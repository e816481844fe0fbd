"""Teams: made, renamed, filled, deleted. What an inbox loses by it is said before, and never its last reader."""

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from webapp.actions.audit import note
from webapp.actions.inboxes import access_changes
from webapp.extensions import db
from webapp.live import announce
from webapp.models import Inbox, InboxTeam, Person, Team, TeamMember
from webapp.models.inbox import live_inboxes, member_ids
from webapp.rules import RuleBroken
from webapp.rules.access import check_admin
from webapp.rules.people import check_team_name


def create_team(actor, name, members=()):
    """`members`: people. Raises RuleBroken("name", "team_name" | "team_exists")."""
    check_admin(actor.role)
    team = Team(name=check_team_name(name))
    _store(team)
    db.session.add_all(TeamMember(team_id=team.id, person_id=p.id) for p in members)
    note(actor, "team.created", f"team-{team.id}", name=team.name, members=[p.name for p in members])
    return team


def save_team(actor, team, name, members):
    """Its name, and exactly these people in it. Raises like `create_team`, or RuleBroken("members",
    "left_with_nobody")."""
    check_admin(actor.role)
    before, was = team.name, {p.id: p for p in members_of(team)}
    wanted = {p.id: p for p in members}
    team.name = check_team_name(name)
    if team.name != before:
        _store(team)
    joined, left = [wanted[i].name for i in wanted.keys() - was], [was[i].name for i in was.keys() - wanted]
    if joined or left:
        _set_members(actor, team, was.keys() - wanted.keys(), wanted.keys() - was.keys())
    if team.name != before or joined or left:
        note(actor, "team.changed", f"team-{team.id}", name=team.name, joined=sorted(joined), left=sorted(left),
             **({"was": before} if team.name != before else {}))


def leave_team(actor, person, team):
    """Raises RuleBroken("members", "left_with_nobody")."""
    save_team(actor, team, team.name, [p for p in members_of(team) if p.id != person.id])


def delete_team(actor, team):
    """Its people stay; they lose what was open to them through it. Raises RuleBroken("team", "left_with_nobody")."""
    check_admin(actor.role)
    inboxes, people = inboxes_of(team), members_of(team)
    subject, name = f"team-{team.id}", team.name
    with access_changes(actor, inboxes):
        for model in (InboxTeam, TeamMember):
            db.session.execute(delete(model).where(model.team_id == team.id))
        db.session.delete(team)
        db.session.flush()
        check_nobody_left_out([inbox.id for inbox in inboxes])
    note(actor, "team.deleted", subject, name=name, members=[p.name for p in people],
         inboxes=[inbox.name for inbox in inboxes])
    announce(*(f"person-{p.id}" for p in people))


def members_of(team):
    """Its people who are not removed, by name."""
    return db.session.scalars(select(Person).join(TeamMember, TeamMember.person_id == Person.id).where(
        TeamMember.team_id == team.id, Person.state != "removed").order_by(Person.name)).all()


def inboxes_of(team):
    """The inboxes that are open to this team."""
    return db.session.scalars(live_inboxes().join(InboxTeam, InboxTeam.inbox_id == Inbox.id)
                              .where(InboxTeam.team_id == team.id)).all()


def check_nobody_left_out(inbox_ids):
    """A restricted inbox has somebody in it, by name or by team. Raises RuleBroken("members", "left_with_nobody")."""
    for inbox in db.session.scalars(live_inboxes().where(Inbox.id.in_(inbox_ids), Inbox.access == "members")).all():
        if db.session.scalar(member_ids(inbox.id).limit(1)) is None:
            raise RuleBroken("members", "left_with_nobody", inbox=inbox.name)


def _set_members(actor, team, gone, come):
    """Who joins or leaves gains or loses the team's inboxes with it."""
    inboxes = inboxes_of(team)
    with access_changes(actor, inboxes):
        if gone:
            db.session.execute(delete(TeamMember).where(TeamMember.team_id == team.id, TeamMember.person_id.in_(gone)))
        db.session.add_all(TeamMember(team_id=team.id, person_id=i) for i in sorted(come))
        db.session.flush()
        check_nobody_left_out([inbox.id for inbox in inboxes])
    announce(*(f"person-{i}" for i in (*gone, *come)))


def _store(team):
    """Two admins who take the same name at once: the database says so to the second."""
    name = team.name
    try:
        with db.session.begin_nested():
            db.session.add(team)
            db.session.flush()
    except IntegrityError:
        raise RuleBroken("name", "team_exists", name=name) from None
