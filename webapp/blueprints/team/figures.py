"""What the database counts becomes the numbers of a report: by inbox, by person, by day, by hour of the week."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

from webapp.extensions import db
from webapp.models import report
from webapp.rules.reports import Measures
from webapp.web.days import has_quarters, midnight

QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)


@dataclass
class Figures:
    total: Measures = field(default_factory=Measures)
    inboxes: dict = field(default_factory=lambda: defaultdict(Measures))
    people: dict = field(default_factory=lambda: defaultdict(Measures))     # by id; None: in another mail program
    days: dict = field(default_factory=lambda: defaultdict(Measures))       # counts alone
    hours: dict = field(default_factory=lambda: defaultdict(int))           # (weekday, hour) -> incoming mail

    def of(self, inbox_id, person_id=0, day=None):
        """All that something is counted in. `person_id` 0: it is nobody's doing."""
        found = [self.total, self.inboxes[inbox_id]]
        found += [self.people[person_id]] if person_id != 0 else []
        return [*found, self.days[day]] if day else found


def figures(inbox_ids, period, where):
    """Of one period, in the zone `where`."""
    found = Figures()
    since, before = period.bounds(lambda day: midnight(day, where))
    quarters = has_quarters(since, before, where)
    local = _local(where)
    _count_mail(found, report.mail(inbox_ids, since, before, quarters), local)
    for inbox_id, slot, n in _rows(report.opened(inbox_ids, since, before, quarters)):
        for measures in found.of(inbox_id, day=local(slot)[0]):
            measures.new += n
    for inbox_id, person_id, slot, minutes, n in _rows(report.closings(inbox_ids, since, before, quarters)):
        for measures in found.of(inbox_id, person_id, local(slot)[0]):
            measures.closed += n
            _add(measures.closing, minutes, n)
    _count_answers(found, inbox_ids, since, before)
    return found


def totals(inbox_ids, period, where):
    """The sums alone, of the period before."""
    found = Figures()
    since, before = period.bounds(lambda day: midnight(day, where))
    counted = dict(_rows(report.mail_in_all(inbox_ids, since, before)))
    found.total.mail_in, found.total.mail_out = counted.get(False, 0), counted.get(True, 0)
    found.total.new = db.session.scalar(report.opened_in_all(inbox_ids, since, before))
    for _inbox, _person, _slot, minutes, n in _rows(report.closings(inbox_ids, since, before, False)):
        found.total.closed += n
        _add(found.total.closing, minutes, n)
    _count_answers(found, inbox_ids, since, before)
    return found.total


def _count_mail(found, query, local):
    for inbox_id, slot, outgoing, author_id, n in _rows(query):
        day, weekday, hour = local(slot)
        if outgoing:
            for measures in found.of(inbox_id, author_id, day):
                measures.mail_out += n
        else:
            found.hours[weekday, hour] += n
            for measures in found.of(inbox_id, day=day):
                measures.mail_in += n


def _count_answers(found, inbox_ids, since, before):
    for inbox_id, person_id, minutes, n in _rows(report.first_answers(inbox_ids, since, before)):
        for measures in found.of(inbox_id, person_id):
            _add(measures.first, minutes, n)
    for inbox_id, person_id, was, n in _rows(report.in_time(inbox_ids, since, before)):
        for measures in found.of(inbox_id, person_id):
            measures.kept += n if was else 0
            measures.missed += 0 if was else n


def _local(where):
    """A function that says (day, weekday, hour) of a slot; each is asked for once."""
    known = {}

    def local(slot):
        if slot not in known:
            here = report.moment_of(slot).astimezone(where)
            known[slot] = here.date(), here.weekday(), here.hour
        return known[slot]
    return local


def _add(counted, minutes, n):
    counted[minutes] = counted.get(minutes, 0) + n


def _rows(query):
    return db.session.execute(query).all()
