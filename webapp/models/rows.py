"""Many rows in one statement: their numbers are known before they are written, so that they can name each other.

An ORM object for each row of a mailbox of 100,000 messages would take most of the time that reading it takes.
"""

from sqlalchemy import func, insert, select

from webapp.extensions import db


class Row:
    """A row that is not written yet. Its attributes are its columns; all rows of one statement have the same."""

    def __init__(self, **columns):
        self.__dict__ = columns


def next_ids(model, count) -> list[int]:
    """Numbers for new rows of `model`, ascending. Those that are not used in this transaction are lost, or come again.

    SQLite has one writer: what it would take next is ours until we commit.
    """
    if not count:
        return []
    if db.session.get_bind().dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(model.__tablename__, "id")
        return sorted(db.session.scalars(select(func.nextval(sequence)).select_from(func.generate_series(1, count))))
    first = (db.session.scalar(select(func.max(model.id))) or 0) + 1
    return list(range(first, first + count))


def write_rows(model, rows):
    """INSERT them, in order. `rows`: Row each, or dicts of the same columns."""
    if rows:
        db.session.execute(insert(model.__table__), [r if isinstance(r, dict) else vars(r) for r in rows])
