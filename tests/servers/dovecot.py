"""A throw-away Dovecot on loopback: IMAP over TLS and STARTTLS, LMTP, passwords from a file.

Runs as an ordinary user (`nobody` when we are root). Written for 2.3; for 2.4 the other dialect is written,
as far as its documentation tells.
"""

import contextlib
import imaplib
import os
import pwd
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from servers import Missing, as_user, end, free_port, give, ordinary_user, remove, short_folder
from servers.ca import Authority

FOLDERS = ("Sent", "Drafts", "Trash", "Junk", "Archive")
HINT = "dovecot: apt-get install dovecot-imapd dovecot-lmtpd"


class Dovecot:
    """Context manager. `dir` must be a folder that `nobody` can enter; without it a short one under /tmp is made.

    `authority` is the CA to use (one of its own otherwise); `quota_mb` turns quotas on; `extra` is added to the
    configuration as it is (2.3 dialect). Attributes: `host`, `imaps_port`, `imap_port` (STARTTLS or plain),
    `lmtp_port`, `ca_file`, `dir`, `users` (address -> password).
    """

    host = "127.0.0.1"

    def __init__(self, dir: Path | str | None = None, authority: Authority | None = None,
                 quota_mb: int | None = None, extra: str = ""):
        self._program = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")
        if not self._program:
            raise Missing(HINT)
        answer = subprocess.run([self._program, "--version"], capture_output=True, text=True).stdout
        self.version = tuple(int(n) for n in re.findall(r"\d+", answer)[:2])
        self._owner = ordinary_user("nobody")
        self._own_dir = dir is None
        self.dir = short_folder("dv", self._owner) if dir is None else Path(dir)
        self._authority = authority
        self._quota_mb, self._extra = quota_mb, extra
        self.users: dict[str, str] = {}
        self._process: subprocess.Popen | None = None
        self.imaps_port = self.imap_port = self.lmtp_port = 0
        self.ca_file = ""

    def __enter__(self) -> "Dovecot":
        for name in ("run", "state", "home", "users"):
            (self.dir / name).mkdir(parents=True, exist_ok=True)
            give(self.dir / name, self._owner)
        authority = self._authority or Authority(self.dir / "ca")
        self.ca_file = authority.ca_file
        pair = authority.issue(label="dovecot")
        for source, name in ((pair.cert, "cert.pem"), (pair.key, "key.pem")):
            shutil.copyfile(source, self.dir / name)
            give(self.dir / name, self._owner)
        self.imaps_port, self.imap_port, self.lmtp_port = free_port(), free_port(), free_port()
        (self.dir / "dovecot.conf").write_text(self._configuration())
        self.start()
        return self

    def __exit__(self, *exc) -> None:
        self.stop()
        if self._own_dir:
            remove(self.dir)

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "-F", "-c", str(self.dir / "dovecot.conf")], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=open(self.dir / "stderr", "wb"),  # noqa: SIM115
            cwd=self.dir, start_new_session=True, **as_user(self._owner))
        for port in (self.imaps_port, self.imap_port, self.lmtp_port):
            self._wait_for(port)

    def stop(self) -> None:
        if self._process:
            end(self._process)
            # Signed-in connections outlive the master for a while: the group is ours alone, so end it whole.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process = None

    def restart(self) -> None:
        """Stop and start again: same ports, same mail, every connection is cut."""
        self.stop()
        self.start()

    def add_user(self, address: str, password: str) -> None:
        """A new mailbox, or a new password for an old one."""
        changed = self.users.get(address, password) != password
        self.users[address] = password
        self._write_user(address)
        if changed:
            time.sleep(1.1)

    def deliver(self, user: str, raw: bytes, folder: str = "INBOX", flags: Iterable[str] = (),
                date: datetime | None = None) -> int | None:
        """APPEND `raw`, byte for byte (lone LF become CRLF), to a folder of `user`. Returns its UID."""
        with self.imap(user) as client:
            return append(client, raw, folder, flags, date)

    def deliver_many(self, user: str, raws: Iterable[bytes], folder: str = "INBOX") -> None:
        """The same for many messages over one connection."""
        with self.imap(user) as client:
            for raw in raws:
                append(client, raw, folder)

    def deliver_lmtp(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """As a mail transfer agent would: Dovecot adds Return-Path, Delivered-To and Received."""
        with smtplib.LMTP(self.host, self.lmtp_port, timeout=10) as lmtp:
            lmtp.sendmail(sender, recipients, raw, mail_options=["BODY=8BITMIME"])

    def imap(self, user: str) -> imaplib.IMAP4_SSL:
        """A signed-in standard-library client, to look or to play another client. Close it with `with`."""
        context = ssl.create_default_context(cafile=self.ca_file)
        client = imaplib.IMAP4_SSL(self.host, self.imaps_port, ssl_context=context, timeout=20)
        client.login(user, self.users[user])
        return client

    def folder_path(self, user: str, folder: str = "INBOX") -> Path:
        """The Maildir of a folder on disk."""
        mail = self.dir / "home" / user / "mail"
        return mail if folder == "INBOX" else mail / f".{folder.replace('/', '.')}"

    def new_uidvalidity(self, user: str, folder: str = "INBOX") -> None:
        """Forget UIDs and UIDVALIDITY of a folder, as after a restore from backup; the mail stays."""
        for name in self.folder_path(user, folder).glob("dovecot*"):
            if name.is_file():
                name.unlink()
        time.sleep(1.1)  # UIDVALIDITY is the clock in seconds: the new one must differ

    def log(self) -> str:
        path = self.dir / "dovecot.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _wait_for(self, port: int, seconds: float = 15.0) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                socket.create_connection((self.host, port), 1).close()
                return
            except OSError:
                time.sleep(0.01)
        raise RuntimeError(f"Dovecot does not start:\n{(self.dir / 'stderr').read_text()}\n{self.log()}")

    def _write_user(self, address: str) -> None:
        # A file for each user: Dovecot looks at most once a second whether a file that it knows has changed.
        # The six colons are needed: the same file is the user database.
        path = self.dir / "users" / address
        path.write_text(f"{address}:{{PLAIN}}{self.users[address]}::::::\n")
        give(path, self._owner)

    def _configuration(self) -> str:
        who = pwd.getpwnam(self._owner) if self._owner else pwd.getpwuid(os.getuid())
        names = {"dir": self.dir, "user": who.pw_name, "group": _group_name(who.pw_gid), "imap": self.imap_port,
                 "imaps": self.imaps_port, "lmtp": self.lmtp_port, "quota": self._quota_mb, "extra": self._extra}
        if self.version >= (2, 4):
            return CONFIGURATION_2_4.format(**names, folders=_folders("namespace inbox"))
        quota = QUOTA_2_3.format(**names) if self._quota_mb else ""
        return CONFIGURATION_2_3.format(**names, folders=_folders("namespace inbox"), quota_block=quota)


def append(client: imaplib.IMAP4, raw: bytes, folder: str, flags: Iterable[str] = (),
           date: datetime | None = None) -> int | None:
    """APPEND over a signed-in imaplib client; the UID from APPENDUID."""
    when = imaplib.Time2Internaldate(date) if date else None
    code, answer = client.append(f'"{folder}"', " ".join(flags) or None, when, raw)
    if code != "OK":
        raise RuntimeError(f"APPEND: {code} {answer}")
    found = re.search(rb"APPENDUID \d+ (\d+)", answer[0] or b"")
    return int(found[1]) if found else None


def _group_name(gid: int) -> str:
    import grp
    return grp.getgrgid(gid).gr_name


def _folders(namespace: str) -> str:
    boxes = "".join(f"  mailbox {name} {{\n    auto = subscribe\n    special_use = \\{name}\n  }}\n"
                    for name in FOLDERS)
    return f"{namespace} {{\n  inbox = yes\n  separator = /\n{boxes}}}\n"


SERVICES = """\
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  client_limit = 1500
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 1500
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
service anvil {{
  chroot =
  # No growing delay after wrong passwords: the tests give many.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service auth {{
  chroot =
}}
"""

CONFIGURATION_2_3 = """\
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
default_vsz_limit = 1G
default_process_limit = 1600
default_client_limit = 10000
ssl = yes
ssl_cert = <{dir}/cert.pem
ssl_key = <{dir}/key.pem
# Sign-in without TLS stays off except from loopback, which is where we are; LOGIN is refused by the client.
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_max_userip_connections = 2000
mail_location = maildir:~/mail
mail_uid = {user}
mail_gid = {group}
mail_fsync = never
first_valid_uid = 1
first_valid_gid = 1
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {dir}/users/%u
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {dir}/users/%u
  default_fields = uid={user} gid={group} home={dir}/home/%u
}}
protocol lmtp {{
  postmaster_address = postmaster@localhost
}}
{folders}{quota_block}""" + SERVICES + "{extra}\n"

QUOTA_2_3 = """\
mail_plugins = quota
protocol imap {{
  mail_plugins = quota imap_quota
}}
plugin {{
  quota = count:User quota
  quota_vsizes = yes
  quota_grace = 0
  quota_rule = *:storage={quota}M
}}
"""

# Best effort, from the documentation of 2.4; quota and `extra` are for 2.3 only.
CONFIGURATION_2_4 = """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
ssl = yes
ssl_server_cert_file = {dir}/cert.pem
ssl_server_key_file = {dir}/key.pem
auth_allow_cleartext = yes
auth_mechanisms = plain login
auth_failure_delay = 0
mail_max_userip_connections = 2000
mail_driver = maildir
mail_path = ~/mail
mail_uid = {user}
mail_gid = {group}
mail_fsync = never
first_valid_uid = 1
first_valid_gid = 1
passdb passwd-file {{
  passwd_file_path = {dir}/users/%{{user}}
  default_password_scheme = plain
}}
userdb passwd-file {{
  passwd_file_path = {dir}/users/%{{user}}
  fields {{
    uid:default = {user}
    gid:default = {group}
    home:default = {dir}/home/%{{user}}
  }}
}}
{folders}""" + SERVICES
