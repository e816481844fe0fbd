"""Words of what is to be known of a sender, for a Warned of rules.senders."""

from flask_babel import gettext as _
from flask_babel import pgettext


def sentence(warned):
    return SENTENCES[warned.code](warned.facts)


def proof(said):
    """[(method, its result in words)] of what the mailbox's own server found out (mail.authentication)."""
    return [(name, _result(result, domain)) for method, name in (("dmarc", "DMARC"), ("spf", "SPF"), ("dkim", "DKIM"))
            for result, domain in said.get(method, ())]


def answer_goes(addresses, sender):
    """Above a reply whose answer goes elsewhere than to the sender."""
    return _("Your answer goes to %(addresses)s, as this mail asks (Reply-To), not to its sender %(sender)s.",
             addresses=_list(addresses), sender=sender)


def _result(result, domain):
    said = {"pass": pgettext("check", "passed"), "fail": pgettext("check", "failed"),
            "hardfail": pgettext("check", "failed"), "softfail": pgettext("check", "probably failed"),
            "none": pgettext("check", "nothing to check")}.get(result, _("no verdict (%(result)s)", result=result))
    return _("%(result)s for %(domain)s", result=said, domain=domain) if domain else said


def _list(addresses):
    shown = [str(a)[:254] for a in addresses]
    return ", ".join(shown[:3]) + ("…" if len(shown) > 3 else "")


SENTENCES = {
    "nobody": lambda f: _("Who sent this can’t be told: its sender line doesn’t hold exactly one address. Don’t trust "
                          "any name in it."),
    "name_lied": lambda f: _("The sender’s name showed somebody else’s address, so it is left out. The mail comes from "
                             "%(address)s.", address=f["address"]),
    "hides": lambda f: _("The sender’s name held characters that can’t be seen. They were taken out."),
    "mixed_name": lambda f: _("The name mixes letters of several alphabets in “%(word)s”. That is a way to imitate "
                              "somebody.", word=f["word"][:80]),
    "mixed_domain": lambda f: _("The domain %(domain)s mixes letters of several alphabets. That is a way to imitate "
                                "another one.", domain=f["domain"]),
    "colleague": lambda f: _("%(name)s is a colleague of yours, but %(address)s is not an address of your "
                             "organisation. Ask them another way before you act on this.", **f),
    "organisation": lambda f: _("This carries the name of your organisation, but %(address)s is not one of its "
                                "addresses.", **f),
    "inbox": lambda f: _("Your inbox %(name)s has the same name. %(address)s is not an address of your organisation.",
                         **f),
    "like_ours": lambda f: _("%(domain)s looks like your own %(known)s, but is another domain. Don’t trust this mail "
                             "before you have asked.", **f),
    "like_known": lambda f: _("%(domain)s looks like %(known)s, which wrote to you before, but is another domain. "
                              "Check it before you act on this mail.", **f),
    "answers_elsewhere": lambda f: _("Answers go to %(addresses)s, not to %(domain)s.",
                                     addresses=_list(f["addresses"]), domain=f["domain"]),
    "answers_fake": lambda f: _("Answers go to %(addresses)s. That looks like %(known)s, but is another domain.",
                                addresses=_list(f["addresses"]), known=f["known"]),
    "other_organizer": lambda f: _("It names %(name)s, but this mail comes from %(address)s.", **f),
    "not_proven": lambda f: _("Your mail server (%(server)s) could not confirm that this comes from %(domain)s. It may "
                              "be forged; mailing lists can cause this, too.", **f),
    "no_proof": lambda f: _("Nothing proves that this comes from %(domain)s: its server wasn’t named for that domain, "
                            "and it carries no valid signature.", **f),
}
