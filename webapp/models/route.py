"""Rules that route new mail, what they decided of each, and whose turn it is."""

from datetime import date, datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.types import Moment, now, one_of
from webapp.rules.routing.writing import MATCHES

WAITS, DUE, REMIND = "waits IS NOT NULL", "due_at IS NOT NULL", "remind_at IS NOT NULL"       # few of very many


class Route(db.Model):
    """One rule of an inbox. `conditions` and `actions` as rules.routing.check_rule makes them; `connection_id`: only
    for mail of this address."""

    __table_args__ = (one_of("match", MATCHES), Index("ix_route_inbox", "inbox_id", "position", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id", ondelete="CASCADE"))
    position: Mapped[int]
    is_on: Mapped[bool] = mapped_column(default=True)
    match: Mapped[str] = mapped_column(default="all")
    conditions: Mapped[list] = mapped_column(JSON)
    actions: Mapped[list] = mapped_column(JSON)
    go_on: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime] = mapped_column(Moment, default=now)


class RouteHit(db.Model):
    """A rule held for a mail: what it is counted by."""

    __table_args__ = (Index("ix_route_hit_at", "route_id", "at"),)

    route_id: Mapped[int] = mapped_column(ForeignKey("route.id", ondelete="CASCADE"), primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), primary_key=True, index=True)
    at: Mapped[datetime] = mapped_column(Moment, default=now)


class Routed(db.Model):
    """What became of a mail, and why. One a message: whoever asks again finds it done. `inbox_id`: where it was routed,
    or where a rule moved it."""

    __table_args__ = (Index("ix_routed_waits", "inbox_id", "at", "message_id", sqlite_where=text(WAITS),
                            postgresql_where=text(WAITS)),
                      Index("ix_routed_remind", "remind_at", sqlite_where=text(REMIND), postgresql_where=text(REMIND)),
                      Index("ix_routed_due", "due_at", sqlite_where=text(DUE), postgresql_where=text(DUE)))

    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), primary_key=True)
    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(Moment, default=now)
    # {"inbox": whose rules, "steps": actions.routing.steps_of, "did" and "failed": actions, "to": who got it,
    # "why": rules.routing.choose's answer, "group": among whom}
    facts: Mapped[dict] = mapped_column(JSON, default=dict)
    due_at: Mapped[datetime | None] = mapped_column(Moment)     # to be decided; none once that is done
    remind_at: Mapped[datetime | None] = mapped_column(Moment)  # it is nobody's: then somebody is told
    waits: Mapped[dict | None] = mapped_column(JSON(none_as_null=True))      # nobody was there: whom it is for


class Turn(db.Model):
    """Of the conversations that were divided in an inbox, the number of the last that this person got."""

    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int]


class Absence(db.Model):
    """Days on which somebody is not there, the last one included, in their own time zone."""

    __table_args__ = (CheckConstraint("first <= last", name="ends_after_it_begins"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    first: Mapped[date]
    last: Mapped[date]
    hand_over: Mapped[bool] = mapped_column(default=False)        # their open conversations go to others
    handed_at: Mapped[datetime | None] = mapped_column(Moment)    # that was done
    person: Mapped["Person"] = relationship()                     # noqa: F821
