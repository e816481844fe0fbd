"""Stored: one file a noun. Constraints are built from the rules; selects that carry a permission live here too."""

from webapp.models.audit import Audit, AuditHead
from webapp.models.automatic import AutoReply, SenderRule
from webapp.models.connection import Connection, Folder
from webapp.models.contact import Contact, ContactAddress, KnownDomain
from webapp.models.conversation import Conversation, Event, Participant, Seen, ThreadKey
from webapp.models.draft import Draft, DraftFile, LeftFile
from webapp.models.fact import Answer, Closing
from webapp.models.hold import Alias, Hold, HoldRequest
from webapp.models.inbox import Inbox, InboxMember, InboxTeam
from webapp.models.link import Link
from webapp.models.message import Attachment, Message, Place
from webapp.models.note import Follower, Mention, Note
from webapp.models.notice import Notice
from webapp.models.outbox import Outbox, OutboxRecipient
from webapp.models.person import Person, SignIn, Try
from webapp.models.picture import Picture, PictureLeave
from webapp.models.route import Absence, Route, Routed, RouteHit, Turn
from webapp.models.scan import Scan
from webapp.models.tag import ConversationTag, Tag
from webapp.models.tally import Tally
from webapp.models.team import Team, TeamMember
from webapp.models.template import Template
from webapp.models.view import SavedView

__all__ = ["Absence", "Alias", "Answer", "Attachment", "Audit", "AuditHead", "AutoReply", "Closing", "Connection",
           "Contact", "ContactAddress", "Conversation", "ConversationTag", "Draft", "DraftFile", "Event", "Folder",
           "Follower", "Hold", "HoldRequest", "Inbox", "InboxMember", "InboxTeam", "KnownDomain", "LeftFile", "Link",
           "Mention", "Message", "Note", "Notice", "Outbox", "OutboxRecipient", "Participant", "Person", "Picture",
           "PictureLeave", "Place", "Route", "RouteHit", "Routed", "SavedView", "Scan", "Seen", "SenderRule", "SignIn",
           "Tag", "Tally", "Team", "TeamMember", "Template", "ThreadKey", "Try", "Turn"]
