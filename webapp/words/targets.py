"""Words of answers that are due."""

from datetime import UTC, datetime

from flask_babel import gettext as _
from flask_babel import ngettext

from webapp.rules.targets import UNITS, rough, urgency
from webapp.words.dates import at_time

TONES = {"due": "", "soon": "warn", "overdue": "danger"}


def due(due_at, at=None):
    """(tone, sentence, when) of an answer that is due then."""
    at = at or datetime.now(UTC)
    how = urgency(due_at, at)
    time = span(*rough(due_at - at))
    text = _("Overdue by %(time)s", time=time) if how == "overdue" else _("Reply due in %(time)s", time=time)
    return TONES[how], text, at_time(due_at.isoformat())


def span(number, unit):
    """45 min, 3 h, 2 days: with a blank that does not break."""
    text = {"minutes": lambda: _("%(num)s min", num=number), "hours": lambda: _("%(num)s h", num=number),
            "days": lambda: ngettext("%(num)s day", "%(num)s days", number)}[unit]()
    return text.replace(" ", "\u00a0")


def patterns():
    """The same for a script, which puts numbers in place of #."""
    return {"in": _("Reply due in %(time)s", time="#"), "over": _("Overdue by %(time)s", time="#"),
            "minutes": span("#", "minutes"), "hours": span("#", "hours")}


def units():
    names = {"minutes": _("minutes"), "hours": _("hours")}
    return [(unit, names[unit]) for unit in UNITS]
