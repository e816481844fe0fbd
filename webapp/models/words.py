"""The index of words: a document for each message and each note, newest ones found first.

A document's number begins with the minute of its message or note, so "the newest first" is the order of numbers, on
both databases, whatever order mail was read in. It says nothing of inboxes: who may see what is found is asked when it
is found (models.search). FTS5 on SQLite, tsvector with a GIN index on PostgreSQL; both hold the words of rules.tokens.
"""

import json

from sqlalchemy import text

from webapp.extensions import db
from webapp.rules.search import Term
from webapp.rules.tokens import Words

FIELDS = Words._fields
_WEIGHTS = dict(zip(FIELDS, "ABCD", strict=True))      # PostgreSQL's names for four kinds of words
_LAST_PLACE = 16_383        # of a word in a tsvector
_MOST_PLACES = 255
COMMON = 30_000             # hits beyond which PostgreSQL looks at the newest documents one by one
LOOKED_AT = 20_000          # of them at a time


def number_of(at, row_id, note=False):
    """The number of the document of a message or a note."""
    return first_of(at) | row_id << 1 | note


def first_of(at):
    """Documents of this minute and later have no smaller number."""
    return (int(at.timestamp()) // 60) << 32


def row_of(number):
    """(is it a note, its id or that of the message)."""
    return bool(number & 1), (number & 0xffffffff) >> 1


def put(documents, again=False):
    """Write the words of documents, (number, Words) each. `again`: some may be there, with other words."""
    if not documents:
        return
    connection, documents = db.session.connection(), sorted(documents)      # FTS5 is fastest in ascending order
    if connection.dialect.name == "postgresql":
        known = "ON CONFLICT (id) DO UPDATE SET words = excluded.words" if again else ""
        rows = json.dumps([{"id": number, "words": _vector(words)} for number, words in documents], ensure_ascii=False)
        connection.exec_driver_sql("INSERT INTO search_words (id, words) SELECT id, words FROM json_to_recordset("
                                   f"CAST(%s AS json)) AS given (id bigint, words tsvector) {known}", (rows,))
        return
    connection.exec_driver_sql(f"INSERT {'OR REPLACE ' * again}INTO search_words (rowid, {', '.join(FIELDS)}) "
                               "VALUES (?, ?, ?, ?, ?)", [(number, *words) for number, words in documents])


def numbers(terms: tuple[Term, ...], most: int, before: int | None = None, since: int | None = None) -> list[int]:
    """The newest documents with all of these terms, `since` a number (it included) and `before` another; fewer than
    `most` only when there are no more."""
    limits = {"most": most, "before": before if before is not None else 2**62, "since": since or 0}
    if db.session.get_bind().dialect.name == "postgresql":
        return _numbers_postgresql(_tsquery(terms), limits)
    return db.session.scalars(text(
        "SELECT rowid FROM search_words WHERE search_words MATCH :match AND rowid < :before AND rowid >= :since "
        "ORDER BY rowid DESC LIMIT :most"), {"match": _fts(terms), **limits}).all()


def among(terms: tuple[Term, ...], those: list[int]) -> list[int]:
    """Which of those documents have all of these terms."""
    if db.session.get_bind().dialect.name == "postgresql":
        return db.session.scalars(text("SELECT id FROM search_words WHERE id = ANY(:those) AND words @@ "
                                       "CAST(:query AS tsquery)"), {"those": those, "query": _tsquery(terms)}).all()
    listed = ", ".join(map(str, map(int, those)))
    return db.session.scalars(text("SELECT rowid FROM search_words WHERE search_words MATCH :match "
                                   f"AND rowid IN ({listed})"), {"match": _fts(terms)}).all()


# PostgreSQL would look for a rare word from the newest document to the oldest when it takes it for a common one; a
# materialised answer has no order that it could follow (SYNC 6).
_FOUND = text("WITH found AS MATERIALIZED (SELECT id FROM search_words WHERE words @@ CAST(:query AS tsquery)) "
              "SELECT id FROM found WHERE id < :before AND id >= :since ORDER BY id DESC LIMIT :most")
_LOOKED_THROUGH = text(
    "SELECT id FROM (SELECT id, words FROM search_words WHERE id < :before AND id >= :since ORDER BY id DESC "
    "LIMIT :looked_at) AS newest WHERE words @@ CAST(:query AS tsquery) ORDER BY id DESC LIMIT :most")


def _numbers_postgresql(query, limits):
    given = {"query": query, **limits}
    if _guess(query) > COMMON:
        found = db.session.scalars(_LOOKED_THROUGH, {**given, "looked_at": LOOKED_AT}).all()
        if len(found) == limits["most"]:
            return found
    return db.session.scalars(_FOUND, given).all()


def _guess(query):
    """How many documents PostgreSQL thinks have it."""
    plan = db.session.scalar(text("EXPLAIN (FORMAT JSON) SELECT id FROM search_words WHERE words @@ "
                                  "CAST(:query AS tsquery)"), {"query": query})
    return plan[0]["Plan"]["Plan Rows"]


def _vector(words):
    """A tsvector as PostgreSQL reads it: every word with its places, which tell the field, too."""
    places, position = {}, 0
    for weight, part in zip("ABCD", words, strict=True):
        for token in part.split():
            position += 1
            places.setdefault(token, []).append(f"{min(position, _LAST_PLACE)}{weight}")
        position += 1       # no phrase goes from one field into the next
    return " ".join(f"'{token}':{','.join(at[:_MOST_PLACES])}" for token, at in places.items())


def _fts(terms):
    """Terms as FTS5 has them. Words hold letters and digits only: nothing in them is syntax."""
    def one(term):
        phrase = f'"{" ".join(term.words)}"{" *" * term.prefix}'
        return f"{{{term.field}}} : {phrase}" if term.field else phrase
    wanted = " AND ".join(f"({one(t)})" for t in terms if not t.without)
    return " NOT ".join([f"({wanted})", *(f"({one(t)})" for t in terms if t.without)])


def _tsquery(terms):
    def one(term):
        weight = _WEIGHTS[term.field] if term.field else ""
        marks = [weight] * (len(term.words) - 1) + ["*" * term.prefix + weight]
        return " <-> ".join(f"'{word}'{':' * bool(mark)}{mark}" for word, mark in zip(term.words, marks, strict=True))
    return " & ".join(f"{'!' * t.without}({one(t)})" for t in terms)
