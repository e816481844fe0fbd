"""Sentences of broken rules. What is wrong and the next step in the same breath (UI.md, section 6)."""

from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from webapp.words.dates import on_day


def sentence(code, facts):
    make = SENTENCES.get(code)
    return make(**facts) if make else _("This isn’t possible now.")


def taken(kind, id, name, since, gone, by_login, address, uses=(), wanted="", restricted=False, **_facts):
    """Who holds it, for those who may know: own and team addresses for all, colleagues' and those of
    restricted inboxes for admins."""
    mine = current_user.is_authenticated and kind == "personal" and id == current_user.id
    shown = mine or current_user.is_authenticated and (current_user.is_admin or kind == "team" and not restricted)
    if not shown:
        return _("This address is already connected in this organisation. Ask an admin for it, or use another "
                 "address.")
    if gone:
        return _("%(name)s still holds %(address)s. The account was removed on %(day)s. Release the address, then "
                 "connect it here.", name=name, address=address, day=on_day(since))
    if by_login:
        return _("This signs in to the same mailbox as %(address)s, which is already connected. One mailbox is one "
                 "address here.", address=address)
    if kind == "team":
        return _team_holds(address, name, wanted)
    return (_own if mine else _colleagues)(address, name, since, "calendar" in uses and wanted == "team")


def _team_holds(address, inbox, wanted):
    if wanted == "calendar":
        return _("%(address)s answers in %(inbox)s. A team address can’t take bookings.", address=local_part(address),
                 inbox=inbox)
    if wanted == "personal":
        return _("%(address)s answers in %(inbox)s. One address can’t be both personal and team.",
                 address=local_part(address), inbox=inbox)
    return _("%(address)s already answers in %(inbox)s. A team address belongs to one inbox.",
             address=local_part(address), inbox=inbox)


def _own(address, _name, _since, books):
    if books:
        return _("You take bookings with %(address)s, so it can’t also be a team address. Take bookings with another "
                 "one first, or use another address here.", address=local_part(address))
    return _("You connected %(address)s as your personal address. One address can’t be both personal and team: switch "
             "it, or use another one.", address=local_part(address))


def _colleagues(address, name, since, books):
    if books:
        return _("%(name)s takes bookings with %(address)s, so it can’t be a team address. Release it, or use another "
                 "address.", name=name, address=local_part(address))
    return _("%(name)s connected %(address)s as a personal address on %(day)s. Ask for it to be disconnected there, "
             "release it, or use another address.", name=name, address=local_part(address), day=on_day(since))


def local_part(address):
    return address.rpartition("@")[0] + "@"


def here_already(address, **_facts):
    return _("%(address)s is connected here already. Reconnect it if it has stopped.", address=address)


SENTENCES = {
    "sender_unsure": lambda **_f: _(
        "It isn’t certain that this sender wrote it. Show the pictures of this message only."),
    "freemail_domain": lambda domain, **_f: _(
        "Everybody can have an address at %(domain)s. Allow this sender only.", domain=domain),
    "too_many_senders": lambda limit, **_f: _(
        "You allow pictures of %(limit)s senders and domains. Remove some in your profile first.", limit=limit),
    "not_ahead": lambda **_f: _("That time has passed. Choose a later one."),
    "far_ahead": lambda **_f: _("That is more than two years ahead. Choose an earlier day."),
    "not_a_time": lambda **_f: _("Choose a day and a time."),
    "tag_name": lambda limit, **_f: _("Use a tag of up to %(limit)s characters.", limit=limit),
    "many_tags": lambda limit, **_f: _("A conversation has at most %(limit)s tags. Take one off first.", limit=limit),
    "here_already_inbox": lambda inbox, **_f: _("It is in %(inbox)s already.", inbox=inbox),
    "empty_note": lambda **_f: _("Write something first."),
    "long_note": lambda limit, **_f: _("A note has at most %(limit)s characters.", limit=limit),
    "not_your_note": lambda **_f: _("Only its author can delete a note."),
    "view_name": lambda limit, **_f: _("Give the view a name of up to %(limit)s characters.", limit=limit),
    "nothing_stays": lambda **_f: _("That would be all of this conversation. Choose a later message."),
    "moved_meanwhile": lambda number, **_f: _(
        "Somebody was faster: it is in conversation #%(number)s now. Go on there.", number=number),
    "same_conversation": lambda **_f: _("That is this conversation itself. Choose another one."),
    "other_inbox": lambda inbox, **_f: _(
        "%(inbox)s has no conversation with this number. Choose one of the list, or search for it.", inbox=inbox),
    "nothing_to_put_back": lambda **_f: _("Nothing is left to put back: it lies elsewhere by now."),
    "taken": taken,
    "here_already": here_already,
    "same_mailbox": lambda address, **_f: _(
        "This signs in to the same mailbox as %(address)s, which is already connected.", address=address),
    "sends_already": lambda address, **_f: _("This inbox already answers from %(address)s.", address=address),
    "many_aliases": lambda limit, **_f: _("A mailbox can send from up to %(limit)s other addresses.", limit=limit),
    "team_calendar": lambda **_f: _(
        "A team address can’t take bookings. Meeting pages need a personal address."),
    "takes_bookings": lambda **_f: _(
        "You take bookings with this address, so it can’t also be a team address. Take bookings with another one "
        "first."),
    "join_first": lambda **_f: _(
        "Only people who can open this inbox can make its address theirs. Add yourself in its settings first; its "
        "members are told."),
    "disconnect_it": lambda **_f: _("This is a team address. Disconnect it in the settings of its inbox."),
    "not_taken": lambda **_f: _("Nobody holds this address now. Connect it."),
    "password_lost": lambda address, **_f: _(
        "The stored password of %(address)s can’t be read any more. Reconnect it first.", address=address),
    "not_an_address": lambda **_f: _("Type a whole e-mail address, such as name@company.com."),
    "viewer": lambda **_f: _("You can read here, but not connect addresses. An admin can change that."),
    "admins_only": lambda **_f: _("Only admins connect team addresses. Ask one of them."),
    "plan_limit": lambda used, limit, **_f: _(
        "All inboxes of your plan are in use (%(used)s of %(limit)s). Choose one of them, or change the plan.",
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
    "wrong_password": lambda **_f: _("This isn’t your password."),
    "same_email": lambda **_f: _("You sign in with this address already."),
    "email_of_removed": lambda **_f: _("This is the sign-in of somebody who was removed. An admin can free it."),
    "unknown_time_zone": lambda **_f: _("Choose a time zone from the list."),
    "not_a_choice": lambda **_f: _("Choose one of the list."),
    "set_up_code": lambda **_f: _("This isn’t the code. It stands where Postroom was started, and in its data folder "
                                  "in the file secret.setup."),
    "password_length": lambda low, high, **_f: _("Use %(low)s to %(high)s characters.", low=low, high=high),
    "nobody_named": lambda **_f: _("Type at least one address to send it to."),
    "bad_recipients": lambda addresses, **_f: ngettext(
        "This isn’t an address that mail can be sent to: %(list)s.",
        "These aren’t addresses that mail can be sent to: %(list)s.", len(addresses), list=", ".join(addresses)),
    "many_recipients": lambda limit, **_f: _("Send it to at most %(limit)s people.", limit=limit),
    "many_files": lambda limit, **_f: _("A message takes at most %(limit)s files.", limit=limit),
    "large_files": lambda limit, **_f: _("The files of a message are at most %(limit)s MB together.", limit=limit),
    "file_gone": lambda name, **_f: _("%(name)s can’t be found any more. Take it out and attach it again.", name=name),
    "year_ahead": lambda **_f: _("That is more than a year ahead. Choose an earlier day."),
    "answered_meanwhile": lambda by, **_f: _("%(name)s has answered meanwhile.", name=by),
    "sent_already": lambda **_f: _(
        "Another message was sent from this draft meanwhile. Press Send once more to send this one, too."),
    "template_name": lambda limit, **_f: _("Give the template a name of up to %(limit)s characters.", limit=limit),
    "unknown_field": lambda name, **_f: _("There is no field “%(name)s”. Use one of the list.", name=name),
    "empty_reply": lambda **_f: _("Write something first."),
    "long_reply": lambda limit, **_f: _("This is longer than %(limit)s characters. Send it as a file instead.",
                                        limit=limit),
    "nobody_to_answer": lambda **_f: _("Nobody can be answered here: the sender left no address that can be trusted."),
    "no_address": lambda inbox, **_f: _("%(inbox)s has no connected address to send from. Connect one first.",
                                        inbox=inbox),
    "admins_only_here": lambda **_f: _("Only admins change this. Ask one of them."),
    "nobody_left": lambda **_f: _("Choose at least one person or team, or open the inbox to everyone."),
    "other_name": lambda name, **_f: _("This isn’t the name. Type %(name)s to go on.", name=name),
    "default_inbox": lambda **_f: _("The first inbox stays: mail needs a place to arrive. Rename it instead."),
    "person_name": lambda limit, **_f: _("Type a name of up to %(limit)s characters.", limit=limit),
    "unknown_role": lambda **_f: _("Choose one of the roles."),
    "not_offered": lambda **_f: _("Choose one of the answers."),
    "not_now": lambda **_f: _("That isn’t possible in this state. Load the page again to see what changed."),
    "last_admin": lambda **_f: _("Somebody has to be an admin. Make another person one first."),
    "not_yourself": lambda **_f: _("You can’t do this to yourself. Ask another admin."),
    "team_name": lambda limit, **_f: _("Give the team a name of up to %(limit)s characters.", limit=limit),
    "team_exists": lambda name, **_f: _("There is a team called %(name)s. Use another name.", name=name),
    "left_with_nobody": lambda inbox, **_f: _(
        "%(inbox)s would be left with nobody. Add somebody to it first, or open it to everyone.", inbox=inbox),
    "may_not_act": lambda name, inbox, **_f: _("%(name)s can’t answer in %(inbox)s. Choose somebody else.",
                                               name=name, inbox=inbox),
    "nobody_invited": lambda **_f: _("Type at least one e-mail address."),
    "too_many_invited": lambda limit, number, **_f: _(
        "These are %(number)s addresses. Invite at most %(limit)s at once.", number=number, limit=limit),
    "bad_addresses": lambda addresses, **_f: ngettext(
        "This isn’t a whole e-mail address: %(list)s. Nobody was invited yet.",
        "These aren’t whole e-mail addresses: %(list)s. Nobody was invited yet.", len(addresses),
        list=", ".join(addresses)),
    "people_exist": lambda addresses, **_f: ngettext(
        "Somebody signs in with this address already: %(list)s. Nobody was invited yet.",
        "People sign in with these addresses already: %(list)s. Nobody was invited yet.", len(addresses),
        list=", ".join(addresses)),
    "required": lambda **_f: _("This is needed."),
    "too_long": lambda limit, **_f: _("Use at most %(limit)s characters.", limit=limit),
    "not_a_host": lambda **_f: _("Type the name of a server, such as imap.company.com."),
    "not_a_user_name": lambda **_f: _("Type the name that you sign in with; most often it is the address."),
    "bad_server_name": lambda **_f: _("That isn’t a server’s name. It looks like mx.company.com; put blanks between "
                                      "several."),
    "bad_pattern": lambda **_f: _("Type an address such as jan@company.com, or a domain such as company.com."),
    "wide_pattern": lambda **_f: _("That would be everybody. Type a whole domain, such as company.com."),
    "public_pattern": lambda domain, **_f: _(
        "Everybody can have an address at %(domain)s. Deny single addresses there.", domain=domain),
    "many_patterns": lambda limit, **_f: _("There are %(limit)s entries already. Take some off first.", limit=limit),
    "bad_hours": lambda **_f: _("Type hours such as 9:00–12:00, 13:00–17:00, or leave it empty."),
    "hours_overlap": lambda **_f: _("These hours overlap."),
    "many_spans": lambda limit, **_f: _("Type at most %(limit)s spans a day.", limit=limit),
    "no_auto_text": lambda **_f: _("Write what is to be sent."),
    "long_auto_text": lambda limit, **_f: _("Use at most %(limit)s characters.", limit=limit),
    "bad_holiday": lambda day, **_f: _("%(day)s is no day. Type days such as 2026-12-25 or 25.12.2026.", day=day),
    "many_holidays": lambda limit, **_f: _("Type at most %(limit)s days.", limit=limit),
    "no_hours_at_all": lambda **_f: _("Say on which days somebody is there first."),
    "no_hours": lambda **_f: _("Say your working hours below first."),
    "bad_target": lambda days, **_f: _("Type a whole number, %(days)s days at most, or leave it empty.", days=days),
    "many_rules": lambda limit, **_f: _("There are %(limit)s rules already. Remove some first.", limit=limit),
    "no_action": lambda **_f: _("Say what is done with such mail: add an action."),
    "many_conditions": lambda limit, **_f: _("A rule has at most %(limit)s conditions.", limit=limit),
    "many_actions": lambda limit, **_f: _("A rule has at most %(limit)s actions.", limit=limit),
    "two_of_a_kind": lambda **_f: _("Two of these actions exclude each other. Remove one."),
    "no_values": lambda **_f: _("Say what to look for."),
    "many_values": lambda limit, **_f: _("Use at most %(limit)s of them.", limit=limit),
    "long_value": lambda limit, **_f: _("Use at most %(limit)s characters for each.", limit=limit),
    "bad_pattern_of": lambda text, **_f: _(
        "“%(text)s” is neither an address nor a domain. Type one such as anna@firm.example or firm.example.",
        text=text),
    "bad_size": lambda most, **_f: _("Type a number of megabytes, up to %(most)s.", most=most),
    "no_header": lambda **_f: _("Type the field’s name, such as X-Priority."),
    "nobody_chosen": lambda **_f: _("Choose at least one person."),
    "no_choice": lambda **_f: _("Choose one that is there."),
    "no_access": lambda name, **_f: _("%(name)s can’t act in this inbox. Choose somebody who can.", name=name or "?"),
    "bad_hours_of": lambda most, **_f: _("Type a whole number of hours, up to %(most)s.", most=most),
    "bad_limit": lambda most, **_f: _("Type a whole number up to %(most)s, or leave it empty.", most=most),
    "no_day": lambda **_f: _("Choose a day."),
    "ends_before": lambda **_f: _("The last day is before the first."),
    "over_already": lambda **_f: _("These days are over."),
    "long_absence": lambda limit, **_f: _("Use at most %(limit)s days at once.", limit=limit),
    "many_absences": lambda limit, **_f: _("There are %(limit)s already. Remove some first.", limit=limit),
    "bad_port": lambda **_f: _("Use a number from 1 to 65535."),
}
