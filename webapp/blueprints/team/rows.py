"""What the list shows: rows by keyset, counts for the sidebar, which tab and view were asked for."""

from flask import request
from flask_login import current_user
from sqlalchemy import and_, func, select
from sqlalchemy.orm import joinedload

from webapp.extensions import db
from webapp.models import Connection, Conversation, Seen
from webapp.models.conversation import open_counts, visible_conversations
from webapp.models.inbox import readable_inboxes
from webapp.web import find, paging
from webapp.web.forms import Act

VIEWS = ("all", "unassigned", "mine")


def shell(found, conversation=None):
    return {**rows_of(found, conversation), **side_of(found.id), "conversation": conversation}


def rows_of(found, conversation=None):
    tab = conversation.status if conversation is not None and "status" not in request.args else status()
    query = _rows().where(Conversation.inbox_id == found.id, Conversation.status == tab, *view_filter())
    page, more = paging.page(db.session, query, Conversation.last_at, Conversation.id, request.args.get("before"))
    last = page[-1][0] if page else None
    connections = db.session.scalars(select(Connection).where(
        Connection.inbox_id == found.id, Connection.state != "removed").order_by(Connection.id)).all()
    return dict(inbox=found, rows=page, status=tab, view=view(), connections=connections,
                may_act=find.may_act(found), form=Act(),
                before=paging.cursor_of(last.last_at, last.id) if more else None,
                since=_newest(found),
                current=conversation.id if conversation is not None else None)


def _newest(found):
    return db.session.scalar(select(func.max(Conversation.last_in_id)).where(Conversation.inbox_id == found.id)) or 0


def _rows():
    """SELECT of (conversation, is unread for me) with what a row shows."""
    unread = Conversation.last_in_id > func.coalesce(Seen.last_in_id, 0)
    return (select(Conversation, unread).options(joinedload(Conversation.assignee))
            .outerjoin(Seen, and_(Seen.conversation_id == Conversation.id, Seen.person_id == current_user.id)))


def row_of(found):
    return db.session.execute(_rows().where(Conversation.id == found.id)).first()


def side_of(inbox_id):
    inboxes = db.session.scalars(readable_inboxes(current_user)).all()
    counts = {i: (n, free) for i, n, free in db.session.execute(open_counts([i.id for i in inboxes]))}
    mine = db.session.scalar(
        visible_conversations(current_user).where(Conversation.assignee_id == current_user.id,
                                                  Conversation.status == "open",
                                                  Conversation.inbox_id.in_([i.id for i in inboxes]))
        .with_only_columns(func.count()))
    return dict(inboxes=inboxes, counts=counts, mine=mine, inbox_id=inbox_id)


def status():
    status = request.args.get("status") or request.form.get("status")
    return status if status in ("open", "closed") else "open"


def view():
    view = request.args.get("view")
    return view if view in VIEWS else "all"


def view_filter():
    return {"all": (), "unassigned": (Conversation.assignee_id.is_(None),),
            "mine": (Conversation.assignee_id == current_user.id,)}[view()]
