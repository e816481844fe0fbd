"""Verdicts of the virus scanner, by content. Whoever wants a file asks here; the job asks the scanner."""

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from webapp.extensions import db
from webapp.models import Scan
from webapp.models.types import now
from webapp.rules.scanning import standing


def standings(hashes, when_away):
    """{SHA-256: (standing as in rules.scanning, what was found)} for each of these contents."""
    rows = {s.sha256: s for s in db.session.scalars(select(Scan).where(Scan.sha256.in_(set(hashes))))}
    found = {}
    for name in hashes:
        row = rows.get(name)
        found[name] = (standing(row.state, now() - row.at, when_away), row.name) if row else ("wait", "")
    return found


def keep(sha256, state, name=""):
    """The scanner's verdict, or "away" when it gave none. What was found infected once stays so."""
    insert = (postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite).insert(Scan)
    values = {"state": state, "name": name, "at": now()}
    db.session.execute(insert.values(sha256=sha256, **values).on_conflict_do_update(
        index_elements=["sha256"], set_=values, where=Scan.state != "infected"))
