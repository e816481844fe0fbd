"""IMAP (RFC 3501, RFC 9051): one signed-in session. UID and PEEK only: reading changes nothing on the server."""

from webapp.mail.imap.session import Session

__all__ = ["Session"]
