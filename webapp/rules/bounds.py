"""Lengths and numbers. Forms make `maxlength` of them, models make CHECK constraints, rules refuse beyond them."""

ADDRESS_MAX = 254          # RFC 5321 4.5.3.1.3, less the angle brackets
NAME_MAX = 100
TITLE_MAX = 100             # what a person does here
TEAM_NAME_MAX = 60
INBOX_NAME_MAX = 60
FROM_NAME_MAX = 80
HOST_MAX = 253             # RFC 1035 2.3.4
PORT_MAX = 65535
USER_NAME_MAX = 254
SECRET_MAX = 1024
FOLDERS_MAX = 1000          # of one mailbox that are kept; a server can list any number
FOLDER_NAME_MAX = 1000      # bytes on the wire
PASSWORD_MIN = 10
PASSWORD_MAX = 256
INVITED_AT_ONCE = 50       # addresses in one invitation
NAME_SEARCH_MAX = 100
AUDIT_SEARCH_MAX = 100
REPLY_MAX = 200_000        # characters of one answer
SUBJECT_MAX = 998          # RFC 5322 2.1.1
RECIPIENTS_MAX = 100
TEXT_SHOWN_MAX = 100_000    # characters of one plain text on a page; the rest is in the original

ROLES = ("admin", "member", "viewer")
PERSON_STATES = ("invited", "active", "deactivated", "removed")
LANGUAGES = ("en", "pl")
THEMES = ("system", "light", "dark")
USES = ("mail", "calendar")
KINDS = ("personal", "team")
CONNECTION_STATES = ("connecting", "active", "paused", "removed")
CONVERSATION_STATES = ("open", "closed")
INBOX_ACCESS = ("everyone", "members")
LINK_PURPOSES = ("invite", "reset", "email")
NOTICE_MAIL_STATES = ("none", "queued", "sent", "failed")
OUTBOX_STATES = ("queued", "claimed", "data_sent", "sent", "retry", "refused", "uncertain", "cancelled")
MESSAGE_STATES = ("ok", "unreadable", "too_big", "header")
FOLDER_ROLES = ("inbox", "sent", "drafts", "trash", "junk", "archive", "all", "other")
