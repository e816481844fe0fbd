"""What `run doctor` looks at: each check takes a Patient (doctor.py) and yields findings.

A heavy library is imported inside the check that needs it, so that its absence is a finding too.
"""

import os
import platform
import re
import shutil
import ssl
import stat
import sys
import urllib.error
import urllib.request
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from webapp.launch import ports

LEAST_SPACE = 1_000_000_000  # bytes; mail is kept, so a full disk comes suddenly
OLDEST_PYTHON = (3, 11)
OLDEST_REDIS = (6, 2)  # tried with RQ 3: 6.2 and newer
KEYS = "secret.keys"
QUEUES = ("out", "in", "pictures", "slow")
HEARTBEATS = {"watch": "postroom:alive:watch", "clock": "postroom:alive:clock"}  # Redis keys that expire in 60 s
START = "start it with: python3 run"


class Finding(NamedTuple):
    state: str  # "ok", "problem", "-" for not examined
    name: str
    text: str


def ok(name, text):
    return Finding("ok", name, text)


def problem(name, text):
    return Finding("problem", name, text)


def skipped(name, text):
    return Finding("-", name, text)


def python():
    version = tuple(int(part) for part in platform.python_version_tuple()[:2])
    if version < OLDEST_PYTHON:
        yield problem("Python", f"{platform.python_version()} is too old. Use 3.11 or newer.")
    else:
        yield ok("Python", platform.python_version())


def pins(requirements):
    """Each pinned distribution is installed in exactly that version."""
    wrong = []
    for name, wanted, marker in pinned(requirements):
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            if not marker:  # with a marker it may rightly be missing on this platform
                wrong.append(f"{name} is missing")
            continue
        if found != wanted:
            wrong.append(f"{name} is {found}, not {wanted}")
    if wrong:
        yield problem("environment", f"{'; '.join(wrong)}. Run: {sys.executable} -m pip install -r requirements.txt")
    else:
        yield ok("environment", f"as pinned, in {sys.prefix}")


def pinned(requirements):
    """[(name, version, marker)] of a requirements file."""
    found = []
    for line in Path(requirements).read_text().splitlines():
        match = re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)\s*(?:;\s*(.*))?", line)
        if match:
            found.append((match[1], match[2], match[3] or ""))
    return found


def data_folder(patient):
    folder = patient.settings.folder
    if not folder.is_dir():
        yield problem("data folder", f"{folder} is not there. The first start makes it: python3 run")
        return
    seen = folder.stat()
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield problem("data folder", f"{folder} can't be written by this user. Run: chown -R $USER '{folder}'")
    elif stat.S_IMODE(seen.st_mode) & 0o077:
        yield problem("data folder", f"{folder} is open to other users. Run: chmod 700 '{folder}'")
    else:
        yield ok("data folder", str(folder))
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:.1f} GB free"
    yield ok("disk space", text) if free >= LEAST_SPACE else problem(
        "disk space", f"only {text} for {folder}. Make room: a full disk stops all new mail.")


def key_files(patient):
    """The files that hold secrets are read by their owner alone."""
    folder = patient.settings.folder
    if folder.is_dir() and not (folder / KEYS).exists():
        yield problem("keys", f"{folder / KEYS} is not there. Without it no stored password can be read: bring it back "
                      "from a backup. In a new installation the start makes it: flask --app wsgi prepare")
    for path in sorted(folder.glob("secret.*")):
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield problem("keys", f"{path} can be read by other users. Run: chmod 600 '{path}'")
        elif not os.access(path, os.R_OK):
            yield problem("keys", f"{path} can't be read by this user. Run: chown $USER '{path}'")
        else:
            yield ok("keys", path.name)


def database(patient):
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import SQLAlchemyError

    if not patient.settings.database_url and not (patient.settings.folder / "postroom.db").exists():
        yield problem("database", "not made yet. The first start makes it: python3 run")
        return
    engine = create_engine(patient.settings.database)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            current = set(MigrationContext.configure(connection).get_current_heads())
    except SQLAlchemyError as failure:
        reason = str(failure.orig if hasattr(failure, "orig") and failure.orig else failure).strip().splitlines()[0]
        yield problem("database", f"{engine.url.render_as_string()} can't be reached ({reason}). Check DATABASE_URL "
                      "and that the server runs.")
        return
    finally:
        engine.dispose()
    newest = set(ScriptDirectory(str(patient.root / "webapp" / "migrations")).get_heads())
    if current == newest:
        yield ok("database", f"{engine.dialect.name}, at migration {_named(current)}")
    else:
        yield problem("database", f"at migration {_named(current)}, the code is at {_named(newest)}. "
                      "Run: flask --app wsgi prepare")


def _named(migrations):
    return ", ".join(sorted(migrations)) or "none"


def redis(patient):
    from redis import Redis, RedisError

    if patient.redis_url is None:
        yield skipped("Redis", "the embedded one runs only while Postroom runs")
        return
    try:
        info = Redis.from_url(patient.redis_url, socket_timeout=3, socket_connect_timeout=3).info()
    except (RedisError, OSError, ValueError) as failure:
        yield problem("Redis", f"does not answer ({failure}). Check REDIS_URL and that the server runs.")
        return
    version = info.get("redis_version", "0")
    shown = f"Valkey {info['valkey_version']}" if info.get("valkey_version") else f"Redis {version}"
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < OLDEST_REDIS:
        yield problem("Redis", f"{shown} is too old. Use Redis 6.2 or newer, or Valkey.")
    else:
        yield ok("Redis", shown + (", embedded" if patient.embedded else ""))
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction" and info.get("maxmemory"):
        yield problem("Redis memory", f"maxmemory-policy is {policy}: a full server would drop queued work. "
                      "Run: redis-cli config set maxmemory-policy noeviction")
    else:
        yield ok("Redis memory", policy)


def port(patient):
    if patient.running:
        return
    if _answers(patient.url) is None:
        return  # not started by `run`, but it is there: nothing to bind
    try:
        ports.check(patient.host, patient.port)
    except ports.PortProblem as taken:
        yield problem("port", str(taken))
    else:
        yield ok("port", f"{patient.port} is free")


def web(patient):
    reason = _answers(patient.url)
    if reason is None:
        yield ok("web", patient.url)
    else:
        yield problem("web", f"{patient.url}/health does not answer ({reason}). If it should run, {START}")


def workers(patient):
    """Somebody works on every queue; watch and clock said that they live within the last minute."""
    from redis import Redis, RedisError
    from rq import Worker

    if patient.redis_url is None:
        yield skipped("workers", "they report through Redis")
        return
    try:
        connection = Redis.from_url(patient.redis_url, socket_timeout=3, socket_connect_timeout=3)
        served = {name for worker in Worker.all(connection=connection) for name in worker.queue_names()}
        alive = {name: connection.exists(key) for name, key in HEARTBEATS.items()}
    except (RedisError, OSError, ValueError):
        yield skipped("workers", "they report through Redis")
        return
    missing = [name for name in QUEUES if name not in served]
    if missing:
        yield problem("jobs", f"nobody works on the queue {', '.join(missing)}. Run: worker.py jobs "
                      f"{' '.join(QUEUES)}, or {START}")
    else:
        yield ok("jobs", ", ".join(QUEUES))
    for name, lives in alive.items():
        yield ok(name, "alive") if lives else problem(
            name, f"gave no sign of life for a minute. Run: worker.py {name}, or {START}")


def cdn(patient):
    if patient.settings.htmx_cdn:
        yield ok("htmx", "from the CDN; browsers that can't reach it take our copy after 1.5 s. On a closed network "
                 "set POSTROOM_HTMX_CDN=off to save them the wait")
    else:
        yield ok("htmx", "our own copy; no CDN")


def mail_ca(patient):
    """from_env has seen that it can be read; here, that there are certificates in it."""
    path = patient.settings.mail_ca_file
    if not path:
        return
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError):
        yield problem("mail CA", f"{path} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----).")
    else:
        yield ok("mail CA", path)


def _answers(url):
    """None when /health answers 200, else why not."""
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/health", timeout=5) as answer:
            return None if answer.status == 200 else f"status {answer.status}"
    except urllib.error.HTTPError as failure:
        return f"status {failure.code}"
    except (OSError, ValueError) as failure:
        reason = getattr(failure, "reason", failure)
        return getattr(reason, "strerror", None) or str(reason)


ALL = (data_folder, key_files, database, redis, port, web, workers, cdn, mail_ca)
