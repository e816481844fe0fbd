"""Which conversation a message belongs to: by Message-ID both ways, never by subject, and only if its sender may.

Mail arrives newest first during the first sync, so a child is often here before its parent: every Message-ID that a
message mentions is remembered as a key of its conversation, and the parent finds it by its own. Whom rules.threading
refuses is found again by the same keys when somebody new takes part: the order in which mail is read does not matter,
unless people have worked in a conversation. Then it stays as they left it.
"""

from webapp.actions.threads.filing import file, file_again, file_own, file_unreadable
from webapp.actions.threads.keys import (
    SPEAKING,
    give_keys,
    insert_into,
    is_from,
    is_our_id,
    key_of,
    keys_of,
    remember_keys,
)
from webapp.actions.threads.shown import base_subject, counts_at, is_to_leave, left, names_customer, who_of

__all__ = ["SPEAKING", "base_subject", "counts_at", "file", "file_again", "file_own", "file_unreadable", "give_keys",
           "insert_into", "is_from", "is_our_id", "is_to_leave", "key_of", "keys_of", "left", "names_customer",
           "remember_keys", "who_of"]
