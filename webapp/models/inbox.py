"""Team inboxes, and who belongs to the restricted ones: people, and whole teams."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, exists, or_, select, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.team import TeamMember
from webapp.models.types import Moment, no_longer_than, now, one_of
from webapp.rules.access import may_act_in_inbox
from webapp.rules.bounds import FROM_FORMS, FROM_NAME_MAX, INBOX_ACCESS, INBOX_NAME_MAX


class Inbox(db.Model):
    __table_args__ = (one_of("access", INBOX_ACCESS), no_longer_than("name", INBOX_NAME_MAX),
                      one_of("from_form", FROM_FORMS), no_longer_than("company", FROM_NAME_MAX))

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    is_default: Mapped[bool] = mapped_column(default=False)
    access: Mapped[str] = mapped_column(default="everyone")
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)   # its conversations stay with their contacts
    # Who customers see: the company's name alone, or that of a person with it (BEHAVIOUR 7.2).
    from_form: Mapped[str] = mapped_column(default="company")
    company: Mapped[str] = mapped_column(default="")               # empty: the inbox's name
    signature: Mapped[str] = mapped_column(default="")             # below what is written, as text
    signature_html: Mapped[str | None]
    # Answers that leave by themselves, and when somebody is there: rules.hours.
    auto_first: Mapped[bool] = mapped_column(default=False)
    auto_first_text: Mapped[str] = mapped_column(default="")
    auto_away: Mapped[bool] = mapped_column(default=False)
    auto_away_text: Mapped[str] = mapped_column(default="")
    hours: Mapped[dict | None] = mapped_column(JSON(none_as_null=True))
    # Minutes of working time, or by the clock where there are no hours, within which mail is answered: rules.targets.
    first_within: Mapped[int | None]
    later_within: Mapped[int | None]
    due_after: Mapped[int | None]          # that changed: conversations above this number don't know yet
    # Of mail that no rule decides on, who gets it (an action of rules.routing); and how many one may have, given so.
    otherwise: Mapped[dict | None] = mapped_column(JSON(none_as_null=True))
    open_most: Mapped[int | None]
    auto_off_at: Mapped[datetime | None] = mapped_column(Moment)   # too many went out: stopped until somebody looks


Index("uq_inbox_name", Inbox.name, unique=True, sqlite_where=text("deleted_at IS NULL"),
      postgresql_where=text("deleted_at IS NULL"))
Index("uq_inbox_default", Inbox.is_default, unique=True, sqlite_where=text("is_default"),
      postgresql_where=text("is_default"))


class InboxMember(db.Model):
    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)


class InboxTeam(db.Model):
    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id", ondelete="CASCADE"), primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), primary_key=True, index=True)


def is_member(person_id, inbox_id=Inbox.id):
    """Named in the inbox, or in a team that is."""
    named = exists().where(InboxMember.inbox_id == inbox_id, InboxMember.person_id == person_id)
    in_team = exists().where(InboxTeam.inbox_id == inbox_id, TeamMember.team_id == InboxTeam.team_id,
                             TeamMember.person_id == person_id)
    return or_(named, in_team)


def may_act(person, inbox):
    """May this person answer, assign and close in this inbox?"""
    if person.state != "active" or inbox.deleted_at is not None:
        return False
    member = db.session.scalar(select(is_member(person.id, inbox.id)))
    return may_act_in_inbox(person.role, inbox.access, bool(member))


def live_inboxes():
    return select(Inbox).where(Inbox.deleted_at.is_(None)).order_by(Inbox.is_default.desc(), Inbox.id)


def known_inboxes(person):
    """SELECT of the inboxes whose name and settings this person may know (rules.access.may_know_inbox)."""
    return live_inboxes() if person.role == "admin" else readable_inboxes(person)


def readable_inboxes(person):
    """SELECT of the inboxes that this person may read; the look-up is the permission (rules.access)."""
    return live_inboxes().where(or_(Inbox.access == "everyone", is_member(person.id)))


def member_ids(inbox_id):
    """SELECT of the people who belong to an inbox, by name or by team."""
    return (select(InboxMember.person_id).where(InboxMember.inbox_id == inbox_id)
            .union(select(TeamMember.person_id).join(InboxTeam, InboxTeam.team_id == TeamMember.team_id)
                   .where(InboxTeam.inbox_id == inbox_id)))
