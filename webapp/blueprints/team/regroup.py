"""Why a message is where it is; taking messages out of a conversation, putting one into another, taking that back."""

from flask import abort, request, url_for
from flask_login import current_user
from sqlalchemy import func, select

from webapp import words
from webapp.actions import regroup
from webapp.blueprints.team.routes import blueprint
from webapp.blueprints.team.why import reason_of
from webapp.extensions import db
from webapp.models import Conversation, Event, search
from webapp.models.conversation import visible_conversations
from webapp.models.types import now
from webapp.rules import RuleBroken
from webapp.rules.bounds import CONVERSATION_SEARCH_MAX
from webapp.rules.search import parse
from webapp.web import find
from webapp.web.forms import Act, MergeInto, SplitOff
from webapp.web.present import fragment, go, is_swap, present

OFFERED = 20        # conversations to choose from


@blueprint.get("/messages/<int:message_id>/why")
def why(message_id):
    message = find.message(message_id)
    found = _conversation_of(message)
    return present("team/why", message=message, conversation=found, reason=reason_of(message, found))


@blueprint.get("/messages/<int:message_id>/split")
def split_form(message_id):
    message = find.message(message_id)
    found = _may_act(_conversation_of(message))
    return present("team/split", message=message, conversation=found, form=SplitOff(of=found.id))


@blueprint.post("/messages/<int:message_id>/split")
def split(message_id):
    message = find.message(message_id)
    found, form = _may_act(_conversation_of(message)), SplitOff()
    if form.validate_on_submit():
        try:
            if form.of.data != str(found.id):       # the page is an old one: somebody was faster
                raise RuleBroken("what", "moved_meanwhile", number=found.id)
            return _to(regroup.split(current_user, found, message, form.what.data == "following"))
        except RuleBroken as broken:
            db.session.rollback()
            form.blame(broken)
    return present("team/split", 422, message=message, conversation=found, form=form)


@blueprint.get("/conversations/<int:conversation_id>/merge")
def merge_form(conversation_id):
    found = _may_act(find.conversation(conversation_id))
    return _merging(found, MergeInto(), fragment if is_swap() else present)


@blueprint.post("/conversations/<int:conversation_id>/merge")
def merge(conversation_id):
    found, form = _may_act(find.conversation(conversation_id)), MergeInto()
    if form.validate_on_submit():
        try:
            return _to(regroup.merge(current_user, found, _other(found, form.into.data)))
        except RuleBroken as broken:
            db.session.rollback()
            form.blame(broken)
    return _merging(found, form, present, 422)


@blueprint.post("/events/<int:event_id>/undo")
def put_back(event_id):
    event = find.event(event_id)
    found = _may_act(find.conversation(event.conversation_id))
    if not Act().validate_on_submit():
        abort(400)
    try:
        return _to(regroup.put_back(current_user, event))
    except RuleBroken:      # somebody was faster, or all of it lies elsewhere by now: the page shows where
        db.session.rollback()
        return go(url_for("team.conversation", conversation_id=found.id))


def _conversation_of(message):
    if message.conversation_id is None:     # personal mail, or a reply that was called back
        abort(404)
    return find.conversation(message.conversation_id)


def _may_act(found):
    if not find.may_act(found.inbox):
        abort(403)
    return found


def _to(found):
    """There, at what was just done."""
    newest = db.session.scalar(select(func.max(Event.id)).where(Event.conversation_id == found.id))
    return go(url_for("team.conversation", conversation_id=found.id, _anchor=f"e{newest}"))


def _other(found, number):
    """The conversation of that number; whoever can open this one can open all of its inbox."""
    try:
        wanted = find.row_id(number.strip().lstrip("#"))
    except ValueError:
        wanted = 0
    other = db.session.scalar(visible_conversations(current_user).where(Conversation.id == wanted))
    if other is None:
        raise RuleBroken("into", "other_inbox", inbox=found.inbox.name)
    return find.conversation(other.id)


def _merging(found, form, how, code=200):
    query = request.args.get("q", "").strip()[:CONVERSATION_SEARCH_MAX]
    return how("team/found" if how is fragment else "team/merge", code, conversation=found, form=form, q=query,
               rows=_matching(found, query) if query else _near(found))


def _of_inbox(found):
    return visible_conversations(current_user).where(
        Conversation.inbox_id == found.inbox_id, Conversation.id != found.id, Conversation.status != "merged")


def _near(found):
    """Where it most likely belongs: what it refers to, and the others of the same person; else the newest."""
    newest = (Conversation.last_at.desc(), Conversation.id.desc())
    likely = _of_inbox(found).where((Conversation.contact_id == found.contact_id)
                                    | (Conversation.id == found.possible_reply_to_id))
    return (db.session.scalars(likely.order_by(*newest).limit(OFFERED)).all()
            or db.session.scalars(_of_inbox(found).order_by(*newest).limit(OFFERED)).all())


def _matching(found, query):
    """By number, or by words of its mail and notes, or their beginnings; those of this inbox, the newest first."""
    asked = parse(query, now().date()).beginnings()
    ids = [asked.number] if asked.number else []
    if asked.terms:
        page = search.find(current_user, asked, words.time_zone(), size=OFFERED, inbox_id=found.inbox_id)
        ids += [i for i, _document in page.hits]
    rows = {c.id: c for c in db.session.scalars(_of_inbox(found).where(Conversation.id.in_(ids)))}
    return [rows[i] for i in dict.fromkeys(ids) if i in rows][:OFFERED]
