"""Words of the checklist: each step's title in each state, and for each way to fail its cause and its remedy."""

from typing import NamedTuple

from flask_babel import gettext as _
from flask_babel import ngettext

from webapp.words import rules
from webapp.words.dates import full_day


class Failure(NamedTuple):
    title: str
    text: str
    remedy: str          # "password", "servers", "again", "address": which form stands below


def title(step, state):
    """What a step is called while it is to do, running or done."""
    done = state == "done"
    return {
        "settings": _("Settings found") if done else _("Looking for the settings"),
        "receive": _("Signed in to receive") if done else _("Sign in to receive"),
        "send": _("Signed in to send") if done else _("Sign in to send"),
        "folders": _("Folders found") if done else _("Find the folders"),
        "sync": _("First sync"),
        "ready": _("Ready"),
    }[step]


def done(step, code, facts):
    """The line under a finished step."""
    if step == "settings":
        return {
            "preset": _("Set by your administrator. Nothing to type."),
            "provider": _("Known provider. Nothing to type."),
            "mx": _("Known provider. Nothing to type."),
            "srv": _("Published by your domain (DNS). Nothing to type."),
            "autoconfig": _("Published by your domain (autoconfig). Nothing to type."),
            "guess": _("These answered on the usual ports."),
            "typed": _("As you typed them."),
        }.get(code, "")
    if step == "receive":
        return _("%(version)s, certificate valid until %(day)s.",
                 version=facts.get("version", "TLS").replace("TLSv", "TLS "), day=full_day(facts.get("not_after")))
    if step == "send":
        return _("The server accepted the sign-in. No message was sent.")
    if step == "folders":
        more = facts.get("count", 0) - len(facts.get("names", []))
        names = ", ".join(facts.get("names", []))
        return names + (" " + ngettext("and %(num)s more.", "and %(num)s more.", more) if more > 0 else ".")
    return ""


def failure(step, code, facts, host):
    """Why a step stopped, and which remedy is offered."""
    make = FAILURES.get(code)
    if code == "password_refused" and step == "send":
        make = _send_refused
    if make is None:
        return Failure(_("This address can’t be connected here"), rules.sentence(code, facts), "address")
    return make(host=host, **{k: v for k, v in facts.items() if k != "host"})


def problem(code, facts, host):
    """One line about what stops a connected mailbox."""
    found = failure("sync", code, facts or {}, host)
    return found.title, found.text


def _send_refused(host, **_f):
    return Failure(
        _("Receiving works, but the server won’t let this address send"),
        _("%(host)s refused the sign-in for sending. Some providers switch it off until an admin allows it, or want "
          "another user name. Check the sending settings.", host=host), "servers")


def _certificate(host, reason="other", issuer="", not_after="", **_f):
    why = {
        "expired": _("It expired on %(day)s.", day=full_day(not_after)) if not_after else _("It has expired."),
        "not_yet_valid": _("It isn’t valid yet. Is the clock of this machine right?"),
        "hostname": _("It belongs to another name."),
        "self_signed": _("It is signed by itself, so nobody vouches for it."),
        "untrusted": _("It was issued by an authority that this server doesn’t know."),
    }.get(reason, _("It couldn’t be checked."))
    return Failure(
        _("The certificate of %(host)s can’t be trusted", host=host),
        why + " " + _("Nothing was sent to it. The mail server’s admin can renew it; your own authority can be added "
                      "in the settings (POSTROOM_MAIL_CA_FILE)."), "servers")


FAILURES = {
    "host_unknown": lambda host, **_f: Failure(
        _("There is no server called %(host)s", host=host),
        _("Check the spelling. Your provider’s help page names the right servers."), "servers"),
    "refused": lambda host, port=None, **_f: Failure(
        _("%(host)s refused the connection", host=host),
        _("Nothing listens on that port there. Usual ports are 993 to receive and 465 or 587 to send."), "servers"),
    "timed_out": lambda host, **_f: Failure(
        _("%(host)s didn’t answer in time", host=host),
        _("A firewall may be in between, or the port is wrong. Check the settings, or try again."), "servers"),
    "not_tls": lambda host, **_f: Failure(
        _("%(host)s doesn’t speak TLS on this port", host=host),
        _("Postroom only uses encrypted connections. Try 993 and 465 with TLS, or STARTTLS on 143 and 587."),
        "servers"),
    "certificate": _certificate,
    "not_allowed": lambda host, **_f: Failure(
        _("Postroom may not connect to %(host)s", host=host),
        _("It lies in a private network or on a port that isn’t allowed. An admin can allow it in the settings "
          "(POSTROOM_MAIL_PRIVATE_HOSTS)."), "servers"),
    "password_refused": lambda host, **_f: Failure(
        _("The mail server didn’t accept this password"),
        _("If you sign in with a code from your phone, create an app password in your mail account and paste it here."),
        "password"),
    "unavailable": lambda host, **_f: Failure(
        _("%(host)s can’t answer right now", host=host),
        _("The server is there but says it is unavailable. The password may well be right. We’ll try again."), "again"),
    "throttled": lambda host, **_f: Failure(
        _("%(host)s asks us to slow down", host=host),
        _("Too many connections are open, or too much was downloaded. Other mail programs may be using them. We’ll try "
          "again; what arrived stays."), "again"),
    "in_use": lambda host, **_f: Failure(
        _("The mailbox is in use by another program"), _("We’ll try again in a moment."), "again"),
    "gone": lambda host, **_f: Failure(
        _("A folder that is read is no longer on the server"),
        _("Leave it out under “Folders”, or create it again. All others are read."), "again"),
    "internal": lambda host, **_f: Failure(
        _("Something went wrong on our side"), _("We’ll try again. The log on the server says what it was."), "again"),
    "protocol": lambda host, **_f: Failure(
        _("%(host)s answered something we don’t understand", host=host),
        _("Is it a mail server? Check the settings, or try again."), "servers"),
    "lost": lambda host, **_f: Failure(
        _("The connection to %(host)s was lost", host=host), _("What arrived stays. We’ll try again."), "again"),
    "no_idle": lambda host, **_f: Failure(
        _("%(host)s doesn’t announce new mail", host=host), _("We look every two minutes instead."), "again"),
    "uncertain": lambda host, **_f: Failure(
        _("The connection to %(host)s was lost at the very end", host=host), _("We’ll find out what happened."),
        "again"),
    "smtp_refused": _send_refused,
    "foreign_servers": lambda host, domain="", **_f: Failure(
        _("The mail servers have another name"),
        rules.sentence("foreign_servers", {"domain": domain, "host": host}), "servers"),
    "preset_servers": lambda domain="", **_f: Failure(
        _("These are not your organisation’s mail servers"), rules.sentence("preset_servers", {"domain": domain}),
        "again"),
    "no_settings": lambda domain="", **_f: Failure(
        _("We didn’t find the settings"), rules.sentence("no_settings", {"domain": domain}), "servers"),
}
