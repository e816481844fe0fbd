"""What is to be said of who wrote a mail: a name that lies, a domain that looks like another, a check that failed.

Warnings are loud where somebody is probably being deceived, quiet where honest mail does the same (newsletters send
answers elsewhere; colleagues write from home). Words: webapp/words/senders.py.
"""

import re
from typing import NamedTuple

from webapp.mail.address import address_key, other_domain, readable_domain
from webapp.rules import RuleBroken
from webapp.rules.bounds import AUTHSERV_ID_MAX
from webapp.rules.lookalike import borrows, domain_of, imitates, mixed_word, skeleton

_SERVER = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?")


class Warned(NamedTuple):
    """`code` and what its words need. `loud`: somebody is probably being deceived."""

    code: str
    loud: bool
    facts: dict


class Sender(NamedTuple):
    """Of one mail: its sender as parsed, where answers are to go, what its topmost Authentication-Results says."""

    name: str
    address: str
    ambiguous: bool = False
    hides: bool = False
    reply_to: tuple[str, ...] = ()          # addresses
    authentication: dict | None = None


class Known(NamedTuple):
    """Who is known here. Domains as people read them, lower case; of public providers only `partners` has any."""

    addresses: frozenset = frozenset()      # keys of our people's and inboxes' addresses
    domains: frozenset = frozenset()        # our own
    people: tuple[str, ...] = ()            # names of colleagues
    inboxes: tuple[str, ...] = ()
    organisation: str = ""
    partners: frozenset = frozenset()       # of others who take part in the conversation
    alike: str | None = None                # one that looks the same as the sender's and wrote to us before it did


def check_authserv_ids(text: str) -> str:
    """The names of a mailbox's servers as they are stored: lower case, blanks between; "" believes nobody."""
    names = text.replace(",", " ").lower().split()
    if len(text) > AUTHSERV_ID_MAX or not all(_SERVER.fullmatch(name) for name in names):
        raise RuleBroken("authserv_id", "bad_server_name")
    return " ".join(dict.fromkeys(names))


def warnings(sender: Sender, known: Known, trusted: str = "") -> list[Warned]:
    """Loud ones first. `trusted`: the authserv-ids that are believed in this mailbox, blanks between."""
    found = [*_who(sender), *_name(sender, known), *_domain(sender, known), *_answers(sender, known),
             *_proof(sender, trusted)]
    return sorted(found, key=lambda w: not w.loud)


def believed(authentication: dict | None, trusted: str) -> dict | None:
    """What the mailbox's own server found out, or None: nothing, or somebody else's word."""
    ours = trusted.lower().split()
    return authentication if authentication and authentication.get("id") in ours else None


def is_proven(sender: Sender, trusted: str) -> bool:
    """Did the mailbox's own server find that the sender's domain sent it: by DMARC, or by SPF or DKIM in its own name?
    Where nobody has said whose word counts (`trusted` is empty) it is taken as it is."""
    if not trusted.split():
        return True
    said, own = believed(sender.authentication, trusted) or {}, domain_of(sender.address)
    dmarc = {result for result, _domain in said.get("dmarc", ())}
    return "fail" not in dmarc and ("pass" in dmarc or _passed(said, "spf", own) or _passed(said, "dkim", own))


def about_organizer(said: dict, sender: Sender, known: Known) -> Warned | None:
    """When an invitation (mail.invitation) names an organiser, or an answer somebody who answers, that its mail does
    not come from. Calendar services send for others; in the name of one of us from outside is another matter."""
    named = said["answer"] if said["method"] in ("reply", "counter") else said["organizer"]
    if not named or not sender.address or _key(named[1]) == _key(sender.address):
        return None
    facts = {"name": named[1], "address": sender.address}
    posing = _is_ours(named[1], known) and not _is_ours(sender.address, known)
    return Warned("other_organizer", posing, facts)


def goes_elsewhere(sender: Sender) -> list[str]:
    """The addresses that an answer goes to, where they are not the sender's own."""
    return [a for a in sender.reply_to if _key(a) != _key(sender.address)]


def other_form(address: str) -> str | None:
    """How else an address with an internationalised domain is written; None for all others."""
    local, at, domain = address.rpartition("@")
    other = other_domain(domain) if at else None
    return f"{local}@{other}" if other else None


def _who(sender):
    if sender.ambiguous:
        yield Warned("name_lied" if sender.address else "nobody", True, {"address": sender.address})
    if sender.hides:
        yield Warned("hides", False, {})


def _name(sender, known):
    if word := mixed_word(sender.name):
        yield Warned("mixed_name", True, {"word": word})
    if not sender.name or not sender.address or _is_ours(sender.address, known):
        return
    shown = _words(sender.name)
    colleague = next((n for n in known.people if _words(n) == shown), None)
    if colleague:
        yield Warned("colleague", len(shown) > 1, {"name": colleague, "address": sender.address})
    elif known.organisation and shown == _words(known.organisation):
        yield Warned("organisation", True, {"name": known.organisation, "address": sender.address})
    elif inbox := next((n for n in known.inboxes if _words(n) == shown), None):
        yield Warned("inbox", False, {"name": inbox, "address": sender.address})


def _domain(sender, known):
    domain = domain_of(sender.address)
    if not domain:
        return
    if any(mixed_word(label) for label in domain.split(".")):
        yield Warned("mixed_domain", True, {"domain": domain})
    if _is_ours(sender.address, known):
        return
    if ours := _imitated(domain, known.domains, borrowed=True):
        yield Warned("like_ours", True, {"domain": domain, "known": ours})
    elif partner := _imitated(domain, known.partners) or known.alike:
        yield Warned("like_known", True, {"domain": domain, "known": partner})


def _answers(sender, known):
    """Where answers go, when that is another domain. Loud where it looks like somebody it is not."""
    own = domain_of(sender.address)
    others = [a for a in goes_elsewhere(sender) if domain_of(a) != own]
    if not others or not own:
        return
    posing = _is_ours(sender.address, known) and not all(_is_ours(a, known) for a in others)
    fake = next((like for a in others if not _is_ours(a, known) for like in [_imitated(
        domain_of(a), known.domains | known.partners | {own})] if like), None)
    if fake:
        yield Warned("answers_fake", True, {"addresses": others, "known": fake})
    else:
        yield Warned("answers_elsewhere", posing, {"addresses": others, "domain": own})


def _proof(sender, trusted):
    """DMARC's verdict as the mailbox's own server wrote it; without one, SPF and DKIM where both say no."""
    said = believed(sender.authentication, trusted)
    if not said:
        return
    own = domain_of(sender.address)
    dmarc, spf = ([r for r, _domain in said.get(method, ())] for method in ("dmarc", "spf"))
    facts = {"server": said["id"], "domain": own}
    if "fail" in dmarc:
        yield Warned("not_proven", True, facts)
    elif "pass" not in dmarc and not _passed(said, "dkim", own) and {"fail", "hardfail", "softfail"} & set(spf):
        yield Warned("no_proof", False, facts)


def _passed(said, method, own):
    return any(result == "pass" and _aligned(domain, own) for result, domain in said.get(method, ()))


def _aligned(domain, own):
    """Does a proof for this domain say anything of mail from `own`? Everybody can sign in a name of their own
    (RFC 7489, 3.1.1)."""
    domain = readable_domain(domain)
    return bool(domain) and (domain == own or own.endswith("." + domain) or domain.endswith("." + own))


def _imitated(domain, others, borrowed=False):
    return next((o for o in sorted(others) if imitates(domain, o) or borrowed and borrows(domain, o)), None)


def _is_ours(address, known):
    domain = domain_of(address)
    return _key(address) in known.addresses or any(domain == d or domain.endswith("." + d) for d in known.domains)


def _words(name):
    """A name's words as they look, in any order: Nowak, Anna is Anna Nowak."""
    return sorted(skeleton(word.strip(".,;:'\"()")) for word in name.split())


def _key(address):
    try:
        return address_key(address)
    except ValueError:
        return address.strip().lower()
