"""What the header says of how a mail came about: by a person, by a robot, for somebody who is away, through a list.

RFC 3834 is the standard, the rest is what programs did before it and still do. Pure; strangers' bytes never raise.
"""

from .types import Automatic

_AWAY = ("x-autoreply", "x-autorespond", "x-mail-autoreply", "x-autoresponder")
_ROBOT = ("x-fc-machinegenerated", "x-failed-recipients")
_AUTO_PRECEDENCE = ("auto_reply", "auto-reply")
BULK_PRECEDENCE = ("bulk", "list", "junk")
MOST_SUPPRESSED = 20        # words of one X-Auto-Response-Suppress that are looked at


def marks_of(headers: dict[str, list[bytes]]) -> Automatic:
    """`headers`: lower-case names, raw values."""
    kind = _first(headers, "content-type").strip().lower()
    suppress = headers.get("x-auto-response-suppress")
    return Automatic(
        submitted=_word(headers, "auto-submitted"),
        precedence=_word(headers, "precedence"),
        suppress=tuple(_text(suppress[0]).replace(" ", "").lower().split(",")[:MOST_SUPPRESSED]) if suppress else (),
        away=any(name in headers for name in _AWAY),
        robot=any(name in headers for name in _ROBOT),
        lists=any(name.startswith("list-") for name in headers),
        null_path=_first(headers, "return-path").strip() == b"<>",
        report=kind.startswith(b"multipart/report"),
        calendar=kind.startswith((b"text/calendar", b"application/ics")),
        hops=len(headers.get("received", ())))


def is_automatic(marks: Automatic) -> bool:
    """Did no person write it? Mail through a list may be a person's."""
    return (marks.submitted not in ("", "no") or marks.away or marks.robot or bool(marks.suppress)
            or marks.precedence in _AUTO_PRECEDENCE or marks.null_path or marks.report)


def is_bulk(marks: Automatic) -> bool:
    return marks.lists or marks.precedence in BULK_PRECEDENCE


def kind_of(marks: Automatic, bounce: bool) -> str:
    """"away": somebody's answer while they are not there; "robot"; "list"; "" for a person's own."""
    if not bounce and not marks.report and (
            marks.away or marks.submitted == "auto-replied" or marks.precedence in _AUTO_PRECEDENCE):
        return "away"
    if bounce or is_automatic(marks):
        return "robot"
    return "list" if is_bulk(marks) else ""


def _first(headers, name):
    values = headers.get(name)
    return values[0] if values else b""


def _text(value):
    return value.decode("ascii", "replace")


def _word(headers, name):
    return _text(_first(headers, name)).partition(";")[0].partition("(")[0].strip().lower()[:60]
