"""Whether `flask prepare` can be skipped: nothing changed since it last ran here.

Only for SQLite, where one can look without the application: another database may be newer or older than we think.
"""

import contextlib
import hashlib
import json
import sqlite3
from pathlib import Path
from urllib.parse import quote

NOTE = "prepared.txt"  # not *.json: those are notes of processes
_PASSING = ("-wal", "-shm", "-journal", ".log", ".new")


def is_done(root, folder, settings):
    """settings: what besides the code decides what prepare does (demo or not, the database's URL)."""
    folder = Path(folder)
    try:
        note = json.loads((folder / "run" / NOTE).read_text())
    except (OSError, ValueError):
        return False
    return (note.get("code") == _fingerprint(root, settings)
            and all((folder / name).exists() for name in note.get("files", ["?"]))
            and note.get("version") is not None and note["version"] == schema_version(folder / "postroom.db"))


def remember(root, folder, settings):
    """Called after prepare has run."""
    folder = Path(folder)
    content = {"code": _fingerprint(root, settings), "version": schema_version(folder / "postroom.db"),
               "files": sorted(entry.name for entry in folder.iterdir()
                               if entry.is_file() and not entry.name.endswith(_PASSING))}
    (folder / "run" / NOTE).write_text(json.dumps(content))


def schema_version(database):
    """The migration that a SQLite file stands at, or None. Never creates or changes the file."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(
            sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True, timeout=1)) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return row[0] if row else None
    return None


def _fingerprint(root, settings):
    """The code by names, sizes and times: reading it all would cost more than it is worth."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for path in sorted((Path(root) / "webapp").rglob("*.py")):
        seen = path.stat()
        digest.update(f"{path.relative_to(root)} {seen.st_size} {seen.st_mtime_ns}\n".encode())
    digest.update((Path(root) / "requirements.txt").read_bytes())
    return digest.hexdigest()
