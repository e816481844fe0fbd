"""What the table of users shows: who is found, what they answer in, how many addresses are theirs."""

import unicodedata
from dataclasses import dataclass

from sqlalchemy import func, select

from webapp import words
from webapp.extensions import db
from webapp.models import Hold, Inbox, InboxMember, InboxTeam, Person, TeamMember
from webapp.models.inbox import live_inboxes

SHOWN = 100      # rows of one page; whoever has more people searches


@dataclass(frozen=True)
class Row:
    person: Person
    inboxes: list[Inbox]
    everywhere: bool         # all inboxes that there are
    addresses: int


def present_people():
    """Everybody who is not removed, by name as people sort it."""
    return sorted(db.session.scalars(select(Person).where(Person.state != "removed")), key=_sorted_by)


def removed_people():
    return sorted(db.session.scalars(select(Person).where(Person.state == "removed")), key=_sorted_by)


def matching(people, typed):
    """Those whose name, address or role contains every word that was typed."""
    wanted = _folded(typed).split()
    return [p for p in people if all(w in _folded(f"{p.name} {p.email} {words.people.role(p.role)}") for w in wanted)]


def rows_of(people):
    inboxes = db.session.scalars(live_inboxes()).all()
    belongs = _memberships([p.id for p in people])
    held = dict(db.session.execute(select(Hold.person_id, func.count()).where(
        Hold.person_id.in_([p.id for p in people])).group_by(Hold.person_id)).all())
    made = []
    for person in people:
        mine = [i for i in inboxes if i.access == "everyone" or i.id in belongs.get(person.id, ())]
        made.append(Row(person, mine, len(mine) == len(inboxes), held.get(person.id, 0)))
    return made


def _memberships(person_ids):
    """{person: ids of the inboxes that name them or a team of theirs}."""
    named = select(InboxMember.person_id, InboxMember.inbox_id).where(InboxMember.person_id.in_(person_ids))
    by_team = (select(TeamMember.person_id, InboxTeam.inbox_id).join(InboxTeam, InboxTeam.team_id == TeamMember.team_id)
               .where(TeamMember.person_id.in_(person_ids)))
    found = {}
    for person_id, inbox_id in db.session.execute(named.union(by_team)):
        found.setdefault(person_id, set()).add(inbox_id)
    return found


def _sorted_by(person):
    return _folded(person.name), person.id


def _folded(text):
    """Without capitals and marks, so that lukasz finds Łukasz and Ł sorts beside L."""
    plain = unicodedata.normalize("NFKD", text.casefold()).replace("ł", "l").replace("ø", "o")
    return "".join(c for c in plain if not unicodedata.combining(c))
