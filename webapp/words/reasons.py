"""Why a message is in its conversation, in a sentence."""

from flask_babel import gettext as _

from webapp.words.dates import on_day


def sentence(reason):
    """Of a Reason (blueprints.team.why). The message that it speaks of is shown under it."""
    return SENTENCES[reason.kind](reason)


def _by_hand(reason):
    event = reason.event
    return {"who": event.actor.name if event.actor else _("Somebody"), "day": on_day(event.at.isoformat()),
            "number": event.facts.get("number", "?")}


SENTENCES = {
    "merged_in": lambda r: _("%(who)s put it here on %(day)s, from conversation #%(number)s.", **_by_hand(r)),
    "split_off": lambda r: _("%(who)s took it out of conversation #%(number)s on %(day)s.", **_by_hand(r)),
    "ours": lambda r: _("%(name)s wrote it here.", name=r.writer.name),
    "answers": lambda r: _("It answers a message of this conversation, and its sender takes part in it."),
    "report": lambda r: _("A mail server reports on a message that was written here."),
    "named": lambda r: _("A message of this conversation refers to it."),
    "twin": lambda r: _("A message of this conversation has the same Message-ID. The two differ, so both are kept."),
    "ghost": lambda r: _("It refers to a message that never arrived here, and so does this one:"),
    "first": lambda r: _("It is the first message of this conversation that was read."),
    "earlier": lambda r: _("It was put here when it was read. What tied it is not kept with mail of that time."),
}
