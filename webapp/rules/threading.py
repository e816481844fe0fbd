"""Who may join a conversation (DEFENCE 4.6). References say where a message wants to go; this says whether it may."""


def may_join(sender: str | None, outgoing: bool, participants) -> bool:
    """`sender` and `participants` are address keys. Our own mail may always join; a stranger never."""
    return outgoing or (sender is not None and sender in participants)


def ids_of(message_id, in_reply_to, references) -> list[str]:
    """Message-IDs that place a message in a thread, strongest first. Empty and absent ids never match anything."""
    seen = []
    for mid in (message_id, *reversed(in_reply_to), *reversed(references)):
        if mid and mid.strip() and mid not in seen:
            seen.append(mid)
    return seen
