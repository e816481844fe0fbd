"""What every mailbox holds before the first visitor comes: folders, and six weeks of mail."""

from datetime import datetime

from imapclient import imap_utf7

from webapp.demo.mailstore import MailStore
from webapp.demo.people import DOMAIN, MAILBOXES
from webapp.demo.story import kontakt, oferty, others, personal
from webapp.demo.story.conversation import StoredMail, mails
from webapp.demo.story.oddities import oddities

THREADS = {
    f"kontakt@{DOMAIN}": kontakt.THREADS,
    f"oferty@{DOMAIN}": oferty.THREADS,
    f"faktury@{DOMAIN}": others.FAKTURY,
    f"magazyn@{DOMAIN}": others.MAGAZYN,
    f"zofia.dabrowska@{DOMAIN}": personal.ZOFIA,
    f"marek.zielinski@{DOMAIN}": personal.MAREK,
}

ENGLISH = {"\\Sent": "Sent", "\\Drafts": "Drafts", "\\Trash": "Trash", "\\Junk": "Junk", "\\Archive": "Archive"}
POLISH = {"\\Sent": "Wysłane", "\\Drafts": "Szkice", "\\Trash": "Kosz", "\\Junk": "Spam", "\\Archive": "Archiwum"}
ZOFIA_MORE = ("Archiwum 2025", "Archiwum 2024", "Faktury", "Klienci", "Klienci/Chłodnie Pomorze", "Klienci/Meblopol",
              "Rodzina")


def first_mail(now: datetime, seed: int) -> list[StoredMail]:
    """Oldest first. The same for the same time and seed, byte for byte."""
    found = [mail for address, threads in THREADS.items() for mail in mails(address, threads, now, seed)]
    found += oddities(now, seed)
    return sorted(found, key=lambda mail: (mail.arrived, mail.address, mail.folder))


def fill(store: MailStore, now: datetime, seed: int) -> int:
    """Make every folder and put the first mail in. The number of messages."""
    with store.transaction():
        for mailbox in MAILBOXES:
            # A mailbox with folder names of its own: found by SPECIAL-USE, not by name.
            zofia = mailbox.person == "zofia"
            store.create_folder(mailbox.address, "INBOX")
            for role, name in (POLISH if zofia else ENGLISH).items():
                store.create_folder(mailbox.address, _wire_name(name), role)
            for name in ZOFIA_MORE if zofia else ():
                store.create_folder(mailbox.address, _wire_name(name))
        places = {(folder.address, folder.role or folder.name): folder
                  for mailbox in MAILBOXES for folder in store.folders(mailbox.address)}
        found = first_mail(now, seed)
        for mail in found:
            store.add(places[mail.address, mail.folder], mail.raw, mail.flags, mail.arrived)
    return len(found)


def _wire_name(name: str) -> str:
    return imap_utf7.encode(name).decode("ascii")
