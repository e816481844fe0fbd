"""What a list shows: rows by keyset, counts for the sidebar, which list was asked for."""

from flask import request, url_for
from flask_login import current_user
from sqlalchemy import and_, exists, func, select
from sqlalchemy.orm import joinedload, selectinload

from webapp.actions.acts import events_of
from webapp.blueprints.team.routes import blueprint
from webapp.extensions import db
from webapp.models import (
    Conversation,
    ConversationTag,
    Draft,
    Follower,
    Mention,
    Message,
    Note,
    Outbox,
    Person,
    Seen,
    Tag,
)
from webapp.models.connection import feeding
from webapp.models.tally import counts
from webapp.models.types import now
from webapp.models.view import visible_views
from webapp.rules.listing import SHOWN_IN_ANY, STATUSES, TABS, Listing, tab_of
from webapp.rules.statuses import ACTIVE, HIDDEN
from webapp.web import find, paging
from webapp.web.forms import Act
from webapp.web.once import once


@blueprint.app_template_global()
def list_url(listing, part="", before=None, **changes):
    """The address of a list with some of its values changed. `part`: rows or news, those alone."""
    listing = listing.but(**changes) if changes else listing
    name = {"": "inbox", "rows": "rows", "news": "news"}[part]
    query = {**listing.query(), **({"before": before} if before else {})}
    if listing.inbox_id is None:
        return url_for(f"team.across_{name}" if part else "team.across", **query)
    return url_for(f"team.{name}", inbox_id=listing.inbox_id, **query)


@blueprint.app_template_global()
def conversation_url(conversation_id, listing=None):
    """The address of a conversation, which says in which list it is read."""
    query = {} if listing is None else {**listing.query(), **({} if listing.inbox_id else {"across": 1})}
    return url_for("team.conversation", conversation_id=conversation_id, **query)


def listing_of(conversation=None, inbox_id=None):
    """The list that the request names; of a fragment, the one that is on the screen (`X-List`, its status); else of a
    conversation's page, the one in which it lies."""
    if conversation is None:
        return Listing.of(request.args, inbox_id)
    listing = Listing.of(request.args, None if request.args.get("across") else conversation.inbox_id)
    if "status" in request.args or listing.inbox_id is None:
        return listing
    shown = request.headers.get("X-List")
    return listing.but(status=shown if shown in STATUSES else tab_of(conversation.status))


def shell(found, conversation=None):
    """The whole page of a list. `found`: its inbox, or none."""
    listing = listing_of(conversation, found.id if found is not None else None)
    if listing.inbox_id is None:
        found = None
    return {**rows_of(found, listing, conversation), **side_of(listing), "conversation": conversation,
            "done": events_of(current_user, request.args.get("done", "-"))[::-1]}


def rows_of(found, listing, conversation=None):
    query = _of(listing, listed())
    at = (Conversation.due_at if listing.sort == "due" else Conversation.last_out_at if listing.status == "sent"
          else Conversation.last_at)
    page, more = paging.page(db.session, query, at, Conversation.id, request.args.get("before"),
                             oldest_first=listing.sort in ("oldest", "due"))
    last = page[-1][0] if page else None
    leaving = _leaving([c.id for c, _unread in page])
    connections = db.session.scalars(feeding([found.id])).all() if found else []
    return dict(inbox=found, rows=[(*row, leaving.get(row[0].id)) for row in page], listing=listing,
                connections=connections,
                may_act=find.may_act(found) if found else bool(find.inboxes_to_act()), form=Act(),
                before=paging.cursor_of(getattr(last, at.key), last.id) if more else None, since=newest(listing),
                tags=known_tags(),
                colleagues=db.session.scalars(
                    select(Person).where(Person.state != "invited").order_by(Person.name)).all(),
                current=conversation.id if conversation is not None else None)


def newest(listing):
    """The newest incoming message of any of its inboxes, by number."""
    where = (Conversation.inbox_id == listing.inbox_id if listing.inbox_id
             else Conversation.inbox_id.in_(_readable_ids()))
    return db.session.scalar(select(func.max(Conversation.last_in_id)).where(where)) or 0


def news_in(listing, since, but=None):
    """How many conversations of this list have mail that came after `since`."""
    query = _of(listing, select(func.count()).select_from(Conversation)).where(Conversation.last_in_id > since)
    return db.session.scalar(query.where(Conversation.id != but) if but else query)


def _of(listing, query):
    """The SELECT, narrowed to what the list shows."""
    c, me = Conversation, current_user.id
    query = query.where(c.inbox_id == listing.inbox_id if listing.inbox_id else c.inbox_id.in_(_readable_ids()))
    # What is due are few of very many: found by their own index, not by their status.
    status = func.coalesce(c.status, "") if listing.sort == "due" or listing.late else c.status
    if listing.status == "sent":
        query = query.where(c.last_out_at.is_not(None), c.status.not_in(HIDDEN))
    elif listing.status == "any":
        query = query.where(status.in_(SHOWN_IN_ANY))
    else:
        query = query.where(status == listing.status)
    query = query.where(*{
        "all": (), "unassigned": (c.assignee_id.is_(None),), "mine": (c.assignee_id == me,),
        "mentions": (exists().where(Note.conversation_id == c.id, Mention.note_id == Note.id,
                                    Mention.person_id == me),),
        "following": (exists().where(Follower.conversation_id == c.id, Follower.person_id == me),)}[listing.view])
    if listing.tag_id:
        query = query.where(exists().where(ConversationTag.conversation_id == c.id,
                                           ConversationTag.tag_id == listing.tag_id))
    if listing.assignee_id:
        query = query.where(c.assignee_id == listing.assignee_id)
    if listing.team_id:
        query = query.where(c.team_id == listing.team_id)
    if listing.sort == "due":
        query = query.where(c.due_at.is_not(None))
    if listing.late:
        query = query.where(c.due_at < now())
    return query.where(c.has_attachments) if listing.files else query


def listed():
    """SELECT of (conversation, is unread for me) with what a row shows."""
    unread = Conversation.last_in_id > func.coalesce(Seen.last_in_id, 0)
    return (select(Conversation, unread)
            .options(joinedload(Conversation.assignee), joinedload(Conversation.team), joinedload(Conversation.inbox),
                     selectinload(Conversation.tags))
            .outerjoin(Seen, and_(Seen.conversation_id == Conversation.id, Seen.person_id == current_user.id)))


def known_tags():
    """The tags of conversations that one may read."""
    return once(("tags", current_user.id), _known_tags)


def _known_tags():
    read = exists().where(ConversationTag.tag_id == Tag.id, Conversation.id == ConversationTag.conversation_id,
                          Conversation.inbox_id.in_(_readable_ids()))
    return db.session.scalars(select(Tag).where(read).order_by(Tag.name)).all()


def row_of(found):
    row = db.session.execute(listed().where(Conversation.id == found.id)).first()
    return row and (*row, _leaving([found.id]).get(found.id))


def _leaving(ids):
    """{conversation: when the first mail that was written in it for later leaves}"""
    return dict(db.session.execute(select(Message.conversation_id, func.min(Outbox.not_before)).join(
        Outbox, Outbox.message_id == Message.id).where(
        Outbox.state == "queued", Outbox.not_before > now(), Outbox.is_for_later,
        Message.conversation_id.in_(ids)).group_by(Message.conversation_id)).all())


def _readable_ids():
    return [i.id for i in find.inboxes_to_read()]


def side_of(listing, place="list"):
    """The sidebar: inboxes with {(inbox, status): how many}, what of it is nobody's and what is mine, and further
    numbers. `tab_counts`: of the list's own tabs. `place`: what of it is current: list (that of `listing`), drafts,
    view-ID, or nothing in it."""
    inboxes = find.inboxes_to_read()
    total, free, mine = {}, {}, {}
    for inbox_id, status, assignee_id, n in db.session.execute(counts([i.id for i in inboxes], ACTIVE)):
        for numbers, counted in ((total, True), (free, not assignee_id), (mine, assignee_id == current_user.id)):
            numbers[inbox_id, status] = numbers.get((inbox_id, status), 0) + int(n) * counted
    of_view = {"all": total, "unassigned": free, "mine": mine}.get(listing.view, {})
    return dict(
        inboxes=inboxes, total=total, free=free, mine=mine, listing=listing, side_at=place,
        tab_counts={} if listing.is_filtered else {tab: sum(
            n for (inbox_id, status), n in of_view.items()
            if status == tab and listing.inbox_id in (None, inbox_id)) for tab in TABS},
        overdue=db.session.scalar(select(func.count()).select_from(Conversation).where(
            Conversation.due_at < now(), Conversation.inbox_id.in_([i.id for i in inboxes]))),
        mentions=db.session.scalar(select(func.count()).select_from(Mention).where(
            Mention.person_id == current_user.id, Mention.seen_at.is_(None))),
        draft_count=db.session.scalar(select(func.count()).select_from(Draft).where(
            Draft.person_id == current_user.id)),
        views=db.session.scalars(visible_views(current_user)).all())
