"""What is to happen once the outermost transaction has committed, and never otherwise.

SQLAlchemy's after_commit also fires when a savepoint is released. So entries belong to the transaction in which they
were added: a released savepoint hands its entries to its parent, a rolled-back one takes them along.
"""

from sqlalchemy import event
from sqlalchemy.orm import Session

from webapp.extensions import db

KEY = "aftermath"


def after_commit(call, *args):
    """Call `call(*args)` after the outermost commit. It must not touch the database session."""
    session = db.session()
    if session.get_transaction() is None:
        session.begin()
    owner = session.get_nested_transaction() or session.get_transaction()
    session.info.setdefault(KEY, []).append((owner, call, args))


@event.listens_for(Session, "after_commit")
def _run_or_hand_up(session):
    nested, entries = session.get_nested_transaction(), session.info.get(KEY)
    if nested is None:
        for _owner, call, args in session.info.pop(KEY, []):
            call(*args)
    elif entries:      # a savepoint is released: its entries are its parent's now
        session.info[KEY] = [(nested.parent if e[0] is nested else e[0], *e[1:]) for e in entries]


@event.listens_for(Session, "after_transaction_end")
def _drop(session, transaction):
    """Whatever a transaction still has when it ends was not committed."""
    entries = session.info.get(KEY)
    if entries:
        session.info[KEY] = [e for e in entries if e[0] is not transaction]
