"""What a server's refusal means: response codes (RFC 5530, RFC 9051 7.1 and what servers really say) to MailError."""

import contextlib
import imaplib
import re

from imapclient.exceptions import ProtocolError

from webapp.mail.connect import clean
from webapp.mail.types import MailError

_CODE = re.compile(r"\[([A-Z][A-Z0-9._-]*)", re.I)
_MEANING = {
    "AUTHENTICATIONFAILED": "password_refused", "AUTHORIZATIONFAILED": "password_refused",
    "EXPIRED": "password_refused", "PRIVACYREQUIRED": "not_tls",
    "UNAVAILABLE": "unavailable", "CONTACTADMIN": "unavailable", "SERVERBUG": "unavailable",
    "CORRUPTION": "unavailable", "OVERQUOTA": "throttled", "THROTTLED": "throttled", "LIMIT": "throttled",
    "INUSE": "in_use", "NONEXISTENT": "gone", "TRYCREATE": "gone", "EXPUNGEISSUED": "gone",
    "NOPERM": "gone", "CLIENTBUG": "protocol", "CANNOT": "protocol",
}
_TOO_MANY = re.compile(r"too many|rate limit|exceeded|throttl|try again later", re.I)
_NOT_THERE = re.compile(r"(does|do)(n't| not) exist|no such|unknown (mailbox|folder)|not found|nonexistent", re.I)


def refusal(text: str | bytes, default: str, **facts) -> MailError:
    """The MailError for the text of a NO, BAD or BYE, with its response code; `default` when that says nothing."""
    answer = clean(text)
    found = _CODE.search(answer)
    code = _MEANING.get(found[1].upper()) if found else None
    if code is None and _TOO_MANY.search(answer):
        code = "throttled"
    if code is None and default != "password_refused" and _NOT_THERE.search(answer):
        code = "gone"
    return MailError(code or default, answer=answer, **facts)


@contextlib.contextmanager
def translated(default: str):
    """Everything that imapclient and imaplib raise, as MailError; `default` is for a NO without a code."""
    try:
        yield
    except MailError:
        raise
    except imaplib.IMAP4.abort as error:
        # BYE, or an answer that imaplib cannot follow. The end of the stream is told by Wire.
        raise refusal(str(error), "protocol" if "unexpected" in str(error) or "unterminated" in str(error)
                      else "unavailable", reason="bye") from None
    except ProtocolError as error:
        raise MailError("protocol", answer=clean(str(error))) from None
    except imaplib.IMAP4.error as error:
        bad = re.search(r"command error: BAD", str(error))
        raise refusal(str(error), "protocol" if bad else default) from None
    except (ValueError, TypeError, LookupError, AttributeError, UnicodeError, OverflowError) as error:
        # imaplib on an answer that makes no sense.
        raise MailError("protocol", reason=type(error).__name__) from None
