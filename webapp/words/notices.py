"""What a notice says: on the screen, as the subject and body of its mail. Facts come from actions.notices.tell.

KINDS is open: each kind is a function of its facts that returns Said. Paths are those of this product, without its
address; they may lead to a page that one may not see any more, which then says so.
"""

from typing import NamedTuple
from urllib.parse import quote

from flask_babel import gettext as _
from flask_babel import ngettext

from webapp.rules.people import EMAIL_LASTS, INVITE_LASTS, RESET_LASTS
from webapp.words import connecting


class Said(NamedTuple):
    title: str           # one line: the heading on the screen, the subject of the mail
    text: str            # what happened and what follows from it; paragraphs are separated by a newline
    action: str = ""     # what the link is called; none: nothing is to be done
    path: str = ""       # where it leads, such as "/mailboxes?show=7"


def say(notice, **more) -> Said:
    """The words of a notice in the present language. `more`: facts that are kept nowhere, such as a link's token."""
    return KINDS[notice.kind](**{**notice.facts, **more})


def together(several) -> Said:
    """Of several notices one: where to look stands in each."""
    said = [say(n) for n in several]
    if len(said) == 1:
        return said[0]
    title = ngettext("%(num)s thing happened in your conversations", "%(num)s things happened in your conversations",
                     len(said))
    return Said(title, "\n".join(f"{s.title}: {s.text}" for s in said), _("Open your notifications"), "/notices")


def _mentioned(by="", subject="", excerpt="", conversation=0, inbox="", **_f):
    return Said(_("%(by)s mentioned you in “%(subject)s”", by=by, subject=subject or _("(no subject)")),
                excerpt, _("Open the conversation"), f"/conversations/{conversation}")


def _followed(by="", what="mail", subject="", excerpt="", conversation=0, inbox="", **_f):
    subject = subject or _("(no subject)")
    return Said(_("%(by)s left a note in “%(subject)s”", by=by, subject=subject) if what == "note"
                else _("%(by)s wrote in “%(subject)s”", by=by, subject=subject),
                excerpt, _("Open the conversation"), f"/conversations/{conversation}")


def _invite(by="", organisation="", token="", **_f):
    days = INVITE_LASTS.days
    return Said(
        _("%(by)s invites you to %(organisation)s", by=by, organisation=organisation) if by
        else _("You are invited to %(organisation)s", organisation=organisation),
        _("Your colleagues read and answer mail in Postroom. Choose a password to join them.") + "\n"
        + ngettext("The link works once, for %(num)s day.", "The link works once, for %(num)s days.", days),
        _("Accept the invitation"), _link(token))


def _reset(token="", **_f):
    minutes = int(RESET_LASTS.total_seconds() // 60)
    return Said(
        _("Choose a new password"),
        _("Somebody asked for a new password for your sign-in, most likely you. The old one works until then.") + "\n"
        + ngettext("The link works once, for %(num)s minute.", "The link works once, for %(num)s minutes.", minutes)
        + " " + _("If it wasn’t you, there is nothing to do."),
        _("Choose a new password"), _link(token))


def _email(email="", token="", **_f):
    hours = int(EMAIL_LASTS.total_seconds() // 3600)
    return Said(
        _("Confirm your new sign-in address"),
        _("From then on you sign in with %(email)s.", email=email) + "\n"
        + ngettext("The link works once, for %(num)s hour.", "The link works once, for %(num)s hours.", hours),
        _("Confirm the address"), _link(token))


def _email_wanted(email="", **_f):
    return Said(
        _("Your sign-in address is to change"),
        _("A link to confirm it was sent to %(email)s. Until it is opened, nothing changes.", email=email) + "\n"
        + _("If it wasn’t you, change your password now: somebody knows it."),
        _("Open your profile"), "/profile")


def _email_changed(email="", **_f):
    return Said(
        _("Your sign-in address has changed"),
        _("You sign in with %(email)s now.", email=email) + "\n"
        + _("If it wasn’t you, ask an admin for help at once."),
        _("Open your profile"), "/profile")


def _password_changed(**_f):
    return Said(
        _("Your password has changed"),
        _("Other browsers were signed out.") + "\n" + _("If it wasn’t you, ask an admin for help at once."),
        _("Open your profile"), "/profile")


def _mailbox_stopped(address="", problem="", facts=None, connection=0, kind="personal", inbox="", host="", waits=True,
                     **_f):
    cause, remedy = connecting.problem(problem, facts or {}, host or address.rpartition("@")[2])
    where = _("It answers in %(inbox)s.", inbox=inbox) + " " if kind == "team" and inbox else ""
    return Said(
        _("%(address)s has stopped", address=address),
        f"{where}{cause}. {remedy}\n" + _("Mail is waiting on the server; nothing is lost.")
        + ("" if waits else " " + _("We keep trying, and tell you when it works again.")),
        _("Reconnect the address"), f"/connections/{connection}" if connection else "/mailboxes")


def _mailbox_works_again(address="", connection=0, kind="personal", inbox="", **_f):
    return Said(
        _("%(address)s works again", address=address),
        _("What arrived meanwhile is being read."),
        _("Show the address"), f"/connections/{connection}" if connection else "/mailboxes")


def _autoreply_stopped(inbox="", inbox_id=0, **_f):
    return Said(
        _("%(inbox)s answers nothing by itself any more", inbox=inbox),
        _("Very many answers left by themselves within an hour, as when two machines answer each other. No more leave "
          "until an admin has looked and saves its automatic answers again."),
        _("Look at it"), f"/inboxes/{inbox_id}/settings#replies")


def _inbox_joined(name="", inbox="", inbox_id=0, opened=False, **_f):
    return Said(
        _("%(name)s opened %(inbox)s to everyone", name=name, inbox=inbox) if opened
        else _("%(name)s joined %(inbox)s", name=name, inbox=inbox),
        (_("An admin who could not open this inbox has opened it to the whole organisation.") if opened
         else _("An admin who could not open this inbox now reads and answers in it, too."))
        + "\n" + _("It is noted in the audit log."),
        _("Open the inbox"), f"/inboxes/{inbox_id}" if inbox_id else "/")


def _address_free(address="", kind="personal", **_f):
    return Said(
        _("%(address)s is free", address=address), _("You asked for it. Connect it before somebody else does."),
        _("Connect it"), f"/connect/{'team' if kind == 'team' else 'personal'}?address={quote(address)}")


def _address_released(address="", by="", **_f):
    return Said(
        _("%(by)s released %(address)s", by=by, address=address),
        _("Postroom no longer reads or sends with it. What was read and sent stays in your mailboxes.") + "\n"
        + _("Ask %(by)s if you still need it.", by=by),
        _("Your mailboxes"), "/mailboxes")


def _hold_requested(address="", by="", holder="", holder_kind="personal", holder_id=0, gone=False, **_f):
    why = (_("%(name)s was removed and still holds it.", name=holder) if gone
           else _("It answers in %(inbox)s.", inbox=holder) if holder_kind == "team"
           else _("%(name)s holds it.", name=holder))
    path = f"/inboxes/{holder_id}/settings" if holder_kind == "team" else f"/people/{holder_id}"
    return Said(_("%(by)s asks for %(address)s", by=by, address=address),
                why + " " + _("When you free it, %(by)s is told.", by=by), _("Look at it"), path)


def _role_changed(role="", by="", **_f):
    return Said(
        _("%(by)s changed your role", by=by) if by else _("Your role has changed"),
        {"admin": _("You are an admin now: you also look after people, teams and inboxes."),
         "member": _("You are a member now: you read and answer."),
         "viewer": _("You read now, and don’t answer. Your open conversations are for somebody else to take on."),
         }.get(role, ""))


def _reactivated(by="", **_f):
    return Said(
        _("Welcome back"),
        (_("%(by)s activated your sign-in again.", by=by) if by else _("Your sign-in is active again.")) + " "
        + _("Your password and your addresses are as they were."),
        _("Sign in"), "/sign-in")


def _handed_over(name="", inbox="", inbox_id=0, number=0, by="", **_f):
    return Said(
        ngettext("%(num)s conversation in %(inbox)s is yours now", "%(num)s conversations in %(inbox)s are yours now",
                 number, inbox=inbox),
        _("%(by)s handed them over from %(name)s.", by=by, name=name) if by
        else _("They were handed over from %(name)s.", name=name),
        _("Open %(name)s", name=inbox), f"/inboxes/{inbox_id}?view=mine" if inbox_id else "/")


def _routed(who="", subject="", inbox="", conversation=0, **_f):
    return Said(_("A rule calls you to “%(subject)s”", subject=subject or _("(no subject)")),
                _("%(who)s wrote to %(inbox)s.", who=who, inbox=inbox), _("Open the conversation"),
                f"/conversations/{conversation}")


def _unassigned(who="", subject="", inbox="", conversation=0, **_f):
    return Said(_("Nobody has “%(subject)s” yet", subject=subject or _("(no subject)")),
                _("%(who)s wrote to %(inbox)s.", who=who, inbox=inbox), _("Open the conversation"),
                f"/conversations/{conversation}")


def _availability(by="", away=False, **_f):
    return Said(
        _("%(by)s set you away", by=by) if away else _("%(by)s set you available", by=by),
        _("You get no new conversations by yourself until you are available again. What you have stays yours.") if away
        else _("New conversations come to you by themselves again."),
        _("Your availability"), "/availability")


def _link(token):
    return f"/links/{token}" if token else ""


KINDS = {
    "invite": _invite,                            # by, organisation, link
    "reset": _reset,                              # link
    "email": _email,                              # email, link
    "email_wanted": _email_wanted,                # email
    "email_changed": _email_changed,              # email
    "password_changed": _password_changed,
    "mailbox.stopped": _mailbox_stopped,          # address, problem, facts, connection, kind, inbox, host, waits
    "autoreply.stopped": _autoreply_stopped,      # inbox, inbox_id
    "inbox.joined": _inbox_joined,                # name, inbox, inbox_id, opened
    "address.free": _address_free,                # address, kind
    "address.released": _address_released,        # address, by
    "hold.requested": _hold_requested,            # address, by, holder, holder_kind, holder_id, gone
    "mentioned": _mentioned,                      # by, subject, excerpt, conversation, inbox
    "followed": _followed,                        # by, what, subject, excerpt, conversation, inbox
    "routed": _routed,                            # who, subject, inbox, conversation
    "unassigned": _unassigned,                    # who, subject, inbox, conversation
    "availability": _availability,                # by, away
    "role_changed": _role_changed,                # role, by
    "reactivated": _reactivated,                  # by
    "handed_over": _handed_over,                  # name, inbox, inbox_id, number, by
    "mailbox.works_again": _mailbox_works_again,  # address, connection, kind, inbox
}
