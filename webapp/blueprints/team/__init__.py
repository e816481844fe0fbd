"""Team inboxes: the list, a conversation, and what one does with it."""

from webapp.blueprints.team import conversation, inbox, printed, regroup, settings
from webapp.blueprints.team.routes import blueprint

__all__ = ["blueprint", "conversation", "inbox", "printed", "regroup", "settings"]
