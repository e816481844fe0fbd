"""Words of the audit log: what was done to which, without who did it. Facts are read tolerantly: old rows stay readable
when what is written today has changed."""

from flask_babel import gettext as _
from flask_babel import ngettext


def sentence(row):
    """What a row says, as one sentence; of an action that nobody knows any more its code."""
    known = ACTIONS.get(row.action)
    return known[1](_Facts(row.facts or {})) if known else row.action


def group_names():
    """{group: its name}, in the order in which they are offered."""
    return {"people": _("People"), "sign_in": _("Sign-in"), "teams": _("Teams"), "inboxes": _("Inboxes"),
            "addresses": _("Addresses"), "conversations": _("Conversations"), "log": _("Log and installation")}


def actions_of(group):
    """Codes of a group; none for a group that there is not."""
    return tuple(code for code, (of, _make) in ACTIONS.items() if of == group)


class _Facts(dict):
    """Facts by name; one that is not there reads as “?”."""

    def __missing__(self, name):
        return "?"


def _role(role):
    return {"admin": _("admin"), "member": _("member"), "viewer": _("reads only")}.get(role, role)


def _list(names):
    return ", ".join(str(name) for name in names) if isinstance(names, list) else str(names)


def _person(f):
    """Jan (jan@corp.example)."""
    return _("%(name)s (%(email)s)", name=f["name"], email=f["email"]) if f.get("email") else f["name"]


def _some(f, key):
    """A list among the facts; empty when it is missing."""
    return f.get(key) if isinstance(f.get(key), list) else []


def _and(text, *more):
    """A sentence with what else belongs to it: “Invited Jan. Teams: Sales.”"""
    return " ".join([text, *(m for m in more if m)])


def _invited(f):
    return _and(_("Invited %(who)s, role: %(role)s.", who=_person(f), role=_role(f["role"])),
                _("Teams: %(names)s.", names=_list(f["teams"])) if _some(f, "teams") else "")


def _left(text, f):
    """Who leaves: what went with them."""
    number = f.get("conversations")
    return _and(
        text,
        ngettext("%(num)s open conversation handed over.", "%(num)s open conversations handed over.",
                 number) if isinstance(number, int) and number else "",
        _("Still holds %(names)s.", names=_list(f["holds"])) if _some(f, "holds") else "",
        _("Left the inboxes %(names)s.", names=_list(f["inboxes"])) if _some(f, "inboxes") else "",
        _("Left the teams %(names)s.", names=_list(f["teams"])) if _some(f, "teams") else "")


def _handed_over(f):
    number = f.get("number") if isinstance(f.get("number"), int) else 0
    return _and(ngettext("%(num)s open conversation of %(name)s in %(inbox)s handed over.",
                         "%(num)s open conversations of %(name)s in %(inbox)s handed over.", number, name=f["name"],
                         inbox=f["inbox"]),
                _("Now assigned to %(name)s.", name=f["to"]) if f.get("to") else _("Now unassigned."))


def _team_changed(f):
    return _and(
        _("Renamed the team %(was)s to %(name)s.", was=f["was"], name=f["name"]) if f.get("was")
        else _("Changed the team %(name)s.", name=f["name"]),
        _("Added: %(names)s.", names=_list(f["joined"])) if _some(f, "joined") else "",
        _("Taken out: %(names)s.", names=_list(f["left"])) if _some(f, "left") else "")


def _team_made(f):
    return _and(_("Made the team %(name)s.", name=f["name"]),
                _("Added: %(names)s.", names=_list(f["members"])) if _some(f, "members") else "")


def _team_deleted(f):
    return _and(_("Deleted the team %(name)s.", name=f["name"]),
                _("It had access to %(names)s.", names=_list(f["inboxes"])) if _some(f, "inboxes") else "")


def _open_to(f):
    """Who an inbox is open to."""
    if f["access"] != "members":
        return _("Open to everyone.")
    return _and(_("Open to chosen people and teams only."),
                _("People: %(names)s.", names=_list(f["people"])) if _some(f, "people") else "",
                _("Teams: %(names)s.", names=_list(f["teams"])) if _some(f, "teams") else "")


def _inbox_deleted(f):
    number = f.get("conversations") if isinstance(f.get("conversations"), int) else 0
    return _and(_("Deleted the inbox %(inbox)s.", inbox=f["inbox"]),
                ngettext("%(num)s conversation stays with its contact.",
                         "%(num)s conversations stay with their contacts.", number) if number else "",
                _("Disconnected: %(names)s.", names=_list(f["addresses"])) if _some(f, "addresses") else "")


def _joined(f):
    if f.get("opened") is True:
        return _("Could not open the inbox %(inbox)s, and opened it to everyone. Its members were told.",
                 inbox=f["inbox"])
    return _("Could not open the inbox %(inbox)s, and joined it. Its members were told.", inbox=f["inbox"])


def _held_by(f):
    """The holder of an address: a person, or an inbox."""
    if not f.get("holder"):
        return ""
    return (_("Inbox: %(name)s.", name=f["holder"]) if f.get("kind") == "team"
            else _("Person: %(name)s.", name=f["holder"]))


def _switched(f):
    made = (_("Made %(address)s a team address.", address=f["address"]) if f.get("kind") == "team"
            else _("Made %(address)s a personal address.", address=f["address"]))
    return _and(made, _held_by(f))


def _session_ended(f):
    if isinstance(f.get("number"), int):
        return ngettext("Signed out %(num)s other browser.", "Signed out %(num)s other browsers.", f["number"])
    return _and(_("Signed out another browser."), str(f["agent"]) if f.get("agent") else "")


def _exported(f):
    number = f.get("rows") if isinstance(f.get("rows"), int) else 0
    return ngettext("Exported the audit log as %(format)s, %(num)s row.",
                    "Exported the audit log as %(format)s, %(num)s rows.", number, format=f["format"])


def _folders(f):
    added, left = ", ".join(f.get("added", ())), ", ".join(f.get("left", ()))
    if added and left:
        return _("Of %(address)s, %(added)s is read now and %(left)s no longer.", address=f["address"], added=added,
                 left=left)
    if added:
        return _("Of %(address)s, %(added)s is read now.", address=f["address"], added=added)
    return _("Of %(address)s, %(left)s is no longer read.", address=f["address"], left=left)


def _history(choice):
    return {"all": _("everything"), "year": _("one year"), "quarter": _("three months"),
            "new": _("from now on")}.get(choice, choice)


# action -> (group, words)
ACTIONS = {
    "person.created": ("people", lambda f: _("Added %(who)s, role: %(role)s.", who=_person(f), role=_role(f["role"]))),
    "person.invited": ("people", _invited),
    "person.invited_again": ("people", lambda f: _("Invited %(who)s again.", who=_person(f))),
    "person.invite_withdrawn": ("people", lambda f: _("Withdrew the invitation of %(who)s.", who=_person(f))),
    "person.withdrawn": ("people", lambda f: _("Withdrew the invitation of %(who)s.", who=_person(f))),
    "person.accepted": ("people", lambda f: _("Accepted the invitation of %(who)s.", who=_person(f))),
    "person.role_changed": ("people", lambda f: _(
        "Changed the role of %(name)s from %(was)s to %(role)s.", name=f["name"], was=_role(f["was"]),
        role=_role(f["role"]))),
    "person.deactivated": ("people", lambda f: _left(_("Deactivated %(name)s.", name=f["name"]), f)),
    "person.reactivated": ("people", lambda f: _("Reactivated %(name)s.", name=f["name"])),
    "person.removed": ("people", lambda f: _left(_("Removed %(who)s.", who=_person(f)), f)),
    "person.restored": ("people", lambda f: _("Restored %(who)s.", who=_person(f))),
    "person.changed": ("people", lambda f: _("Changed the profile of %(name)s.", name=f["name"])),

    "person.signed_in": ("sign_in", lambda f: _and(
        _("Signed in."), _("From %(ip)s.", ip=f["ip"]) if f.get("ip") else "")),
    "person.signed_out": ("sign_in", lambda f: _("Signed out.")),
    "person.password_changed": ("sign_in", lambda f: _("Chose a new password by a link.") if f.get("by") == "link"
                                else _("Changed the password.")),
    "person.email_changed": ("sign_in", lambda f: _(
        "Changed the sign-in address from %(was)s to %(email)s.", was=f["was"], email=f["email"])),
    "session.ended": ("sign_in", _session_ended),

    "team.created": ("teams", _team_made),
    "team.renamed": ("teams", lambda f: _("Renamed the team %(was)s to %(name)s.", was=f["was"], name=f["name"])),
    "team.changed": ("teams", _team_changed),
    "team.deleted": ("teams", _team_deleted),

    "inbox.created": ("inboxes", lambda f: _and(_("Made the inbox %(inbox)s.", inbox=f["inbox"]), _open_to(f))),
    "inbox.renamed": ("inboxes", lambda f: _(
        "Renamed the inbox %(was)s to %(inbox)s.", was=f["was"], inbox=f["inbox"])),
    "inbox.access_changed": ("inboxes", lambda f: _and(
        _("Changed who can open the inbox %(inbox)s.", inbox=f["inbox"]), _open_to(f))),
    "inbox.member_removed": ("inboxes", lambda f: _("Took %(name)s out of the inbox %(inbox)s.", name=f["name"],
                                                    inbox=f["inbox"])),
    "inbox.joined": ("inboxes", _joined),
    "inbox.deleted": ("inboxes", _inbox_deleted),
    "inbox.sender_denied": ("inboxes", lambda f: _("Mail of %(pattern)s to %(inbox)s is spam from now on.",
                                                   pattern=f["pattern"], inbox=f["inbox"])),
    "inbox.sender_allowed": ("inboxes", lambda f: _("Mail of %(pattern)s to %(inbox)s is never spam from now on.",
                                                    pattern=f["pattern"], inbox=f["inbox"])),
    "inbox.sender_removed": ("inboxes", lambda f: _("Took %(pattern)s off the lists of senders of %(inbox)s.",
                                                    pattern=f["pattern"], inbox=f["inbox"])),
    "inbox.replies_changed": ("inboxes", lambda f: _("Changed what %(inbox)s answers by itself.", inbox=f["inbox"])),
    "inbox.targets_changed": ("inboxes", lambda f: _("Changed within how long %(inbox)s answers.", inbox=f["inbox"])),
    "inbox.hours_changed": ("inboxes", lambda f: _("Changed the working hours of %(inbox)s.", inbox=f["inbox"])),

    "contacts.handed_over": ("people", lambda f: (
        _("%(name)s’s contacts went to %(to)s: %(number)s.", name=f["name"], to=f["to"], number=f["number"])
        if f.get("to") else _("%(name)s’s contacts have no owner any more: %(number)s.", name=f["name"],
                              number=f["number"]))),
    "route.saved": ("inboxes", lambda f: _("Wrote routing rule %(number)s of %(inbox)s.", number=f["number"],
                                           inbox=f["inbox"])),
    "route.removed": ("inboxes", lambda f: _("Removed routing rule %(number)s of %(inbox)s.", number=f["number"],
                                             inbox=f["inbox"])),
    "route.moved": ("inboxes", lambda f: _("Moved routing rule %(number)s of %(inbox)s to place %(to)s.",
                                           number=f["number"], inbox=f["inbox"], to=f["to"])),
    "route.switched": ("inboxes", lambda f: (
        _("Switched routing rule %(number)s of %(inbox)s on.", number=f["number"], inbox=f["inbox"]) if f["on"] is True
        else _("Switched routing rule %(number)s of %(inbox)s off.", number=f["number"], inbox=f["inbox"]))),
    "route.otherwise": ("inboxes", lambda f: _("Changed who gets mail of %(inbox)s that no rule decides on.",
                                               inbox=f["inbox"])),
    "route.limit": ("inboxes", lambda f: _("Changed how many conversations one gets by themselves in %(inbox)s.",
                                           inbox=f["inbox"])),
    "person.availability": ("people", lambda f: (
        _("Set %(name)s away.", name=f["name"]) if f["away"] is True
        else _("Set %(name)s available.", name=f["name"]))),

    "connection.connected": ("addresses", lambda f: _and(
        _("Connected %(address)s.", address=f["address"]), _held_by(f))),
    "connection.paused": ("addresses", lambda f: _("Paused %(address)s.", address=f["address"])),
    "connection.resumed": ("addresses", lambda f: _("Resumed %(address)s.", address=f["address"])),
    "connection.folders_changed": ("addresses", _folders),
    "connection.history_changed": ("addresses", lambda f: _(
        "Changed how far back %(address)s is read from %(was)s to %(history)s.", address=f["address"],
        was=_history(f["was"]), history=_history(f["history"]))),
    "alias.added": ("addresses", lambda f: _("%(of)s sends from %(address)s too.", of=f["of"], address=f["address"])),
    "alias.removed": ("addresses", lambda f: _("%(of)s no longer sends from %(address)s.", of=f["of"],
                                               address=f["address"])),
    "connection.sender_check_changed": ("addresses", lambda f: _(
        "Senders of mail to %(address)s are checked by %(names)s.", address=f["address"], names=f["names"])
        if f["names"] else _("Nobody’s check of the senders of mail to %(address)s is believed any more.",
                             address=f["address"])),
    "connection.reconnected": ("addresses", lambda f: _("Gave %(address)s a new password or other servers.",
                                                        address=f["address"])),
    "connection.disconnected": ("addresses", lambda f: _and(_("Disconnected %(address)s.", address=f["address"]),
                                                            _held_by(f))),
    "connection.switched": ("addresses", _switched),
    "hold.released": ("addresses", lambda f: _("Released %(address)s, which %(holder)s held.", address=f["address"],
                                               holder=f["holder"])),
    "hold.requested": ("addresses", lambda f: _(
        "Asked for %(address)s, which somebody else holds.", address=f["address"])),

    "conversations.handed_over": ("conversations", _handed_over),

    "audit.exported": ("log", _exported),
    "installation.set_up": ("log", lambda f: _("Set up Postroom.")),
}
