"""Templates are written, changed, deleted, and filled for one conversation."""

from webapp.extensions import db
from webapp.models import Template
from webapp.models.types import now
from webapp.rules import templates as rules
from webapp.rules.sending import readable


def write(actor, name, text, subject="", inbox=None, template=None):
    """A new one, or `template` changed. `inbox` None: for all inboxes. Raises RuleBroken."""
    name, text, subject = (readable(value) for value in (name, text, subject))
    name, text = rules.check(name, text, subject)
    if template is None:
        template = Template(made_by_id=actor.id, inbox_id=inbox.id if inbox else None)
        db.session.add(template)
    template.name, template.text, template.subject, template.changed_at = name, text, subject.strip(), now()
    template.inbox_id = inbox.id if inbox else None
    db.session.flush()
    return template


def delete(template):
    db.session.delete(template)
    db.session.flush()


def by_itself(template, inbox, conversation):
    """Its text for an answer that nobody writes."""
    return _filled(inbox.company or inbox.name, template, inbox, conversation)


def filled(actor, template, inbox, conversation=None):
    """Its text for this conversation, or for a new message."""
    return _filled(actor.name, template, inbox, conversation)


def _filled(my_name, template, inbox, conversation):
    contact = conversation.contact if conversation is not None else None
    name = (contact.name if contact else "") or (conversation.who if conversation is not None else "")
    name = "" if "@" in name else name
    return rules.fill(template.text, {
        "contact.name": name, "contact.first_name": rules.first_name(name) or name, "my.name": my_name,
        "inbox.name": inbox.name, "conversation.subject": conversation.subject if conversation is not None else ""})
