"""The selected folder (RFC 3501 3.3): which messages the client knows of, and what it must be told."""

import asyncio
from collections.abc import Callable

from webapp.demo.imap.fetch import Message, flag_list
from webapp.demo.imap.refusal import No
from webapp.demo.imap.wire import BadSyntax, Token, in_set, number_set
from webapp.demo.mailstore import Entry, Folder, MailStore

FLAGS = b"(\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded $MDNSent)"


class SelectedFolder:
    """A folder as one client knows it, from SELECT or EXAMINE until it leaves.

    `known` is what the client was told of; a message's number is its index there + 1. `dirty` is set when
    the folder changed since then.
    """

    def __init__(self, store: MailStore, folder: Folder, readonly: bool, dirty: asyncio.Event,
                 say: Callable[[bytes], None]):
        self._store, self._dirty, self._say = store, dirty, say
        self.folder, self.readonly = folder, readonly
        self.known: list[Entry] = store.entries(folder.id)
        store.watch(folder.id, dirty.set)
        dirty.clear()

    def describe(self) -> None:
        """The untagged answers of SELECT and EXAMINE (RFC 3501 6.3.1)."""
        unseen = next((number for number, entry in enumerate(self.known, 1) if "\\Seen" not in entry.flags), None)
        self._say(b"* FLAGS " + FLAGS)
        self._say(b"* OK [PERMANENTFLAGS %b] flags" % (b"()" if self.readonly else FLAGS[:-1] + b" \\*)"))
        self._say(b"* %d EXISTS" % len(self.known))
        self._say(b"* 0 RECENT")
        if unseen:
            self._say(b"* OK [UNSEEN %d] first unseen" % unseen)
        self._say(b"* OK [UIDVALIDITY %d] UIDs valid" % self.folder.uidvalidity)
        self._say(b"* OK [UIDNEXT %d] next UID" % self.folder.uidnext)

    def leave(self) -> None:
        self._store.unwatch(self.folder.id, self._dirty.set)

    def tell_changes(self, may_expunge: bool = True) -> None:
        """Everything that happened in the folder since the client was last told."""
        if not self._dirty.is_set():
            return
        now = {entry.uid: entry for entry in self._store.entries(self.folder.id)}
        gone = [number for number, entry in enumerate(self.known, 1) if entry.uid not in now]
        if gone and may_expunge:
            for number in reversed(gone):
                self._say(b"* %d EXPUNGE" % number)
                del self.known[number - 1]
            gone = []
        for number, entry in enumerate(self.known, 1):
            fresh = now.get(entry.uid, entry)
            if fresh.flags != entry.flags:
                self._say(b"* %d FETCH (UID %d FLAGS %b)" % (number, entry.uid, flag_list(fresh.flags)))
                self.known[number - 1] = fresh
        highest = self.known[-1].uid if self.known else 0
        new = [entry for uid, entry in now.items() if uid > highest]
        if new:
            self.known += new
            self._say(b"* %d EXISTS" % len(self.known))
        if not gone:
            self._dirty.clear()

    def chosen(self, numbers: Token, by_uid: bool) -> list[tuple[int, Entry]]:
        if by_uid:
            # A client may ask for a UID that it has not been told of yet; that is silently nothing.
            ranges = number_set(numbers, self.known[-1].uid if self.known else 0)
            return [(n, entry) for n, entry in enumerate(self.known, 1) if in_set(entry.uid, ranges)]
        ranges = number_set(numbers, len(self.known))
        if any(low < 1 or high > len(self.known) for low, high in ranges):
            raise BadSyntax("no such message number")
        return [(n, entry) for n, entry in enumerate(self.known, 1) if in_set(n, ranges)]

    def message(self, number: int, entry: Entry) -> Message:
        return Message(number, entry, lambda: self._store.raw(self.folder.id, entry.uid) or b"")

    def remove(self, uids: list[int]) -> None:
        if uids:
            self._store.remove(self.folder.id, uids)

    def remove_deleted(self) -> None:
        self.remove([entry.uid for entry in self._store.entries(self.folder.id) if "\\Deleted" in entry.flags])

    def require_writable(self) -> None:
        if self.readonly:
            raise No("[READ-ONLY] the folder was opened with EXAMINE")
