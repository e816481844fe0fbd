"""What the database counts becomes the numbers of a report: by inbox, by person, by day, by hour of the week."""

from collections import defaultdict
from dataclasses import dataclass, field

from webapp.extensions import db
from webapp.models import report
from webapp.rules.reports import Measures
from webapp.web.days import has_quarters, midnight


@dataclass
class Figures:
    total: Measures = field(default_factory=Measures)
    inboxes: dict = field(default_factory=lambda: defaultdict(Measures))
    people: dict = field(default_factory=lambda: defaultdict(Measures))     # by id; None: in another mail program
    days: dict = field(default_factory=lambda: defaultdict(Measures))       # counts alone
    hours: dict = field(default_factory=lambda: defaultdict(int))           # (weekday, hour) -> incoming mail

    def of(self, inbox_id, person_id):
        """All that something is counted in that a person did."""
        return self.total, self.inboxes[inbox_id], self.people[person_id]


def figures(inbox_ids, period, where):
    """Of one period, in the zone `where`."""
    found = Figures()
    since, before = period.bounds(lambda day: midnight(day, where))
    quarters = has_quarters(since, before, where)
    local = _local(where)
    _count_mail(found, report.mail(inbox_ids, since, before, quarters), report.mail_of_each(inbox_ids, since, before),
                local)
    for inbox_id, slot, n in _rows(report.opened(inbox_ids, since, before, quarters)):
        for measures in (found.total, found.inboxes[inbox_id], found.days[local(slot)[0]]):
            measures.new += n
    for slot, n in _rows(report.closings(inbox_ids, since, before, quarters)):
        found.days[local(slot)[0]].closed += n
    for inbox_id, person_id, minutes, n in _rows(report.closing_times(inbox_ids, since, before)):
        for measures in found.of(inbox_id, person_id):
            measures.closed += n
            _add(measures.closing, minutes, n)
    for inbox_id, person_id, minutes, n in _rows(report.first_answers(inbox_ids, since, before)):
        for measures in found.of(inbox_id, person_id):
            _add(measures.first, minutes, n)
    for inbox_id, person_id, was, n in _rows(report.in_time(inbox_ids, since, before)):
        for measures in found.of(inbox_id, person_id):
            measures.kept += n if was else 0
            measures.missed += 0 if was else n
    return found


def totals(inbox_ids, period, where):
    """The sums alone, of the period before."""
    total = Measures()
    since, before = period.bounds(lambda day: midnight(day, where))
    counted = dict(_rows(report.mail_in_all(inbox_ids, since, before)))
    total.mail_in, total.mail_out = counted.get(False, 0), counted.get(True, 0)
    total.new = db.session.scalar(report.opened_in_all(inbox_ids, since, before))
    total.closing = dict(_rows(report.closing_times(inbox_ids, since, before, each=False)))
    total.closed = sum(total.closing.values())
    total.first = dict(_rows(report.first_answers(inbox_ids, since, before, each=False)))
    in_time = dict(_rows(report.in_time(inbox_ids, since, before, each=False)))
    total.kept, total.missed = in_time.get(True, 0), in_time.get(False, 0)
    return total


def _count_mail(found, by_slot, of_each, local):
    for slot, outgoing, n in _rows(by_slot):
        day, weekday, hour = local(slot)
        _mail(found.days[day], outgoing, n)
        if not outgoing:
            found.hours[weekday, hour] += n
    for inbox_id, outgoing, author_id, n in _rows(of_each):
        _mail(found.inboxes[inbox_id], outgoing, n)
        _mail(found.total, outgoing, n)
        if outgoing:
            _mail(found.people[author_id], outgoing, n)


def _mail(measures, outgoing, n):
    if outgoing:
        measures.mail_out += n
    else:
        measures.mail_in += n


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
