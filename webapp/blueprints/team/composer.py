"""The composer below a conversation: what it shows, and what its form says."""

from datetime import datetime

from babel.dates import get_timezone
from flask import abort, request, url_for
from flask_login import current_user
from sqlalchemy import func, select

from webapp.actions import drafts, letters, replies
from webapp.extensions import db
from webapp.mail import written_html
from webapp.models import Draft, Message, Outbox, Template
from webapp.rules import RuleBroken, recipients, snoozing
from webapp.rules.senders import Sender, goes_elsewhere
from webapp.web import find
from webapp.web.forms_letters import Letter
from webapp.words import time_zone

WRITES = ("reply", "all", "forward", "note")


def composer_of(found, messages, form=None):
    """Facts of the composer. `form`: a Letter that was refused and comes back as it was typed."""
    draft = drafts.draft_of(current_user, found)
    senders = letters.senders(found.inbox)
    write = _write(draft, form)
    parent = _parent(found, draft, form)
    facts = dict(draft=draft, write=write, senders=senders, sent_as=names_of(senders),
                 sender=senders[0] if senders else None, parent=parent,
                 files=draft.files if draft else [], token=_token(found), newest=_newest(found), to=[], elsewhere=None,
                 letter_form=form or Letter(formdata=None), colleagues_drafts=_others(found),
                 templates=templates_for(found.inbox))
    if not senders or parent is None:
        return facts
    try:
        wanted = form.sender.data if form is not None else draft.sender if draft is not None else ""
        sender = letters.sender_for(found.inbox, found, wanted)
        people = _people(found, parent, sender, write)
    except RuleBroken:
        return facts
    if form is None:
        facts["letter_form"] = _drawn(found, draft, write, parent, sender, people)
    return {**facts, **_shown(messages, parent, sender, people)}


def data_of(form, inbox, draft=None):
    """What the form says, as `drafts` keeps it: people as far as they can be read. The HTML is cleaned here. A page on
    which no editor runs sends none: then the draft's formatting stays as long as its words do."""
    html = None
    if "html" not in request.form and draft is not None and _same_words(form.text.data or "", draft.text):
        html = draft.html
    elif (form.html.data or "").strip():
        by_address = {url_for("team.draft_file", file_id=f.id): f.content_id for f in (draft.files if draft else ())}
        html = written_html.clean(form.html.data, by_address.get)
        if written_html.is_blank(html) and "<img" not in html:
            html = ""
    text = (form.text.data or "") if html is None else written_html.text(html) if html else ""
    kind = form.kind.data if form.kind.data in ("reply", "forward", "new") else "reply"
    return dict(kind=kind, text=text, html=html or None, subject=form.subject.data or "", sender=form.sender.data or "",
                **{name: recipients.read_loosely(form[name].data or "") for name in ("to", "cc", "bcc")})


def _same_words(typed, kept):
    """Of a text area, which has its own line ends."""
    return typed.strip().splitlines() == kept.strip().splitlines()


def people_in(form):
    """{to, cc, bcc} as the form has them. Raises RuleBroken at the field."""
    return {name: recipients.read(form[name].data or "", name) for name in ("to", "cc", "bcc")}


def leaves_at(form):
    """When it is to leave; None: after the undo time. Raises RuleBroken("until", ...)."""
    if not form.later.data:
        return None
    if form.later.data not in snoozing.CHOICES or form.later.data == "answer":
        abort(400)
    return snoozing.until(form.later.data, datetime.now(get_timezone(time_zone())), form.until.data or "")


def keep_files(form, draft_for):
    """Put the files of a plain form into the draft that `draft_for()` gives. Raises RuleBroken("files", ...)."""
    given = [f for f in form.files.data or () if getattr(f, "filename", "")]
    if given:
        drafts.enclose(draft_for(), [(f.filename, f.mimetype or "application/octet-stream", f.read()) for f in given])


def names_of(senders):
    """{address: the name that customers see}"""
    return {s.address: letters.name_of(s.connection, current_user) for s in senders}


def templates_for(inbox):
    return db.session.scalars(select(Template).where(Template.inbox_id.is_(None) | (Template.inbox_id == inbox.id))
                              .order_by(Template.name, Template.id)).all()


def editor_html(draft):
    """What was written with formatting, with addresses that show its pictures."""
    places = {f.content_id: url_for("team.draft_file", file_id=f.id) for f in draft.files if f.content_id}
    return written_html.shown(draft.html, places.get) if draft.html else ""


def _write(draft, form):
    if form is not None:
        return "forward" if form.kind.data == "forward" else "reply"
    asked = request.args.get("write")
    return asked if asked in WRITES else (draft.kind if draft and draft.kind != "new" else "reply")


def _parent(found, draft, form):
    """The message that is answered or handed on; None: there is none that can be."""
    wanted = find.number(form.of.data if form is not None else request.args.get("of")) or (draft and draft.parent_id)
    try:
        return replies.chosen(found, wanted) or replies.last_message(found)
    except RuleBroken:
        return None


def _people(found, parent, sender, write):
    if write == "forward":
        return [], []
    if write == "all":
        return replies.answer_all(parent, sender, found.inbox)
    return [list(m) for m in replies.answer_to(parent, sender)], []


def _drawn(found, draft, write, parent, sender, people):
    """The form as it is drawn: the draft, unless the page asks for another kind of answer than that."""
    kind = "forward" if write == "forward" else "reply"
    kept = draft if draft is not None and draft.kind == kind and (draft.to or draft.cc) and (
        request.args.get("write") in (None, "note")) else None
    to, cc = (kept.to, kept.cc) if kept else people
    bcc = kept.bcc if kept else []
    return Letter(formdata=None, kind=kind, of=str(parent.id), text=draft.text if draft else "",
                  html=editor_html(draft) if draft else "", to=recipients.written(to), cc=recipients.written(cc),
                  bcc=recipients.written(bcc), sender=sender.address,
                  subject=(kept.subject if kept else "") or replies.subject_for(kind, found, parent))


def _shown(messages, parent, sender, people):
    """{to: (name, address) of whom a reply goes to, as shown above it; elsewhere: the message that asks for other
    addresses than its sender's, and these}."""
    # A name for who has written here under it. Elsewhere, as by Reply-To, the address itself: names can lie.
    names = {m.from_address: m.from_name for m in messages if not m.outgoing}
    shown = [(names.get(a) or "", a) for _name, a in people[0] + people[1]]
    asked = [a for _name, a in people[0]]
    others = goes_elsewhere(Sender("", parent.from_address, reply_to=tuple(asked))) if asked and not people[1] else ()
    return {"to": shown, "can_send": True, "elsewhere": (parent, others) if others and not parent.outgoing else None}


def _token(found):
    """Of this composer: the same in two windows, another one once something was sent from it. Nobody writes a row for
    looking at it."""
    sent = db.session.scalar(select(func.count()).select_from(Outbox).join(Message).where(
        Message.author_id == current_user.id, Outbox.token.startswith(f"c{found.id}-p{current_user.id}-")))
    return f"c{found.id}-p{current_user.id}-{sent}"


def _newest(found):
    return db.session.scalar(select(func.max(Message.id)).where(Message.conversation_id == found.id)) or 0


def _others(found):
    """What colleagues are writing here."""
    return db.session.scalars(select(Draft).where(Draft.conversation_id == found.id,
                                                  Draft.person_id != current_user.id)).all()
