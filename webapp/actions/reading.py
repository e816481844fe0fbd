"""From what the server sent to what `receive` stores: packed, and read in a process apart, while more comes over the
wire.

The parser gets each message in short: a mark stands for every attachment that is stored for itself, so that hundreds of
megabytes are neither sent to it nor decoded twice. Where a mark does not come back as one whole part, packing and
parsing have seen two different messages, and the parser gets it as it was.
"""

import hashlib
import logging
import secrets
from collections import deque

from webapp.actions.contents import read_beyond
from webapp.mail.apart import Died
from webapp.mail.pack import in_short, pack
from webapp.mail.types import Fetched, FetchedHeader, MailError
from webapp.models.blob import raw_of, rows_of

log = logging.getLogger(__name__)

CHUNK, CHUNK_BYTES = 16, 1_000_000      # messages that are packed, and given to the parser, at once; and their bytes
PACKING_BYTES = 2_000_000               # on the wire, that may wait to be packed
AHEAD, AHEAD_BYTES = 300, 5_000_000     # messages that the parser may have in hand, and bytes that we hold for them
SECRET = secrets.token_bytes(20)        # in every mark


class Read:
    """What the server sent of one message, on its way into the database.

    `digest`: none before `pack`. `rows`: what Blobs is to store; none before `pack`, nor once that is done. `raw`: what
    the parser gets, empty once nobody needs it: many are on their way at once. `parsed`, `columns`, `attachments`: what
    it says, and its rows; none before `take`. `size`: bytes of the message; `came`: bytes of it that were sent.
    """

    def __init__(self, item):
        self.item, self.uid = item, item.uid
        self.is_whole = isinstance(item, Fetched)
        self.raw = item.raw if self.is_whole else item.header
        self.size = len(item.raw) if self.is_whole else item.size
        self.came = len(self.raw)
        self.how = "whole" if self.is_whole else "header"
        self.digest = None if self.is_whole else _digest(item)
        self.raw_sha256 = self.rows = self.parsed = self.columns = self.attachments = None

    def pack(self):
        """Its digest, and what Blobs is to store."""
        if self.is_whole:
            packed = self._packed()
            self.rows = rows_of(self.raw_sha256, packed)

    def shorten(self):
        """`pack`, and keep no more than the parser needs: it goes before the parts are compressed, for raw, decoded and
        compressed at once would be three times a large message."""
        if self.is_whole:
            packed = self._packed()
            if packed.parts:
                self._keep(*in_short(packed.skeleton, SECRET))
            self.rows = rows_of(self.raw_sha256, packed)

    def lengthen(self):
        """As it was: its marks did not come back."""
        self._keep(raw_of(self.rows, self.raw_sha256), "whole")

    def take(self, contents):
        """A report is kept at hand as well: it names our mail in its body."""
        self.parsed, self.columns, self.attachments = contents
        if isinstance(self.item, FetchedHeader):
            self.columns["has_attachments"] = self.item.has_attachments
        elif self.is_whole and self.rows is not None and not self.parsed.bounce:
            self._keep(b"", self.how)

    def held(self):
        """Bytes in memory."""
        return len(self.raw) + sum(map(len, (self.rows or {}).values()))

    def _packed(self):
        self.digest = self.raw_sha256 = hashlib.sha256(self.raw).hexdigest()
        return pack(self.raw)

    def _keep(self, raw, how):
        self.raw, self.how, self.item = raw, how, self.item._replace(raw=raw)


def reading(items, apart, other):
    """A Read for each of these items, packed in a thread of `other` (an Executor) and parsed in a process of its own
    (`apart`: Apart of contents_of). Both work while the next ones come over the wire and the last ones are stored.
    Nothing is stored yet: `put_away`."""
    line = _Line(apart, other)
    try:
        for item in items:
            line.add(Read(item))
            del item        # else it lives on until the next one is here
            yield from line.done()
    except MailError:
        yield from line.rest()      # what came before the trouble is not lost
        raise
    yield from line.rest()


def put_away(reads, store):
    """Commit the raw bytes to `store` (Blobs), before the rows that name them. Needs no application: any thread may."""
    rows = {}
    for read in reads:
        rows |= read.rows or {}
        read.rows = None
    if rows:
        store.put(rows)


class _Line:
    """Messages on their way: fetched, then packed, then with the parser. One thread adds and takes."""

    def __init__(self, apart, other):
        self._apart, self._other = apart, other
        self._chunk, self._chunk_bytes = [], 0
        self._packing, self._packing_bytes = deque(), 0     # (Future, chunk)
        self._asked, self._held = deque(), 0

    def add(self, read):
        self._chunk.append(read)
        self._chunk_bytes += read.came

    def done(self):
        """Those whose answer is here, and those that must not be waited for any longer: memory stays flat."""
        if len(self._chunk) < CHUNK and self._chunk_bytes < CHUNK_BYTES:
            return
        self._pack()
        while self._packing and (self._packing_bytes > PACKING_BYTES or self._packing[0][0].done()):
            self._ask()
        while self._asked and (self._held > AHEAD_BYTES or len(self._asked) > AHEAD or self._apart.has_answer()):
            yield from self._answer()

    def rest(self):
        """All of them."""
        if self._chunk:
            self._pack()
        while self._packing:
            self._ask()
        while self._asked:
            yield from self._answer()

    def _pack(self):
        self._packing.append((self._other.submit(_shorten, self._chunk), self._chunk, self._chunk_bytes))
        self._packing_bytes += self._chunk_bytes
        self._chunk, self._chunk_bytes = [], 0

    def _ask(self):
        future, chunk, size = self._packing.popleft()
        self._packing_bytes -= size
        future.result()
        self._ask_for(chunk)

    def _ask_for(self, reads):
        self._asked.extend(reads)
        self._held += sum(read.held() for read in reads)
        self._apart.ask([(read.raw, read.how) for read in reads])

    def _answer(self):
        """The first of those that were asked for. Of a message that the parser does not survive what is harmless is
        read, see `read_beyond`; those behind it are asked for again."""
        read = self._asked.popleft()
        self._held -= read.held()
        try:
            contents = self._apart.answer()
        except Died:
            log.error("UID %s is more than the parser can bear", read.uid)
            contents = read_beyond(read.raw, self._apart)
            if self._asked:
                self._apart.ask([(other.raw, other.how) for other in self._asked])
        if contents is None:
            read.lengthen()
            self._ask_for([read])
            return
        read.take(contents)
        yield read


def _shorten(chunk):
    for read in chunk:
        read.shorten()


def _digest(item):
    return hashlib.sha256(item.header + b"|%d" % item.size).hexdigest()
