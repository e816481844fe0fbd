"""Flask extensions, created unbound, and the two ways in which a database transaction may begin."""

import contextvars
from contextlib import contextmanager

from flask_babel import Babel
from flask_compress import Compress
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import MetaData, event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase

# SQLite takes its write lock at BEGIN IMMEDIATE or not at all: a transaction that begins by reading and writes later
# can be refused at once when another one wrote between. So whoever may write says so before the first statement.
writing = contextvars.ContextVar("writing", default=False)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s", "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s"})


db = SQLAlchemy(model_class=Base)
login_manager = LoginManager()
csrf = CSRFProtect()
migrate = Migrate()
babel = Babel()
compress = Compress()


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection, _record):
    if type(connection).__module__.startswith("sqlite3"):
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        cache = 2_000 if _is_blobs(connection) else 10_000      # kB; raw mail is written once and seldom read
        for pragma in ("foreign_keys=ON", "busy_timeout=15000", "synchronous=FULL", "temp_store=MEMORY",
                       f"cache_size=-{cache}"):
            cursor.execute(f"PRAGMA {pragma}")
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            cursor.execute("PRAGMA page_size=16384" if _is_blobs(connection) else "PRAGMA page_size=4096")
            cursor.execute("PRAGMA journal_mode=WAL")
        cursor.close()


def _is_blobs(connection):
    return any(row[2].endswith("blobs.db") for row in connection.execute("PRAGMA database_list"))


@event.listens_for(Engine, "begin")
def _begin(connection):
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing.get() else "BEGIN")


@contextmanager
def unit():
    """One short transaction that writes: committed at the end, rolled back on an error. For the edges only."""
    session = db.session()
    if session.in_transaction() and not (writing.get() or session.new or session.dirty or session.deleted):
        session.rollback()      # it only read so far, and could be refused as soon as it writes
    token = writing.set(True)
    try:
        yield
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    finally:
        writing.reset(token)
