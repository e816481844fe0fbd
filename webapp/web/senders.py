"""What a page says of who wrote a message: the rules' warnings, asked with what is known here. Read once a request."""

from flask import current_app, g
from flask_login import current_user
from sqlalchemy import select

from webapp.extensions import db
from webapp.mail.providers import AUTHSERV_IDS, BY_DOMAIN
from webapp.models import Hold, KnownDomain, Message, Person
from webapp.models.inbox import known_inboxes
from webapp.rules import senders
from webapp.rules.lookalike import domain_of, skeleton

MOST = 500        # messages of a conversation that are asked who took part before


def init_app(app):
    for function in (sender_warnings, sender_proof, other_form, invitation_warning):
        app.add_template_global(function)


def sender_warnings(message):
    """[rules.senders.Warned] of a message as parsed; nothing of our own ones."""
    if message.outgoing or message.author_id or not (message.from_address or message.sender_ambiguous):
        return []
    return senders.warnings(_sender(message), _known(message), trusted(message.connection))


def sender_is_proven(message):
    return senders.is_proven(_sender(message), trusted(message.connection))


def sender_proof(message):
    """What the mailbox's own server found out about the sender, as `mail.authentication.read` gives it, or None."""
    return senders.believed(message.authentication, trusted(message.connection))


def invitation_warning(message):
    """A Warned when the invitation in this message names somebody else than its sender; else None."""
    if message.outgoing or not message.invitation:
        return None
    return senders.about_organizer(message.invitation, _sender(message), _once("ours", _ours))


def other_form(address):
    return senders.other_form(address)


def trusted(connection):
    """The authserv-ids that are believed: those that people have set, else the provider's known one."""
    if connection.authserv_id is not None:
        return connection.authserv_id
    return AUTHSERV_IDS.get(connection.imap_host or "", "")


def _sender(message):
    return senders.Sender(message.from_name, message.from_address, message.sender_ambiguous, message.sender_hides,
                          tuple(address for _name, address in message.reply_to), message.authentication)


def _known(message):
    ours = _once("ours", _ours)
    domain = domain_of(message.from_address)
    partners = frozenset()
    if message.conversation_id and domain:
        earlier = _once(("partners", message.conversation_id), lambda: _partners(message.conversation_id))
        when = message.at, message.id
        partners = frozenset(d for at, d in earlier if at < when and d not in ours.domains)
    alike = _once(("alike", domain), lambda: _alike(domain)) if domain else None
    return ours._replace(partners=partners, alike=alike)


def _ours():
    """Everything that is the organisation's own. Addresses at a public provider are ours, its domain is not."""
    held = db.session.scalars(select(Hold.address_key)).all()
    people = db.session.execute(select(Person.name, Person.email).where(Person.state == "active")).all()
    addresses = frozenset([*held, *(email.lower() for _name, email in people)])
    presets = current_app.config["SETTINGS"].mail_presets()
    domains = {domain_of(a) for a in addresses} - BY_DOMAIN.keys() | presets.keys()
    organisation = current_app.config["SETTINGS"].organisation
    return senders.Known(
        addresses=addresses, domains=frozenset(domains - {""}), people=tuple(name for name, _email in people),
        inboxes=tuple(i.name for i in db.session.scalars(known_inboxes(current_user))),
        organisation="" if organisation == "Postroom" else organisation)


def _partners(conversation_id):
    """[((when, message id), domain)] of who wrote, and whom we wrote to."""
    rows = db.session.execute(select(Message.at, Message.id, Message.outgoing, Message.from_address, Message.to).where(
        Message.conversation_id == conversation_id).order_by(Message.at.desc()).limit(MOST))
    found = [((at, number), domain_of(address)) for at, number, outgoing, sender, to in rows
             for address in ([a for _name, a in to] if outgoing else [sender])]
    return [(at, domain) for at, domain in found if domain and domain not in BY_DOMAIN]


def _alike(domain):
    """The domain that looks the same and wrote before this one did."""
    known = db.session.get(KnownDomain, domain)
    earlier = [KnownDomain.since < known.since] if known else []
    return db.session.scalar(
        select(KnownDomain.domain).where(KnownDomain.skeleton == skeleton(domain), KnownDomain.domain != domain,
                                         *earlier).order_by(KnownDomain.since, KnownDomain.domain).limit(1))


def _once(name, make):
    kept = g.setdefault("senders", {})
    if name not in kept:
        kept[name] = make()
    return kept[name]
