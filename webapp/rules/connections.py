"""The connection rules, in exactly one place (DESIGN 5).

An address is held by one holder: a person or an inbox. A use (mail, calendar) hangs on the hold.
Calendars hang only on persons. Everything else follows.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from webapp.mail.address import address_key, login_key
from webapp.rules import RuleBroken
from webapp.rules.bounds import ADDRESS_MAX

TELL_AFTER = timedelta(seconds=90)      # a passing trouble longer than this is told (BEHAVIOUR 18: within 5 minutes)


@dataclass(frozen=True)
class Holder:
    """Who holds or wants an address. `kind` is "personal" (id of a person) or "team" (id of an inbox)."""

    kind: str
    id: int


@dataclass(frozen=True)
class Held:
    """A hold as the rule sees it. `by_login`: found by its login, not by its spelling (two addresses, one mailbox)."""

    holder: Holder
    uses: frozenset
    address: str = ""
    name: str = ""                  # of the person or the inbox
    since: datetime | None = None
    gone: bool = False              # the person was removed and still holds it (the ghost)
    by_login: bool = False
    hold_id: int = 0
    restricted: bool = False        # of an inbox that only its members see: its name is not for everybody


def ask(wanted: Holder, use: str, held: Held | None):
    """May `wanted` use the address in this way, given who holds it or its login now?

    Returns "yes" or "here already". Raises RuleBroken("address", code, ...) with code
    "team_calendar" or "taken" (facts: kind, name, since, gone, by_login, address, calendar).
    """
    if use == "calendar" and wanted.kind == "team":
        raise RuleBroken("address", "team_calendar")
    if held is None:
        return "yes"
    if held.holder != wanted:
        raise RuleBroken("address", "taken", kind=held.holder.kind, id=held.holder.id, hold_id=held.hold_id,
                         name=held.name, since=held.since.isoformat() if held.since else None, gone=held.gone,
                         by_login=held.by_login, address=held.address, restricted=held.restricted,
                         uses=sorted(held.uses), wanted=wanted.kind)
    if held.by_login:  # the holder's own second spelling of a mailbox that is connected already
        raise RuleBroken("address", "same_mailbox", address=held.address)
    return "here already" if use in held.uses else "yes"


def ways_out(broken: RuleBroken, role: str, person_id: int) -> tuple[str, ...]:
    """What the person who was refused can do next, best first. Codes: "release" and "restore" (an admin, of a holder
    who is gone), "release_living" (an admin), "ask" (the admins), "switch" (one's own address, to the other kind),
    "mailboxes", "inbox" (look where it answers), "show" (its state), "another" (use another address)."""
    facts = broken.facts
    if broken.code == "here_already":
        return ("show",) if facts.get("connection") else ("another",)
    if broken.code == "same_mailbox":
        return ("mailboxes", "another")
    if broken.code != "taken":
        return ("another",) if broken.code == "team_calendar" else ()
    admin, mine = role == "admin", facts["kind"] == "personal" and facts["id"] == person_id
    books = "calendar" in facts["uses"] and facts["wanted"] == "team"
    if mine:
        may_switch = admin and facts["wanted"] == "team" and not books and "mail" in facts["uses"]
        return ("switch", "mailboxes", "another") if may_switch and not facts["by_login"] else ("mailboxes", "another")
    if facts["gone"]:
        return ("release", "restore", "another") if admin else ("ask", "another")
    if facts["kind"] == "team":
        if admin:
            switch = facts["wanted"] == "personal" and not facts["by_login"] and "mail" in facts["uses"]
            return ("switch", "inbox", "another") if switch else ("inbox", "another")
        return ("ask", "another") if facts["restricted"] else ("inbox", "ask", "another")
    return ("release_living", "another") if admin and facts["hold_id"] else ("ask", "another")


def check_release(role: str, kind: str):
    """Admins free what a person holds, also somebody's who is here: it is audited, and they are told. An inbox's
    address is disconnected in its settings."""
    if role != "admin":
        raise RuleBroken("address", "admins_only_here")
    if kind == "team":
        raise RuleBroken("address", "disconnect_it")


def check_switch(role: str, kind: str, uses, wanted: str):
    """The other kind for one's own address, its history kept. Asks who may connect, and the meetings rule."""
    check_connector(role, wanted)
    if role != "admin":
        raise RuleBroken("address", "admins_only")
    if wanted == kind:
        raise RuleBroken("address", "not_now")
    if wanted == "team" and "calendar" in uses:
        raise RuleBroken("address", "takes_bookings")


def check_address(text: str) -> str:
    """The key of an address that can be connected. Raises RuleBroken("address", "not_an_address")."""
    try:
        if len(text.strip()) > ADDRESS_MAX:
            raise ValueError
        return address_key(text)
    except ValueError:
        raise RuleBroken("address", "not_an_address") from None


def check_host(field: str, text: str):
    """Could this be a server's name or address? Raises RuleBroken(field, "not_a_host")."""
    try:
        login_key(text, "anybody")
    except ValueError:
        raise RuleBroken(field, "not_a_host") from None


def check_user_name(text: str):
    """Raises RuleBroken("user_name", "not_a_user_name"): control characters would break the protocols."""
    try:
        login_key("host.example", text)
    except ValueError:
        raise RuleBroken("user_name", "not_a_user_name") from None


def check_connector(role: str, kind: str):
    """Who may connect (BEHAVIOUR 1.18, 2.11): viewers nothing, members their own addresses, admins both kinds."""
    if role == "viewer":
        raise RuleBroken("address", "viewer")
    if kind == "team" and role != "admin":
        raise RuleBroken("address", "admins_only")


def check_plan(used: int, limit: int | None):
    """May one more inbox be made? Raises RuleBroken("inbox", "plan_limit", used, limit)."""
    if limit is not None and used >= limit:
        raise RuleBroken("inbox", "plan_limit", used=used, limit=limit)


def check_servers(address: str, hosts, presets):
    """An address of the organisation's own domain lives on the servers that its admin named, and on no others: else
    anybody could hold a colleague's address by signing in to a server of their own."""
    domain = address.rpartition("@")[2].strip().lower()
    if domain in presets and not {h.lower() for h in hosts} <= {server[0].lower() for server in presets[domain]}:
        raise RuleBroken("imap_host", "preset_servers", domain=domain)


def check_published(address: str, hosts):
    """Servers that DNS names outside the address's own domain are confirmed by a person before they get a password
    (RFC 6186, section 6)."""
    domain = address.rpartition("@")[2].strip().lower()
    foreign = [h for h in hosts if h.lower() != domain and not h.lower().endswith("." + domain)]
    if foreign:
        raise RuleBroken("imap_host", "foreign_servers", domain=domain, host=foreign[0])


def check_pause(state: str, to: str):
    """Only what works can pause, only what pauses can go on. Raises RuleBroken("address", "not_now")."""
    if (state, to) not in (("active", "paused"), ("paused", "active")):
        raise RuleBroken("address", "not_now")


def may_use(state: str, holder_state: str, tool: str, kind: str) -> bool:
    """May a tool (sync, send, sequence, booking) work with a connection now? Asked by every job."""
    if state != "active" or holder_state != "active":
        return False
    return not (kind == "team" and tool in ("sequence", "booking"))


def may_reconnect(address: str, login: str, held_address: str, held_login: str):
    """Reconnecting is for the same address and the same login (BEHAVIOUR 0.5)."""
    if address != held_address or login != held_login:
        raise RuleBroken("user_name", "another_mailbox", address=held_address)


PERSONAL_GOALS = ("one-to-one", "log", "sequence", "extension", "meetings")
TEAM_GOALS = ("shared", "routing", "from")


def advise(goals) -> str:
    """Which connection do these goals need? "none", "personal", "team" or "both" (two addresses)."""
    personal, team = any(g in PERSONAL_GOALS for g in goals), any(g in TEAM_GOALS for g in goals)
    return "both" if personal and team else "personal" if personal else "team" if team else "none"
