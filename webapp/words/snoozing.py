"""Words of the times to choose from."""

from flask_babel import gettext as _


def choices():
    return (("later", _("in three hours")), ("tomorrow", _("tomorrow at 8:00")), ("monday", _("Monday at 8:00")),
            ("week", _("in a week")), ("answer", _("until somebody answers")), ("custom", _("another time")))
