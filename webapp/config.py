"""Every setting of the product: its type, its default, one line of what it does.

`Settings.from_env()` stops with one sentence on a bad value. README lists the same table (a test compares them).
"""

import ipaddress
import os
from dataclasses import dataclass, field, fields, replace
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import unquote, urlsplit

from babel.dates import get_timezone

from webapp.mail.clamd import place
from webapp.mail.types import Endpoint, Login, Mailbox, Policy

PREFIX = "POSTROOM_"
UNPREFIXED = {"database_url": "DATABASE_URL", "redis_url": "REDIS_URL"}


class BadSetting(ValueError):
    """One sentence for the person who starts the product."""


def _setting(default, text):
    return field(default=default, metadata={"text": text})


@dataclass(frozen=True)
class Settings:
    data_dir: str = _setting("instance", "Folder for the database, keys, logs and the embedded Valkey.")
    database_url: str = _setting("", "SQLAlchemy URL of PostgreSQL. Empty: SQLite in the data folder.")
    redis_url: str = _setting("", "URL of Redis or Valkey. Empty: the embedded server that `run` starts.")
    base_url: str = _setting("http://127.0.0.1:8025", "Address under which people open Postroom; used in links.")
    organisation: str = _setting("Postroom", "Name of your organisation, shown in the sidebar.")
    default_language: str = _setting("en", "Language before someone chooses: en or pl.")
    default_time_zone: str = _setting("Europe/Warsaw", "Time zone before someone chooses.")
    demo: bool = _setting(False, "The demo company and its mail servers; set by `run`.")
    htmx_cdn: bool = _setting(True, "Load htmx from its CDN; off for closed networks (the vendored copy is used).")
    frame_ancestors: str = _setting("", "Origins of portals that may embed Postroom, separated by spaces.")
    embed_cross_site: bool = _setting(False, "The portal is on another site: SameSite=None, Partitioned cookies.")
    secure_cookies: bool = _setting(False, "Cookies over HTTPS only. Set it behind a TLS proxy.")
    trusted_proxies: int = _setting(0, "How many reverse proxies in front set X-Forwarded-* headers.")
    plans: str = _setting("free=1 team=5 unlimited", "Plans and how many inboxes each allows; without =: any number.")
    plan: str = _setting("unlimited", "Plan of this installation: one of the names in POSTROOM_PLANS.")
    notice_from: str = _setting("", "Sender of Postroom's own mail: invitations, notices.")
    notice_smtp: str = _setting("", "Its server: smtps://user:password@host:465, or smtp:// for STARTTLS. Empty: none.")
    mail_ca_file: str = _setting("", "PEM file of your organisation's own CA, trusted for mail servers.")
    mail_private_hosts: str = _setting("", "Host names and CIDRs in private networks that may be mail servers.")
    mail_loopback: str = _setting("", "host:port pairs on this machine that may be mail servers.")
    mail_extra_ports: str = _setting("", "Ports for mail servers beyond 25, 143, 465, 587, 993 and 2525.")
    mail_servers: str = _setting("", "Servers of your own domains: domain=imap:port:tls,smtp:port:tls; next domain…")
    max_message_mb: int = _setting(50, "Larger messages are listed, not downloaded.")
    undo_seconds: int = _setting(10, "How long a reply can be called back before it leaves.")
    send_per_minute: int = _setting(10, "Mails that leave a personal address in a minute; more wait. 0: any number.")
    send_per_day: int = _setting(1000, "Mails that leave a personal address in 24 hours; more wait. 0: any number.")
    team_send_per_minute: int = _setting(0, "The same of a team address in a minute; 0: as many as its server takes.")
    team_send_per_day: int = _setting(0, "The same of a team address in 24 hours.")
    poll_seconds: int = _setting(120, "How often a mailbox is checked when its server offers no push.")
    max_streams: int = _setting(200, "Live streams per web process; beyond it pages poll.")
    clamd: str = _setting("", "Virus scanner: path of clamd's socket, or host:port. Empty: files are not scanned.")
    clamd_away: str = _setting("wait", "Files while the scanner is away, or too large for it: wait or allow.")
    log_level: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR.")

    def __post_init__(self):
        object.__setattr__(self, "base_url", self.base_url.rstrip("/"))     # paths follow it, and browsers compare it
        if self.default_language not in ("en", "pl"):
            raise BadSetting(f"POSTROOM_DEFAULT_LANGUAGE is “{self.default_language}”. Use en or pl.")
        if self.plan not in self.plan_table():
            raise BadSetting(f"POSTROOM_PLAN is “{self.plan}”. Use one of: {', '.join(self.plan_table())}.")
        if self.log_level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise BadSetting(f"POSTROOM_LOG_LEVEL is “{self.log_level}”. Use DEBUG, INFO, WARNING or ERROR.")
        if self.clamd_away not in ("wait", "allow"):
            raise BadSetting(f"POSTROOM_CLAMD_AWAY is “{self.clamd_away}”. Use wait or allow.")
        if not 1 <= self.max_message_mb <= 100:
            raise BadSetting(f"POSTROOM_MAX_MESSAGE_MB is {self.max_message_mb}. Use a number from 1 to 100.")
        for name in ("undo_seconds", "send_per_minute", "send_per_day", "team_send_per_minute", "team_send_per_day"):
            if getattr(self, name) < 0:
                raise BadSetting(f"{variable(name)} is {getattr(self, name)}. Use 0 or a larger number.")
        try:
            get_timezone(self.default_time_zone)
        except (LookupError, ValueError):
            raise BadSetting(f"POSTROOM_DEFAULT_TIME_ZONE is “{self.default_time_zone}”. Use a name such as "
                             "Europe/Warsaw.") from None
        self.policy()       # these raise on a bad value
        self.mail_presets()
        self.notice_server()
        self.scanner()

    @classmethod
    def from_env(cls, environ=os.environ):
        """Settings from POSTROOM_* variables (and DATABASE_URL, REDIS_URL). Raises BadSetting."""
        values = {}
        for f in fields(cls):
            name = variable(f.name)
            if name in environ:
                values[f.name] = _convert(name, environ[name].strip(), f.default)
        if values.get("demo"):
            values = {**_demo(values.get("data_dir", cls.data_dir)), **values}
        return cls(**values)

    @property
    def folder(self):
        return Path(self.data_dir).absolute()

    @property
    def database(self):
        return self.database_url.replace("postgres://", "postgresql+psycopg://", 1).replace(
            "postgresql://", "postgresql+psycopg://", 1) or f"sqlite:///{self.folder / 'postroom.db'}"

    @property
    def blob_database(self):
        """Raw mail lives in a SQLite file of its own; on PostgreSQL in the same database (SYNC 5)."""
        return self.database if self.database_url else f"sqlite:///{self.folder / 'blobs.db'}"

    def sending_limits(self, kind):
        """(mails a minute, mails in 24 hours) of a personal or team address (BEHAVIOUR 1.22, 2.18); 0: any number."""
        if kind == "team":
            return self.team_send_per_minute, self.team_send_per_day
        return self.send_per_minute, self.send_per_day

    @property
    def inbox_limit(self):
        """How many inboxes the plan allows; None for no limit."""
        return self.plan_table()[self.plan]

    def plan_table(self):
        """{name of a plan: how many inboxes it allows, None for any number}."""
        table = {}
        for entry in self.plans.replace(",", " ").split():
            name, equals, number = entry.partition("=")
            if not name or equals and not (number.isascii() and number.isdigit() and int(number) > 0):
                raise BadSetting(f"POSTROOM_PLANS has “{entry}”. Use name=number, such as team=5, or a name alone.")
            table[name] = int(number) if equals else None
        return table

    def notice_server(self):
        """(Endpoint, Login, sender as Mailbox) for Postroom's own mail, or None when it sends none."""
        if not self.notice_smtp:
            return None
        try:
            url = urlsplit(self.notice_smtp)
            security = {"smtps": "tls", "smtp": "starttls"}[url.scheme]
            endpoint = Endpoint(url.hostname, url.port or {"tls": 465, "starttls": 587}[security], security)
            login = Login(unquote(url.username), unquote(url.password))
        except (KeyError, TypeError, ValueError):
            raise BadSetting("POSTROOM_NOTICE_SMTP can't be read. Use smtps://user:password@host:465.") from None
        name, address = parseaddr(self.notice_from)
        if "@" not in address:
            raise BadSetting("POSTROOM_NOTICE_SMTP needs POSTROOM_NOTICE_FROM, such as Postroom <post@company.com>.")
        return endpoint, login, Mailbox(name or "Postroom", address)

    def scanner(self):
        """Where the virus scanner listens, for mail.clamd; None when there is none."""
        if not self.clamd:
            return None
        try:
            return place(self.clamd)
        except ValueError:
            raise BadSetting(f"POSTROOM_CLAMD is “{self.clamd}”. Use a path such as /run/clamav/clamd.ctl, or "
                             "host:port.") from None

    def notice_policy(self):
        """Of Postroom's own mail: exactly the server that the admin named, wherever it is."""
        endpoint, _login, _sender = self.notice_server()
        listed = {(host, endpoint.port) for host in ("127.0.0.1", "::1", endpoint.host)}
        return replace(self.policy(), ports=frozenset({endpoint.port}), private=(endpoint.host,),
                       loopback=frozenset(listed))

    def policy(self):
        """Which mail servers may be reached, as the mail layer asks for it."""
        ports = set(Policy().ports) | {_port("POSTROOM_MAIL_EXTRA_PORTS", p) for p in self.mail_extra_ports.split()}
        loopback = set()
        for pair in self.mail_loopback.replace(",", " ").split():
            host, _, port = pair.rpartition(":")
            try:
                loopback.add((str(ipaddress.ip_address(host)), _port("POSTROOM_MAIL_LOOPBACK", port)))
            except ValueError:
                raise BadSetting(
                    f"POSTROOM_MAIL_LOOPBACK has “{pair}”. Use address:port, such as 127.0.0.1:993.") from None
        if self.mail_ca_file and not self.demo and not os.access(self.mail_ca_file, os.R_OK):
            raise BadSetting(f"POSTROOM_MAIL_CA_FILE names “{self.mail_ca_file}”, which can't be read.")
        return Policy(ports=frozenset(ports), private=tuple(self.mail_private_hosts.replace(",", " ").split()),
                      loopback=frozenset(loopback), ca_file=self.mail_ca_file or None)

    def mail_presets(self):
        """{domain: ((imap host, port, security), (smtp host, port, security))} as the admin wrote it."""
        presets = {}
        for entry in filter(None, (e.strip() for e in self.mail_servers.split(";"))):
            try:
                domain, servers = entry.split("=")
                imap, smtp = (_server(s) for s in servers.split(","))
            except (ValueError, BadSetting):
                raise BadSetting(
                    f"POSTROOM_MAIL_SERVERS has “{entry}”. Use domain=imap-host:993:tls,smtp-host:465:tls.") from None
            presets[domain.strip().lower()] = (imap, smtp)
        return presets


def variable(name):
    """Name of the environment variable behind a setting."""
    return UNPREFIXED.get(name, PREFIX + name.upper())


def _demo(data_dir):
    """What the demo company's mail servers need: they live on this machine, with a CA of their own."""
    from webapp.demo.people import DOMAIN, IMAP_PORT, NOTICES, SMTP_PORT, notice_smtp
    imap, smtp = f"127.0.0.1:{IMAP_PORT}", f"127.0.0.1:{SMTP_PORT}"
    return {"organisation": "Transwisła", "mail_loopback": f"{imap} {smtp}", "plan": "team",
            "notice_from": f"Postroom <{NOTICES.address}>",
            "notice_smtp": notice_smtp(),
            "mail_servers": f"{DOMAIN}={imap}:tls,{smtp}:tls",
            "mail_ca_file": str(Path(data_dir).absolute() / "demo" / "ca.pem")}


def _convert(name, text, default):
    if isinstance(default, bool):
        if text.lower() not in ("1", "0", "true", "false", "on", "off", "yes", "no", ""):
            raise BadSetting(f"{name} is “{text}”. Use on or off.")
        return text.lower() in ("1", "true", "on", "yes")
    if isinstance(default, int):
        if not (text.isascii() and text.isdigit()):
            raise BadSetting(f"{name} is “{text}”. Use a whole number.")
        return int(text)
    return text


def _port(name, text):
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 65536:
        raise BadSetting(f"{name} has “{text}”. Use a port from 1 to 65535.")
    return int(text)


def _server(text):
    host, port, security = text.strip().rsplit(":", 2)
    if security not in ("tls", "starttls") or not host:
        raise ValueError(text)
    return host, _port("POSTROOM_MAIL_SERVERS", port), security
