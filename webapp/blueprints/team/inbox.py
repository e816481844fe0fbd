"""An inbox: its rows, its news, its sidebar, the picked rows."""

from flask import abort, request, url_for
from flask_login import current_user
from sqlalchemy import func, select

from webapp.actions import conversations
from webapp.blueprints.team.routes import blueprint
from webapp.blueprints.team.rows import rows_of, shell, side_of, status, view, view_filter
from webapp.extensions import db
from webapp.models import Conversation
from webapp.models.conversation import visible_conversations
from webapp.web import find
from webapp.web.forms import Act
from webapp.web.present import fragment, go, present


@blueprint.get("/inboxes/<int:inbox_id>")
def inbox(inbox_id):
    found = find.inbox(inbox_id)
    return present("team/inbox", **shell(found))


@blueprint.get("/inboxes/<int:inbox_id>/list")
def rows(inbox_id):
    """The rows alone: a further page, or the list anew."""
    return fragment("team/list", **rows_of(find.inbox(inbox_id)))


@blueprint.get("/inboxes/<int:inbox_id>/news")
def news(inbox_id):
    """What came since the list was drawn waits behind a button. Told by the newest incoming message's id, not by the
    clock: a mail server's time is another one, and counts in whole seconds."""
    found, since = find.inbox(inbox_id), request.args.get("since", 0, type=find.row_id)
    query = select(func.count()).select_from(Conversation).where(
        Conversation.inbox_id == found.id, Conversation.status == status(), *view_filter())
    query = query.where(Conversation.last_in_id > since)
    current = request.args.get("current", type=find.row_id)
    if current:
        query = query.where(Conversation.id != current)
    return fragment("team/news", inbox=found, count=db.session.scalar(query), status=status(), view=view(),
                    since=since)


@blueprint.get("/side")
def side():
    """The sidebar's inboxes with their counts."""
    return fragment("_shared/inboxes", **side_of(request.args.get("inbox", type=find.row_id)), view=view())


@blueprint.post("/inboxes/<int:inbox_id>/bulk")
def bulk(inbox_id):
    """One action on the picked rows."""
    found = find.inbox(inbox_id)
    if not Act().validate_on_submit() or not find.may_act(found):
        abort(403)
    picked = db.session.scalars(visible_conversations(current_user).where(
        Conversation.id.in_(request.form.getlist("id", type=find.row_id)[:200]),
        Conversation.inbox_id == found.id, Conversation.status != "merged").order_by(Conversation.id)
        .with_for_update(key_share=True)).all()
    act = {"close": conversations.close, "reopen": conversations.reopen,
           "take": lambda actor, c: conversations.assign(actor, c, actor)}.get(request.form.get("do"))
    if act is None:
        abort(400)
    for one in picked:
        act(current_user, one)
    return go(url_for("team.inbox", inbox_id=found.id, status=request.form.get("status") or None))
