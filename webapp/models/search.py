"""What somebody finds: documents of the index, told by conversation, and of these only what that person may see.

The index says nothing of inboxes; every hit is asked for here, in the one way of `visible_conversations` and
`visible_messages`. Hits come newest first, some at a time, until a page is full.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import exists, false, func, literal, or_, select, tuple_, union_all

from webapp.extensions import db
from webapp.models import words
from webapp.models.connection import Connection
from webapp.models.conversation import Conversation, Seen, visible_conversations
from webapp.models.inbox import Inbox, is_member
from webapp.models.message import Message
from webapp.models.note import Follower, Note
from webapp.models.person import Person
from webapp.models.tag import ConversationTag, Tag
from webapp.rules.search import SHOWN, Query
from webapp.rules.tags import tag_key
from webapp.rules.tokens import fold

PAGE = 30
FIRST, NEXT = 150, 2_000        # hits that are looked at together: at first, and once many are not for this page
AT_ONCE = 8_000                 # the most of them: PostgreSQL looks for all of them each time
MOST_HITS = 60_000              # after which one has to say more
OWN = 5                         # personal messages beside a page of conversations


@dataclass
class Page:
    """`hits`: (conversation id, document) each, the document a number of models.words, or None where no word was asked
    for. `before`: where the next page begins; none: this was all. `own`: documents of the own mailboxes. `cut`: there
    were too many to look at all of them. `hints`: names that nothing has."""

    hits: list = field(default_factory=list)
    before: int | None = None
    own: list = field(default_factory=list)
    cut: bool = False
    hints: list = field(default_factory=list)


def find(person, query: Query, zone: str, before: int | None = None, size: int = PAGE,
         inbox_id: int | None = None) -> Page:
    """A page of conversations with a message or a note that has these words. `before`: a document. `inbox_id`: only of
    this inbox."""
    page = Page()
    conditions = _conditions(person, query, page.hints)
    if inbox_id:
        conditions.append(Conversation.inbox_id == inbox_id)
    limits = _limits(query, zone)
    seen, own_too = set(), before is None and not query.filters and _has_own(person)
    for numbers in _hits(query.terms, limits, before, page):
        there = _conversations_of(numbers, conditions)
        if own_too and len(page.own) < OWN:
            page.own += _own_of(person, numbers)[:OWN - len(page.own)]
        fresh = {}
        for number in numbers:
            if (found := there.get(number)) and found not in seen:
                seen.add(found)
                fresh[found] = number
        if before is not None and fresh:
            fresh = _not_shown(query.terms, fresh, before, limits)
        page.hits += fresh.items()
        if len(page.hits) > size:
            page.hits = page.hits[:size]
            page.before = page.hits[-1][1]
            break
    return page


def find_own(person, query: Query, zone: str, before: int | None = None, size: int = PAGE) -> Page:
    """The same of the own mailboxes: messages, told one by one."""
    page = Page()
    for numbers in _hits(query.terms, _limits(query, zone), before, page):
        page.own += _own_of(person, numbers)
        if len(page.own) > size:
            page.own = page.own[:size]
            page.before = page.own[-1]
            break
    return page


def narrowed(person, query: Query, zone: str, after: tuple | None = None, size: int = PAGE) -> Page:
    """A page where no word was asked for: conversations by their newest mail. `after`: (moment, id) of the last one."""
    page = Page()
    conditions = _conditions(person, query, page.hints)
    since, until = _moments(query, zone)
    at, c = Conversation.last_at, Conversation
    conditions += ([at >= since] if since else []) + ([at < until] if until else [])
    if after:
        conditions.append(tuple_(at, c.id) < tuple_(literal(after[0], at.type), literal(after[1])))
    # The heads of what each inbox and status has: PostgreSQL would sort all of them (SYNC 6).
    heads = [select(c.id, at).where(c.inbox_id == inbox_id, c.status == status, *conditions)
             .order_by(at.desc(), c.id.desc()).limit(size + 1).subquery()
             for inbox_id in _inbox_ids(person) for status in _statuses(query)]
    if heads:
        heads = union_all(*(select(head) for head in heads)).subquery()
        rows = db.session.execute(select(heads.c.id, heads.c.last_at).order_by(
            heads.c.last_at.desc(), heads.c.id.desc()).limit(size + 1)).all()
        page.hits = [(row.id, None) for row in rows[:size]]
        page.before = (rows[size - 1].last_at, rows[size - 1].id) if len(rows) > size else None
    return page


def by_number(person, number):
    """The id of a conversation, if this person may see it."""
    return db.session.scalar(visible_conversations(person).with_only_columns(Conversation.id).where(
        Conversation.id == number, Conversation.status != "merged"))


def _hits(terms, limits, before, page):
    """Documents, the newest first, some at a time. `page.cut` once that was too much."""
    since, until = limits
    before = min(filter(None, (before, until)), default=None)
    size, looked_at = FIRST, 0
    while numbers := words.numbers(terms, size, before, since):
        yield numbers
        looked_at += len(numbers)
        if len(numbers) < size:
            return
        if looked_at >= MOST_HITS:
            page.cut = True
            return
        before, size = numbers[-1], NEXT if size == FIRST else min(4 * size, AT_ONCE)


def _conversations_of(numbers, conditions):
    """{document: conversation} of those that are to be shown."""
    found = {}
    for table, note in ((Message, False), (Note, True)):
        ids = {row: number for number in numbers for is_note, row in [words.row_of(number)] if is_note is note}
        if ids:
            rows = db.session.execute(select(table.id, Conversation.id).join(
                Conversation, Conversation.id == table.conversation_id).where(table.id.in_(ids), *conditions))
            found |= {ids[row]: conversation for row, conversation in rows}
    return found


def _own_of(person, numbers):
    ids = {row: number for number in numbers for is_note, row in [words.row_of(number)] if not is_note}
    rows = db.session.scalars(select(Message.id).join(Connection).where(
        Message.id.in_(ids), Message.conversation_id.is_(None), Connection.person_id == person.id)).all()
    return sorted((ids[row] for row in rows), reverse=True)


def _has_own(person):
    return db.session.scalar(select(exists().where(Connection.person_id == person.id)))


def _not_shown(terms, fresh, before, limits):
    """Without the conversations that a page before this one has shown, by a newer message or note."""
    newer = {}
    for table in (Message, Note):
        rows = db.session.execute(select(table.words_id, table.conversation_id).where(
            table.conversation_id.in_(fresh), table.words_id >= before,
            table.words_id < (limits[1] or 2**62)))
        newer |= dict(rows.all())
    shown = {newer[number] for number in words.among(terms, list(newer))} if newer else set()
    return {found: number for found, number in fresh.items() if found not in shown}


def _limits(query, zone):
    """(first document, the one after the last) of the days that were asked for."""
    return tuple(at and words.first_of(at) for at in _moments(query, zone))


def _moments(query, zone):
    return tuple(day and datetime.combine(day, time(0), ZoneInfo(zone)).astimezone(UTC)
                 for day in (query.after, query.before))


def _statuses(query):
    wanted = {f.value for f in query.filters if f.kind == "status" and not f.without}
    if wanted:
        return sorted(wanted)
    return [*SHOWN, "spam", "trash"] if any(f.kind == "anywhere" for f in query.filters) else list(SHOWN)


def _inbox_ids(person):
    """Those of deleted ones, too: their conversations stay."""
    return db.session.scalars(select(Inbox.id).where(or_(Inbox.access == "everyone", is_member(person.id)))).all()


def _conditions(person, query, hints):
    """Everything but words: what this person may see, and of it what was asked for."""
    conditions = [Conversation.inbox_id.in_(_inbox_ids(person)), Conversation.status.in_(_statuses(query))]
    for asked in query.filters:
        if asked.kind == "anywhere" or asked.kind == "status" and not asked.without:
            continue
        condition = _CONDITIONS[asked.kind](person, asked.value)
        if condition is None:
            hints.append((f"no_{asked.kind}", asked.value))
            condition = false()
        conditions.append(~condition if asked.without else condition)
    return conditions


def _inbox(person, name):
    ids = _named(name, db.session.execute(select(Inbox.id, Inbox.name).where(Inbox.id.in_(_inbox_ids(person)))))
    return Conversation.inbox_id.in_(ids) if ids else None


def _tag(_person, name):
    tag_id = db.session.scalar(select(Tag.id).where(Tag.key == tag_key(name)))
    if tag_id:
        return exists().where(ConversationTag.conversation_id == Conversation.id, ConversationTag.tag_id == tag_id)
    return None


def _assignee(person, name):
    if fold(name) in ("me", "nobody"):
        return Conversation.assignee_id == person.id if fold(name) == "me" else Conversation.assignee_id.is_(None)
    ids = _named(name, db.session.execute(select(Person.id, Person.name).where(Person.state != "invited")))
    return func.coalesce(Conversation.assignee_id, 0).in_(ids) if ids else None


def _state(person, value):
    c = Conversation
    seen = select(Seen.last_in_id).where(Seen.conversation_id == c.id, Seen.person_id == person.id).scalar_subquery()
    unread = c.last_in_id > func.coalesce(seen, 0)
    return {"unread": unread, "read": ~unread,
            "unassigned": c.assignee_id.is_(None), "assigned": c.assignee_id.is_not(None),
            "mine": func.coalesce(c.assignee_id, 0) == person.id,
            "following": exists().where(Follower.conversation_id == c.id, Follower.person_id == person.id)}[value]


def _has(_person, value):
    if value == "file":
        return Conversation.has_attachments.is_(True)
    return exists().where(Note.conversation_id == Conversation.id, Note.removed_at.is_(None))


def _named(name, known):
    """Ids of those who are called this; else of those whose name begins with it, or has it as a word."""
    wanted, exact, similar = fold(name.strip()), [], []
    for row_id, known_name in known:
        folded = fold(known_name)
        if folded == wanted:
            exact.append(row_id)
        elif folded.startswith(wanted) or f" {wanted}" in f" {folded}":
            similar.append(row_id)
    return exact or similar


_CONDITIONS = {"status": lambda _person, value: Conversation.status == value, "inbox": _inbox, "tag": _tag,
               "assignee": _assignee, "state": _state, "has": _has}

