"""Notes among colleagues. Who is named in one is called in: on the screen, and by mail if they want that."""

from sqlalchemy import select

from webapp.actions import indexing
from webapp.actions.following import TOGETHER, facts_of, tell_followers
from webapp.actions.notices import tell
from webapp.extensions import db
from webapp.live import announce
from webapp.models import Mention, Note, Team, TeamMember
from webapp.models.inbox import member_ids
from webapp.models.person import active_people
from webapp.models.types import now
from webapp.rules import RuleBroken
from webapp.rules.access import may_read_inbox
from webapp.rules.mentions import as_written, check_note, handles, spans


def write(actor, conversation, text):
    """Raises RuleBroken("note", ...)."""
    note = Note(conversation_id=conversation.id, author_id=actor.id, text=check_note(text))
    db.session.add(note)
    db.session.flush()
    indexing.put_note(note)
    called = _called(actor, conversation, note)
    tell_followers(conversation, actor.name, note.text, "note", but={p.id for p in called} | {actor.id})
    announce(f"inbox-{conversation.inbox_id}", f"conversation-{conversation.id}")
    return note


def remove(actor, note):
    """Its words are gone for everyone; that there was one stays. Raises RuleBroken("note", "not_your_note")."""
    if note.author_id != actor.id:
        raise RuleBroken("note", "not_your_note")
    if note.removed_at is None:
        note.removed_at, note.text = now(), "…"
        note.mentions.clear()
        db.session.flush()
        announce(f"conversation-{note.conversation_id}")


def readers(inbox):
    """Active people who can read in this inbox: whoever may be called in."""
    members = set(db.session.scalars(member_ids(inbox.id)))
    return [p for p in db.session.scalars(active_people()) if may_read_inbox(inbox.access, p.id in members)]


def handles_in(inbox):
    """What may stand behind an @ here, and the people by id: (handles, {id: Person}, {team id: person ids}, handles as
    they are written)."""
    people = {p.id: p for p in readers(inbox)}
    teams = db.session.scalars(select(Team).order_by(Team.name)).all()
    members = {}
    for team_id, person_id in db.session.execute(select(TeamMember.team_id, TeamMember.person_id)):
        if person_id in people:
            members.setdefault(team_id, set()).add(person_id)
    known = handles([(p.id, p.name) for p in people.values()], [(t.id, t.name) for t in teams if t.id in members])
    names = {**{("person", p.id): p.name for p in people.values()}, **{("team", t.id): t.name for t in teams}}
    return known, people, members, as_written(known, names)


def _called(actor, conversation, note):
    known, people, members, _written = handles_in(conversation.inbox)
    named = {}
    for _start, _end, (kind, number) in spans(note.text, known):
        for person_id in [number] if kind == "person" else sorted(members[number]):
            named[person_id] = people[person_id]
    named.pop(actor.id, None)
    for person in named.values():
        note.mentions.append(Mention(person_id=person.id))
        tell(person, "mentioned", mail=person.mail_mentions, after=TOGETHER,
             **facts_of(conversation, actor.name, note.text))
    db.session.flush()
    return list(named.values())
