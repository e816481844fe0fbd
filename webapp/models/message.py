"""A message, the places where its server keeps it, its attachments.

Identity is the place (folder, UIDVALIDITY, UID) plus `digest`, the SHA-256 of what was read: the raw bytes, or of a
personal message the header alone. Message-ID only threads.
"""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, UniqueConstraint, and_, exists, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.connection import Connection
from webapp.models.conversation import Conversation, visible_conversations
from webapp.models.types import Moment, now, one_of
from webapp.rules.bounds import MESSAGE_STATES

TO_FORGET = "erased_at IS NOT NULL AND raw_sha256 IS NOT NULL"
ANSWER_DUE = "answer_due_at IS NOT NULL"
UNREADABLE = "state = 'unreadable'"     # few of very many: each look at a mailbox asks for them
BOUNCES, MOVED = "bounce_of_id IS NOT NULL", "moved_id IS NOT NULL"
WORDLESS = "words_id IS NULL"           # likewise
# Counted by reports. A database knows its index again by these very words.
COUNTED = "conversation_id IS NOT NULL AND auto = 0", "conversation_id IS NOT NULL AND NOT auto"


class Message(db.Model):
    __table_args__ = (
        UniqueConstraint("connection_id", "digest"), one_of("state", MESSAGE_STATES),
        Index("ix_message_conversation", "conversation_id", "at", "id"),
        Index("ix_message_connection", "connection_id", "at", "id"),
        Index("ix_message_message_id", "connection_id", "message_id"),
        Index("ix_message_answer_due", "answer_due_at", sqlite_where=text(ANSWER_DUE),
              postgresql_where=text(ANSWER_DUE)),
        Index("ix_message_erased", "erased_at", sqlite_where=text(TO_FORGET), postgresql_where=text(TO_FORGET)),
        Index("ix_message_unreadable", "connection_id", sqlite_where=text(UNREADABLE),
              postgresql_where=text(UNREADABLE)),
        Index("ix_message_bounce_of", "bounce_of_id", sqlite_where=text(BOUNCES), postgresql_where=text(BOUNCES)),
        Index("ix_message_moved", "moved_id", sqlite_where=text(MOVED), postgresql_where=text(MOVED)),
        Index("ix_message_report", "at", "conversation_id", "outgoing", "author_id", "auto",
              sqlite_where=text(COUNTED[0]), postgresql_where=text(COUNTED[1])),
        Index("ix_message_wordless", "id", sqlite_where=text(WORDLESS), postgresql_where=text(WORDLESS)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"))
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"))
    moved_id: Mapped[int | None] = mapped_column(ForeignKey("event.id"))    # what put it into its conversation by hand
    digest: Mapped[str] = mapped_column(String(64))
    raw_sha256: Mapped[str | None] = mapped_column(String(64), index=True)  # none: the body is still on the server only
    state: Mapped[str] = mapped_column(default="ok")
    size: Mapped[int]                                     # bytes on the wire
    outgoing: Mapped[bool] = mapped_column(default=False)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # who of us wrote it here

    message_id: Mapped[str | None] = mapped_column(String(998))
    references: Mapped[list] = mapped_column(JSON, default=list)
    subject: Mapped[str] = mapped_column(default="")
    from_name: Mapped[str] = mapped_column(default="")
    from_address: Mapped[str] = mapped_column(default="")
    sender_ambiguous: Mapped[bool] = mapped_column(default=False)
    sender_hides: Mapped[bool] = mapped_column(default=False)    # From held characters that nobody sees
    # The topmost Authentication-Results, whoever wrote it: believed where it is the mailbox's own (rules.senders).
    authentication: Mapped[dict | None] = mapped_column(JSON(none_as_null=True))
    invitation: Mapped[dict | None] = mapped_column(JSON(none_as_null=True))     # as mail.invitation.read has it
    reply_to: Mapped[list] = mapped_column(JSON, default=list)   # [[name, address], ...]
    to: Mapped[list] = mapped_column(JSON, default=list)
    cc: Mapped[list] = mapped_column(JSON, default=list)
    bcc: Mapped[list] = mapped_column(JSON, default=list)     # of our own only, and in no header of it
    at: Mapped[datetime] = mapped_column(Moment)          # when the server received it; our own: when it was written
    auto: Mapped[bool] = mapped_column(default=False)     # out-of-office, robots (RFC 3834)
    auto_kind: Mapped[str] = mapped_column(default="")    # which of them, where it is known: away, list, robot
    bounce_of_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"))   # of ours
    bounce: Mapped[bool] = mapped_column(default=False)

    snippet: Mapped[str] = mapped_column(default="")
    text: Mapped[str] = mapped_column(default="", deferred=True)
    html: Mapped[str | None] = mapped_column(deferred=True)  # sanitised; images are numbers into `images`
    has_html: Mapped[bool] = mapped_column(default=False)
    height: Mapped[int] = mapped_column(default=0)        # estimated pixels of the HTML, for its frame
    images: Mapped[list] = mapped_column(JSON, default=list)     # [[kind, url], ...]
    sanitizer_version: Mapped[int] = mapped_column(default=0)
    has_attachments: Mapped[bool] = mapped_column(default=False)
    parser_version: Mapped[int] = mapped_column(default=0)       # 0 of an unreadable one: it is to be read again
    reread_at: Mapped[datetime | None] = mapped_column(Moment)   # when that was last done
    # To be answered by a machine, since then: rules.autoreply; none once that is done or decided against.
    answer_due_at: Mapped[datetime | None] = mapped_column(Moment)
    # Spam that was deleted for good: nothing of it is left but that its place on the server is known.
    erased_at: Mapped[datetime | None] = mapped_column(Moment)
    words_id: Mapped[int | None] = mapped_column(BigInteger)     # where search has its words; none: not yet

    connection: Mapped[Connection] = relationship()
    conversation: Mapped[Conversation | None] = relationship()
    attachments: Mapped[list["Attachment"]] = relationship(back_populates="message", order_by="Attachment.part_index")
    places: Mapped[list["Place"]] = relationship(back_populates="message")

    @property
    def files(self):
        """Its attachments that are shown as files: not those that stand within its text."""
        return [a for a in self.attachments if not a.inline]

    @classmethod
    def is_to_leave(cls):
        """Condition: it was written here for a time that has not come. `at` of such a message is that time."""
        return and_(cls.author_id.is_not(None), cls.at > now())

    @property
    def is_waiting(self):
        """Is it about to be read (again)? Its screen says so, and shows what comes of it."""
        again = self.state == "unreadable" and self.raw_sha256 and not self.parser_version
        return self.state == "header" or bool(again)


class Place(db.Model):
    """Where the server keeps a message. One message may have several; a deleted mail keeps its message."""

    __table_args__ = (UniqueConstraint("folder_id", "uidvalidity", "uid"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), index=True)
    folder_id: Mapped[int] = mapped_column(ForeignKey("folder.id", ondelete="CASCADE"))
    uidvalidity: Mapped[int] = mapped_column(BigInteger)
    uid: Mapped[int] = mapped_column(BigInteger)
    flags: Mapped[list] = mapped_column(JSON, default=list)
    gone_at: Mapped[datetime | None] = mapped_column(Moment)
    message: Mapped[Message] = relationship(back_populates="places")


class Attachment(db.Model):
    """A part of a message that is not its text. The bytes lie in the blob store, once for all that share them."""

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), index=True)
    part_index: Mapped[int]
    filename: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    content_id: Mapped[str | None]
    inline: Mapped[bool] = mapped_column(default=False)
    message: Mapped[Message] = relationship(back_populates="attachments")


def visible_messages(person):
    """SELECT of messages that this person may read: those of visible conversations, and the own personal ones.

    Personal mail is its owner's alone; admins do not see it (BEHAVIOUR 0.10).
    """
    shared = Message.conversation_id.in_(visible_conversations(person).with_only_columns(Conversation.id))
    own = exists().where(Connection.id == Message.connection_id, Connection.person_id == person.id)
    return select(Message).where(shared | own)
