"""Links that work once: an invitation is accepted, a new password chosen, a new sign-in address confirmed.

Invitations are made by actions.people. Using a link is a conditional UPDATE: of two who use it, one wins.
"""

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from webapp.actions.audit import note
from webapp.actions.notices import tell
from webapp.actions.sign_in import count, forget_all, network
from webapp.extensions import db
from webapp.live import announce
from webapp.models import Link, Person, SignIn
from webapp.models.types import now
from webapp.queue import later
from webapp.rules import RuleBroken
from webapp.rules.bounds import LANGUAGES
from webapp.rules.connections import check_address
from webapp.rules.people import EMAIL_LASTS, RESET_LASTS, check_name, check_time_zone

# In which state somebody is whom a link may still serve.
SERVES = {"invite": "invited", "reset": "active", "email": "active"}


class Over(Exception):
    """The link was used, or its person has gone, since the page was opened."""


def ask_for_reset(email, ip):
    """Somebody forgot a password. Whether anybody signs in with this address is found out later, by a job: here
    everybody is answered alike. Raises RuleBroken("email", "not_an_address" | "throttled")."""
    try:
        key = check_address(email)
    except RuleBroken as broken:
        raise RuleBroken("email", broken.code) from None
    count("reset", address=key, ip=network(ip))
    link = Link(purpose="reset", email=key, expires_at=now() + RESET_LASTS)
    db.session.add(link)
    db.session.flush()
    later("webapp.jobs.notices.reset", link.id, queue="out")


def resets_to_find():
    """SELECT of the ids of resets whose person nobody has looked for."""
    return select(Link.id).where(Link.purpose == "reset", Link.person_id.is_(None))


def find_person(link_id):
    """The job's half of a reset: its person is told, or the link goes. Twice does no harm."""
    link = db.session.scalar(resets_to_find().with_only_columns(Link).where(Link.id == link_id).with_for_update())
    if link is None:
        return
    person = db.session.scalar(select(Person).where(Person.email_key == link.email, Person.state == "active"))
    if person is None or link.expires_at <= now():
        db.session.execute(delete(Link).where(Link.id == link.id))
        return
    link.person_id = person.id
    db.session.flush()
    tell(person, "reset", key=f"reset-{link.id}", shown=False, link=link.id)


def accept(link, name, password_hash, language, time_zone):
    """An invitation: the person is in. Returns the person. Raises Over, RuleBroken("name", "person_name")."""
    person, name = _use(link), check_name(name)
    person.name, person.password_hash = name, password_hash
    person.language = language if language in LANGUAGES else person.language
    person.time_zone = check_time_zone(time_zone)
    person.state, person.state_at, person.state_by_id = "active", None, None
    note(person, "person.accepted", f"person-{person.id}", name=person.name, email=person.email)
    return _changed(person)


def reset_password(link, password_hash):
    """A new password: whoever is signed in as this person is out. Returns the person. Raises Over."""
    person = _use(link)
    person.password_hash = password_hash
    void("email", person.id)        # whoever knew the old password may have asked for it
    forget_all("sign_in", address=person.email_key)
    db.session.execute(delete(SignIn).where(SignIn.person_id == person.id))
    note(person, "person.password_changed", f"person-{person.id}", name=person.name, by="link")
    tell(person, "password_changed")
    return _changed(person)


def ask_for_email(actor, email, by_mail):
    """The actor wants to sign in with another address. With mail, its link goes to that address and a word to the old
    one; without, it changes now. Returns True when it did. Raises RuleBroken("email", …)."""
    key = check_free(actor, email)
    if not by_mail:
        _set_email(actor, email.strip(), key)
        return True
    void("email", actor.id)     # asked again: the one before was a slip
    link = Link(purpose="email", person_id=actor.id, email=email.strip(), made_by_id=actor.id,
                expires_at=now() + EMAIL_LASTS)
    db.session.add(link)
    db.session.flush()
    tell(actor, "email", shown=False, mail_to=link.email, link=link.id, email=link.email)
    tell(actor, "email_wanted", email=link.email)
    return False


def confirm_email(link):
    """The new address is proven. Returns the person. Raises Over, RuleBroken("email", …)."""
    person = _use(link)
    _set_email(person, link.email, check_free(person, link.email))
    return _changed(person)


def check_free(actor, email):
    """The key of an address that nobody signs in with, or has: one who was removed may come back by it (BEHAVIOUR
    17.7, 17.8). Raises RuleBroken("email", "not_an_address" | "same_email" | "person_exists" | "email_of_removed")."""
    try:
        key = check_address(email)
    except RuleBroken as broken:
        raise RuleBroken("email", broken.code) from None
    if key == actor.email_key:
        raise RuleBroken("email", "same_email")
    state = db.session.scalar(select(Person.state).where(Person.email_key == key))
    if state is not None:
        raise RuleBroken("email", "email_of_removed" if state == "removed" else "person_exists")
    return key


def waiting_email(person):
    """The address that a person still has to confirm, or None."""
    return db.session.scalar(select(Link.email).where(
        Link.purpose == "email", Link.person_id == person.id, Link.used_at.is_(None), Link.expires_at > now())
        .order_by(Link.id.desc()).limit(1))


def withdraw_email(actor):
    """The actor does not want the new address after all."""
    void("email", actor.id)


def _set_email(person, email, key):
    was = person.email
    try:
        with db.session.begin_nested():
            person.email, person.email_key = email, key
            db.session.flush()
    except IntegrityError:      # somebody was faster
        db.session.refresh(person)
        raise RuleBroken("email", "person_exists") from None
    for purpose in ("email", "reset"):      # those that went to the address of before open nothing any more
        void(purpose, person.id)
    note(person, "person.email_changed", f"person-{person.id}", name=person.name, was=was, email=email)
    tell(person, "email_changed", mail_to=was, email=email)


def _use(link):
    """Its person, when it is we who use it."""
    won = db.session.execute(update(Link).where(Link.id == link.id, Link.used_at.is_(None), Link.expires_at > now())
                             .values(used_at=now()).execution_options(synchronize_session=False)).rowcount
    person = db.session.scalar(
        select(Person).where(Person.id == link.person_id, Person.state == SERVES[link.purpose])
        .with_for_update(key_share=True).execution_options(populate_existing=True)) if won == 1 else None
    if person is None:
        raise Over
    void(link.purpose, person.id)
    return person


def void(purpose, person_id):
    """What such links of this person are still unused open nothing any more."""
    db.session.execute(update(Link).where(Link.purpose == purpose, Link.person_id == person_id, Link.used_at.is_(None))
                       .values(used_at=now()).execution_options(synchronize_session=False))


def _changed(person):
    db.session.flush()
    announce(f"person-{person.id}")
    return person
