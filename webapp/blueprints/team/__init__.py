"""Team inboxes: lists, a conversation, and what one does with it."""

from webapp.blueprints.team import (
    acting,
    answering,
    composing,
    conversation,
    enclosures,
    inbox,
    notes,
    printed,
    regroup,
    sending,
    settings,
    templates,
    views,
)
from webapp.blueprints.team.routes import blueprint

__all__ = ["acting", "answering", "blueprint", "composing", "conversation", "enclosures", "inbox", "notes", "printed",
           "regroup", "sending", "settings", "templates", "views"]
