"""People and teams: how often one may try, what may become of somebody, what a name and a password are (DEFENCE 3.6,
BEHAVIOUR 17)."""

import re
import unicodedata
from datetime import timedelta
from functools import cache
from zoneinfo import available_timezones

from webapp.rules import RuleBroken
from webapp.rules.bounds import ADDRESS_MAX, INVITED_AT_ONCE, NAME_MAX, PASSWORD_MAX, PASSWORD_MIN, ROLES, TEAM_NAME_MAX
from webapp.rules.connections import check_address

WINDOW = timedelta(minutes=15)
# How many tries within the window; each is counted before it is made, so that many at once are as slow as one by one.
# "address" is what strangers may spend on one sign-in; a browser that was signed in as this person before has "device"
# for itself: nobody can lock somebody else out.
MAX_TRIES = {
    "sign_in": {"address": 8, "device": 8, "ip": 40},
    "reset": {"address": 3, "ip": 20},
    "connect": {"person": 60},
}
INVITE_LASTS = timedelta(days=7)
RESET_LASTS = timedelta(hours=1)
EMAIL_LASTS = timedelta(hours=24)

# What may be done with somebody in a state.
FOLLOWS = {
    "invited": {"active", "removed"},
    "active": {"deactivated", "removed"},
    "deactivated": {"active", "removed"},
    "removed": {"active", "invited"},
}


def check_tries(what: str, counts: dict[str, int]):
    """`counts`: tries of each subject within the window, this one included. Raises RuleBroken("password",
    "throttled")."""
    limits = MAX_TRIES[what]
    if any(count > limits[subject] for subject, count in counts.items()):
        raise RuleBroken("address" if what == "connect" else "email" if what == "reset" else "password", "throttled",
                         minutes=int(WINDOW.total_seconds() // 60))


def check_password(password: str) -> str:
    """Raises RuleBroken("password", "password_length")."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise RuleBroken("password", "password_length", low=PASSWORD_MIN, high=PASSWORD_MAX)
    return password


# Control characters, half of a surrogate pair, and marks that turn the direction of what follows on the page.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
                     "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]+")
# Letters that show nothing, and joiners, which are something only between others.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u200c\u200d\u2800\u3164\uffa0]*")


def clean_name(name: str) -> str:
    """A name that is safe to show everywhere: one line, NFC, no control characters, nothing that turns the direction
    of the text around it. Empty when there is nothing to see."""
    name = " ".join(unicodedata.normalize("NFC", _UNSAFE.sub(" ", name)).split())
    return "" if _UNSEEN.fullmatch(name.replace(" ", "")) else name


def check_name(name: str) -> str:
    """A person's name, cleaned. Raises RuleBroken("name", "person_name")."""
    name = clean_name(name)
    if not 0 < len(name) <= NAME_MAX:
        raise RuleBroken("name", "person_name", limit=NAME_MAX)
    return name


def check_team_name(name: str) -> str:
    """Cleaned. Raises RuleBroken("name", "team_name")."""
    name = clean_name(name)
    if not 0 < len(name) <= TEAM_NAME_MAX:
        raise RuleBroken("name", "team_name", limit=TEAM_NAME_MAX)
    return name


def invited_addresses(text: str) -> list[str]:
    """The addresses of a text, one a line or separated by commas or semicolons; each once, as typed. Raises
    RuleBroken("emails", "nobody_invited" | "too_many_invited" | "bad_addresses")."""
    typed = [part.strip() for part in re.split(r"[,;\r\n]", text) if part.strip()]
    if not typed:
        raise RuleBroken("emails", "nobody_invited")
    if len(typed) > INVITED_AT_ONCE:
        raise RuleBroken("emails", "too_many_invited", limit=INVITED_AT_ONCE, number=len(typed))
    found, bad = {}, []
    for address in typed:
        try:
            found.setdefault(check_address(address), address)
        except RuleBroken:
            bad.append(clean_name(address[:ADDRESS_MAX]))
    if bad:
        raise RuleBroken("emails", "bad_addresses", addresses=bad)
    return list(found.values())


@cache
def time_zones() -> frozenset[str]:
    """Names of the IANA database, such as Europe/Warsaw."""
    return frozenset(available_timezones())


def check_time_zone(name: str) -> str:
    """Raises RuleBroken("time_zone", "unknown_time_zone")."""
    if name not in time_zones():
        raise RuleBroken("time_zone", "unknown_time_zone")
    return name


def check_role(role: str) -> str:
    """Raises RuleBroken("role", "unknown_role")."""
    if role not in ROLES:
        raise RuleBroken("role", "unknown_role")
    return role


def check_change(state: str, to: str):
    """May somebody in this state become that? Raises RuleBroken("person", "not_now")."""
    if to not in FOLLOWS[state]:
        raise RuleBroken("person", "not_now")


def check_not_yourself(actor_id: int | None, person_id: int):
    """Nobody locks themselves out by a slip. Raises RuleBroken("person", "not_yourself")."""
    if actor_id == person_id:
        raise RuleBroken("person", "not_yourself")


def check_last_admin(losing_an_admin: bool, other_admins: int):
    """Somebody must be left who can let others in. Raises RuleBroken("person", "last_admin")."""
    if losing_an_admin and not other_admins:
        raise RuleBroken("person", "last_admin")
