"""Contacts: found by any of their addresses, made when a stranger writes to a team address."""

from sqlalchemy import exists, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from webapp.actions.acts import happened
from webapp.extensions import db
from webapp.models import Contact, ContactAddress, Conversation, KnownDomain
from webapp.models.conversation import visible_conversations
from webapp.models.rows import next_ids, write_rows
from webapp.models.types import now
from webapp.rules.lookalike import domain_of, skeleton


class Contacts:
    """Those behind a set of address keys, read once; who is not known yet is made when met, and written at the end."""

    def __init__(self, keys):
        self._known = dict(db.session.execute(select(ContactAddress.address_key, ContactAddress.contact_id)
                                              .where(ContactAddress.address_key.in_(keys))).all())
        self._ids = next_ids(Contact, len(keys) - len(self._known))
        self._met = []      # (id, address key, Mailbox)
        self._domains = {}  # of those, and since when they write

    def meet(self, key, mailbox, at) -> int:
        """The contact's id. `key` is one of those given at first; `at`: when this mail of theirs came."""
        if key not in self._known:
            domain = domain_of(key)
            self._domains[domain] = min(at, self._domains.get(domain, at))
            self._known[key] = self._ids.pop(0)
            self._met.append((self._known[key], key, mailbox))
        return self._known[key]

    def write(self):
        at = now()
        write_rows(Contact, [{"id": i, "name": mailbox.name, "created_at": at} for i, _key, mailbox in self._met])
        write_rows(ContactAddress, [{"contact_id": i, "address": mailbox.address, "address_key": key}
                                    for i, key, mailbox in self._met])
        _know(self._domains)
        self._met, self._domains = [], {}


COMPLETED = 8


def known_to(person, typed):
    """[(name, address)] of people outside whose name, a word of it, or address begins so; only those of conversations
    that this person may read."""
    pattern = typed.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    seen = exists(visible_conversations(person).where(Conversation.contact_id == Contact.id))
    begins = or_(*(column.ilike(form, escape="\\") for column, form in (
        (Contact.name, f"{pattern}%"), (Contact.name, f"% {pattern}%"), (ContactAddress.address, f"{pattern}%"))))
    found = select(Contact.name, ContactAddress.address).join(ContactAddress.contact).where(begins, seen)
    return db.session.execute(found.order_by(Contact.name, ContactAddress.id).limit(COMPLETED)).all()


def set_owner(actor, conversation, owner):
    """Of the contact of this conversation, in whose history it stands. `owner` None: nobody."""
    contact = conversation.contact
    if contact.owner_id == (owner.id if owner else None):
        return
    contact.owner_id = owner.id if owner else None
    happened(actor, conversation, "owner_set" if owner else "owner_gone", name=owner.name if owner else "",
             contact=contact.name)


def _know(domains):
    """Remember these domains ({domain: since}) and what they look like; of several dates the oldest."""
    if domains:
        insert = (postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite).insert(KnownDomain)
        older = insert.excluded.since
        db.session.execute(
            insert.on_conflict_do_update(index_elements=["domain"], set_={"since": older},
                                         where=older < KnownDomain.since),
            [{"domain": domain, "skeleton": skeleton(domain), "since": at} for domain, at in sorted(domains.items())])
