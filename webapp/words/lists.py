"""Words of lists and their rows."""

from flask_babel import gettext as _
from flask_babel import pgettext

from webapp.words.dates import ahead, at_time


def statuses():
    return (("open", pgettext("conversations", "Open")), ("waiting", pgettext("conversations", "Waiting")),
            ("snoozed", pgettext("conversations", "Snoozed")), ("closed", pgettext("conversations", "Closed")),
            ("any", _("Open, waiting, snoozed or closed")), ("sent", pgettext("conversations", "Sent")),
            ("spam", _("Spam")), ("trash", _("Trash")))


def views():
    return (("all", _("Everybody’s")), ("mine", _("Assigned to me")), ("unassigned", _("Unassigned")),
            ("mentions", _("That mention me")), ("following", _("That I follow")))


def sorts():
    return (("newest", _("Newest first")), ("oldest", _("Oldest first")),
            ("due", _("Reply due first (only those that are due)")))


def title(listing, inbox, saved=None):
    """What the list is called."""
    if saved:
        return saved.name
    name = {"mine": _("Assigned to me"), "mentions": _("Mentions"), "following": _("Following"),
            "unassigned": _("Unassigned")}.get(listing.view)
    name = name or {"sent": pgettext("conversations", "Sent"), "spam": _("Spam"),
                    "trash": _("Trash")}.get(listing.status)
    if listing.late:
        name = _("Overdue")
    if inbox is None:
        return name or (pgettext("conversations", "Snoozed") if listing.status == "snoozed" else _("All inboxes"))
    return f"{inbox.name} – {name}" if name else inbox.name


def state(conversation):
    """(icon, words) of where it stands; None when it is simply open."""
    return {
        "waiting": ("hourglass", _("Waiting for an answer")),
        "snoozed": ("snooze", _("Snoozed until %(time)s", time=at_time(conversation.snoozed_until.isoformat()))
                    if conversation.snoozed_until else _("Snoozed until somebody answers")),
        "closed": ("check", pgettext("conversation", "Closed")),
        "spam": ("spam", _("Spam")),
        "trash": ("trash", _("In the trash")),
    }.get(conversation.status) or (("snooze", _("Back from snooze")) if conversation.woke_at else None)


def hint(conversation, listing, leaves=None):
    """The same for its row, where the list does not say it already. `leaves`: when something of ours is to leave."""
    if leaves is not None:
        return "send", _("Leaves %(time)s", time=ahead(leaves.isoformat()))
    says = state(conversation)
    if conversation.status == "snoozed" and conversation.snoozed_until:
        return says
    return says if says and conversation.status != listing.status else None


def empty(listing):
    """(heading, sentence) of a list in which nothing is."""
    if listing.late:
        return _("Nothing is overdue"), _("Whoever waits longer than your response targets say is here.")
    if listing.is_filtered:
        return _("Nothing matches"), _("Show more by taking something off the filter.")
    by_view = {
        "mine": (_("Nothing is assigned to you"), _("Take on a conversation, or look at the unassigned ones.")),
        "unassigned": (_("Everything has somebody"), _("New conversations appear here until someone takes them on.")),
        "mentions": (_("Nobody has mentioned you"), _("Notes in which a colleague writes @ and your name are here.")),
        "following": (_("You follow nothing"), _("Follow a conversation to be told of what happens in it.")),
    }
    by_status = {
        "waiting": (_("Nobody owes you an answer"), _("What you have answered waits here for the customer.")),
        "snoozed": (_("Nothing is snoozed"), _("What you put off comes back by itself.")),
        "closed": (_("Nothing is closed yet"), _("Conversations that you close are kept here.")),
        "sent": (_("Nothing was sent yet"), _("Conversations in which you wrote are here, the newest first.")),
        "spam": (_("No spam"), _("What you call spam lies here for 90 days.")),
        "trash": (_("The trash is empty"), _("What you throw away can be taken out again.")),
    }
    return (by_status.get(listing.status) or by_view.get(listing.view)
            or (_("Nobody is waiting"), _("New mail appears here by itself.")))
