"""Lists: of an inbox, or across all that one may read; their rows, their news, the sidebar."""

from flask import request
from flask_login import current_user

from webapp.blueprints.team.routes import blueprint
from webapp.blueprints.team.rows import listing_of, news_in, rows_of, shell, side_of
from webapp.rules.listing import Listing
from webapp.web import find
from webapp.web.present import fragment, present


@blueprint.get("/inboxes/<int:inbox_id>")
def inbox(inbox_id):
    return present("team/inbox", **shell(find.inbox(inbox_id)))


@blueprint.get("/conversations")
def across():
    return present("team/inbox", **shell(None))


@blueprint.get("/inboxes/<int:inbox_id>/list")
def rows(inbox_id):
    """The rows alone: a further page, or the list anew."""
    return fragment("team/list", **rows_of(find.inbox(inbox_id), listing_of(inbox_id=inbox_id)))


@blueprint.get("/conversations/list")
def across_rows():
    return fragment("team/list", **rows_of(None, listing_of()))


@blueprint.get("/inboxes/<int:inbox_id>/news")
def news(inbox_id):
    """What came since the list was drawn waits behind a button. Told by the newest incoming message's id, not by the
    clock: a mail server's time is another one, and counts in whole seconds."""
    return _news(listing_of(inbox_id=find.inbox(inbox_id).id))


@blueprint.get("/conversations/news")
def across_news():
    return _news(listing_of())


@blueprint.get("/side")
def side():
    """The sidebar's inboxes with their counts."""
    inbox_id = request.args.get("inbox", type=find.row_id)
    place = request.args.get("place", "list")[:30]
    return fragment("_shared/inboxes", current_user=current_user, **side_of(Listing.of(request.args, inbox_id), place))


def _news(listing):
    since = request.args.get("since", 0, type=find.row_id)
    count = news_in(listing, since, request.args.get("current", type=find.row_id))
    return fragment("team/news", count=count, listing=listing, since=since)
