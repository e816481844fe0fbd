"""Team inboxes: lists, a conversation, and what one does with it."""

from webapp.blueprints.team import acting, conversation, inbox, notes, presence, printed, regroup, settings, views
from webapp.blueprints.team.routes import blueprint

__all__ = ["acting", "blueprint", "conversation", "inbox", "notes", "presence", "printed", "regroup",
           "settings", "views"]
