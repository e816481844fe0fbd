"""Which folders of a mailbox can be read."""

from webapp.rules import RuleBroken

NEEDED = ("inbox", "sent")                  # replies and answers
NEVER = ("drafts", "trash", "junk")         # nobody has sent, kept or wanted what is in there


def is_needed(role: str) -> bool:
    """Read always, where it is there."""
    return role in NEEDED


def is_offered(role: str) -> bool:
    """May somebody choose to have it read?"""
    return role not in NEVER


def is_left_out(role: str, flags) -> bool:
    """A draft lies in \\All too, anew whenever it is saved. Nobody has sent it."""
    return role == "all" and "\\Draft" in flags


def check_folders(wanted: list[int], roles: dict[int, str]):
    """`roles`: of each folder that there is. Raises RuleBroken("folders", "not_offered")."""
    if not all(is_offered(roles.get(folder, "trash")) for folder in wanted):
        raise RuleBroken("folders", "not_offered")
