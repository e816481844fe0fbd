"""Who is in the demo: the people of Transwisła, the mailboxes with their passwords, and where the servers are.

Plain values. The product seeds PEOPLE and shows MAILBOXES to the visitor; the demo's mail servers
accept exactly these addresses and passwords. They protect nothing: the servers listen on loopback.
"""

from typing import Literal, NamedTuple
from urllib.parse import quote

from webapp.mail.types import Endpoint

COMPANY = "Transwisła"
DOMAIN = "transwisla.example"
IMAP_PORT = 14993
SMTP_PORT = 14465


class Person(NamedTuple):
    key: str                               # "zofia"
    name: str
    email: str
    role: Literal["admin", "member"]
    language: Literal["pl", "en"]
    password: str                          # for signing in to Postroom, not for the mailbox
    removed: bool = False                  # left the company; may still hold an address


class DemoMailbox(NamedTuple):
    address: str
    password: str                          # for IMAP and SMTP; the user name is the address
    kind: Literal["team", "personal"]      # what it is meant for; nothing stops a visitor from trying the other
    title: str                             # name of the inbox, or of the person
    person: str | None = None              # key of the person whose own it is, or who holds it
    held: bool = False                     # already connected by `person`, who cannot let go of it any more


class DemoServers(NamedTuple):
    imap: Endpoint
    smtp: Endpoint
    user: Literal["address"] = "address"   # what to sign in with: the whole address


PEOPLE = (
    Person("zofia", "Zofia Dąbrowska", f"zofia.dabrowska@{DOMAIN}", "admin", "pl", "cztery-palety-na-rampie"),
    Person("marek", "Marek Zieliński", f"marek.zielinski@{DOMAIN}", "member", "pl", "zielona-naczepa-jedzie"),
    Person("michal", "Michał Żuraw", f"michal.zuraw@{DOMAIN}", "member", "pl", "stary-klucz-do-magazynu", removed=True),
)

MAILBOXES = (
    DemoMailbox(f"kontakt@{DOMAIN}", "kontakt-rampa-17", "team", "Obsługa klienta"),
    DemoMailbox(f"oferty@{DOMAIN}", "oferty-stawka-42", "team", "Sprzedaż"),
    DemoMailbox(f"faktury@{DOMAIN}", "faktury-kolumna-63", "team", "Faktury"),
    DemoMailbox(f"zofia.dabrowska@{DOMAIN}", "zofia-poczta-28", "personal", "Zofia Dąbrowska", "zofia"),
    DemoMailbox(f"marek.zielinski@{DOMAIN}", "marek-poczta-35", "personal", "Marek Zieliński", "marek"),
    DemoMailbox(f"magazyn@{DOMAIN}", "magazyn-brama-7", "team", "Magazyn", "michal", held=True),
)


# With this one the demo's Postroom writes to its people. Nobody connects it: it is not among MAILBOXES.
NOTICES = DemoMailbox(f"postroom@{DOMAIN}", "postroom-dzwonek-5", "team", "Postroom")


def notice_smtp(smtp_port: int = SMTP_PORT) -> str:
    """POSTROOM_NOTICE_SMTP of the demo."""
    return f"smtps://{quote(NOTICES.address)}:{quote(NOTICES.password)}@127.0.0.1:{smtp_port}"


def servers(imap_port: int = IMAP_PORT, smtp_port: int = SMTP_PORT) -> dict[str, DemoServers]:
    """Where the demo's servers stand, by mail domain, in the shape of the product's own table of providers."""
    imap, smtp = Endpoint("127.0.0.1", imap_port, "tls"), Endpoint("127.0.0.1", smtp_port, "tls")
    return {DOMAIN: DemoServers(imap, smtp)}


SERVERS = servers()
