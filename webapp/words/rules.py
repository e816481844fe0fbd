"""Sentences of broken rules. What is wrong and the next step in the same breath (UI.md, section 6)."""

from flask_babel import gettext as _
from flask_login import current_user

from webapp.words.dates import on_day


def sentence(code, facts):
    make = SENTENCES.get(code)
    return make(**facts) if make else _("This isn’t possible now.")


def taken(kind, id, name, since, gone, by_login, address, restricted=False, **_facts):
    """Who holds it, for those who may know: own and team addresses for all, colleagues' and those of
    restricted inboxes for admins."""
    mine = current_user.is_authenticated and kind == "personal" and id == current_user.id
    if mine and not by_login:
        return _("You connected %(address)s as your personal address. One address can’t be both personal and team: "
                 "disconnect it first, or use another one.", address=local_part(address))
    shown = mine or current_user.is_authenticated and (
        current_user.is_admin or kind == "team" and not restricted)
    if by_login and shown:
        return _("This signs in to the same mailbox as %(address)s, which is already connected. One mailbox is one "
                 "address here.", address=address)
    if gone and shown:
        return _("%(name)s still holds this address. The account was removed on %(day)s. Release the address, then "
                 "connect it here.", name=name, day=on_day(since))
    if kind == "team" and shown:
        return _("%(address)s already answers in %(inbox)s. A team address belongs to one inbox.",
                 address=local_part(address), inbox=name)
    if shown:
        return _("%(name)s connected %(address)s as a personal address on %(day)s. Ask for it to be disconnected "
                 "there, or use another address.", name=name, address=local_part(address), day=on_day(since))
    return _("This address is already connected in this organisation. Ask an admin who uses it, or use another "
             "address.")


def local_part(address):
    return address.rpartition("@")[0] + "@"


def here_already(address, **_facts):
    return _("%(address)s is connected here already. Reconnect it if it has stopped.", address=address)


SENTENCES = {
    "taken": taken,
    "here_already": here_already,
    "same_mailbox": lambda address, **_f: _(
        "This signs in to the same mailbox as %(address)s, which is already connected.", address=address),
    "team_calendar": lambda **_f: _(
        "A team address can’t take bookings. Meeting pages need a personal address."),
    "not_an_address": lambda **_f: _("Type a whole e-mail address, such as name@company.com."),
    "viewer": lambda **_f: _("You can read here, but not connect addresses. An admin can change that."),
    "admins_only": lambda **_f: _("Only admins connect team addresses. Ask one of them."),
    "plan_limit": lambda used, limit, **_f: _(
        "Your plan has %(limit)s inboxes and %(used)s are in use. Choose one of them, or change the plan.",
        limit=limit, used=used),
    "inbox_name": lambda limit, **_f: _("Give the inbox a name of up to %(limit)s characters.", limit=limit),
    "inbox_exists": lambda name, **_f: _("There is an inbox called %(name)s. Choose it, or use another name.",
                                         name=name),
    "no_inbox": lambda **_f: _("Choose the inbox in which this address answers."),
    "not_shared": lambda **_f: _(
        "Tick this to go on: everyone in the inbox will see every message of this address."),
    "another_mailbox": lambda address, **_f: _(
        "This signs in to another mailbox. Reconnecting is for %(address)s only; connect the other one as a new "
        "address.", address=address),
    "holder_is_here": lambda name, **_f: _("%(name)s is still here and can disconnect this address.", name=name),
    "no_settings": lambda domain, **_f: _(
        "%(domain)s doesn’t publish mail settings, and nothing answered on the usual ports. Type them by hand.",
        domain=domain),
    "preset_servers": lambda domain, **_f: _(
        "Addresses of %(domain)s live on the servers that your administrator named. Look them up instead.",
        domain=domain),
    "foreign_servers": lambda domain, host, **_f: _(
        "%(domain)s says that its mail is at %(host)s. Check that this is right before the password goes there.",
        domain=domain, host=host),
    "sign_in_refused": lambda **_f: _("This address and password don’t go together. Check both and try again."),
    "throttled": lambda minutes, **_f: _("Too many wrong tries. Wait %(minutes)s minutes, then try again.",
                                         minutes=minutes),
    "person_exists": lambda **_f: _("Somebody signs in with this address already."),
    "password_length": lambda low, high, **_f: _("Use %(low)s to %(high)s characters.", low=low, high=high),
    "empty_reply": lambda **_f: _("Write something first."),
    "long_reply": lambda limit, **_f: _("This is longer than %(limit)s characters. Send it as a file instead.",
                                        limit=limit),
    "nobody_to_answer": lambda **_f: _("Nobody can be answered here: the sender left no address that can be trusted."),
    "no_address": lambda inbox, **_f: _("%(inbox)s has no connected address to send from. Connect one first.",
                                        inbox=inbox),
    "required": lambda **_f: _("This is needed."),
    "too_long": lambda limit, **_f: _("Use at most %(limit)s characters.", limit=limit),
    "not_a_host": lambda **_f: _("Type the name of a server, such as imap.company.com."),
    "not_a_user_name": lambda **_f: _("Type the name that you sign in with; most often it is the address."),
    "bad_port": lambda **_f: _("Use a number from 1 to 65535."),
}
