"""Tags: short words of the organisation's own."""

import unicodedata

from webapp.rules import RuleBroken
from webapp.rules.bounds import TAG_MAX, TAGS_MAX
from webapp.rules.people import clean_name


def check_tag(name: str) -> str:
    """Cleaned. Raises RuleBroken("tag", "tag_name")."""
    name = clean_name(name or "").lstrip("#").strip()
    if not 0 < len(name) <= TAG_MAX:
        raise RuleBroken("tag", "tag_name", limit=TAG_MAX)
    return name


def tag_key(name: str) -> str:
    """One tag, however it is written."""
    return unicodedata.normalize("NFC", name.casefold())


def check_tags(count: int):
    """`count`: how many it has. Raises RuleBroken("tag", "many_tags")."""
    if count >= TAGS_MAX:
        raise RuleBroken("tag", "many_tags", limit=TAGS_MAX)
