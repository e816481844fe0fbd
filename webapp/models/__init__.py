"""Stored: one file a noun. Constraints are built from the rules; selects that carry a permission live here too."""

from webapp.models.audit import Audit, AuditHead
from webapp.models.connection import Connection, Folder
from webapp.models.contact import Contact, ContactAddress, KnownDomain
from webapp.models.conversation import Conversation, Draft, Event, Participant, Seen, ThreadKey
from webapp.models.hold import Hold, HoldRequest
from webapp.models.inbox import Inbox, InboxMember, InboxTeam
from webapp.models.link import Link
from webapp.models.message import Attachment, Message, Place
from webapp.models.notice import Notice
from webapp.models.outbox import Outbox, OutboxRecipient
from webapp.models.person import Person, SignIn, Try
from webapp.models.picture import Picture, PictureLeave
from webapp.models.scan import Scan
from webapp.models.team import Team, TeamMember

__all__ = ["Attachment", "Audit", "AuditHead", "Connection", "Contact", "ContactAddress", "Conversation", "Draft",
           "Event", "Folder", "Hold", "HoldRequest", "Inbox", "InboxMember", "InboxTeam", "KnownDomain", "Link",
           "Message", "Notice", "Outbox", "OutboxRecipient", "Participant", "Person", "Picture", "PictureLeave",
           "Place", "Scan", "Seen", "SignIn", "Team", "TeamMember", "ThreadKey", "Try"]
