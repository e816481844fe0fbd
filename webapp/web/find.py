"""Look-ups that are permissions: what this person may not see is 404, like what does not exist (DESIGN P6)."""

from flask import abort
from flask_login import current_user
from sqlalchemy import select
from werkzeug.routing import IntegerConverter

from webapp.extensions import db
from webapp.models import (
    Attachment,
    Connection,
    Conversation,
    Draft,
    DraftFile,
    Event,
    Hold,
    Inbox,
    Message,
    Note,
    Outbox,
    Person,
    Route,
    SenderRule,
    Team,
    Template,
)
from webapp.models.connection import visible_connections
from webapp.models.conversation import visible_conversations
from webapp.models.inbox import is_member, known_inboxes, member_ids, readable_inboxes
from webapp.models.inbox import may_act as person_may_act
from webapp.models.message import visible_messages
from webapp.models.view import SavedView, visible_views
from webapp.rules.access import may_act_in_inbox, may_read_inbox
from webapp.web.once import once

LARGEST_ID = 2**31 - 1      # of PostgreSQL's integer; neither database can be asked for a larger one


class _RowNumber(IntegerConverter):
    """`<int:...>` in a route: a number that no row can have is 404, like one that no row has."""

    def __init__(self, url_map):
        super().__init__(url_map, max=LARGEST_ID)


def init_app(app):
    app.url_map.converters["int"] = _RowNumber


def row_id(text):
    """An id from a query or a form. ValueError when no row can have it."""
    if not (text.isascii() and text.isdigit() and 0 < int(text[:11]) <= LARGEST_ID):
        raise ValueError("not a row's id")
    return int(text)


def number(text):
    """An id from a query or a form; None when no row can have it, or there is none."""
    try:
        return row_id(text or "")
    except ValueError:
        return None


def inbox(inbox_id):
    """An inbox that the person who asks may read."""
    return _one(readable_inboxes(current_user).where(Inbox.id == inbox_id))


def inboxes_to_read():
    """The inboxes that the person who asks may read, as the sidebar has them."""
    return once(("readable", current_user.id), lambda: db.session.scalars(readable_inboxes(current_user)).all())


def inboxes_to_act():
    """Those of them in which the person who asks may act."""
    # Whoever may read a restricted one is a member of it.
    return [i for i in inboxes_to_read()
            if may_act_in_inbox(current_user.role, i.access, member=True)]


def inbox_to_set(inbox_id):
    """An inbox whose settings may be seen and changed: an admin's, member or not. Others who know it get 403."""
    found = _one(known_inboxes(current_user).where(Inbox.id == inbox_id))
    if not current_user.is_admin:
        abort(403)
    return found


def person(person_id):
    """Somebody of the organisation, for admins."""
    if not current_user.is_admin:
        abort(404)
    return _one(select(Person).where(Person.id == person_id))


def team(team_id):
    if not current_user.is_admin:
        abort(404)
    return _one(select(Team).where(Team.id == team_id))


def conversation(conversation_id, locked=False):
    """The conversation of that number; of one that was put into another, the other. `locked`: until the commit."""
    found = _conversation(conversation_id, locked)
    while found.status == "merged":
        found = _conversation(found.merged_into_id, locked)
    return found


def _conversation(conversation_id, locked):
    query = visible_conversations(current_user).where(Conversation.id == conversation_id)
    if locked:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return _one(query)


def message(message_id):
    return _one(visible_messages(current_user).where(Message.id == message_id))


def attachment(attachment_id):
    found = _one(select(Attachment).where(Attachment.id == attachment_id))
    message(found.message_id)
    return found


def connection(connection_id):
    return _one(visible_connections(current_user).where(Connection.id == connection_id))


def team_connection(connection_id):
    """A team address that is held, for those who set it up."""
    return _one(visible_connections(current_user).where(
        Connection.id == connection_id, Connection.inbox_id.is_not(None), Connection.hold_id.is_not(None)))


def own_mailbox(connection_id):
    """A personal connection of the person who asks, a disconnected one too: nobody else reads it, admins included."""
    return _one(select(Connection).where(Connection.id == connection_id, Connection.person_id == current_user.id))


def outbox(outbox_id):
    """An outgoing message of one's own."""
    return _one(select(Outbox).where(Outbox.id == outbox_id, Outbox.author_id == current_user.id))


def draft(draft_id):
    """A draft of one's own, or a colleague's, where the person who asks may act."""
    found = _one(select(Draft).where(Draft.id == draft_id))
    where = found.inbox if found.conversation_id is None else conversation(found.conversation_id).inbox
    if not may_act(where):
        abort(404)
    return found


def draft_to_discard(draft_id):
    """A draft of one's own, wherever it was written; 403 for a colleague's that one may read."""
    found = _one(select(Draft).where(Draft.id == draft_id))
    if found.person_id != current_user.id:
        draft(draft_id)
        abort(403)
    return found


def draft_file(file_id):
    found = _one(select(DraftFile).where(DraftFile.id == file_id))
    draft(found.draft_id)
    return found


def template(template_id):
    """A template of all inboxes, or of one in which the person who asks may act."""
    found = _one(select(Template).where(Template.id == template_id))
    if found.inbox_id is not None and not may_act(inbox(found.inbox_id)):
        abort(404)
    return found


def hold(hold_id):
    if not current_user.is_admin:
        abort(404)
    return _one(select(Hold).where(Hold.id == hold_id))


def may_act(inbox):
    """May the person who asks answer, assign and close in this inbox?"""
    return once(("act", current_user.id, inbox.id), lambda: person_may_act(current_user, inbox))


def may_read(inbox):
    return may_read_inbox(inbox.access, belongs_to(inbox))


def belongs_to(inbox):
    """Is the person who asks a member of it, by name or by team?"""
    return once(("member", current_user.id, inbox.id), lambda: bool(
        db.session.scalar(select(is_member(current_user.id, inbox.id)))))


def to_act(conversation_id):
    """A conversation in which the person who asks may act; 404 when invisible, 403 when only visible."""
    found = conversation(conversation_id, locked=True)
    if not may_act(found.inbox):
        abort(403)
    return found


def sender_rule(inbox, rule_id):
    """An entry of the lists of an inbox that was looked up to be set."""
    return _one(select(SenderRule).where(SenderRule.id == rule_id, SenderRule.inbox_id == inbox.id))


def route(inbox, route_id):
    """A routing rule of an inbox that was looked up to be set."""
    return _one(select(Route).where(Route.id == route_id, Route.inbox_id == inbox.id))


def view(view_id):
    """A list that somebody keeps: one's own, or one that a colleague shares."""
    return _one(visible_views(current_user).where(SavedView.id == view_id))


def note(note_id):
    """A note in a conversation which the person who asks may read."""
    found = _one(select(Note).where(Note.id == note_id))
    conversation(found.conversation_id)
    return found


def event(event_id):
    """Something that happened to a conversation which the person who asks may read."""
    found = _one(select(Event).where(Event.id == event_id))
    conversation(found.conversation_id)
    return found


def assignees(inbox):
    """People who can be given a conversation of this inbox."""
    people = db.session.scalars(select(Person).where(Person.state == "active").order_by(Person.name)).all()
    members = set(db.session.scalars(member_ids(inbox.id)))
    return [p for p in people if may_act_in_inbox(p.role, inbox.access, p.id in members)]


def _one(query):
    found = db.session.scalar(query)
    if found is None:
        abort(404)
    return found
