"""The audit log, for admins: read, filtered, exported. Nothing here changes a row."""

import json
from datetime import UTC, date, datetime, time, timedelta

from babel.dates import get_timezone
from flask import Blueprint, Response, abort, request, stream_with_context
from flask_login import current_user
from sqlalchemy import String, cast, func, or_, select
from sqlalchemy.orm import joinedload

from webapp import words
from webapp.actions.audit import note
from webapp.extensions import db, writing
from webapp.models import Audit, Person
from webapp.rules.bounds import AUDIT_SEARCH_MAX
from webapp.web import csv, find
from webapp.web.forms import Act
from webapp.web.present import fragment, is_swap, present

blueprint = Blueprint("audit", __name__)
PAGE = 50
EXPORTED_AT_ONCE = 500
FORMATS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}
COLUMNS = ("number", "at", "person_id", "person", "action", "subject", "what", "facts", "previous", "digest")
BY_ITSELF = "0"      # in place of a person's id: what the product did without anybody


@blueprint.get("/audit")
def index():
    _admins()
    wanted = _wanted(request.args)
    before = request.args.get("before", type=find.row_id)
    rows = _page(_filtered(wanted), before, PAGE + 1)
    facts = dict(rows=rows[:PAGE], older=rows[PAGE - 1].number if len(rows) > PAGE else None, wanted=wanted)
    if is_swap():
        return fragment("audit/rows" if before else "audit/found", **facts)
    return present("audit/index", people=_people(), **facts)


@blueprint.post("/audit/export")
def export():
    """What the filter shows, as a file. That it was taken out is noted in the log itself."""
    _admins()
    kind = request.form.get("format")
    if not Act().validate_on_submit() or kind not in FORMATS:
        abort(400)
    wanted = _wanted(request.form)
    count = db.session.scalar(_filtered(wanted).with_only_columns(func.count()))
    row = note(current_user, "audit.exported", "audit-log", format=kind, rows=count,
               filter={name: value for name, value in wanted.items() if value})
    make = {"csv": _csv, "jsonl": _jsonl}[kind]
    # Whole rows up to here: what is noted meanwhile does not shift the file.
    lines = make(_all(_filtered(wanted), row.number))
    return Response(stream_with_context(lines), content_type=FORMATS[kind], headers={
        "Content-Disposition": f'attachment; filename="audit-{row.at:%Y-%m-%d}-{row.number}.{kind}"',
        "Cache-Control": "no-store"})


def _admins():
    if not current_user.is_admin:
        abort(404)


def _wanted(given):
    """The filter: {"who", "kind", "q", "since", "until"}, each "" when it was not given or makes no sense."""
    who, kind = given.get("who", ""), given.get("kind", "")
    return {"who": who if who == BY_ITSELF or given.get("who", type=find.row_id) else "",
            "kind": kind if kind in words.audit.group_names() else "",
            "q": given.get("q", "").replace("\x00", "").strip()[:AUDIT_SEARCH_MAX],
            "since": _as_day(given.get("since")), "until": _as_day(given.get("until"))}


def _page(query, before, size):
    """That many rows, newest first, below a number."""
    if before:
        query = query.where(Audit.number < before)
    return db.session.scalars(query.options(joinedload(Audit.actor)).order_by(Audit.number.desc()).limit(size)).all()


def _filtered(wanted):
    query = select(Audit)
    if wanted["who"]:
        query = query.where(Audit.actor_id.is_(None) if wanted["who"] == BY_ITSELF
                            else Audit.actor_id == int(wanted["who"]))
    if wanted["kind"]:
        query = query.where(Audit.action.in_(words.audit.actions_of(wanted["kind"])))
    if wanted["since"]:
        query = query.where(Audit.at >= _midnight(wanted["since"]))
    if wanted["until"]:
        query = query.where(Audit.at < _midnight(wanted["until"], 1))
    return query.where(_says(wanted["q"])) if wanted["q"] else query


def _says(text):
    """In the facts, the subject, the action or the name of who did it. Facts are stored as JSON in ASCII, where ż is
    \\u017c: that is looked for, in the ways in which the word may have been written."""
    ways = dict.fromkeys((text, text.lower(), text.upper(), text.title(), text.capitalize()))
    stored = func.lower(cast(Audit.facts, String))
    actor = select(Person.id).where(or_(*(Person.name.contains(way, autoescape=True) for way in ways)))
    return or_(*(stored.contains(json.dumps(way)[1:-1].lower(), autoescape=True, escape="!") for way in ways),
               func.lower(Audit.subject) == text.lower(), Audit.action.contains(text.lower(), autoescape=True),
               Audit.actor_id.in_(actor))


def _as_day(text):
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return ""
    return day.isoformat() if 1970 < day.year < 9000 else ""


def _midnight(day, later=0):
    """When a day begins where the person is; `later` days after it."""
    at = datetime.combine(date.fromisoformat(day) + timedelta(days=later), time())
    zone = get_timezone(words.time_zone())
    # pytz, where Babel finds it, can't be given to `replace`: that would be the zone's time of 1900.
    return (zone.localize(at) if hasattr(zone, "localize") else at.replace(tzinfo=zone)).astimezone(UTC)


def _people():
    """Everybody who ever did something that is noted."""
    did = select(Audit.actor_id).where(Audit.actor_id.is_not(None)).distinct()
    return db.session.scalars(select(Person).where(Person.id.in_(did)).order_by(Person.name)).all()


def _all(query, before):
    """Row by row, some hundred at a time: neither memory nor a lock is held while the file is on its way."""
    writing.set(False)       # what was to be written is committed; from here on it only reads
    while True:
        rows = _page(query, before, EXPORTED_AT_ONCE)
        yield from (_plain(row) for row in rows)
        db.session.rollback()
        if len(rows) < EXPORTED_AT_ONCE:
            return
        before = rows[-1].number


def _plain(row):
    return {"number": row.number, "at": row.at.isoformat(timespec="microseconds"), "person_id": row.actor_id,
            "person": row.actor.name if row.actor else None, "action": row.action, "subject": row.subject,
            "what": words.audit.sentence(row), "facts": row.facts, "previous": row.previous, "digest": row.digest}


def _csv(rows):
    return csv.lines(COLUMNS, ([row[name] for name in COLUMNS] for row in rows))


def _jsonl(rows):
    for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"
