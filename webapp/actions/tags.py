"""Putting tags on conversations. A tag is there as soon as somebody uses it."""

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from webapp.actions.acts import happened
from webapp.extensions import db
from webapp.models import ConversationTag, Tag
from webapp.rules.tags import check_tag, check_tags, tag_key


def tag(actor, conversation, name, act=None):
    """Raises RuleBroken("tag", ...)."""
    name = check_tag(name)
    found = _tag(name)
    if db.session.get(ConversationTag, (conversation.id, found.id)) is not None:
        return
    check_tags(len(conversation.tags))
    db.session.add(ConversationTag(conversation_id=conversation.id, tag_id=found.id))
    _told(actor, conversation, "tagged", found, act)


def untag(actor, conversation, found, act=None):
    gone = db.session.execute(delete(ConversationTag).where(
        ConversationTag.conversation_id == conversation.id, ConversationTag.tag_id == found.id)).rowcount
    if gone:
        _told(actor, conversation, "untagged", found, act)


def _tag(name):
    """The tag of that name, made if need be; two people may make it at once."""
    query = select(Tag).where(Tag.key == tag_key(name))
    if (found := db.session.scalar(query)) is None:
        try:
            with db.session.begin_nested():
                db.session.add(found := Tag(name=name, key=tag_key(name)))
                db.session.flush()
        except IntegrityError:
            found = db.session.scalar(query)
    return found


def _told(actor, conversation, kind, found, act):
    db.session.flush()
    db.session.expire(conversation, ["tags"])
    happened(actor, conversation, kind, act, was={}, now={}, tag_id=found.id, name=found.name)
