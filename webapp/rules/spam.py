"""Whose mail is spam and whose never is: addresses and bare domains, as admins say (BEHAVIOUR 5.18)."""

from webapp.mail.address import address_key
from webapp.rules import RuleBroken
from webapp.rules.bounds import ADDRESS_MAX

PATTERNS_MOST = 2_000      # of one inbox
# Of these, one sender at a time: everybody has an address there.
PUBLIC = frozenset("""gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com icloud.com me.com
    mac.com aol.com gmx.de gmx.net gmx.com web.de t-online.de freenet.de posteo.de mailbox.org proton.me protonmail.com
    pm.me wp.pl o2.pl onet.pl op.pl interia.pl interia.eu gazeta.pl poczta.onet.pl poczta.fm tlen.pl vp.pl orange.fr
    free.fr laposte.net seznam.cz mail.ru yandex.ru fastmail.com zoho.com""".split())


def pattern_of(text: str) -> str:
    """An address as its key, or a domain as A-labels: `@firma.example`, `*.firma.example` and `firma.example` are one.
    Raises RuleBroken("pattern", "bad_pattern" | "wide_pattern")."""
    text = text.strip()
    if len(text) > ADDRESS_MAX:
        raise RuleBroken("pattern", "bad_pattern")
    domain = text.removeprefix("*.").removeprefix("@").removeprefix("*.")
    try:
        if "@" in domain:
            pattern = address_key(domain)
        else:
            pattern = address_key(f"x@{domain}").rpartition("@")[2]
    except ValueError:
        raise RuleBroken("pattern", "bad_pattern") from None
    if "." not in pattern.rpartition("@")[2]:
        raise RuleBroken("pattern", "bad_pattern" if "@" in pattern else "wide_pattern")
    if len(pattern) > ADDRESS_MAX:
        raise RuleBroken("pattern", "bad_pattern")
    return pattern


def check_pattern(kind: str, text: str, count: int) -> str:
    """The pattern, when it may be added to a list of so many. Raises RuleBroken("pattern", …) as `pattern_of`, and
    "public_pattern", "many_patterns"."""
    pattern = pattern_of(text)
    if kind == "deny" and pattern in PUBLIC:
        raise RuleBroken("pattern", "public_pattern", domain=pattern)
    if count >= PATTERNS_MOST:
        raise RuleBroken("pattern", "many_patterns", limit=PATTERNS_MOST)
    return pattern


def verdict(address: str, rules: dict[str, str]) -> str | None:
    """`rules`: {pattern: "allow" | "deny"}. The address itself decides; else its domain and those above it, where one
    that is allowed goes before all that are denied. None: nothing is said of it."""
    if not rules:
        return None
    try:
        key = address_key(address)
    except ValueError:
        return None
    if key in rules:
        return rules[key]
    labels = key.rpartition("@")[2].split(".")
    kinds = {rules.get(".".join(labels[start:])) for start in range(len(labels))}
    return next((kind for kind in ("allow", "deny") if kind in kinds), None)


def offers(address: str) -> list[str]:
    """What can be denied of this sender, the narrower first: the address, and the domain where it is one's own."""
    found = []
    for text in (address, address.rpartition("@")[2]):
        try:
            found.append(check_pattern("deny", text, 0))
        except RuleBroken:
            continue
    return found
