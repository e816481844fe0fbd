"""What people change of themselves: name, title, language, time zone, theme, password."""

from webapp.actions.audit import note
from webapp.actions.links import void
from webapp.actions.notices import tell
from webapp.actions.sign_in import end_other_sessions
from webapp.extensions import db
from webapp.live import announce
from webapp.rules import RuleBroken
from webapp.rules.bounds import LANGUAGES, THEMES, TITLE_MAX
from webapp.rules.people import check_name, check_time_zone, clean_name


def change(actor, name, title, language, time_zone, theme):
    """Raises RuleBroken(<field>, "person_name" | "too_long" | "unknown_time_zone" | "not_a_choice")."""
    name, title, time_zone = check_name(name), clean_name(title), check_time_zone(time_zone)
    if len(title) > TITLE_MAX:
        raise RuleBroken("title", "too_long", limit=TITLE_MAX)
    for field, value, known in (("language", language, LANGUAGES), ("theme", theme, THEMES)):
        if value not in known:
            raise RuleBroken(field, "not_a_choice")
    actor.name, actor.title, actor.time_zone, actor.language, actor.theme = name, title, time_zone, language, theme
    db.session.flush()
    announce(f"person-{actor.id}")


def choose(actor, mail_mentions, mail_following, single_keys):
    """By what one is told, and whether one key alone does something."""
    actor.mail_mentions, actor.mail_following, actor.single_keys = mail_mentions, mail_following, single_keys
    db.session.flush()


def change_password(actor, password_hash, token):
    """The new one counts; other browsers are signed out, links that wait to be opened are void. `token`: this
    browser's."""
    actor.password_hash = password_hash
    for purpose in ("email", "reset"):      # whoever knew the old one may have asked for them
        void(purpose, actor.id)
    end_other_sessions(actor, token)
    note(actor, "person.password_changed", f"person-{actor.id}", name=actor.name, by="profile")
    tell(actor, "password_changed")
    db.session.flush()
