"""Watching mailboxes for new mail: IDLE (RFC 2177) on every connection, one thread for all of them."""

from webapp.mail.idle.watcher import Watcher

__all__ = ["Watcher"]
