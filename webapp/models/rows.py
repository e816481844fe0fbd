"""Many rows in one statement: their numbers are known before they are written, so that they can name each other.

An ORM object for each row of a mailbox of 100,000 messages would take most of the time that reading it takes.
"""

import json
from functools import lru_cache
from operator import itemgetter

from sqlalchemy import func, select

from webapp.extensions import db
from webapp.models.types import Moment


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


def write_rows(model, rows, known_ok=False):
    """INSERT them, in order. `rows`: Row each, or dicts of the same columns. `known_ok`: what is there stays as it is.
    """
    if not rows:
        return
    rows = [r if isinstance(r, dict) else vars(r) for r in rows]
    connection = db.session.connection()
    statement, take = _insert(model.__table__, tuple(rows[0]), connection.dialect, known_ok)
    connection.exec_driver_sql(statement, take(rows))


@lru_cache(maxsize=100)
def _insert(table, names, dialect, known_ok):
    """(statement, function that turns rows into its parameters). SQLAlchemy itself makes named parameters of every row,
    and PostgreSQL a statement of each."""
    columns = [c for c in table.columns if c.name in names or c.default is not None]
    quoted = dialect.identifier_preparer.quote
    listed = ", ".join(quoted(c.name) for c in columns)
    into = f"INSERT INTO {quoted(table.name)} ({listed})"
    unless = "ON CONFLICT DO NOTHING" if known_ok else ""
    full = _filled(names, columns, dialect)
    if dialect.name == "postgresql":
        kinds = ", ".join(f"{quoted(c.name)} {c.type.compile(dialect)}" for c in columns)
        source = f"SELECT {listed} FROM json_to_recordset(CAST(%s AS json)) AS given ({kinds})"
        return f"{into} {source} {unless}", lambda rows: (json.dumps(list(map(full, rows)), ensure_ascii=False),)
    values = itemgetter(*(c.name for c in columns))       # no table has a single column
    return f"{into} VALUES ({', '.join('?' * len(columns))}) {unless}", lambda rows: [values(full(r)) for r in rows]


def _filled(names, columns, dialect):
    """A function that gives a row its defaults, and its values the form that the statement takes."""
    defaults = [(c.name, c.default.arg) for c in columns if c.name not in names]
    bound = [(c.name, as_bound) for c in columns if (as_bound := _bound(c.type, dialect))]

    def full(row):
        row = dict(row)
        for name, default in defaults:
            row[name] = default(None) if callable(default) else default
        for name, as_bound in bound:
            row[name] = as_bound(row[name])
        return row
    return full


def _bound(kind, dialect):
    if dialect.name != "postgresql":
        return kind.dialect_impl(dialect).bind_processor(dialect)
    if isinstance(kind, Moment):
        return lambda value: None if value is None else kind.process_bind_param(value, dialect).isoformat()
    return None     # JSON has it
