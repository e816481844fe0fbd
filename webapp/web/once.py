"""What one page asks of the database several times is asked once."""

from flask import g, request

from webapp.extensions import db


def once(name, ask):
    """`ask()`, or what it gave before in this transaction. Only while a page is looked at: what changes something asks
    every time."""
    if not request or request.method != "GET":
        return ask()
    transaction, known = g.get("asked", (None, {}))
    if transaction is None or transaction is not db.session().get_transaction():
        known = {}
    if name not in known:
        known[name] = ask()
    g.asked = db.session().get_transaction(), known
    return known[name]
