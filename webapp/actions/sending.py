"""How mail of an inbox looks to customers: the sender's name, and what stands below."""

from webapp.extensions import db
from webapp.rules import RuleBroken
from webapp.rules.access import check_admin
from webapp.rules.bounds import FROM_NAME_MAX, SIGNATURE_MAX
from webapp.rules.people import clean_name
from webapp.rules.sending import readable


def set_sending(actor, inbox, company, with_person, signature):
    """Raises RuleBroken("company" | "signature", ...)."""
    check_admin(actor.role, "company")
    company, signature = clean_name(company), readable(signature).replace("\r\n", "\n").strip("\n")
    for field, value, limit in (("company", company, FROM_NAME_MAX), ("signature", signature, SIGNATURE_MAX)):
        if len(value) > limit:
            raise RuleBroken(field, "too_long", limit=limit)
    inbox.company, inbox.signature, inbox.signature_html = company, signature, None
    inbox.from_form = "person" if with_person else "company"
    db.session.flush()
