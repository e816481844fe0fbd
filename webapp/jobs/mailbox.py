"""Opening a connection's mail servers from a job: endpoints and the password from its row."""

import logging
from contextlib import contextmanager
from datetime import timedelta

from flask import current_app

from webapp.mail.imap import Session
from webapp.mail.smtp import SmtpSession
from webapp.mail.types import Endpoint, Login, MailError
from webapp.models.secret import SecretLost, unseal
from webapp.queue import JOB_SECONDS, LONG_JOB_SECONDS

log = logging.getLogger(__name__)
SESSION_SECONDS = JOB_SECONDS - 20.0
LONG_SESSION_SECONDS = LONG_JOB_SECONDS - 20.0      # a message of 50 MB at 1.5 Mbit/s

# How long a passing trouble waits before the next try; the rest waits for a person.
RETRY_AFTER = {"throttled": timedelta(minutes=15), "unavailable": timedelta(minutes=1), "in_use": timedelta(minutes=2),
               "lost": timedelta(seconds=20), "timed_out": timedelta(minutes=1), "refused": timedelta(minutes=1),
               "host_unknown": timedelta(minutes=5), "protocol": timedelta(minutes=5), "not_tls": timedelta(minutes=15),
               "certificate": timedelta(minutes=30), "gone": timedelta(minutes=5), "internal": timedelta(minutes=5)}


def login(connection):
    """User name and password. A password that does not open any more has to be typed again, like a refused one."""
    try:
        return Login(connection.user_name, unseal(connection.secret, "connection", connection.id, "secret"))
    except SecretLost as lost:
        log.error("%s", lost)
        raise MailError("password_refused", reason="secret_lost") from None


def imap_endpoint(connection):
    return Endpoint(connection.imap_host, connection.imap_port, connection.imap_security)


def smtp_endpoint(connection):
    return Endpoint(connection.smtp_host, connection.smtp_port, connection.smtp_security)


def policy():
    return current_app.config["SETTINGS"].policy()


def open_imap(endpoint, credentials, seconds=None):
    """Ends before the queue would kill the job: then the mailbox says so, and is tried less often."""
    with never_telling(credentials.password):
        return Session.open(endpoint, credentials, policy(), seconds or SESSION_SECONDS)


def open_smtp(endpoint, credentials):
    with never_telling(credentials.password):
        return SmtpSession.open(endpoint, credentials, policy())


@contextmanager
def never_telling(password):
    """A server may repeat the password in its answer, which is shown and stored: without it."""
    try:
        yield
    except MailError as error:
        for name, value in error.facts.items():
            if isinstance(value, str) and password:
                error.facts[name] = value.replace(password, "•••")
        raise
