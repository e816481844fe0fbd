"""Words for every code: rules give codes with facts, sentences are made here, in English and (gettext) Polish."""

from pathlib import Path

from flask import current_app, request, session
from flask_login import current_user

from webapp.rules.bounds import LANGUAGES
from webapp.words import (
    acts,
    audit,
    automatic,
    availability,
    connecting,
    dates,
    devices,
    events,
    invitations,
    lists,
    notices,
    outgoing,
    people,
    pictures,
    reasons,
    reports,
    routing,
    rules,
    search,
    senders,
    snoozing,
    targets,
    zones,
)
from webapp.words.dates import time_zone

FOLDER = Path(__file__).parent / "catalogues"

__all__ = ["acts", "audit", "automatic", "availability", "connecting", "dates", "devices", "events", "invitations",
           "lists", "notices", "outgoing", "people", "pictures", "reasons", "reports", "routing", "say", "search",
           "senders", "snoozing", "targets", "time_zone", "zones"]


def say(broken):
    """The sentence of a broken rule, for the field it names."""
    return rules.sentence(broken.code, broken.facts)


def language():
    """The person's language; before signing in, the one chosen on that page, the browser's, or the default."""
    if current_user.is_authenticated:
        return current_user.language
    chosen = session.get("language")
    if chosen in LANGUAGES:
        return chosen
    return request.accept_languages.best_match(LANGUAGES) or current_app.config["SETTINGS"].default_language
