"""Reports: how much comes and leaves, how fast it is answered, by inbox and person. Of inboxes that one may read."""

from typing import NamedTuple

from flask import Response, abort, request
from flask_login import current_user
from sqlalchemy import select

from webapp import words
from webapp.blueprints.team.figures import figures, totals
from webapp.blueprints.team.routes import blueprint
from webapp.blueprints.team.rows import side_of
from webapp.extensions import db
from webapp.models import Person, report
from webapp.rules.access import may_see_people_figures
from webapp.rules.listing import Listing
from webapp.rules.reports import COLUMNS, OF_PERSONS, Measures, Period, order, shade
from webapp.web import csv, find
from webapp.web.days import midnight, today, zone
from webapp.web.plots import bars
from webapp.web.present import fragment, is_swap, present

TABLES = ("days", "inboxes", "people", "hours")


class Row(NamedTuple):
    name: str
    measures: Measures


@blueprint.get("/reports")
def reports():
    asked = _asked()
    facts = {**asked, **_found(asked), "may_see_people": may_see_people_figures(current_user.role)}
    if is_swap():
        return fragment("team/report", **facts)
    return present("team/reports", conversation=None, **{**side_of(Listing(), "reports"), **facts})


@blueprint.get("/reports/<any({}):table>.csv".format(", ".join(TABLES)))
def report_csv(table):
    asked = _asked()
    if table == "people" and not may_see_people_figures(current_user.role):
        abort(404)
    found = figures(asked["ids"], asked["period"], zone())
    head, rows = _table(table, asked, found)
    name = f"{table}-{asked['period'].first}-{asked['period'].last}.csv"
    return Response("\ufeff" + "".join(csv.lines(head, rows)), content_type="text/csv; charset=utf-8", headers={
        "Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"})


def _asked():
    """The period, and of which inboxes: those that are ticked, else all."""
    known = find.inboxes_to_read()
    ticked = set(request.args.getlist("inbox", type=find.row_id))
    chosen = [i for i in known if i.id in ticked]
    if ticked and len(chosen) < len(ticked):
        abort(404)
    period = Period.of(request.args, today())
    query = {**period.query(), **({"inbox": [i.id for i in chosen]} if chosen else {})}
    return dict(period=period, known=known, chosen=chosen, shown=chosen or known, query=query,
                ids=[i.id for i in chosen or known])


def _found(asked):
    period, where = asked["period"], zone()
    now, before = figures(asked["ids"], period, where), totals(asked["ids"], period.before(), where)
    rows, by = order(_inbox_rows(asked, now), request.args.get("by", ""))
    persons, persons_by = order(_person_rows(now), request.args.get("by", ""), OF_PERSONS)
    slots = [[now.days[day] for day in period.all_days() if first <= day <= last] for first, last in period.bars()]
    sums = [{name: sum(getattr(m, name) for m in slot) for name in ("mail_in", "mail_out", "new", "closed")}
            for slot in slots]
    most = max(now.hours.values(), default=0)
    since = db.session.scalar(report.known_since(asked["ids"]))
    return dict(
        tiles=words.reports.tiles(now.total, before), inbox_rows=rows, by=by,
        person_rows=persons, persons_by=persons_by, slots=list(zip(period.bars(), sums, strict=True)),
        plots=[(said, bars(*([s[name] for s in sums] for name in pair))) for said, pair in zip(
            words.reports.plots(), (("mail_in", "mail_out"), ("new", "closed")), strict=True)],
        heat=[[(now.hours[day, hour], shade(now.hours[day, hour], most)) for hour in range(24)] for day in range(7)],
        known_since=since if since and since > midnight(period.first) else None)


def _inbox_rows(asked, found):
    return [Row(i.name, found.inboxes[i.id]) for i in asked["shown"]]


def _person_rows(found):
    names = dict(db.session.execute(select(Person.id, Person.name).where(
        Person.id.in_([i for i in found.people if i]))).all())
    return [Row(names.get(i) or words.reports.elsewhere(), m) for i, m in found.people.items() if not m.is_empty]


def _table(table, asked, found):
    if table == "hours":
        return words.reports.hours_head(), [
            [words.reports.weekday(day), *(found.hours[day, hour] for hour in range(24))] for day in range(7)]
    if table == "days":
        names = ("mail_in", "mail_out", "new", "closed")
        rows = [[day.isoformat(), *(getattr(found.days[day], n) for n in names)] for day in asked["period"].all_days()]
        return [words.reports.day(), *(words.reports.column(n) for n in names)], rows
    columns = COLUMNS if table == "inboxes" else OF_PERSONS
    rows = _inbox_rows(asked, found) if table == "inboxes" else _person_rows(found)
    return [words.reports.name(table), *map(words.reports.in_file, columns)], [
        [row.name, *(getattr(row.measures, n) for n in columns)] for row in order(rows, "", columns)[0]]
