"""People who follow a conversation hear of what comes: on the screen, and by mail if they want that."""

from datetime import timedelta

from sqlalchemy import select

from webapp.actions.notices import tell
from webapp.extensions import db
from webapp.models import Follower, Inbox, Person
from webapp.models.inbox import member_ids
from webapp.rules.access import may_read_inbox

TOGETHER = timedelta(minutes=5)     # what happens meanwhile comes in one mail
EXCERPT = 300


def tell_followers(conversation, by, text, what, but=()):
    """`what`: note or mail. `but`: ids of people who know already."""
    for person in _of([conversation.id]).get(conversation.id, ()):
        if person.id not in but and _may_read(person, conversation.inbox):
            tell(person, "followed", mail=person.mail_following, after=TOGETHER, what=what,
                 **facts_of(conversation, by, text))


def tell_of_mail(filed, since):
    """`filed`: (message, conversation) of a batch that has just been filed. History is nobody's news."""
    news = [(m, c) for m, c in filed if not (m.outgoing or m.auto) and m.at > since]
    followed = _of({c.id for _m, c in news}) if news else {}
    for message, conversation in news:
        if conversation.id in followed:
            tell_followers(conversation, message.from_name or message.from_address, message.snippet, "mail")


def facts_of(conversation, by, text):
    return {"by": by, "conversation": conversation.id, "subject": conversation.subject,
            "inbox": conversation.inbox.name, "excerpt": " ".join(text.split())[:EXCERPT]}


def _of(conversation_ids):
    """{conversation: [Person]}"""
    found = {}
    for conversation_id, person in db.session.execute(
            select(Follower.conversation_id, Person).join(Person, Person.id == Follower.person_id)
            .where(Follower.conversation_id.in_(conversation_ids), Person.state == "active")):
        found.setdefault(conversation_id, []).append(person)
    return found


def _may_read(person, inbox: Inbox):
    return may_read_inbox(inbox.access, person.id in set(db.session.scalars(member_ids(inbox.id))))
