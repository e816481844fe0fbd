"""Team inboxes: the list, a conversation, and what one does with it."""

from flask import Blueprint, abort, request, url_for
from flask_login import current_user
from sqlalchemy import and_, func, select
from sqlalchemy.orm import joinedload, selectinload, undefer

from webapp.actions import conversations, outbox
from webapp.extensions import db, unit
from webapp.models import Connection, Conversation, Draft, Event, Message, Outbox, Person, Seen
from webapp.models.conversation import open_counts, visible_conversations
from webapp.models.inbox import visible_inboxes
from webapp.rules import RuleBroken
from webapp.web import find, paging
from webapp.web.forms import Act, Reply
from webapp.web.present import fragment, go, is_swap, present

blueprint = Blueprint("team", __name__)
VIEWS = ("all", "unassigned", "mine")
MESSAGES_SHOWN = 30


@blueprint.get("/inboxes/<int:inbox_id>")
def inbox(inbox_id):
    found = find.inbox(inbox_id)
    return present("team/inbox", **_shell(found))


@blueprint.get("/inboxes/<int:inbox_id>/addresses")
def settings(inbox_id):
    """The addresses that feed an inbox, for those who connect them."""
    found = find.inbox(inbox_id)
    if not current_user.is_admin:
        abort(403)
    connections = db.session.scalars(select(Connection).where(
        Connection.inbox_id == found.id, Connection.state != "removed").order_by(Connection.id)).all()
    return present("team/settings", inbox=found, connections=connections)


@blueprint.get("/inboxes/<int:inbox_id>/list")
def rows(inbox_id):
    """The rows alone: a further page, or the list anew."""
    return fragment("team/list", **_list(find.inbox(inbox_id)))


@blueprint.get("/inboxes/<int:inbox_id>/news")
def news(inbox_id):
    """What came since the list was drawn waits behind a button. Told by the newest incoming message's id, not by the
    clock: a mail server's time is another one, and counts in whole seconds."""
    found, since = find.inbox(inbox_id), request.args.get("since", 0, type=int)
    query = select(func.count()).select_from(Conversation).where(
        Conversation.inbox_id == found.id, Conversation.status == _status(), *_view_filter())
    query = query.where(Conversation.last_in_id > since)
    current = request.args.get("current", type=int)
    if current:
        query = query.where(Conversation.id != current)
    return fragment("team/news", inbox=found, count=db.session.scalar(query), status=_status(), view=_view(),
                    since=since)


@blueprint.get("/side")
def side():
    """The sidebar's inboxes with their counts."""
    return fragment("_shared/inboxes", **_side(request.args.get("inbox", type=int)), view=_view())


@blueprint.get("/conversations/<int:conversation_id>")
def conversation(conversation_id):
    found = find.conversation(conversation_id)
    _saw(found)
    facts = _thread(found)
    if is_swap():
        return fragment("team/thread", row=_row(found), **facts)
    return present("team/inbox", **{**_shell(found.inbox, found), **facts})


@blueprint.get("/conversations/<int:conversation_id>/messages")
def messages(conversation_id):
    """The thread's messages alone: drawn again when something changed, read up to here."""
    found = find.conversation(conversation_id)
    _saw(found)
    return fragment("team/messages", row=_row(found), oob=True, **_thread(found))


@blueprint.get("/conversations/<int:conversation_id>/row")
def row(conversation_id):
    return fragment("team/row", row=_row(find.conversation(conversation_id)), status=_status(), view=_view())


@blueprint.post("/conversations/<int:conversation_id>/assign")
def assign(conversation_id):
    found = _acting(conversation_id)
    wanted = request.form.get("to", type=int)
    person = next((p for p in find.assignees(found.inbox) if p.id == wanted), None)
    if wanted and person is None:
        abort(404)
    conversations.assign(current_user, found, person)
    return _answer(found)


@blueprint.post("/conversations/<int:conversation_id>/close")
def close(conversation_id):
    found = _acting(conversation_id)
    conversations.close(current_user, found)
    return _answer(found)


@blueprint.post("/conversations/<int:conversation_id>/reopen")
def reopen(conversation_id):
    found = _acting(conversation_id)
    conversations.reopen(current_user, found)
    return _answer(found)


@blueprint.post("/conversations/<int:conversation_id>/reply")
def reply(conversation_id):
    found, form = find.to_act(conversation_id), Reply()
    if form.validate_on_submit():
        try:
            conversations.reply(current_user, found, form.text.data or "")
        except RuleBroken as broken:
            db.session.rollback()
            form.blame(broken)
        else:
            return _answer(found)
    return present_thread(found, 422, form)


@blueprint.post("/conversations/<int:conversation_id>/draft")
def draft(conversation_id):
    """Kept one second after the last key; answers with the words for it."""
    found, form = find.to_act(conversation_id), Reply()
    if not form.validate_on_submit():
        abort(422)
    saved = conversations.save_draft(current_user, found, form.text.data or "")
    return fragment("team/saved", draft=saved)


@blueprint.post("/outbox/<int:outbox_id>/undo")
def undo(outbox_id):
    row = find.outbox(outbox_id)
    if not Act().validate_on_submit():
        abort(400)
    conversation_id = row.message.conversation_id
    if conversation_id is None:
        abort(404)
    in_time = outbox.undo(current_user, row)
    return _answer(find.conversation(conversation_id), too_late=not in_time)


@blueprint.post("/outbox/<int:outbox_id>/again")
def send_again(outbox_id):
    row = find.outbox(outbox_id)
    if not Act().validate_on_submit():
        abort(400)
    outbox.send_again(current_user, row)
    return _answer(find.conversation(row.message.conversation_id))


@blueprint.post("/inboxes/<int:inbox_id>/bulk")
def bulk(inbox_id):
    """One action on the picked rows."""
    found = find.inbox(inbox_id)
    if not Act().validate_on_submit() or not find.may_act(found):
        abort(403)
    picked = db.session.scalars(visible_conversations(current_user).where(
        Conversation.id.in_(request.form.getlist("id", type=int)[:200]), Conversation.inbox_id == found.id)).all()
    act = {"close": conversations.close, "reopen": conversations.reopen,
           "take": lambda actor, c: conversations.assign(actor, c, actor)}.get(request.form.get("do"))
    if act is None:
        abort(400)
    for one in picked:
        act(current_user, one)
    return go(url_for("team.inbox", inbox_id=found.id, status=request.form.get("status") or None))


def _saw(found):
    """Reading is noted in a short transaction of its own, and only when there was something new to read."""
    seen = db.session.scalar(select(Seen.last_in_id).where(Seen.conversation_id == found.id,
                                                           Seen.person_id == current_user.id))
    if found.last_in_id > (seen or 0):
        db.session.rollback()
        with unit():
            conversations.see(current_user, found)


def _acting(conversation_id):
    found = find.to_act(conversation_id)
    if not Act().validate_on_submit():
        abort(400)
    return found


def _answer(found, too_late=False):
    """After an action: the thread anew for a swap (its row comes along), the page otherwise."""
    names = (f"inbox-{found.inbox_id}",)
    if is_swap():
        db.session.flush()
        return fragment("team/thread", changed=names, row=_row(found), oob=True, too_late=too_late, **_thread(found))
    return go(url_for("team.conversation", conversation_id=found.id))


def present_thread(found, status, form):
    facts = {**_thread(found), "reply_form": form}
    if is_swap():
        return fragment("team/thread", status, row=_row(found), **facts)
    return present("team/inbox", status, **{**_shell(found.inbox, found), **facts})


def _shell(found, conversation=None):
    return {**_list(found, conversation), **_side(found.id), "conversation": conversation}


def _status():
    status = request.args.get("status") or request.form.get("status")
    return status if status in ("open", "closed") else "open"


def _view():
    view = request.args.get("view")
    return view if view in VIEWS else "all"


def _view_filter():
    return {"all": (), "unassigned": (Conversation.assignee_id.is_(None),),
            "mine": (Conversation.assignee_id == current_user.id,)}[_view()]


def _list(found, conversation=None):
    status = conversation.status if conversation is not None and "status" not in request.args else _status()
    query = _rows().where(Conversation.inbox_id == found.id, Conversation.status == status, *_view_filter())
    page, more = paging.page(db.session, query, Conversation.last_at, Conversation.id, request.args.get("before"))
    last = page[-1][0] if page else None
    connections = db.session.scalars(select(Connection).where(
        Connection.inbox_id == found.id, Connection.state != "removed").order_by(Connection.id)).all()
    return dict(inbox=found, rows=page, status=status, view=_view(), connections=connections,
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


def _row(found):
    return db.session.execute(_rows().where(Conversation.id == found.id)).first()


def _side(inbox_id):
    inboxes = db.session.scalars(visible_inboxes(current_user)).all()
    counts = {i: (n, free) for i, n, free in db.session.execute(open_counts([i.id for i in inboxes]))}
    mine = db.session.scalar(
        visible_conversations(current_user).where(Conversation.assignee_id == current_user.id,
                                                  Conversation.status == "open")
        .with_only_columns(func.count()))
    return dict(inboxes=inboxes, counts=counts, mine=mine, inbox_id=inbox_id)


def _thread(found):
    """Messages and events of a conversation, oldest first; the older part folded behind a button."""
    everything = request.args.get("older") == "all"
    query = (select(Message).where(Message.conversation_id == found.id)
             .options(selectinload(Message.attachments), undefer(Message.text))
             .order_by(Message.at.desc(), Message.id.desc()))
    messages = db.session.scalars(query if everything else query.limit(MESSAGES_SHOWN)).all()[::-1]
    events = db.session.scalars(select(Event).where(Event.conversation_id == found.id)
                                .options(joinedload(Event.actor)).order_by(Event.at)).all()
    first = messages[0].at if messages and found.message_count > len(messages) else None
    outboxes = db.session.scalars(select(Outbox).where(Outbox.message_id.in_([m.id for m in messages]))
                                  .options(selectinload(Outbox.recipients))).all()
    others = db.session.scalars(visible_conversations(current_user).where(
        Conversation.contact_id == found.contact_id, Conversation.id != found.id)
        .order_by(Conversation.last_at.desc()).limit(5)).all() if found.contact_id else []
    possible = db.session.scalar(visible_conversations(current_user).where(
        Conversation.id == found.possible_reply_to_id)) if found.possible_reply_to_id else None
    sender = db.session.scalar(select(Connection).where(Connection.inbox_id == found.inbox_id,
                                                        Connection.state == "active").order_by(Connection.id))
    timeline = sorted([(m.at, 0, m) for m in messages] + [(e.at, 1, e) for e in events if not first or e.at >= first],
                      key=lambda item: item[:2])
    return dict(conversation=found, inbox=found.inbox, timeline=[item[2] for item in timeline],
                older=found.message_count - len(messages), outboxes={o.message_id: o for o in outboxes},
                authors=_authors(messages), people=find.assignees(found.inbox), may_act=find.may_act(found.inbox),
                draft=db.session.scalar(select(Draft).where(Draft.conversation_id == found.id,
                                                            Draft.person_id == current_user.id)),
                reply_form=Reply(formdata=None), form=Act(), others=others, possible=possible, sender=sender,
                to=_answered(messages, sender), status=found.status, view=_view())


def _authors(messages):
    ids = {m.author_id for m in messages if m.author_id}
    return {p.id: p for p in db.session.scalars(select(Person).where(Person.id.in_(ids)))} if ids else {}


def _answered(messages, sender):
    """Whom a reply would go to, as shown above the composer."""
    answerable = [m for m in messages if conversations.answerable(m)]
    if sender is None or not answerable:
        return []
    try:
        newest = max(answerable, key=lambda m: (not m.auto, m.at, m.id))
        return [m.name or m.address for m in conversations.answer_to(newest, sender)]
    except RuleBroken:
        return []
