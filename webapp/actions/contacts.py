"""Contacts: found by any of their addresses, made when a stranger writes to a team address."""

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Contact, ContactAddress


def contacts_by_key(keys):
    """{address key: Contact} of the known ones."""
    rows = db.session.execute(select(ContactAddress.address_key, Contact).join(ContactAddress.contact)
                              .where(ContactAddress.address_key.in_(keys)))
    return dict(rows.all())


def create_contact(name, address, key):
    contact = Contact(name=name)
    contact.addresses = [ContactAddress(address=address, address_key=key)]
    db.session.add(contact)
    return contact
