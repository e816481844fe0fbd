"""Raw mail and attachments, keyed by SHA-256, zstd, in a database of its own (SYNC 5).

Write-once and committed at once, before the rows that name them: an orphan blob is harmless, a missing one would be
lost mail. The interface (put, get, ensure) can move to files or object storage.

A mail and a part with the very same bytes (somebody attaches the original) are two things: parts have other keys.
Pictures that we painted lie here too, under keys of their own. They are forgotten after a while; raw mail only when it
was spam that is deleted for good, and then the parts that no other mail has; files of drafts when nothing has them.
"""

import hashlib
import struct
import threading
from collections import deque

import zstandard
from sqlalchemy import (
    Column,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    func,
    inspect,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from webapp.extensions import writing
from webapp.mail.pack import pack, part_hashes, rest, unpack, unpack_pieces

PIECE = 128 * 1024      # bytes that are read at once of what is handed on in pieces

blobs = Table("blob", MetaData(), Column("sha256", String(64), primary_key=True),
              Column("content", LargeBinary, nullable=False))


# Which raw mail has which part: only what is in no other may be forgotten. Written with them, in one transaction.
uses = Table("blob_use", blobs.metadata, Column("raw", String(64), primary_key=True),
             Column("part", String(64), primary_key=True, index=True))

LARGE = 1_000_000       # bytes
AT_ONCE = 1_000         # rows

_of_thread = threading.local()      # a compressor is made once for many messages, and not for two at the same time


class Blobs:
    def __init__(self, url):
        self._url, self._engine = url, None

    def init_app(self, app):
        app.extensions["blobs"] = self

    @property
    def engine(self):
        if self._engine is None:  # made late, so that a forked worker never shares its parent's connections
            self._engine = create_engine(self._url, pool_size=2, pool_pre_ping=True, hide_parameters=True)
        return self._engine

    def dispose(self):
        if self._engine is not None:
            self._engine.dispose(close=False)
            self._engine = None

    def ensure(self):
        with self.engine.begin() as connection:
            connection.execute(CreateTable(blobs, if_not_exists=True))
            if not inspect(connection).has_table(uses.name):
                uses.create(connection)
                _note_uses(connection)
            if connection.dialect.name == "postgresql":  # already zstd: pglz would only burn time
                connection.exec_driver_sql("ALTER TABLE blob ALTER content SET STORAGE EXTERNAL")

    def put_raw(self, raws) -> list[str]:
        """Store raw messages, attachments taken out and stored once. Returns their SHA-256, in order."""
        rows, names = {}, []
        for raw in raws:
            names.append(hashlib.sha256(raw).hexdigest())
            rows |= rows_of(names[-1], pack(raw))
        self.put(rows)
        return names

    def put_part(self, content: bytes) -> str:
        """Store a file that is to go along with a message, once for all that share it. Returns its SHA-256."""
        name = hashlib.sha256(content).hexdigest()
        self.put({_part_key(name): zstandard.ZstdCompressor(level=3).compress(content)})
        return name

    def get_raw(self, name: str) -> bytes:
        """The raw message, byte for byte as it was put. KeyError when it is not there."""
        with self.engine.connect() as connection:
            return unpack(self._get(connection, name), lambda part: self._get(connection, _part_key(part)))

    def get_part(self, name: str) -> bytes | None:
        """The decoded content of an attachment by its SHA-256; None when it lies inside its message only."""
        with self.engine.connect() as connection:
            try:
                return self._get(connection, _part_key(name))
            except KeyError:
                return None

    def open_part(self, name: str):
        """As `get_part`, in pieces of at most PIECE bytes; None when it lies inside its message only.

        What is compressed is read at once, so that no slow reader holds a connection of the database; it is held once,
        and let go of piece by piece.
        """
        with self.engine.connect() as connection:
            pieces = _read_pieces(connection, _part_key(name))
        return _unpacked(pieces) if pieces is not None else None

    def open_raw(self, name: str):
        """As `get_raw`, in pieces. KeyError at once when the message is not there."""
        with self.engine.connect() as connection:
            skeleton = self._get(connection, name)
        return unpack_pieces(skeleton, self._pieces_of)

    def _pieces_of(self, part):
        pieces = self.open_part(part)
        if pieces is None:
            raise KeyError(part)
        return pieces

    def get_rest(self, name: str) -> bytes:
        """The raw message without the bodies of the parts that are stored for themselves. KeyError: it is not there."""
        with self.engine.connect() as connection:
            return rest(self._get(connection, name))

    def put_painted(self, key: str, content: bytes):
        """Keep what was painted of a picture, under this key: it can be painted again, so it may be forgotten."""
        self.put({_painted_key(key): zstandard.ZstdCompressor(level=1).compress(content)})

    def get_painted(self, key: str) -> bytes | None:
        with self.engine.connect() as connection:
            try:
                return self._get(connection, _painted_key(key))
            except KeyError:
                return None

    def forget_painted(self, keys):
        token = writing.set(True)
        try:
            with self.engine.begin() as connection:
                connection.execute(delete(blobs).where(blobs.c.sha256.in_([_painted_key(key) for key in keys])))
        finally:
            writing.reset(token)

    def parts_of(self, name) -> list[str]:
        """SHA-256 of the parts that were taken out of this raw mail."""
        with self.engine.connect() as connection:
            return list(connection.scalars(select(uses.c.part).where(uses.c.raw == name)))

    def forget_raw(self, name, keep=()):
        """This raw mail, and its parts but for those that another mail has, and `keep`. Nothing is put meanwhile."""
        token = writing.set(True)
        try:
            with self.engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.exec_driver_sql("LOCK TABLE blob IN SHARE ROW EXCLUSIVE MODE")
                mine = set(connection.scalars(delete(uses).where(uses.c.raw == name).returning(uses.c.part)))
                gone = [_part_key(part) for part in sorted(mine - set(keep) - set(connection.scalars(
                    select(uses.c.part).where(uses.c.part.in_(mine)))))]
                connection.execute(delete(blobs).where(blobs.c.sha256.in_([name, *gone])))
        finally:
            writing.reset(token)

    def forget_parts(self, names):
        """Those of these parts that no raw mail has. Nothing is put meanwhile."""
        if not names:
            return
        token = writing.set(True)
        try:
            with self.engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.exec_driver_sql("LOCK TABLE blob IN SHARE ROW EXCLUSIVE MODE")
                used = set(connection.scalars(select(uses.c.part).where(uses.c.part.in_(names))))
                connection.execute(delete(blobs).where(blobs.c.sha256.in_(
                    [_part_key(name) for name in sorted(set(names) - used)])))
        finally:
            writing.reset(token)

    def put(self, rows):
        """Commit what `rows_of` made of some messages. Takes out of `rows` what is large."""
        used = [{"raw": key[0], "part": key[1]} for key in rows if isinstance(key, tuple)]
        rows = rows if not used else _without_uses(rows)
        token = writing.set(True)
        try:
            with self.engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    insert = postgresql.insert(blobs)
                else:
                    insert = sqlite.insert(blobs)
                    _write_large(connection, insert, rows)
                connection.execute(insert.on_conflict_do_nothing(), [
                    {"sha256": name, "content": content} for name, content in rows.items()])
                if used:
                    connection.execute(_insert_uses(connection), used)
        finally:
            writing.reset(token)

    def _get(self, connection, name):
        content = connection.execute(select(blobs.c.content).where(blobs.c.sha256 == name)).scalar()
        if content is None:
            raise KeyError(name)
        return zstandard.ZstdDecompressor().decompress(content)


def rows_of(name, packed) -> dict[str, bytes]:
    """What `put` is to store for a message: its SHA-256, and what `pack` made of it; under (message, part) nothing, but
    that the one has the other. The work without the database.
    Takes the parts out of `packed`: with a large one, two forms of it at once are enough."""
    if not (compress := getattr(_of_thread, "compress", None)):
        compress = _of_thread.compress = zstandard.ZstdCompressor(level=3).compress
    parts = list(packed.parts)
    rows = {_part_key(part): compress(packed.parts.pop(part)) for part in parts}
    return {**rows, name: compress(packed.skeleton), **{(name, part): b"" for part in parts}}


def raw_of(rows, name) -> bytes:
    """The raw message of which `rows_of` made these, before they are put."""
    unzip = zstandard.ZstdDecompressor().decompress
    return unpack(unzip(rows[name]), lambda part: unzip(rows[_part_key(part)]))


def _without_uses(rows):
    """Taken out, for what is large in `rows` is let go of by whoever gave them."""
    for key in [key for key in rows if isinstance(key, tuple)]:
        del rows[key]
    return rows


def _insert_uses(connection):
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(uses).on_conflict_do_nothing()


def _note_uses(connection):
    """Of all that was stored before anybody noted it. A part that looks like a message keeps something: harmless."""
    last = ""
    while found := connection.execute(
            select(blobs.c.sha256, func.substr(blobs.c.content, 1, PIECE)).where(blobs.c.sha256 > last)
            .order_by(blobs.c.sha256).limit(AT_ONCE)).all():
        used = [{"raw": name, "part": part} for name, start in found for part in _parts_in(start)]
        if used:
            connection.execute(_insert_uses(connection), used)
        last = found[-1][0]


def _parts_in(start):
    """Hashes of the parts of which the beginning of a stored skeleton tells."""
    try:
        with zstandard.ZstdDecompressor().stream_reader(start, read_across_frames=False) as reader:
            return list(dict.fromkeys(part_hashes(reader.read(PIECE))))
    except (zstandard.ZstdError, struct.error, ValueError):
        return []


def _write_large(connection, insert, rows):
    """SQLite copies what is bound to a statement twice; what is written into a place made for it, not at all."""
    for name in [name for name, content in rows.items() if len(content) > LARGE]:
        content = memoryview(rows.pop(name))
        place = connection.execute(insert.on_conflict_do_nothing().values(
            sha256=name, content=func.zeroblob(len(content))).returning(literal_column("rowid"))).scalar()
        if place is not None:       # else it is stored already
            with connection.connection.dbapi_connection.blobopen("blob", "content", place) as blob:
                for start in range(0, len(content), LARGE):
                    blob.write(content[start:start + LARGE])


def _read_pieces(connection, key):
    """The stored bytes under `key` as a deque of pieces, or None."""
    where = blobs.c.sha256 == key
    if connection.dialect.name != "postgresql":
        row = connection.execute(select(text("rowid")).select_from(blobs).where(where)).scalar()
        if row is None:
            return None
        with connection.connection.driver_connection.blobopen("blob", "content", row, readonly=True) as stored:
            return deque(iter(lambda: stored.read(PIECE), b""))
    length = connection.execute(select(func.octet_length(blobs.c.content)).where(where)).scalar()
    if length is None:
        return None
    return deque(connection.execute(select(func.substring(blobs.c.content, start + 1, PIECE)).where(where)).scalar()
                 for start in range(0, length, PIECE))


def _unpacked(pieces):
    with zstandard.ZstdDecompressor().stream_reader(_Pieces(pieces), read_size=PIECE) as reader:
        while content := reader.read(PIECE):
            yield content


class _Pieces:
    """Pieces as a file that is read once."""

    def __init__(self, pieces):
        self._pieces = pieces

    def read(self, _size):
        return self._pieces.popleft() if self._pieces else b""


def _painted_key(key):
    return hashlib.sha256(b"painted|" + key.encode()).hexdigest()


def _part_key(name):
    return hashlib.sha256(b"part|" + name.encode()).hexdigest()
