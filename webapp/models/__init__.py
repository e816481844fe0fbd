"""Stored: one file a noun. Constraints are built from the rules; selects that carry a permission live here too."""

from webapp.models.audit import Audit
from webapp.models.connection import Connection, Folder
from webapp.models.contact import Contact, ContactAddress
from webapp.models.conversation import Conversation, Draft, Event, Participant, Seen, ThreadKey
from webapp.models.hold import Hold
from webapp.models.inbox import Inbox, InboxMember
from webapp.models.message import Attachment, Message, Place
from webapp.models.outbox import Outbox, OutboxRecipient
from webapp.models.person import Person, SignIn, SignInFailure

__all__ = ["Attachment", "Audit", "Connection", "Contact", "ContactAddress", "Conversation", "Draft", "Event", "Folder",
           "Hold", "Inbox", "InboxMember", "Message", "Outbox", "OutboxRecipient", "Participant", "Person", "Place",
           "Seen", "SignIn", "SignInFailure", "ThreadKey"]
