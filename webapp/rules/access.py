"""Who may see and do what in inboxes (BEHAVIOUR 5.1, 5.2, 5.24)."""


def may_see_inbox(role: str, access: str, is_member: bool) -> bool:
    """Everyone sees an open inbox. A restricted one is seen by its members and, reading only, by admins."""
    return access == "everyone" or is_member or role == "admin"


def may_act_in_inbox(role: str, access: str, is_member: bool) -> bool:
    """Answer, assign, close: not for viewers, and in a restricted inbox for its members only."""
    return role != "viewer" and (access == "everyone" or is_member)
