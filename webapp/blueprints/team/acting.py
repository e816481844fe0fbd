"""What one does with a conversation, or with all that are picked. Each is one act, with its undo."""

from datetime import datetime
from urllib.parse import parse_qsl

from babel.dates import get_timezone
from flask import abort, request
from flask_login import current_user

from webapp.actions import acts, conversations, tags
from webapp.blueprints.team.routes import blueprint
from webapp.blueprints.team.rows import conversation_url, list_url, listing_of, row_of, shell
from webapp.blueprints.team.thread import thread_of
from webapp.extensions import db
from webapp.models import Conversation, Message, Tag, Team
from webapp.models.conversation import visible_conversations
from webapp.rules import RuleBroken
from webapp.rules.bounds import PICKED_MAX
from webapp.rules.listing import Listing
from webapp.rules.snoozing import CHOICES, until
from webapp.web import find
from webapp.web.forms import Act
from webapp.web.present import fragment, go, is_swap, present
from webapp.words import time_zone


def _assign(found, act, form):
    """`to`: a person's id, team-ID, me, or 0 for nobody."""
    to = form.get("to") or "0"
    if to.startswith("team-"):
        team = db.session.get(Team, _number(to.removeprefix("team-")))
        return conversations.assign_team(current_user, found, team or abort(404), act)
    if to == "0":
        conversations.assign_team(current_user, found, None, act)
        return conversations.assign(current_user, found, None, act)
    wanted = current_user.id if to == "me" else _number(to)
    person = next((p for p in find.assignees(found.inbox) if p.id == wanted), None) or abort(404)
    conversations.assign(current_user, found, person, act)


def _snooze(found, act, form):
    choice = form.get("when")
    if choice not in CHOICES:
        abort(400)
    here = datetime.now(get_timezone(time_zone()))
    conversations.snooze(current_user, found, until(choice, here, form.get("until", "")), act)


def _move(found, act, form):
    inbox = find.inbox(_number(form.get("inbox")))
    if not find.may_act(inbox):
        abort(403)
    conversations.move(current_user, found, inbox, act)


def _untag(found, act, form):
    tag = db.session.get(Tag, _number(form.get("tag"))) or abort(404)
    tags.untag(current_user, found, tag, act)


ACTS = {
    "assign": _assign, "snooze": _snooze, "move": _move, "untag": _untag,
    "tag": lambda found, act, form: tags.tag(current_user, found, form.get("tag", ""), act),
    "close": lambda found, act, _form: conversations.close(current_user, found, act),
    "reopen": lambda found, act, _form: conversations.reopen(current_user, found, act),
    "spam": lambda found, act, _form: conversations.mark_spam(current_user, found, act),
    "trash": lambda found, act, _form: conversations.throw_away(current_user, found, act),
    "take": lambda found, act, _form: conversations.assign(current_user, found, current_user, act),
    "follow": lambda found, act, _form: conversations.follow(current_user, found),
    "unfollow": lambda found, act, _form: conversations.unfollow(current_user, found),
}

VALUES = {"snooze": "when", "assign": "to", "move": "inbox", "tag": "tag"}


@blueprint.post("/conversations/<int:conversation_id>/<any({}):do>".format(", ".join(f'"{n}"' for n in ACTS)))
def act_on(conversation_id, do):
    found = find.conversation(conversation_id, locked=True) if do.endswith("follow") else find.to_act(conversation_id)
    _check()
    act = acts.new_act()
    try:
        ACTS[do](found, act, request.form)
    except RuleBroken as broken:
        db.session.rollback()
        return answer(find.conversation(conversation_id), code=422, refused=broken)
    if not find.may_read(found.inbox):      # it was moved out of one's own sight
        return go(list_url(listing_of(inbox_id=None)))
    return answer(found, act)


@blueprint.post("/messages/<int:message_id>/unread")
def unread(message_id):
    """To be read again, from this message on: back to the list."""
    message = find.message(message_id)
    if message.conversation_id is None:
        abort(404)
    found = find.conversation(message.conversation_id, locked=True)
    _check()
    conversations.mark_unread(current_user, found, db.session.get(Message, message.id))
    return go(list_url(listing_of(found)))


@blueprint.post("/bulk")
def bulk():
    """One action on the picked rows. `list`: the query of the list that they were picked in."""
    _check()
    inbox_id = _number(request.form.get("inbox_id")) if request.form.get("inbox_id") else None
    if inbox_id is not None:
        find.inbox(inbox_id)
    listing = Listing.of(dict(parse_qsl(request.form.get("list", ""))), inbox_id)
    do, _, value = request.form.get("do", "").partition(":")        # a button's own value, such as snooze:tomorrow
    act = acts.new_act()
    if do not in ACTS:
        abort(400)
    form = {**request.form, VALUES.get(do): value} if value else request.form
    try:
        for found in _picked():
            ACTS[do](found, act, form)
    except RuleBroken as broken:
        db.session.rollback()
        return list_again(listing, broken=broken.code)
    return list_again(listing, done=act)


@blueprint.post("/acts/<act>/undo")
def take_back(act):
    """Take back what one click did. Where somebody has changed a conversation since, or taken it out of one's sight, it
    stays as it is."""
    _check()
    events = acts.events_of(current_user, act)
    if not events:
        abort(404)
    ids = {e.conversation_id for e in events}
    if len(ids) == 1:
        found = find.to_act(events[0].conversation_id)
        kept = [e for e in events if not acts.take_back(current_user, found, e)]
        return answer(found, kept=bool(kept))
    rows = {c.id: c for c in _may_be_changed(ids)}
    kept = {e.conversation_id for e in events if e.conversation_id not in rows
            or not acts.take_back(current_user, rows[e.conversation_id], e)}
    inbox_id = next(iter(rows.values())).inbox_id if rows else None
    listing = Listing.of(dict(parse_qsl(request.form.get("list", ""))), inbox_id)
    return list_again(listing, kept=len(kept) or None)


def answer(found, act=None, code=200, **facts):
    """After an action: the thread anew for a swap (its row comes along), the page otherwise. `act`: what can be taken
    back. `code` other than 200: a form was refused, and comes back as it was typed."""
    done = acts.events_of(current_user, act)[::-1] if act else []
    if is_swap():
        db.session.flush()
        return fragment("team/thread", code, changed=(f"inbox-{found.inbox_id}",), row=row_of(found), oob=True,
                        done=done, **{**thread_of(found, facts.get("letter_form")), **facts})
    if code != 200:
        return present("team/inbox", code, **{**shell(found.inbox, found), **thread_of(found, facts.get("letter_form")),
                                              **facts})
    return go(conversation_url(found.id) + (f"?done={act}" if done else ""))


def list_again(listing, **told):
    """Back at the list, with what was done."""
    told = {name: value for name, value in told.items() if value is not None}
    address = list_url(listing)
    return go(address + ("&" if "?" in address else "?") + "&".join(f"{n}={v}" for n, v in told.items())
              if told else address)


def _picked():
    return _may_be_changed(request.form.getlist("id", type=find.row_id)[:PICKED_MAX])


def _may_be_changed(ids):
    """Those of the conversations in which the person who asks may act, locked in the order of their ids."""
    rows = db.session.scalars(visible_conversations(current_user).where(
        Conversation.id.in_(ids), Conversation.status != "merged").order_by(Conversation.id)
        .with_for_update(key_share=True).execution_options(populate_existing=True)).all()
    may = {inbox: find.may_act(inbox) for inbox in {c.inbox for c in rows}}
    return [c for c in rows if may[c.inbox]]


def _check():
    if not Act().validate_on_submit():
        abort(400)


def _number(text):
    return find.number(text) or abort(404)
