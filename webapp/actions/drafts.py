"""What somebody has written and not sent: an answer, something handed on, a new message. Colleagues who may act there
can read it."""

import hashlib
import secrets

from sqlalchemy import delete, select

from webapp.actions.blobs import blobs
from webapp.actions.files import pieces, source
from webapp.actions.left_files import come_back
from webapp.extensions import db
from webapp.live import announce
from webapp.mail.filename import clean_filename
from webapp.models import Draft, DraftFile
from webapp.models.types import now
from webapp.rules.sending import check_files, readable

FIELDS = ("kind", "parent_id", "sender", "to", "cc", "bcc", "subject", "text", "html")
WRITTEN = ("text", "subject", "to", "cc", "bcc")      # what makes a draft of a new message
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")


def draft_of(actor, conversation):
    return db.session.scalar(select(Draft).where(Draft.conversation_id == conversation.id,
                                                 Draft.person_id == actor.id))


def save_draft(actor, conversation, text, **fields):
    """Keep what is written in a conversation. Without words and files there is no draft. Returns it, or None."""
    draft = draft_of(actor, conversation)
    if not text.strip() and not (draft is not None and draft.files):
        return drop_draft(actor, conversation)
    if draft is None:
        draft = Draft(conversation_id=conversation.id, person_id=actor.id)
        db.session.add(draft)
        announce(f"conversation-{conversation.id}")
    return _keep(draft, text=text, **fields)


def save_new(actor, inbox, token, begun=False, **fields):
    """Keep a new message. `token`: of the composer, the same in every window that shows it. Returns the draft; None
    when it is somebody else's token, or nothing is written yet (`begun`: a file is to come)."""
    draft = db.session.scalar(select(Draft).where(Draft.token == token))
    if draft is None and not begun and not any(str(fields.get(n) or "").strip("[] ") for n in WRITTEN):
        return None
    if draft is None:
        draft = Draft(person_id=actor.id, token=token, kind="new")
        db.session.add(draft)
    elif draft.person_id != actor.id:
        return None
    draft.inbox_id = inbox.id
    return _keep(draft, **{**fields, "kind": "new"})


def _keep(draft, **fields):
    for name in FIELDS:
        if name in fields:
            setattr(draft, name, readable(fields[name]))
    draft.saved_at = now()
    db.session.flush()
    announce(f"person-{draft.person_id}", *([f"drafts-{draft.conversation_id}"] if draft.conversation_id else []))
    return draft


def drop_draft(actor, conversation):
    dropped = db.session.execute(delete(Draft).where(Draft.conversation_id == conversation.id,
                                                     Draft.person_id == actor.id)).rowcount
    if dropped:
        announce(f"conversation-{conversation.id}", f"drafts-{conversation.id}", f"person-{actor.id}")


def drop(draft):
    db.session.delete(draft)
    db.session.flush()
    announce(f"person-{draft.person_id}")
    if draft.conversation_id:
        announce(f"conversation-{draft.conversation_id}", f"drafts-{draft.conversation_id}")


def make_new(conversation):
    """The conversation goes: what is being written in it becomes new messages in its inbox."""
    for draft in db.session.scalars(select(Draft).where(Draft.conversation_id == conversation.id)):
        draft.conversation_id, draft.parent_id, draft.kind = None, None, "new"
        draft.inbox_id, draft.token = conversation.inbox_id, secrets.token_hex(16)
        announce(f"person-{draft.person_id}")
    db.session.flush()


def begin(actor, conversation, **fields):
    """The draft of a conversation, made where there is none: something is to be attached."""
    draft = draft_of(actor, conversation)
    if draft is None:
        draft = Draft(conversation_id=conversation.id, person_id=actor.id, **fields)
        db.session.add(draft)
        db.session.flush()
        announce(f"conversation-{conversation.id}", f"drafts-{conversation.id}", f"person-{actor.id}")
    return draft


def enclose(draft, files, within=False):
    """Put files into a draft. `files`: (name, content type, bytes). `within`: they stand in the text, where they are
    pictures. Returns the DraftFiles. Raises RuleBroken("files", ...), and nothing is kept then."""
    check_files([f.size for f in draft.files] + [len(content) for _name, _kind, content in files])
    come_back([hashlib.sha256(content).hexdigest() for _name, _kind, content in files])
    made = []
    for name, kind, content in files:
        cid = f"{secrets.token_hex(12)}@postroom" if within and kind in PICTURES else None
        made.append(DraftFile(filename=clean_filename(name, kind), content_type=kind[:120], size=len(content),
                              sha256=blobs().put_part(content), content_id=cid))
    draft.files += made
    draft.saved_at = now()
    db.session.flush()
    return made


def enclose_again(draft, attachments):
    """Files of a message that is handed on. Those that the draft has already stay as they are."""
    there = {f.sha256 for f in draft.files}
    wanted = [a for a in attachments if a.sha256 not in there]
    check_files([f.size for f in draft.files] + [a.size for a in wanted])
    enclose(draft, [(a.filename, a.content_type, b"".join(pieces(source(a)))) for a in wanted])


def in_a_row(first, second):
    """(text, HTML) of two that were written, (text, HTML) each: neither is lost. Formatted only where both are."""
    return f"{first[0]}\n\n{second[0]}", f"{first[1]}{second[1]}" if first[1] and second[1] else None


def take_out(file):
    draft = file.draft
    draft.files.remove(file)
    draft.saved_at = now()
    db.session.flush()


def as_written(draft_or_letter, files) -> dict:
    """Plain values of everything that was written, kept with what is sent: undoing makes a draft of it again."""
    return {**{name: getattr(draft_or_letter, name) for name in FIELDS},
            "files": [[f.filename, f.content_type, f.size, f.sha256, f.content_id] for f in files]}


def write_again(actor, conversation, written, inbox=None):
    """A draft as it was (`as_written`). What was typed meanwhile in the same conversation comes after it: neither is
    lost."""
    draft = draft_of(actor, conversation) if conversation is not None else None
    if draft is None:
        draft = Draft(conversation_id=conversation.id if conversation is not None else None, person_id=actor.id,
                      inbox_id=inbox.id if inbox is not None else None,
                      token=None if conversation is not None else secrets.token_hex(16))
        db.session.add(draft)
        for name in FIELDS:
            setattr(draft, name, written[name])
    else:
        draft.text, draft.html = in_a_row((written["text"], written["html"]), (draft.text, draft.html))
    draft.files += [DraftFile(filename=name, content_type=kind, size=size, sha256=sha256, content_id=cid)
                    for name, kind, size, sha256, cid in written["files"]]
    db.session.flush()
    announce(f"person-{actor.id}")
    return draft
