"""Authentication-Results (RFC 8601): what the mail server that took a message in says it found out about its sender.

Anybody can write such a header. Only the topmost is read, and it is believed only where its authserv-id is the one
that people have set for the mailbox (rules.senders); until then it is a stranger's text. Linear, never raises.
"""

import re

MAX_LENGTH = 8_000         # characters of the header that are read
MAX_RESULTS_EACH = 5       # of one method that are kept

_TOKEN = re.compile(r'\\.|[()";]|[^\\()";]+', re.DOTALL)
_QUOTED = re.compile(r'"[^"()\\]*"')                   # simple ones: no real header has others
_COMMENT = re.compile(r'\([^()"\\]*\)')
_SPACED = re.compile(r"\s{0,9}=\s{0,9}")
_ID = re.compile(r"[\w.+@/:-]{1,253}")
_DOMAIN = re.compile(r"[\w.-]{1,253}")
_METHODS = {"dmarc": ("header.from=",), "spf": ("smtp.mailfrom=", "smtp.helo="), "dkim": ("header.d=", "header.i=")}
_KNOWN = frozenset({"none", "pass", "fail", "softfail", "hardfail", "neutral", "policy", "temperror", "permerror",
                    "bestguesspass", "nxdomain", "discard"})


def read(value: bytes) -> dict | None:
    """{"id": authserv-id, "dmarc": [[result, domain]], "spf": ..., "dkim": ...} of one header's raw value, unfolded.

    Methods that it does not name are absent. None when there is no authserv-id in it (Microsoft's has none), so nobody
    can tell whose word it is. The envelope's sender stands in its comments, and can close one to write results of its
    own: so all are kept, and no number of them crowds out a failure.
    """
    text = value[:MAX_LENGTH].decode("ascii", "replace").lower()
    first, *rest = _split(_SPACED.sub("=", text) if " =" in text or "= " in text else text)
    words = first.split(None, 1)
    if not words or not _ID.fullmatch(words[0]):
        return None
    found: dict = {"id": words[0]}
    for part in rest:
        words = part.split(None, 1)
        method, _equals, result = words[0].partition("=") if words else ("", "", "")
        method = method.removesuffix("/1")
        if method in _METHODS and result in _KNOWN:
            known = found.setdefault(method, [])
            said = [result, _domain(part, _METHODS[method])]
            if len(known) < MAX_RESULTS_EACH:
                known.append(said)
            elif result == "fail" and method != "dkim":
                known[-1] = said
    return found


def _domain(part, names):
    for name in names:
        start = part.find(name)
        if start >= 0:
            words = part[start + len(name):start + len(name) + 600].split(None, 1)
            domain = words[0].rpartition("@")[2] if words else ""
            return domain if _DOMAIN.fullmatch(domain) else ""
    return ""


def _split(text: str) -> list[str]:
    """What stands between semicolons, without comments and quoted values. Plain headers at once, odd ones with care."""
    plain = _QUOTED.sub("q", text) if '"' in text and '="' in text and not text.lstrip().startswith('"') else text
    for _ in range(3):
        if "(" not in plain:
            break
        plain = _COMMENT.sub("", plain)
    if '"' in plain or "(" in plain or ")" in plain or "\\" in plain:
        return _parts(text)
    return plain.split(";")


def _parts(text: str) -> list[str]:
    """What stands between semicolons, without (comments), which nest. Neither counts within quotes."""
    parts, words, depth, quoted = [], [], 0, False
    for token in _TOKEN.findall(text):
        if token == '"' and not depth:
            quoted = not quoted
        elif token == "(" and not quoted:
            depth += 1
        elif token == ")" and depth:
            depth -= 1
        elif depth:
            continue
        elif token == ";" and not quoted:
            parts.append("".join(words))
            words = []
        else:
            words.append(token)
    if depth or quoted:         # never closed: a stranger's part of it swallows what the server said after it
        return text.split(";")
    return [*parts, "".join(words)]
