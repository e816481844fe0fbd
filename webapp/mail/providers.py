"""Large providers whose servers are known: by the domain of an address, or by where a domain's mail goes (MX).

Written from the providers' own help pages. The user name is the whole address everywhere here.
"""

from typing import NamedTuple

from webapp.mail.types import Endpoint


class Servers(NamedTuple):
    """Where an organisation or provider reads and takes mail.

    `needs_app_password`: the everyday password is refused, a special one has to be made; `help_url` says where.
    `password_works`: False where no password at all is accepted any more (OAuth only).
    """

    imap: Endpoint
    smtp: Endpoint
    needs_app_password: bool = False
    help_url: str | None = None
    password_works: bool = True


def _servers(imap: str, smtp: str, smtp_port: int = 465, app_password: bool = False, help_url: str | None = None,
             password_works: bool = True) -> Servers:
    security = "tls" if smtp_port == 465 else "starttls"
    return Servers(Endpoint(imap, 993, "tls"), Endpoint(smtp, smtp_port, security), app_password, help_url,
                   password_works)


GMAIL = _servers("imap.gmail.com", "smtp.gmail.com", 465, True, "https://support.google.com/accounts/answer/185833")
OUTLOOK = _servers("outlook.office365.com", "smtp-mail.outlook.com", 587, password_works=False,
                   help_url="https://support.microsoft.com/office/d088b986-291d-42b8-9564-9c414e2aa040")
MICROSOFT_365 = _servers("outlook.office365.com", "smtp.office365.com", 587, password_works=False,
                         help_url="https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/"
                                  "deprecation-of-basic-authentication-exchange-online")
YAHOO = _servers("imap.mail.yahoo.com", "smtp.mail.yahoo.com", 465, True, "https://help.yahoo.com/kb/SLN15241.html")
AOL = _servers("imap.aol.com", "smtp.aol.com", 465, True, "https://help.aol.com/articles/Create-and-manage-app-password")
ICLOUD = _servers("imap.mail.me.com", "smtp.mail.me.com", 587, True, "https://support.apple.com/102654")
GMX = _servers("imap.gmx.net", "mail.gmx.net", help_url="https://hilfe.gmx.net/pop-imap/einschalten.html")
GMX_COM = _servers("imap.gmx.com", "mail.gmx.com", help_url="https://support.gmx.com/pop-imap/toggle.html")
WEB_DE = _servers("imap.web.de", "smtp.web.de", 587, help_url="https://hilfe.web.de/pop-imap/einschalten.html")
T_ONLINE = _servers("secureimap.t-online.de", "securesmtp.t-online.de", 465, True,
                    "https://www.telekom.de/hilfe/apps-dienste/e-mail/e-mail-passwort")
MAILBOX_ORG = _servers("imap.mailbox.org", "smtp.mailbox.org")
POSTEO = _servers("posteo.de", "posteo.de")
FASTMAIL = _servers("imap.fastmail.com", "smtp.fastmail.com", 465, True,
                    "https://www.fastmail.help/hc/en-us/articles/360058752854")
ZOHO = _servers("imap.zoho.com", "smtp.zoho.com", help_url="https://www.zoho.com/mail/help/imap-access.html")
ZOHO_EU = _servers("imap.zoho.eu", "smtp.zoho.eu", help_url="https://www.zoho.com/mail/help/imap-access.html")
ZOHO_PRO = _servers("imappro.zoho.com", "smtppro.zoho.com", help_url="https://www.zoho.com/mail/help/imap-access.html")
YANDEX = _servers("imap.yandex.com", "smtp.yandex.com", 465, True,
                  "https://yandex.com/support/yandex-360/customers/mail/en/mail-clients/others")
WP = _servers("imap.wp.pl", "smtp.wp.pl", help_url="https://pomoc.wp.pl/")
O2 = _servers("poczta.o2.pl", "poczta.o2.pl", help_url="https://pomoc.o2.pl/")
ONET = _servers("imap.poczta.onet.pl", "smtp.poczta.onet.pl", help_url="https://pomoc.poczta.onet.pl/")
INTERIA = _servers("poczta.interia.pl", "poczta.interia.pl", help_url="https://pomoc.interia.pl/")
GAZETA = _servers("imap.gazeta.pl", "smtp.gazeta.pl")
OVH = _servers("ssl0.ovh.net", "ssl0.ovh.net", help_url="https://help.ovhcloud.com/")
IONOS = _servers("imap.ionos.de", "smtp.ionos.de")

_DOMAINS = (
    (GMAIL, "gmail.com googlemail.com"),
    (OUTLOOK, "outlook.com hotmail.com live.com msn.com outlook.de hotmail.de live.de hotmail.co.uk live.co.uk "
              "outlook.fr hotmail.fr live.fr outlook.es hotmail.es outlook.it hotmail.it outlook.pl"),
    (YAHOO, "yahoo.com ymail.com rocketmail.com yahoo.de yahoo.fr yahoo.es yahoo.it yahoo.co.uk yahoo.pl"),
    (AOL, "aol.com aol.de aim.com"), (ICLOUD, "icloud.com me.com mac.com"),
    (GMX, "gmx.net gmx.de gmx.at gmx.ch gmx.org gmx.eu"), (GMX_COM, "gmx.com gmx.us gmx.co.uk mail.com"),
    (WEB_DE, "web.de"), (T_ONLINE, "t-online.de magenta.de"), (MAILBOX_ORG, "mailbox.org"),
    (POSTEO, "posteo.de posteo.net posteo.eu posteo.pl posteo.org"), (FASTMAIL, "fastmail.com fastmail.fm"),
    (ZOHO, "zoho.com zohomail.com"), (ZOHO_EU, "zoho.eu zohomail.eu"),
    (YANDEX, "yandex.com yandex.ru ya.ru yandex.pl"), (WP, "wp.pl"),
    (O2, "o2.pl tlen.pl go2.pl prokonto.pl"),
    (ONET, "onet.pl op.pl onet.eu poczta.onet.pl poczta.onet.eu vp.pl spoko.pl autograf.pl buziaczek.pl amorki.pl"),
    (INTERIA, "interia.pl interia.eu interia.com poczta.fm intmail.pl"), (GAZETA, "gazeta.pl"),
)
_MX = (
    (GMAIL, "google.com googlemail.com"), (MICROSOFT_365, "mail.protection.outlook.com mx.microsoft"),
    (OVH, "mail.ovh.net ovh.net"), (FASTMAIL, "messagingengine.com"), (ZOHO_PRO, "zoho.com zohomail.com"),
    (ZOHO_EU, "zoho.eu"), (MAILBOX_ORG, "mailbox.org"), (YANDEX, "yandex.net yandex.ru"), (ICLOUD, "icloud.com"),
    (IONOS, "kundenserver.de ionos.com"),
)
# Hosters where the host that takes a domain's mail is also where it is read: only a guess, to be tried.
MX_IS_THE_SERVER = ("home.pl", "nazwa.pl", "your-server.de", "cyberfolks.pl", "lh.pl", "zenbox.pl", "dhosting.pl")

# How these sign Authentication-Results, by the host that mail is read from: written from mail that they delivered.
# Others sign with changing names (Fastmail, Yahoo, iCloud) or none at all (Microsoft): people may set what they see.
AUTHSERV_IDS = {"imap.gmail.com": "mx.google.com", "imap.gmx.net": "gmx.net", "imap.zoho.com": "mx.zohomail.com",
                "imappro.zoho.com": "mx.zohomail.com"}

BY_DOMAIN = {domain: servers for servers, domains in _DOMAINS for domain in domains.split()}
_BY_MX = {suffix: servers for servers, suffixes in _MX for suffix in suffixes.split()}


def by_mx(hosts: list[str]) -> Servers | None:
    """The provider that takes the mail of these MX hosts (best first), if it is a known one."""
    for host in hosts:
        labels = host.lower().rstrip(".").split(".")
        for start in range(len(labels) - 1):
            if servers := _BY_MX.get(".".join(labels[start:])):
                return servers
    return None


def known_provider(address: str, presets=()) -> Servers | str | None:
    """What is known of an address without asking anybody: "preset" for the organisation's own domains, a provider's
    Servers, or None."""
    domain = address.rpartition("@")[2].strip().lower()
    return "preset" if domain in presets else BY_DOMAIN.get(domain)
