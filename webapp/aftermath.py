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


@event.listens_for(Session, "after_soft_rollback")
def _drop(session, transaction):
    entries = session.info.get(KEY)
    if entries:
        session.info[KEY] = [e for e in entries if not _within(e[0], transaction)]


@event.listens_for(Session, "after_transaction_end")
def _hand_up(session, transaction):
    entries = session.info.get(KEY)
    if entries and transaction.parent is not None:
        session.info[KEY] = [(transaction.parent if e[0] is transaction else e[0], *e[1:]) for e in entries]
    elif entries:  # the root was closed without a commit
        session.info[KEY] = [e for e in entries if e[0] is not transaction]


@event.listens_for(Session, "after_commit")
def _run(session):
    if session.get_nested_transaction() is None:
        entries = session.info.pop(KEY, [])
        for call, args in dict.fromkeys((call, args) for _owner, call, args in entries):   # the same thing once
            call(*args)


def _within(owner, transaction):
    while owner is not None:
        if owner is transaction:
            return True
        owner = owner.parent
    return False
