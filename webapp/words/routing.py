"""Words of rules: what they ask, what they do, and why something was routed as it was. Names are marked up as bold."""

from babel import Locale
from flask_babel import get_locale, ngettext, pgettext
from flask_babel import gettext as _
from markupsafe import Markup, escape

from webapp.rules.bounds import MAIL_LANGUAGES
from webapp.rules.routing import FIELDS, takes
from webapp.words.targets import span


def field_names():
    return {"sender": _("Sender"), "recipient": _("To or Cc"), "address": _("Came to"), "subject": _("Subject"),
            "text": _("Text"), "words": _("Subject or text"), "header": _("Header field"), "language": _("Language"),
            "files": _("Attachments"), "size": _("Size"), "contact": _("Contact"), "owner": _("Contact’s owner"),
            "tag": _("Tag of the conversation"), "written_by": _("Written by"), "hours": _("Working hours")}


def how_names(field):
    """{how: its name}, as it stands beside the field."""
    names = {"is": _("is"), "is_not": _("is not"), "contains": _("contains any of"), "lacks": _("contains none of"),
             "any": _("are there"), "none": _("are not there"), "over": _("is over"), "under": _("is under"),
             "known": _("is known"), "new": _("is new"), "inside": _("are running"), "outside": _("are over")}
    if field == "owner":
        names |= {"any": _("is set"), "none": _("is not set")}      # is, is not: a person
    if field == "files":
        names["contains"] = _("have names with")
    return {how: names[how] for how in FIELDS[field].hows}


def match_names():
    return {"all": _("all of these hold"), "any": _("any of these holds"), "none": _("none of these holds")}


def action_names():
    return {"assign": _("assign to people"), "team": _("assign to a team"), "owner": _("assign to the contact’s owner"),
            "tag": _("add a tag"), "move": _("move to another inbox"), "snooze": _("snooze"), "close": _("close"),
            "spam": _("put into spam"), "answer": _("answer with a template"), "tell": _("notify"),
            "target": _("set a reply time")}


def sharing():
    return {"turns": _("in turns: whoever had none for longest"), "least": _("whoever has the fewest open")}


def team_sharing():
    return {"": _("the team as a whole: somebody takes it on"), **sharing()}


def languages():
    locale = get_locale()
    names = {code: Locale.parse("nb" if code == "no" else code).get_display_name(locale) for code in MAIL_LANGUAGES}
    return dict(sorted(names.items(), key=lambda pair: pair[1]))


def writers():
    return {"person": _("a person"), "list": _("a mailing list"), "robot": _("a machine")}


def choices(field, known):
    """{value: name} of a field that is chosen."""
    if field == "tag":
        return {str(i): name for i, name in known["tags"].items()}
    if field == "owner":
        return {str(i): name for i, name in known["named"].items() if i in known["people"]}
    return {"language": languages, "written_by": writers, "address": lambda: known["addresses"]}[field]()


def placeholder(field):
    return {"addresses": _("anna@firm.example, firm.example"), "words": _("word, another word"),
            "number": "5"}.get(FIELDS[field].takes, "")


# --- sentences

def condition(given, known):
    """One condition as a clause."""
    field, how = given["field"], given["how"]
    name = (choices(field, known) if takes(field, how) == "choice" else {})
    what = _or([name.get(v, v) for v in given["values"]])
    return _clauses()[field, how](what, given)


def _clauses():
    def say(template):
        return lambda what, given: _fill(template, what=what, name=given["name"])
    return {
        ("sender", "is"): say(_("the sender is %(what)s")), ("sender", "is_not"): say(_("the sender is not %(what)s")),
        ("recipient", "is"): say(_("it was sent to %(what)s")),
        ("recipient", "is_not"): say(_("it was not sent to %(what)s")),
        ("address", "is"): say(_("it came to %(what)s")), ("address", "is_not"): say(_("it did not come to %(what)s")),
        ("subject", "contains"): say(_("the subject contains %(what)s")),
        ("subject", "lacks"): say(_("the subject does not contain %(what)s")),
        ("text", "contains"): say(_("the text contains %(what)s")),
        ("text", "lacks"): say(_("the text does not contain %(what)s")),
        ("words", "contains"): say(_("the subject or the text contains %(what)s")),
        ("words", "lacks"): say(_("neither subject nor text contains %(what)s")),
        ("header", "contains"): say(_("the header field %(name)s contains %(what)s")),
        ("header", "lacks"): say(_("the header field %(name)s does not contain %(what)s")),
        ("language", "is"): say(_("the language is %(what)s")),
        ("language", "is_not"): say(_("the language is not %(what)s")),
        ("files", "any"): say(_("it has attachments")), ("files", "none"): say(_("it has no attachments")),
        ("files", "contains"): say(_("an attachment’s name contains %(what)s")),
        ("size", "over"): say(_("it is larger than %(what)s MB")),
        ("size", "under"): say(_("it is smaller than %(what)s MB")),
        ("contact", "known"): say(_("the contact is known")), ("contact", "new"): say(_("the contact is new")),
        ("owner", "is"): say(_("the contact’s owner is %(what)s")),
        ("owner", "is_not"): say(_("the contact’s owner is not %(what)s")),
        ("owner", "any"): say(_("the contact has an owner")), ("owner", "none"): say(_("the contact has no owner")),
        ("tag", "is"): say(_("the conversation has the tag %(what)s")),
        ("tag", "is_not"): say(_("the conversation does not have the tag %(what)s")),
        ("written_by", "is"): say(_("it was written by %(what)s")),
        ("written_by", "is_not"): say(_("it was not written by %(what)s")),
        ("hours", "inside"): say(_("it comes within working hours")),
        ("hours", "outside"): say(_("it comes outside working hours"))}


def when(rule, known):
    """All conditions of a rule as one clause; of none a sentence that says so."""
    said = [condition(c, known) for c in rule.conditions]
    if not said:
        return _("any mail comes")
    if rule.match == "any":
        return _together(said, pgettext("routing", "or"))
    if rule.match == "none":
        return Markup("%s %s") % (_("it is not so that"), _together(said, pgettext("routing", "or")))
    return _together(said, pgettext("routing", "and"))


def action(given, known):
    """One action as a clause."""
    return _ACTIONS[given["do"]](given, known)


def then(rule, known):
    return _together([action(a, known) for a in rule.actions], pgettext("routing", "and"))


def people(ids, known):
    return _or([known["named"].get(i) or _("somebody who is gone") for i in ids])


def _assign(given, known):
    if len(given["people"]) == 1:
        return _fill(_("assign to %(what)s"), what=people(given["people"], known))
    how = _("in turns") if given["how"] == "turns" else _("whoever has the fewest open")
    return Markup("%s (%s)") % (_fill(_("assign to %(what)s"), what=people(given["people"], known)), how)


def _team(given, known):
    team = _bold(known["team_names"].get(given["team"]) or _("a team that is gone"))
    how = {"": "", "turns": _("one of them, in turns"), "least": _("whoever of them has the fewest open")}[given["how"]]
    said = _fill(_("assign to the team %(what)s"), what=team)
    return Markup("%s (%s)") % (said, how) if how else said


def _owner(given, known):
    if not given["people"]:
        return _fill(_("assign to %(what)s"), what=_bold(_("the contact’s owner")))
    return _fill(_("assign to %(what)s, else to %(others)s"), what=_bold(_("the contact’s owner")),
                 others=people(given["people"], known))


def _named(template, kind, name):
    return lambda g, k: _fill(template(), what=_bold(k[kind].get(g[name]) or _("something that is gone")))


_ACTIONS = {
    "assign": _assign, "team": _team, "owner": _owner,
    "tag": _named(lambda: _("add the tag %(what)s"), "tags", "tag"),
    "move": _named(lambda: _("move it to %(what)s"), "inboxes", "inbox"),
    "answer": _named(lambda: _("answer with %(what)s"), "templates", "template"),
    "leave": lambda g, k: _fill(_("leave it unassigned, and remind %(what)s after %(time)s"),
                                what=people(g["people"], k), time=_bold(_minutes(g["minutes"]))),
    "snooze": lambda g, k: _fill(_("snooze it for %(what)s"), what=_bold(span(g["hours"], "hours"))),
    "close": lambda g, k: _("close it"), "spam": lambda g, k: _("put it into spam"),
    "tell": lambda g, k: _fill(_("notify %(what)s"), what=people(g["people"], k)),
    "target": lambda g, k: _fill(_("answer within %(what)s"), what=_bold(_minutes(g["minutes"])))}


def _minutes(number):
    return span(number // 60, "hours") if number % 60 == 0 else span(number, "minutes")


def otherwise(given, known):
    """What becomes of mail that no rule gives to anybody."""
    return action(given, known) if given else _("leave it unassigned")


def otherwise_names():
    names = action_names()
    return {"": _("leave it unassigned"), "leave": _("leave it unassigned, and remind"), "assign": names["assign"],
            "team": names["team"], "owner": names["owner"]}


# --- why

def step(kept, known):
    """What reading one rule gave: `kept` as Routed keeps it."""
    verdict, found = kept["verdict"], kept["found"]
    if verdict in ("off", "not_read"):
        return _("Switched off") if verdict == "off" else _("Not read")
    said = [(condition(c, known), what if takes(c["field"], c["how"]) in ("words", "addresses") else None)
            for c, what in found]
    if verdict == "matched" and kept["match"] == "none" and said:
        clauses = _together([clause for clause, _what in said], pgettext("routing", "or"))
        return Markup("%s %s") % (_("it is not so that"), clauses)
    if verdict == "matched":
        return _list([_with(clause, what) for clause, what in said]) or _("Holds for any mail")
    if kept["match"] == "none":
        return _fill(_("Holds, and should not: %(what)s"), what=_with(*said[0]))
    return _fill(_("Not so: %(what)s"), what=_list([clause for clause, _what in said]))


def _with(clause, what):
    return Markup("%s (%s)") % (clause, what) if isinstance(what, str) and what else clause


def outcome(why, name=""):
    """Who got it and why, as (sentence, its reason)."""
    if name:
        return _fill(_("Goes to %(what)s"), what=_bold(name)), {
            "turns": _("had none for longest"), "least": _("has the fewest open"), "owner": _("owns the contact"),
            "alone": "", "only_one": _("the only one who is available"), "team": _("as a team")}.get(why, "")
    return _("Stays unassigned"), {
        "nobody_available": _("Nobody of those who are named is available. It goes to the first who comes back."),
        "all_full": _("Everybody who is named has as many as they may. It goes to the first who has room."),
        "nobody_there": _("Nobody who is named may act in this inbox any more."),
        "no_owner": _("The contact has no owner, and nobody else is named."),
        "gone_team": _("The team is gone."), "taken": _("Somebody was faster than the rules."),
        "nobody_named": _("No rule names anybody.")}.get(why, "")


def conflict(code, facts):
    return {
        "no_access": _("%(name)s can’t act in this inbox, and gets nothing.", name=facts.get("name") or "?"),
        "gone_team": _("The team is gone."), "empty_team": _("Nobody of the team can act in this inbox."),
        "gone_tag": _("The tag is gone."), "gone_inbox": _("The inbox is gone."),
        "gone_template": _("The template is gone."),
        "gone_address": _("%(address)s is no address of this inbox any more.", address=facts.get("address", "")),
        "never": _("This never holds: two of its conditions exclude each other."),
        "shadowed": _("Never read: whatever it holds for, rule %(number)s decides before.",
                      number=facts.get("by", ""))}[code]


def number(row):
    """What happened by a rule, or by none."""
    n = row.get("rule")
    return _("Rule %(number)s", number=n) if n else _("Routing")


def hits(n):
    return ngettext("time this month", "times this month", n)


def _bold(text):
    return text if isinstance(text, Markup) else Markup("<b>%s</b>") % text


def _or(texts):
    return _together([_bold(t) for t in texts], pgettext("routing", "or"))


def _together(said, word):
    if len(said) < 2:
        return said[0] if said else ""
    return Markup("%s %s %s") % (Markup(", ").join(said[:-1]), word, said[-1])


def _list(said):
    return Markup("; ").join(said)


def _fill(template, **values):
    """The template is ours, the values may be a stranger's."""
    return Markup(escape(template)) % {name: escape(value) for name, value in values.items()}
