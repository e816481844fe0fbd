"""Signing in and out: passwords, sessions, and how often one may be wrong.

A password is checked between two transactions, never inside one: argon2 takes its time, and SQLite has one writer. The
edge puts it together: `count` (committed), `check_again`, `matches`, `complete`.
"""

import hashlib
import ipaddress
import secrets
from datetime import timedelta
from typing import NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from flask import current_app
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import delete, func, select, update

from webapp.actions.audit import note
from webapp.extensions import db
from webapp.models import Person, SignIn, Try
from webapp.models.person import token_hash
from webapp.models.types import now
from webapp.rules import RuleBroken
from webapp.rules.bounds import PASSWORD_MAX
from webapp.rules.connections import check_address
from webapp.rules.people import WINDOW, check_tries

SEEN_EVERY = timedelta(minutes=5)


class Wanted(NamedTuple):
    """Who wants to sign in: the tries that were counted for it, and what the password is compared with. The person is
    None for an address that nobody signs in with, or none that may: it is compared all the same."""

    subjects: dict
    tries: list
    person_id: int | None
    stored: str | None


def hasher():
    cheap = current_app.config.get("TESTING") and not current_app.config.get("REAL_PASSWORDS")
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1) if cheap else PasswordHasher(
        time_cost=2, memory_cost=19456, parallelism=1)   # OWASP's minimum for argon2id


def want(email, ip, device=""):
    """Count a try to sign in and find whose it is. `device`: the token of a browser that was signed in before; its
    tries are counted for themselves, so that strangers can't lock its owner out. Raises RuleBroken("password",
    "throttled")."""
    try:
        key = check_address(email)
    except RuleBroken:
        key = ""
    person = db.session.scalar(select(Person).where(Person.email_key == key, Person.state == "active"))
    known = device_of(device)
    if person is not None and known and known[0] == person.id:
        subjects = {"device": "-".join(map(str, known))}
    else:
        subjects = {"address": key or email.strip().lower(), "ip": network(ip)}
    return Wanted(subjects, count("sign_in", **subjects), person.id if person else None,
                  person.password_hash if person else None)


def matches(stored, password):
    """Is this the password behind a stored hash? Takes the same time for None, which no password matches."""
    try:
        return hasher().verify(stored or _nobody(), password[:PASSWORD_MAX]) and stored is not None
    except (VerifyMismatchError, InvalidHashError):
        return False


def hashed_anew(stored, password):
    """The password's hash in today's strength, when the stored one is weaker; else None."""
    return hasher().hash(password) if hasher().check_needs_rehash(stored) else None


def complete(wanted, ip, agent="", anew=None):
    """The password was right: the person is signed in. Returns (person, token for the cookie). Raises RuleBroken(
    "password", "sign_in_refused") when password or person changed in that second."""
    person = db.session.scalar(select(Person).where(
        Person.id == wanted.person_id, Person.state == "active", Person.password_hash == wanted.stored)
        .with_for_update(key_share=True).execution_options(populate_existing=True))
    if person is None:
        raise RuleBroken("password", "sign_in_refused")
    forget(wanted.tries)
    if anew:
        person.password_hash = anew
    note(person, "person.signed_in", f"person-{person.id}", name=person.name, ip=ip, agent=agent[:200])
    return person, open_session(person, agent, ip)


def open_session(person, agent="", ip=""):
    """A new signed-in browser; returns the token for its cookie. Only the hash is stored."""
    token = secrets.token_urlsafe(32)
    person.last_seen_at = now()
    db.session.add(SignIn(token_hash=token_hash(token), person_id=person.id, agent=agent[:200], ip=ip[:45]))
    db.session.flush()
    return token


def sign_out(token):
    db.session.execute(delete(SignIn).where(SignIn.token_hash == token_hash(token)))


def end_session(actor, sign_in_id):
    """One of the actor's own browsers is signed out."""
    row = db.session.scalar(select(SignIn).where(SignIn.id == sign_in_id, SignIn.person_id == actor.id))
    if row is not None:
        note(actor, "session.ended", f"person-{actor.id}", name=actor.name, agent=row.agent)
        db.session.delete(row)
        db.session.flush()


def end_other_sessions(actor, token):
    """Every browser but the one with this token is signed out; how many. Token "": all of them."""
    ended = db.session.execute(delete(SignIn).where(SignIn.person_id == actor.id,
                                                    SignIn.token_hash != token_hash(token))).rowcount
    if ended:
        note(actor, "session.ended", f"person-{actor.id}", name=actor.name, number=ended)
    return ended


def saw(sign_in_id, ip):
    """Somebody is at work in this browser: noted at most every five minutes, whoever asks at the same time."""
    before = now() - SEEN_EVERY
    noted = db.session.execute(update(SignIn).where(SignIn.id == sign_in_id, SignIn.last_seen_at < before)
                               .values(last_seen_at=now(), ip=ip[:45])).rowcount
    if noted:
        whose = select(SignIn.person_id).where(SignIn.id == sign_in_id).scalar_subquery()
        db.session.execute(update(Person).where(Person.id == whose).values(last_seen_at=now()))


# A browser that was signed in before


def device_token(person, before=""):
    """For a cookie of this browser: it names the person and the browser, and opens nothing. The one from before is
    kept when it is the same person's."""
    known = device_of(before)
    name = known[1] if known and known[0] == person.id else secrets.token_hex(8)
    return _device_signer().dumps([person.id, name])


def device_of(token):
    """(person id, browser's name), or None when we did not sign it."""
    try:
        person_id, name = _device_signer().loads(token or "")
    except (BadData, ValueError, TypeError):
        return None
    return person_id, name


def _device_signer():
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="postroom-device")


# How often


def count(what, **subjects):
    """One more try of `what` for each subject, such as address="…", ip="…"; the tries' ids. Raises RuleBroken(…,
    "throttled") when there were too many. Counted before it is made: commit it before the answer is known."""
    rows = [Try(subject=_subject(what, name, value)) for name, value in subjects.items()]
    db.session.add_all(rows)
    db.session.execute(delete(Try).where(Try.at < now() - timedelta(days=1)))
    db.session.flush()
    check_again(what, **subjects)
    return [row.id for row in rows]


def check_again(what, **subjects):
    """After the commit: of many at once each sees all others now. Raises RuleBroken(…, "throttled"); then `forget`."""
    hashes = {name: _subject(what, name, value) for name, value in subjects.items()}
    found = dict(db.session.execute(select(Try.subject, func.count()).where(
        Try.subject.in_(hashes.values()), Try.at > now() - WINDOW).group_by(Try.subject)).all())
    check_tries(what, {name: found.get(h, 0) for name, h in hashes.items()})


def forget(tries):
    """It was no guess: it does not count."""
    db.session.execute(delete(Try).where(Try.id.in_(tries)))


def forget_all(what, **subjects):
    """Whoever tried before: this subject has proven itself in another way."""
    db.session.execute(delete(Try).where(Try.subject.in_([_subject(what, n, v) for n, v in subjects.items()])))


def network(ip):
    """Who guesses: an IPv4 address, or the /64 that an IPv6 host has all to itself."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    address = getattr(address, "ipv4_mapped", None) or address
    return str(address) if address.version == 4 else str(ipaddress.ip_network(f"{address}/64", strict=False))


def _subject(what, name, value):
    return hashlib.sha256(f"{what}|{name}|{value}".encode()).hexdigest()


def _nobody():
    if "nobody_hash" not in current_app.extensions:
        current_app.extensions["nobody_hash"] = hasher().hash(secrets.token_hex(8))
    return current_app.extensions["nobody_hash"]
