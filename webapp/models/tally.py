"""How many conversations there are, by inbox, status and assignee: kept by triggers of the database, exact at any time.

Every change adds rows and changes none, so nobody waits for anybody else; the clock folds them together now and then.
"""

from sqlalchemy import Index, func, select
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db


class Tally(db.Model):
    __table_args__ = (Index("ix_tally", "inbox_id", "status", "assignee_id", "n"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    inbox_id: Mapped[int]
    status: Mapped[str]
    assignee_id: Mapped[int]         # 0: nobody's
    n: Mapped[int]                   # how many more, or fewer


def counts(inbox_ids, statuses):
    """SELECT (inbox, status, assignee or 0, how many) of these inboxes and statuses."""
    return (select(Tally.inbox_id, Tally.status, Tally.assignee_id, func.sum(Tally.n))
            .where(Tally.inbox_id.in_(inbox_ids), Tally.status.in_(statuses))
            .group_by(Tally.inbox_id, Tally.status, Tally.assignee_id))
