"""Team inboxes: lists, a conversation, and what one does with it."""

from webapp.blueprints.team import (
    acting,
    answering,
    automatic,
    composing,
    contact,
    conversation,
    enclosures,
    inbox,
    notes,
    presence,
    printed,
    regroup,
    reports,
    search,
    sending,
    settings,
    templates,
    views,
)
from webapp.blueprints.team.routes import blueprint

__all__ = ["acting", "answering", "automatic", "blueprint", "composing", "contact", "conversation", "enclosures",
           "inbox", "notes", "presence", "printed", "regroup", "reports", "search", "sending", "settings", "templates",
           "views"]
