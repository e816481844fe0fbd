"""Looking for something: a page in the shell of the inboxes, with what was found in place of a list."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import request
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import selectinload, undefer

from webapp import words as sentences
from webapp.blueprints.team.routes import blueprint
from webapp.blueprints.team.rows import listed, side_of
from webapp.extensions import db
from webapp.models import Conversation, Message, Note, search
from webapp.models.words import row_of
from webapp.rules.listing import Listing
from webapp.rules.marks import excerpt, marked
from webapp.rules.search import Query, parse
from webapp.web import paging
from webapp.web.present import fragment, is_swap, present


@dataclass
class Hit:
    """A conversation that was found, by which message or note, and the marked pieces that its row shows."""

    conversation: Conversation | None
    unread: bool
    message: Message | None = None
    note: Note | None = None
    subject: tuple = ()
    line: tuple = ()
    what: str = ""          # that the line is of: text, file, people, note

    @property
    def at(self):
        found = self.note or self.message
        return found.at if found else self.conversation.last_at


@blueprint.get("/search")
def look():
    """`q`: what is looked for. `own`: in one's own mailboxes. `before`: where the page begins."""
    query = parse(request.args.get("q", ""), _today())
    facts = _found(query, bool(request.args.get("own")), request.args.get("before", ""))
    facts |= dict(query=query, own=bool(request.args.get("own")), inbox=None, conversation=None, current=None)
    if is_swap():
        return fragment("team/found_rows", listing=Listing(), **facts)
    return present("team/search", **{**side_of(Listing(), "search"), **facts})


def _today():
    return datetime.now(UTC).astimezone(ZoneInfo(sentences.time_zone())).date()


def _found(query: Query, own, before):
    """What the page shows: hits, one's own mail, where it goes on, and what was not understood."""
    zone, page = sentences.time_zone(), search.Page()
    if own and query.terms:
        page = search.find_own(current_user, query, zone, _document(before))
    elif query.terms:
        page = search.find(current_user, query, zone, _document(before))
    elif query.narrows:
        page = search.narrowed(current_user, query, zone, paging.parse(before))
    if query.number and not before and not own:
        there = search.by_number(current_user, query.number)
        page.hits = [(there, None)] * bool(there) + [hit for hit in page.hits if hit[0] != there]
    following = page.before if isinstance(page.before, int | None) else paging.cursor_of(*page.before)
    return dict(hits=_hits(page.hits, query), own_hits=_own_hits(page.own, query), cut=page.cut, following=following,
                hints=[*query.hints, *page.hints], first=not before)


def _document(before):
    """No document has more digits."""
    return int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None


def _hits(found, query):
    rows = {c.id: (c, unread) for c, unread in db.session.execute(
        listed().where(Conversation.id.in_([i for i, _document in found])))}
    messages, notes = _documents([document for _i, document in found if document is not None])
    return [_marked(Hit(*rows[i], messages.get(document), notes.get(document)), query)
            for i, document in found if i in rows]


def _own_hits(documents, query):
    messages, _notes = _documents(documents)
    return [_marked(Hit(None, False, messages[d]), query) for d in documents if d in messages]


def _documents(numbers):
    """({document: Message}, {document: Note}) with what their lines are made of."""
    messages = db.session.scalars(select(Message).where(Message.id.in_(_ids(numbers, False))).options(
        undefer(Message.text), selectinload(Message.attachments)))
    notes = db.session.scalars(select(Note).where(Note.id.in_(_ids(numbers, True))).options(selectinload(Note.author)))
    return {m.words_id: m for m in messages}, {n.words_id: n for n in notes}


def _ids(numbers, note):
    return [row for number in numbers for is_note, row in [row_of(number)] if is_note is note]


def _marked(hit, query):
    """The hit with what its row shows: the line around the word, wherever the word is."""
    terms, message = query.wanted, hit.message
    hit.subject = marked((hit.conversation or message).subject, terms)
    if hit.note:
        hit.what, hit.line = "note", excerpt(hit.note.text, terms) or [(hit.note.text[:200], False)]
    elif message:
        people = ", ".join(f"{name} <{address}>" if name else address for name, address in message.to + message.cc)
        of = {"text": message.text, "file": ", ".join(a.filename for a in message.files), "people": people}
        for hit.what, text in of.items():
            if line := excerpt(text, terms):
                hit.line = line
                return hit
        hit.what, hit.line = "text", [(message.snippet, False)]
    else:
        hit.what, hit.line = "text", [(hit.conversation.last_snippet, False)]
    return hit

