"""Contacts: found by any of their addresses, made when a stranger writes to a team address."""

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Contact, ContactAddress
from webapp.models.rows import next_ids, write_rows
from webapp.models.types import now


class Contacts:
    """Those behind a set of address keys, read once; who is not known yet is made when met, and written at the end."""

    def __init__(self, keys):
        self._known = dict(db.session.execute(select(ContactAddress.address_key, ContactAddress.contact_id)
                                              .where(ContactAddress.address_key.in_(keys))).all())
        self._ids = next_ids(Contact, len(keys) - len(self._known))
        self._met = []      # (id, address key, Mailbox)

    def meet(self, key, mailbox) -> int:
        """The contact's id. `key` is one of those given at first."""
        if key not in self._known:
            self._known[key] = self._ids.pop(0)
            self._met.append((self._known[key], key, mailbox))
        return self._known[key]

    def write(self):
        at = now()
        write_rows(Contact, [{"id": i, "name": mailbox.name, "created_at": at} for i, _key, mailbox in self._met])
        write_rows(ContactAddress, [{"contact_id": i, "address": mailbox.address, "address_key": key}
                                    for i, key, mailbox in self._met])
        self._met = []
