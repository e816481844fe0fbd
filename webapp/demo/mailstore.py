"""The mail of the demo on disk: folders and messages of every account, with UIDs that never change.

One SQLite file of the demo's own. A message is kept byte for byte as it was delivered or appended.
Used from one event loop only; every call is short and commits before it returns.
"""

import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

SCHEMA = """
CREATE TABLE IF NOT EXISTS folder (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    address TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL DEFAULT '',
    uidvalidity INTEGER NOT NULL,
    uidnext INTEGER NOT NULL DEFAULT 1,
    subscribed INTEGER NOT NULL DEFAULT 1,
    UNIQUE (address, name)
);
CREATE TABLE IF NOT EXISTS message (
    folder_id INTEGER NOT NULL REFERENCES folder (id) ON DELETE CASCADE,
    uid INTEGER NOT NULL,
    flags TEXT NOT NULL,
    arrived REAL NOT NULL,
    raw BLOB NOT NULL,
    PRIMARY KEY (folder_id, uid)
);
CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Folder(NamedTuple):
    id: int
    address: str
    name: str            # as on the wire: modified UTF-7 (RFC 3501 5.1.3), "/" between levels
    role: str            # a special use (RFC 6154) such as "\\Sent", or ""
    uidvalidity: int
    uidnext: int
    subscribed: bool


class Entry(NamedTuple):
    uid: int
    flags: frozenset[str]
    arrived: datetime    # aware, UTC
    size: int            # bytes


class MailStore:
    def __init__(self, path: Path):
        self.db = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "busy_timeout = 2000"):
            self.db.execute(f"PRAGMA {pragma}")
        self.db.executescript(SCHEMA)
        self._listeners: dict[int, set[Callable]] = defaultdict(set)
        self._depth = 0

    def close(self) -> None:
        self.db.close()

    @contextmanager
    def transaction(self):
        """All or nothing. May be nested; the outermost commits."""
        self._depth += 1
        if self._depth == 1:
            self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._depth == 1:
                self.db.execute("ROLLBACK")
            raise
        else:
            if self._depth == 1:
                self.db.execute("COMMIT")
        finally:
            self._depth -= 1

    # Folders

    def folders(self, address: str) -> list[Folder]:
        rows = self.db.execute("SELECT * FROM folder WHERE address = ? ORDER BY name <> 'INBOX', name", (address,))
        return [_folder(row) for row in rows]

    def folder(self, address: str, name: str) -> Folder | None:
        """By its wire name. INBOX is found in any case (RFC 3501 5.1)."""
        name = "INBOX" if name.upper() == "INBOX" else name
        row = self.db.execute("SELECT * FROM folder WHERE address = ? AND name = ?", (address, name)).fetchone()
        return row and _folder(row)

    def create_folder(self, address: str, name: str, role: str = "") -> Folder:
        """Raises sqlite3.IntegrityError when it is there already."""
        with self.transaction():
            # Higher than any before: a folder that is deleted and made again is a different one (RFC 3501 2.3.1.1).
            row = self.db.execute("SELECT value FROM state WHERE key = 'uidvalidity'").fetchone()
            validity = max(int(time.time()), int(row[0]) + 1 if row else 1)
            self.db.execute("INSERT OR REPLACE INTO state VALUES ('uidvalidity', ?)", (str(validity),))
            self.db.execute("INSERT INTO folder (address, name, role, uidvalidity) VALUES (?, ?, ?, ?)",
                            (address, name, role, validity))
        return self.folder(address, name)

    def delete_folder(self, folder: Folder) -> None:
        self.db.execute("DELETE FROM folder WHERE id = ?", (folder.id,))
        self._changed(folder.id)

    def rename_folder(self, folder: Folder, name: str) -> None:
        """Its children move along. Raises sqlite3.IntegrityError when the new name is taken."""
        prefix = folder.name + "/"
        with self.transaction():
            for child in self.folders(folder.address):
                if child.id == folder.id or child.name.startswith(prefix):
                    self.db.execute("UPDATE folder SET name = ? WHERE id = ?",
                                    (name + child.name[len(folder.name):], child.id))

    def subscribe(self, folder: Folder, subscribed: bool) -> None:
        self.db.execute("UPDATE folder SET subscribed = ? WHERE id = ?", (subscribed, folder.id))

    # Messages

    def add(self, folder: Folder, raw: bytes, flags: Iterable[str] = (), arrived: datetime | None = None) -> int:
        """Store a message and tell who watches the folder. Its UID."""
        arrived = arrived or datetime.now(UTC)
        with self.transaction():
            row = self.db.execute("UPDATE folder SET uidnext = uidnext + 1 WHERE id = ? RETURNING uidnext - 1",
                                  (folder.id,)).fetchall()
            uid = row[0][0]
            self.db.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?)",
                            (folder.id, uid, _flag_text(flags), arrived.timestamp(), raw))
        self._changed(folder.id)
        return uid

    def entries(self, folder_id: int) -> list[Entry]:
        """What is in the folder, by ascending UID, without the bytes."""
        rows = self.db.execute("SELECT uid, flags, arrived, length(raw) FROM message WHERE folder_id = ? ORDER BY uid",
                               (folder_id,))
        return [Entry(uid, frozenset(flags.split()), datetime.fromtimestamp(arrived, UTC), size)
                for uid, flags, arrived, size in rows]

    def raw(self, folder_id: int, uid: int) -> bytes | None:
        row = self.db.execute("SELECT raw FROM message WHERE folder_id = ? AND uid = ?", (folder_id, uid)).fetchone()
        return row and row[0]

    def set_flags(self, folder_id: int, uid: int, flags: Iterable[str]) -> None:
        self.db.execute("UPDATE message SET flags = ? WHERE folder_id = ? AND uid = ?",
                        (_flag_text(flags), folder_id, uid))
        self._changed(folder_id)

    def remove(self, folder_id: int, uids: Iterable[int]) -> None:
        with self.transaction():
            self.db.executemany("DELETE FROM message WHERE folder_id = ? AND uid = ?",
                                [(folder_id, uid) for uid in uids])
        self._changed(folder_id)

    # Watching

    def watch(self, folder_id: int, listener: Callable[[], None]) -> None:
        """Call `listener` after every change in the folder, until `unwatch`."""
        self._listeners[folder_id].add(listener)

    def unwatch(self, folder_id: int, listener: Callable[[], None]) -> None:
        self._listeners[folder_id].discard(listener)

    def _changed(self, folder_id: int) -> None:
        for listener in tuple(self._listeners[folder_id]):
            listener()


def _folder(row) -> Folder:
    return Folder(*row[:6], bool(row[6]))


def _flag_text(flags: Iterable[str]) -> str:
    return " ".join(sorted(set(flags)))
