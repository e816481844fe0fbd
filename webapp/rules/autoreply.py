"""May a machine answer this mail (DEFENCE 4.5)? Two that answer each other never stop, so in doubt it says nothing.

Headers tell of most robots; half of the loops strip every header, so there are caps as well.
"""

import re
import unicodedata
from datetime import timedelta
from typing import NamedTuple

from webapp.mail.address import address_key
from webapp.mail.types import Automatic
from webapp.rules import RuleBroken
from webapp.rules.bounds import AUTO_TEXT_MAX

MOST_HOPS = 30
OLDEST = timedelta(days=1)         # mail that says it was written before that, or came before it, is no news any more
PER_SENDER, SENDER_TIME = 1, timedelta(hours=24)
PER_DOMAIN, DOMAIN_TIME = 20, timedelta(hours=1)
PER_INBOX, INBOX_TIME = 200, timedelta(hours=1)
COUNTED = max(SENDER_TIME, DOMAIN_TIME, INBOX_TIME)

SUPPRESSED = {"all", "oof", "autoreply"}
BULK = {"bulk", "list", "junk", "auto_reply", "auto-reply"}
_DAEMON = re.compile(
    r"(?:mailer-?daemon|mail-?daemon|postmaster|hostmaster|daemon|root|nobody|system|listserv|majordomo|mailman|"
    r"bounces?|auto-?(?:reply|responder|mailer|matic)|robot|notifications?|notify|alerts?|unsubscribe)"
    r"|(?:owner|bounces?)[-_=.].*|.*-(?:request|owner|bounces?|admin)"
    r"|(?:.*[-_.])?(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|nie[-_.]?odpowiada[jć])(?:[-_.\d].*)?")
_SUBJECTS = (   # how programs call their answers and reports; a person's begins with Re: or says something
    "out of office", "out of the office", "automatic reply", "automated reply", "auto reply", "auto-reply", "autoreply",
    "auto response", "auto-response", "autoresponse", "auto:", "vacation reply", "away from my mail",
    "réponse automatique", "absence du bureau", "message d'absence", "abwesenheit", "automatische antwort",
    "automatische rückmeldung", "automatyczna odpowiedź", "odpowiedź automatyczna", "autoodpowiedź", "poza biurem",
    "nieobecność", "respuesta automática", "fuera de la oficina", "risposta automatica", "fuori ufficio",
    "automatisch antwoord", "afwezig", "autosvar", "automatiskt svar", "resposta automática", "automatická odpověď",
    "undelivered mail", "undeliverable", "undelivered", "mail delivery fail", "mail delivery system",
    "delivery status notification", "delivery failure", "delivery report", "returned mail", "failure notice",
    "message undeliverable", "mail system error", "warning: message", "unzustellbar", "niedostarczalne",
    "nie dostarczono", "read:", "read receipt", "przeczytano:", "gelesen:", "not read:")


class Mail(NamedTuple):
    """What is known of one incoming mail. Addresses as they stand there."""

    sender: str
    to: tuple = ()                   # To and Cc
    reply_to: tuple = ()
    subject: str = ""
    automatic: Automatic = Automatic()
    ambiguous: bool = False          # its sender is not one address beyond doubt
    bounce: bool = False
    invitation: bool = False
    spam: bool = False               # of a denied sender, or in a conversation that is spam
    own: frozenset = frozenset()     # keys of all addresses that are connected here
    here: frozenset = frozenset()    # keys of those that feed its inbox


class Sent(NamedTuple):
    """How many answers left by themselves from this inbox: to this sender, this domain, and to anybody, each within
    its time."""

    to_sender: int = 0
    to_domain: int = 0
    to_all: int = 0


def may_answer(mail: Mail) -> str | None:
    """Why not; None when nothing speaks against it."""
    return next((code for code, holds in _REASONS if holds(mail)), None)


def over_cap(sent: Sent) -> str | None:
    """`too_many`: then the inbox stops answering until somebody looks."""
    if sent.to_all >= PER_INBOX:
        return "too_many"
    if sent.to_sender >= PER_SENDER:
        return "sender_had_one"
    return "domain_had_enough" if sent.to_domain >= PER_DOMAIN else None


def check_text(field: str, wanted: bool, text: str, has_hours: bool = True) -> str:
    """What an admin typed. Raises RuleBroken(field, "no_auto_text" | "long_auto_text" | "no_hours")."""
    text = text.replace("\r\n", "\n").strip()
    if len(text) > AUTO_TEXT_MAX:
        raise RuleBroken(field, "long_auto_text", limit=AUTO_TEXT_MAX)
    if wanted and not text:
        raise RuleBroken(field, "no_auto_text")
    if wanted and not has_hours:
        raise RuleBroken(field, "no_hours")
    return text


def key_without_tag(address: str) -> str:
    """support+x@us.example is support@us.example. "" when it is no address."""
    try:
        local, _, domain = address_key(address).rpartition("@")
    except ValueError:
        return ""
    return f"{local.partition('+')[0]}@{domain}"


def _is_automatic(mail):
    a = mail.automatic
    return a.submitted not in ("", "no") or a.away or a.robot


def _is_daemon(mail):
    local = key_without_tag(mail.sender).rpartition("@")[0]
    return bool(_DAEMON.fullmatch(local))


def _is_ours(mail):
    own = {key_without_tag(a) for a in mail.own | mail.here}
    return any(key_without_tag(a) in own for a in (mail.sender, *mail.reply_to))


def _is_to_us(mail):
    here = {key_without_tag(a) for a in mail.here}
    return any(key_without_tag(a) in here for a in mail.to)


def _says_so(mail):
    subject = unicodedata.normalize("NFC", mail.subject).strip().casefold()
    return subject.startswith(_SUBJECTS)


_REASONS = (
    ("nobody", lambda m: m.ambiguous or not key_without_tag(m.sender)),
    ("spam", lambda m: m.spam),
    ("report", lambda m: m.bounce or m.automatic.report),
    ("automatic", _is_automatic),
    ("list", lambda m: m.automatic.lists or m.automatic.precedence in BULK),
    ("suppressed", lambda m: bool(SUPPRESSED & set(m.automatic.suppress))),
    ("no_path", lambda m: m.automatic.null_path),
    ("looped", lambda m: m.automatic.hops >= MOST_HOPS),
    ("invitation", lambda m: m.invitation or m.automatic.calendar),
    ("daemon", _is_daemon),
    ("own", _is_ours),
    ("not_to_us", lambda m: not _is_to_us(m)),
    ("subject", _says_so),
)
