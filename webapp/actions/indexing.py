"""The words of messages and notes go into the index, in the transaction that writes these. What has none yet (mail of
before the upgrade, and whatever was written another way) says so in its row, and a job takes it up.

Words leave the index by triggers of the database: with their row, and when it is erased.
"""

from sqlalchemy import select
from sqlalchemy.orm import selectinload, undefer

from webapp.extensions import db
from webapp.models import Message, Note, words
from webapp.rules.tokens import Words, words_of


def put_new(documents):
    """Of rows that are just written: (words_id, words) each."""
    words.put([(number, Words(*said)) for number, said in documents])


def put(message, said):
    """What a stored message says, now that it was read."""
    _put(message, Words(*said), note=False)


def put_written(message):
    """A message that was written here."""
    _put(message, _words_of(message), note=False)


def put_note(note):
    _put(note, words_of(sender=note.author.name, text=note.text), note=True)


def wordless(most):
    """Take up messages and notes that have no words yet, the newest first. Returns how many were found."""
    notes = db.session.scalars(_locked(
        select(Note).where(Note.words_id.is_(None)).order_by(Note.id.desc()), most)).all()
    for note in notes:
        if note.removed_at is None:
            put_note(note)
        else:
            note.words_id = words.number_of(note.at, note.id, note=True)
    messages = db.session.scalars(_locked(
        select(Message).where(Message.words_id.is_(None)).order_by(Message.id.desc())
        .options(undefer(Message.text), selectinload(Message.attachments)), most)).all()
    for message in messages:
        message.words_id = words.number_of(message.at, message.id)
    words.put([(m.words_id, _words_of(m)) for m in messages if m.erased_at is None], again=True)
    db.session.flush()
    return len(notes) + len(messages)


def anything_wordless():
    return any(db.session.scalar(select(table.id).where(table.words_id.is_(None)).limit(1))
               for table in (Message, Note))


def _put(row, said, note):
    row.words_id = row.words_id or words.number_of(row.at, row.id, note)
    db.session.flush()
    words.put([(row.words_id, said)], again=True)


def _locked(query, most):
    """Two workers do not wait for each other."""
    return query.limit(most).with_for_update(skip_locked=True)


def _words_of(message):
    return words_of(f"{message.from_name} {message.from_address}", message.to + message.cc, message.subject,
                    [a.filename for a in message.files], message.text)
