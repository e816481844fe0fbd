"""Who may see and do what in inboxes (BEHAVIOUR 5.1, 5.2, 5.24).

`member`: named as a person, or through a team. An admin who is not a member knows that an inbox exists and what it is
set to, and reads nothing in it: to do that, admins add themselves, which is audited and told to the members.
"""

from webapp.rules import RuleBroken
from webapp.rules.bounds import INBOX_NAME_MAX
from webapp.rules.people import clean_name


def may_know_inbox(role: str, access: str, member: bool) -> bool:
    """Its name, its settings, its addresses and their health."""
    return role == "admin" or may_read_inbox(access, member)


def may_read_inbox(access: str, member: bool) -> bool:
    return access == "everyone" or member


def may_act_in_inbox(role: str, access: str, member: bool) -> bool:
    """Answer, assign, close: not for viewers."""
    return role != "viewer" and may_read_inbox(access, member)


def may_see_people_figures(role: str) -> bool:
    """How much each person answers, and how fast: for who leads them. There is no other lead than an admin."""
    return role == "admin"


def check_takes_out(access: str, member: bool):
    """Who makes an inbox's address their own reads all of its mail: only somebody who reads it already, or has joined
    and was told of. Raises RuleBroken("address", "join_first")."""
    if not may_read_inbox(access, member):
        raise RuleBroken("address", "join_first")


def check_admin(role: str, field: str = "person"):
    """People, teams, inboxes and their settings are an admin's. Raises RuleBroken(field, "admins_only_here")."""
    if role != "admin":
        raise RuleBroken(field, "admins_only_here")


def check_access_change(access: str, members: int, teams: int):
    """A restricted inbox has somebody in it. Raises RuleBroken("access", "nobody_left")."""
    if access == "members" and not members and not teams:
        raise RuleBroken("access", "nobody_left")


def check_deletable(is_default: bool):
    """Every organisation keeps one inbox. Raises RuleBroken("inbox", "default_inbox")."""
    if is_default:
        raise RuleBroken("inbox", "default_inbox")


def check_inbox_name(name: str, field: str = "name") -> str:
    """Cleaned. Raises RuleBroken(field, "inbox_name")."""
    name = clean_name(name)
    if not 0 < len(name) <= INBOX_NAME_MAX:
        raise RuleBroken(field, "inbox_name", limit=INBOX_NAME_MAX)
    return name


def check_typed_name(typed: str, name: str):
    """What can't be taken back asks for the name in full. Raises RuleBroken("typed", "other_name")."""
    if clean_name(typed) != name:
        raise RuleBroken("typed", "other_name", name=name)
