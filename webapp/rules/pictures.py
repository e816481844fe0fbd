"""Pictures that lie elsewhere: whoever sent a mail learns from them that, when and where it is read. So they wait until
the person who reads says so, for this mail, or for all of a sender or of a sender's domain (DEFENCE 1.3, 3.1)."""

from datetime import timedelta

from webapp.mail.address import address_key
from webapp.rules import RuleBroken

ONCE_LASTS = timedelta(hours=1)      # "Show pictures": until the mail is put away, as far as a server can tell
KEPT = timedelta(days=30)            # a picture that nobody has seen for so long is forgotten
LEAVES_MOST = 1_000                  # senders and domains of one person
PICTURES_MOST = 100                  # of one message that are fetched
BYTES_MOST = 20_000_000              # of one message
SECONDS_MOST = 30.0                  # of fetching for one message, in one go
TRIES_MOST = 3
RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=10))

# Why a picture could not be loaded: a fixed set, so that nobody learns from it what stands inside our network.
TROUBLES = ("unreachable", "missing", "not_allowed", "not_a_picture", "too_large", "too_many")
PASSING = frozenset({"unreachable"})

# Domains under which everybody may have an address: allowing one would be allowing strangers.
FREEMAIL = frozenset("""
126.com 163.com aim.com alice.it aliyun.com aol.com arcor.de att.net autograf.pl bellsouth.net bigpond.com bk.ru
bluewin.ch btinternet.com buziaczek.pl centrum.cz charter.net comcast.net cox.net daum.net email.cz email.it
fastmail.com fastmail.fm foxmail.com free.fr freemail.hu freenet.de gazeta.pl gmail.com gmx.at gmx.ch gmx.com gmx.de
gmx.net gmx.org go2.pl googlemail.com hey.com hotmail.be hotmail.co.uk hotmail.com hotmail.de hotmail.es hotmail.fr
hotmail.it hushmail.com icloud.com inbox.lv inbox.ru interia.eu interia.pl internode.on.net juno.com laposte.net
libero.it list.ru live.ca live.co.uk live.com live.de live.fr live.it live.nl mac.com mail.bg mail.com mail.de mail.ee
mail.ru mailbox.org me.com msn.com naver.com neostrada.pl netzero.net o2.pl onet.eu onet.pl op.pl orange.fr outlook.at
outlook.co.uk outlook.com outlook.de outlook.es outlook.fr outlook.it outlook.pl pm.me poczta.fm poczta.onet.eu
poczta.onet.pl poczta.pl posteo.de posteo.net prokonto.pl proton.me protonmail.ch protonmail.com qq.com rambler.ru
rediffmail.com rocketmail.com sbcglobal.net seznam.cz sfr.fr shaw.ca sina.com sky.com sohu.com spoko.pl sympatico.ca
t-online.de talktalk.net tenbit.pl tiscali.it tlen.pl tuta.com tuta.io tutamail.com tutanota.com tutanota.de tvn.pl
ukr.net verizon.net virgilio.it virginmedia.com vodafone.it vp.pl wanadoo.fr web.de windowslive.com wp.eu wp.pl ya.ru
yahoo.ca yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.au yahoo.com.br yahoo.de yahoo.es yahoo.fr yahoo.it
yahoo.pl yandex.com yandex.ru yeah.net ymail.com zoho.com zohomail.eu
amorki.pl aol.de duck.com hanmail.net interia.com intmail.pl kpnmail.nl magenta.de mozmail.com optonline.net posteo.eu
posteo.org posteo.pl privaterelay.appleid.com skynet.be telenet.be ziggo.nl zoho.eu zohomail.com
""".split())
# These are at home in many countries: yahoo.com.mx, hotmail.com.br, live.se.
_EVERYWHERE = frozenset("yahoo hotmail outlook live msn gmx yandex".split())


def values_of(address: str, sure: bool) -> dict[str, str]:
    """{scope: value} of what may be allowed for good by this sender's address: "sender", and "domain" where it is not
    everybody's. Lower case, IDNA. Nothing when the address is not one, or when nobody is `sure` who wrote."""
    try:
        key = address_key(address) if sure else ""
    except ValueError:
        key = ""
    if not key:
        return {}
    domain = key.rpartition("@")[2]
    freemail = domain in FREEMAIL or domain.partition(".")[0] in _EVERYWHERE
    return {"sender": key} if freemail else {"sender": key, "domain": domain}


def is_allowed(message_id: int, address: str, sure: bool, leaves) -> str | None:
    """By which scope this person sees the pictures of this message; None: they wait. `leaves`: {(scope, value)} of the
    person that are valid now. A leave for a sender is worth nothing where it is not `sure` that it was that sender."""
    asked = {**values_of(address, sure), "message": str(message_id)}
    return next((scope for scope, value in asked.items() if (scope, value) in leaves), None)


def check_leave(scope: str, address: str, sure: bool, count: int) -> str:
    """The value to store. `count`: senders and domains that this person has allowed already. Raises
    RuleBroken("scope", "sender_unsure" | "freemail_domain" | "too_many_senders" | "not_a_choice")."""
    if scope not in ("sender", "domain"):
        raise RuleBroken("scope", "not_a_choice")
    values = values_of(address, sure)
    if not values:
        raise RuleBroken("scope", "sender_unsure")
    if scope not in values:
        raise RuleBroken("scope", "freemail_domain", domain=values["sender"].rpartition("@")[2])
    if count >= LEAVES_MOST:
        raise RuleBroken("scope", "too_many_senders", limit=LEAVES_MOST)
    return values[scope]


def next_try(why: str, tries: int) -> timedelta | None:
    """How long to wait after the `tries`-th failure for this reason; None: no more by itself."""
    return RETRY_AFTER[tries - 1] if why in PASSING and 0 < tries < TRIES_MOST else None
