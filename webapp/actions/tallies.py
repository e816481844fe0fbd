"""The rows of counts grow with every change; now and then they are folded into one for each kind."""

from sqlalchemy import delete, func, select

from webapp.extensions import db
from webapp.models import Tally
from webapp.models.rows import write_rows

MANY = 500      # rows from which folding is worth it


def are_many() -> bool:
    return db.session.scalar(select(func.count()).select_from(Tally)) > MANY


def fold():
    """What was read is replaced by its sums in one transaction: whoever counts sees the one or the other, and rows that
    come meanwhile stay."""
    sums = {}
    for inbox_id, status, assignee_id, n in db.session.execute(
            delete(Tally).returning(Tally.inbox_id, Tally.status, Tally.assignee_id, Tally.n)):
        key = inbox_id, status, assignee_id
        sums[key] = sums.get(key, 0) + n
    write_rows(Tally, [{"inbox_id": i, "status": s, "assignee_id": a, "n": n} for (i, s, a), n in sums.items() if n])
