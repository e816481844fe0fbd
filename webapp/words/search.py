"""Words of searching: what can be typed, what was understood, what was not."""

from flask_babel import gettext as _
from flask_babel import pgettext

from webapp.words.dates import full_day


def help():
    """(what to type, what it finds) each."""
    return (
        (_("pallet damaged"), _("both words, in one message or note")),
        (_("pal*"), _("words that begin like this")),
        (_("“damaged pallet”"), _("these words, one after the other")),
        (_("-invoice"), _("without this word")),
        ("from:anna  to:anna", _("from or to somebody, by name or address")),
        ("subject:…  file:…", _("words in the subject or in names of files")),
        ("in:…", _("in an inbox, or in: open, waiting, snoozed, closed, spam, trash, anywhere")),
        ("is:…", _("is: unread, read, mine, unassigned, following, open, closed…")),
        ("has:file  has:note", _("with attachments, with notes")),
        ("after:7d  before:2026-05-31", _("since then, until then: days, or how long ago in d, w, m, y")),
        ("tag:…", _("with this tag")),
        ("assignee:…", _("whose it is: a name, me, nobody")),
    )


def understood(query):
    """What is looked for, in words, a piece each."""
    said = [_term(t) for t in query.terms] + [_filter(f) for f in query.filters]
    if query.after:
        said.append(_("since %(day)s", day=full_day(query.after.isoformat())))
    if query.before:
        said.append(_("before %(day)s", day=full_day(query.before.isoformat())))
    return said


def hint(code, typed):
    return {
        "unknown_operator": _("“%(typed)s” is not known here; it was looked for as a word.", typed=typed),
        "nothing_behind": _("Something is missing behind “%(typed)s”.", typed=typed),
        "unknown_state": _("“is:%(typed)s” is not known. Try unread, mine, unassigned or closed.", typed=typed),
        "unknown_part": _("“has:%(typed)s” is not known. Try file or note.", typed=typed),
        "not_a_day": _("“%(typed)s” is not a day. Write it like 2026-05-31, or 7d for seven days ago.", typed=typed),
        "only_without": _("There has to be something to look for, too, not only what to leave out (%(typed)s).",
                          typed=typed),
        "no_inbox": _("You can read no inbox called “%(typed)s”.", typed=typed),
        "no_tag": _("No conversation has the tag “%(typed)s”.", typed=typed),
        "no_assignee": _("Nobody is called “%(typed)s”.", typed=typed),
    }[code]


def _term(term):
    text = " ".join(term.words) + "…" * term.prefix
    said = {"sender": _("from: %(text)s", text=text), "people": _("to: %(text)s", text=text),
            "head": _("in subject or file names: %(text)s", text=text)}.get(term.field, text)
    return _("not %(this)s", this=said) if term.without else said


def _filter(asked):
    value = asked.value
    states = {"open": pgettext("conversations", "Open"), "waiting": pgettext("conversations", "Waiting"),
              "snoozed": pgettext("conversations", "Snoozed"), "closed": pgettext("conversations", "Closed"),
              "spam": _("Spam"), "trash": _("Trash"), "unread": _("unread"), "read": pgettext("search", "read"),
              "unassigned": _("Unassigned"), "assigned": pgettext("search", "assigned"), "mine": _("Assigned to me"),
              "following": _("Following")}
    said = {"status": states.get(value), "state": states.get(value),
            "anywhere": _("everywhere, also in spam and trash"),
            "inbox": _("inbox: %(name)s", name=value), "tag": _("tag: %(name)s", name=value),
            "has": _("with notes") if value == "note" else _("with attachments"),
            "assignee": {"me": _("Assigned to me"), "nobody": _("Unassigned")}.get(
                value.lower(), _("assigned to: %(name)s", name=value))}[asked.kind]
    return _("not %(this)s", this=said) if asked.without else said
