"""Stands in for the product in tests of the supervisor: /health, `flask prepare`, and nothing else."""

import os
import sqlite3
from pathlib import Path

from flask import Flask

app = Flask(__name__)
folder = Path(os.environ["POSTROOM_DATA_DIR"])


@app.get("/health")
def health():
    return "ok"


@app.get("/environment")
def environment():
    names = ("POSTROOM_BASE_URL", "POSTROOM_DEMO", "POSTROOM_DATA_DIR", "REDIS_URL", "DATABASE_URL")
    return {name: os.environ.get(name) for name in names}


@app.cli.command("prepare")
def prepare():
    if os.environ.get("STANDIN_PREPARE_FAILS"):
        raise SystemExit("ERROR the database is on holiday")
    with sqlite3.connect(folder / "postroom.db") as database:
        database.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num TEXT)")
        database.execute("DELETE FROM alembic_version")
        database.execute("INSERT INTO alembic_version VALUES ('0001')")
    (folder / "secret.setup").write_text("0123456789\n")
    with open(folder / "prepared.count", "a") as count:
        count.write("x")
