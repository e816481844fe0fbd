"""People: made, invited, changed, gone, come back.

Whatever can take an admin away first locks the rows of all admins, in one order: two who demote each other at the same
instant do it one after the other, and the second is no admin any more.
"""

from flask import current_app
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from webapp.actions import leaving
from webapp.actions.audit import note
from webapp.actions.notices import tell
from webapp.actions.sign_in import hasher
from webapp.extensions import db
from webapp.live import announce
from webapp.models import Hold, HoldRequest, Link, Person, SignIn, Team, TeamMember
from webapp.models.types import now
from webapp.rules import RuleBroken
from webapp.rules.access import check_admin
from webapp.rules.bounds import NAME_MAX
from webapp.rules.connections import check_address
from webapp.rules.people import (
    INVITE_LASTS,
    check_change,
    check_last_admin,
    check_name,
    check_not_yourself,
    check_password,
    check_role,
    clean_name,
)


def create_person(name, email, role="member", password=None, language="en"):
    """A new person, or the removed one of the same e-mail address come back with everything that was theirs."""
    key = email_key(email)
    person = db.session.scalar(select(Person).where(Person.email_key == key))
    if person is not None and person.state != "removed":
        raise RuleBroken("email", "person_exists")
    if person is None:
        person = Person(email=email.strip(), email_key=key)
        db.session.add(person)
    person.name, person.role, person.language = check_name(name), role, language
    person.state, person.state_at, person.state_by_id = "active", None, None
    person.password_hash = hasher().hash(check_password(password)) if password else None
    db.session.flush()
    return person


def add_person(actor, name, email, role, password):
    """Somebody made by hand, with a password, at the command line (`actor` None). Raises like `create_person`."""
    person = create_person(name, email, check_role(role), password)
    note(actor, "person.created", f"person-{person.id}", name=person.name, email=person.email, role=role)
    return person


def invite(actor, email, role="member", language="en", team_ids=()):
    """Somebody may come in: the link that lets them, which works once. Of a removed person's address: that person
    comes back with account, connections and history (BEHAVIOUR 0.4). Raises RuleBroken("email", "not_an_address" |
    "person_exists"), or ("role", "unknown_role")."""
    check_admin(actor.role)
    key, role = email_key(email), check_role(role)
    person = db.session.scalar(select(Person).where(Person.email_key == key))
    back = person is not None
    if back and person.state != "removed":
        raise RuleBroken("email", "person_exists")
    if back:
        check_change(person.state, "invited")
    else:
        person = _store(Person(email=email.strip(), email_key=key, name=_name_of(email), state="invited"))
    person.role, person.language = role, language
    _expect(actor, person)
    wanted = set(team_ids)
    teams = [t for t in db.session.scalars(select(Team).order_by(Team.name)) if t.id in wanted]
    db.session.add_all(TeamMember(team_id=team.id, person_id=person.id) for team in teams)
    note(actor, "person.invited", f"person-{person.id}", name=person.name, email=person.email, role=role,
         teams=[team.name for team in teams], back=back)
    return _new_link(actor, person)


def invite_again(actor, person):
    """A new link, in place of the one before. Raises RuleBroken("person", "not_now")."""
    _only(actor, person, "invited")
    note(actor, "person.invited_again", f"person-{person.id}", name=person.name, email=person.email)
    return _new_link(actor, person)


def withdraw(actor, person):
    """The invitation is void. Whoever came back by it is removed again, with what they hold."""
    _only(actor, person, "invited")
    note(actor, "person.withdrawn", f"person-{person.id}", name=person.name, email=person.email)
    _gone(actor, person)


def restore(actor, person):
    """A removed person comes back with account, connections and history, and chooses a new password by the link that
    is returned. Raises RuleBroken("person", "not_now")."""
    _only(actor, person, "removed")
    _expect(actor, person)
    note(actor, "person.restored", f"person-{person.id}", name=person.name, email=person.email, role=person.role)
    return _new_link(actor, person)


def set_role(actor, person, role):
    """Raises RuleBroken("person", "last_admin" | "not_now"), ("role", "unknown_role")."""
    role, others = check_role(role), _other_admins(actor, person)
    if person.state == "removed":
        raise RuleBroken("person", "not_now")
    check_last_admin(_is_admin(person) and role != "admin", others)
    if role == person.role:
        return
    note(actor, "person.role_changed", f"person-{person.id}", name=person.name, was=person.role, role=role)
    person.role = role
    if role == "viewer":        # who only reads answers nobody
        leaving.hand_over_all(actor, person, None)
    if person.state == "active" and person.id != actor.id:
        tell(person, "role_changed", role=role, by=actor.name)
    _changed(person)


def deactivate(actor, person, heir=None):
    """Cannot sign in, hears nothing; profile and history stay, addresses stay held and rest. Open conversations go to
    `heir`, who may act in each of their inboxes, or to nobody. Raises RuleBroken("person", "not_yourself" |
    "last_admin" | "not_now"), ("heir", "may_not_act")."""
    _may_leave(actor, person, "deactivated")
    number = leaving.hand_over_all(actor, person, heir)
    note(actor, "person.deactivated", f"person-{person.id}", name=person.name, conversations=number)
    _set_state(actor, person, "deactivated")
    _lock_out(person)


def reactivate(actor, person):
    """As before: role, memberships, addresses, password."""
    _only(actor, person, "deactivated")
    note(actor, "person.reactivated", f"person-{person.id}", name=person.name)
    person.state, person.state_at, person.state_by_id = "active", None, None
    tell(person, "reactivated", by=actor.name)
    _changed(person)


def remove_person(actor, person, heir=None):
    """The profile goes, the holds stay (BEHAVIOUR 0.4): what they connected keeps its address until released. Raises
    like `deactivate`. `actor` None: the product itself, which is not asked whether it may."""
    _may_leave(actor, person, "removed")
    number = leaving.hand_over_all(actor, person, heir)
    inboxes, teams = _gone(actor, person)
    note(actor, "person.removed", f"person-{person.id}", name=person.name, email=person.email, conversations=number,
         inboxes=inboxes, teams=teams,
         holds=db.session.scalars(select(Hold.address).where(Hold.person_id == person.id).order_by(Hold.id)).all())


def set_preferences(actor, language=None, theme=None):
    actor.language, actor.theme = language or actor.language, theme or actor.theme
    db.session.flush()


def email_key(email):
    """Raises RuleBroken("email", "not_an_address")."""
    try:
        return check_address(email)
    except RuleBroken as broken:
        raise RuleBroken("email", broken.code) from None


def _only(actor, person, state):
    """An admin, and somebody who is in this state, also once whoever changes it right now is done. Raises
    RuleBroken("person", "admins_only_here" | "not_now")."""
    check_admin(actor.role)
    db.session.refresh(person, with_for_update={"key_share": True})
    if person.state != state:
        raise RuleBroken("person", "not_now")


def _may_leave(actor, person, to):
    others = _other_admins(actor, person)
    check_change(person.state, to)
    if actor is not None:
        check_not_yourself(actor.id, person.id)
        check_last_admin(_is_admin(person), others)


def _other_admins(actor, person):
    """How many active admins there are beside this person. Holds all of their rows until the commit, and asks who the
    actor is once more: somebody may just have changed that."""
    admins = db.session.scalars(
        select(Person).where(Person.role == "admin", Person.state == "active").order_by(Person.id)
        .with_for_update(key_share=True).execution_options(populate_existing=True)).all()
    # Before the audit log's head, like whoever signs in; and without stopping those who only refer to the person.
    db.session.refresh(person, with_for_update={"key_share": True})
    if actor is not None:
        check_admin(next((admin.role for admin in admins if admin.id == actor.id), ""))
    return sum(admin.id != person.id for admin in admins)


def _is_admin(person):
    return person.role == "admin" and person.state == "active"


def _expect(actor, person):
    """From now on this person may come in by a link."""
    person.password_hash = None
    _set_state(actor, person, "invited")


def _new_link(actor, person):
    _void_links(person)
    link = Link(purpose="invite", person_id=person.id, made_by_id=actor.id, expires_at=now() + INVITE_LASTS)
    db.session.add(link)
    db.session.flush()
    tell(person, "invite", shown=False, link=link.id, by=actor.name,
         organisation=current_app.config["SETTINGS"].organisation)
    return link


def _gone(actor, person):
    names = leaving.leave_everything(person)
    db.session.execute(update(HoldRequest).where(HoldRequest.person_id == person.id, HoldRequest.ended_at.is_(None))
                       .values(ended_at=now()))
    person.password_hash = None
    _set_state(actor, person, "removed")
    _lock_out(person)
    return names


def _lock_out(person):
    """Out of every browser at once, and no link lets them in."""
    db.session.execute(delete(SignIn).where(SignIn.person_id == person.id))
    _void_links(person)


def _void_links(person):
    db.session.execute(update(Link).where(Link.person_id == person.id, Link.used_at.is_(None)).values(used_at=now()))


def _set_state(actor, person, state):
    person.state, person.state_at, person.state_by_id = state, now(), actor.id if actor else None
    _changed(person)


def _changed(person):
    """Their open pages look again, and the watcher asks again whose mailboxes it may use."""
    db.session.flush()
    announce(f"person-{person.id}", "watch")


def _store(person):
    """Two admins who invite the same address at once: the database says so to the second."""
    try:
        with db.session.begin_nested():
            db.session.add(person)
            db.session.flush()
    except IntegrityError:
        raise RuleBroken("email", "person_exists") from None
    return person


def _name_of(email):
    """What somebody is called until they say so."""
    return clean_name(email.strip().rpartition("@")[0])[:NAME_MAX].strip() or email.strip()[:NAME_MAX]
