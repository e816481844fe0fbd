"""Templates: which fields one may have, and what stands in their place."""

import re

from webapp.rules import RuleBroken
from webapp.rules.bounds import SUBJECT_MAX, TEMPLATE_MAX, TEMPLATE_NAME_MAX

FIELDS = ("contact.first_name", "contact.name", "my.name", "inbox.name", "conversation.subject")
_FIELD = re.compile(r"\{\{\s*([^{}]{0,60}?)\s*\}\}")


def check(name: str, text: str, subject: str = "") -> tuple[str, str]:
    """(name, text), cleaned. Raises RuleBroken("name" | "text" | "subject", ...): an unknown field would be sent as it
    stands, in braces."""
    name = " ".join(name.split())
    if not 0 < len(name) <= TEMPLATE_NAME_MAX:
        raise RuleBroken("name", "template_name", limit=TEMPLATE_NAME_MAX)
    if not text.strip():
        raise RuleBroken("text", "required")
    for field, value, limit in (("text", text, TEMPLATE_MAX), ("subject", subject, SUBJECT_MAX)):
        if len(value) > limit:
            raise RuleBroken(field, "too_long", limit=limit)
        wrong = [found for found in _FIELD.findall(value) if found not in FIELDS]
        rest = _FIELD.sub("", value)
        if wrong or "{{" in rest or "}}" in rest:
            raise RuleBroken(field, "unknown_field", name=(wrong or ["…"])[0])
    return name, text.strip("\r\n")


def fill(text: str, values: dict[str, str]) -> str:
    """`text` with its fields filled; a value is never looked at again, braces in it are just braces."""
    return _FIELD.sub(lambda match: values.get(match[1], ""), text)


def first_name(name: str) -> str:
    """The word to greet somebody by; nothing where a name is an address or a company's."""
    words = name.split()
    return words[0] if len(words) in (2, 3) and "@" not in name and all(w[0].isupper() for w in words) else ""
