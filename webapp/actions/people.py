"""People: made, signed in, signed out, their preferences. Inviting and the leaving page come with their own issue."""

import hashlib
import ipaddress
import secrets
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from flask import current_app
from sqlalchemy import delete, func, select

from webapp.extensions import db
from webapp.models import Person, SignIn, SignInFailure
from webapp.models.person import token_hash
from webapp.models.types import now
from webapp.rules import RuleBroken
from webapp.rules.bounds import PASSWORD_MAX, PASSWORD_MIN
from webapp.rules.connections import check_address
from webapp.rules.people import WINDOW, check_throttle


def hasher():
    cheap = current_app.config.get("TESTING")
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1) if cheap else PasswordHasher(
        time_cost=2, memory_cost=19456, parallelism=1)   # OWASP's minimum for argon2id


def create_person(name, email, role="member", password=None, language="en"):
    """A new person, or the removed one of the same e-mail address come back with everything that was theirs."""
    key = _email_key(email)
    person = db.session.scalar(select(Person).where(Person.email_key == key))
    if person is not None and person.state != "removed":
        raise RuleBroken("email", "person_exists")
    if person is None:
        person = Person(email=email.strip(), email_key=key)
        db.session.add(person)
    person.name, person.role, person.language = name.strip(), role, language
    person.state, person.removed_at = "active", None
    person.password_hash = hasher().hash(check_password(password)) if password else None
    db.session.flush()
    return person


def remove_person(person):
    """The profile goes, the holds stay (BEHAVIOUR 0.4): what they connected keeps its address until released."""
    person.state, person.removed_at, person.password_hash = "removed", now(), None
    db.session.execute(delete(SignIn).where(SignIn.person_id == person.id))
    db.session.flush()


def sign_in(email, password, ip, agent=""):
    """Returns (person, token). Raises RuleBroken("password", "sign_in_refused" | "throttled"): the same answer, in
    the same time, for known and unknown addresses."""
    try:
        key = check_address(email)
    except RuleBroken:
        key = ""
    subjects = [_subject("address", key or email.strip().lower()), _subject("ip", _network(ip))]
    failures = db.session.execute(
        select(SignInFailure.subject, func.count()).where(
            SignInFailure.subject.in_(subjects), SignInFailure.at > now() - WINDOW)
        .group_by(SignInFailure.subject)).all()
    check_throttle({"address": dict(failures).get(subjects[0], 0), "ip": dict(failures).get(subjects[1], 0)})
    person = db.session.scalar(select(Person).where(Person.email_key == key, Person.state == "active"))
    if not _matches(person.password_hash if person else None, password):
        db.session.add_all([SignInFailure(subject=s) for s in subjects])
        db.session.execute(delete(SignInFailure).where(SignInFailure.at < now() - timedelta(days=1)))
        db.session.flush()
        raise RuleBroken("password", "sign_in_refused", counted=True)
    if hasher().check_needs_rehash(person.password_hash):
        person.password_hash = hasher().hash(password)
    return person, open_session(person, agent)


def open_session(person, agent=""):
    """A new signed-in browser; returns the token for its cookie. Only the hash is stored."""
    token = secrets.token_urlsafe(32)
    db.session.add(SignIn(token_hash=token_hash(token), person_id=person.id, agent=agent[:200]))
    db.session.flush()
    return token


def sign_out(token):
    db.session.execute(delete(SignIn).where(SignIn.token_hash == token_hash(token)))


def set_preferences(actor, language=None, theme=None):
    actor.language, actor.theme = language or actor.language, theme or actor.theme
    db.session.flush()


def check_password(password):
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise RuleBroken("password", "password_length", low=PASSWORD_MIN, high=PASSWORD_MAX)
    return password


def _email_key(email):
    try:
        return check_address(email)
    except RuleBroken as broken:
        raise RuleBroken("email", broken.code) from None


def _matches(stored, password):
    try:
        return hasher().verify(stored or _nobody(), password[:PASSWORD_MAX]) and stored is not None
    except (VerifyMismatchError, InvalidHashError):
        return False


def _nobody():
    if "nobody_hash" not in current_app.extensions:
        current_app.extensions["nobody_hash"] = hasher().hash(secrets.token_hex(8))
    return current_app.extensions["nobody_hash"]


def _network(ip):
    """Who guesses: an IPv4 address, or the /64 that an IPv6 host has all to itself."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    address = getattr(address, "ipv4_mapped", None) or address
    return str(address) if address.version == 4 else str(ipaddress.ip_network(f"{address}/64", strict=False))


def _subject(kind, value):
    return hashlib.sha256(f"{kind}|{value}".encode()).hexdigest()
