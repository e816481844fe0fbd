"""Which conversations a list shows, as plain values: what its address says, what is kept under a name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from webapp.rules.statuses import ACTIVE

TABS = (*ACTIVE, "closed")
STATUSES = (*TABS, "spam", "trash", "sent", "any")      # sent: by our newest mail; any: but spam and trash
SHOWN_IN_ANY = TABS
VIEWS = ("all", "unassigned", "mine", "mentions", "following")
SORTS = ("newest", "oldest", "due")        # due: what an answer is due to, the longest overdue first


@dataclass(frozen=True)
class Listing:
    """`inbox_id`: none, across all that one may read. `tag_id`, `assignee_id`, `team_id`: only theirs. `files`: only
    those with attachments. `late`: only those whose answer is overdue."""

    inbox_id: int | None = None
    status: str = "open"
    view: str = "all"
    sort: str = "newest"
    tag_id: int | None = None
    assignee_id: int | None = None
    team_id: int | None = None
    files: bool = False
    late: bool = False

    @classmethod
    def of(cls, asked: Mapping, inbox_id: int | None = None) -> "Listing":
        """From a query or from what was kept; what makes no sense is left out."""
        known = {"status": STATUSES, "view": VIEWS, "sort": SORTS}
        values = {name: asked[name] for name, all_of in known.items() if asked.get(name) in all_of}
        for name in ("tag", "assignee", "team"):
            if (number := _number(asked.get(name))) is not None:
                values[f"{name}_id"] = number
        ticked = {name: str(asked.get(name, "")) in ("1", "y", "True") for name in ("files", "late")}
        return cls(inbox_id=inbox_id, **ticked, **values)

    def query(self) -> dict:
        """What differs from a plain list of what is open, as `of` takes it."""
        plain = Listing(self.inbox_id)
        told = {name: getattr(self, name) for name in ("status", "view", "sort")
                if getattr(self, name) != getattr(plain, name)}
        told |= {name: number for name in ("tag", "assignee", "team")
                 if (number := getattr(self, f"{name}_id")) is not None}
        return told | {name: "1" for name in ("files", "late") if getattr(self, name)}

    def but(self, **changes) -> "Listing":
        return replace(self, **changes)

    @property
    def is_filtered(self) -> bool:
        """Does it show less than its tab and view?"""
        return bool(self.tag_id or self.assignee_id or self.team_id or self.files or self.late)


def tab_of(status: str) -> str:
    """The tab in which a conversation of this status lies."""
    return status if status in STATUSES else "any"


def _number(value) -> int | None:
    text = str(value or "")
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:11]) < 2**31 else None
