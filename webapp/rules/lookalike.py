"""What looks like something else: letters of other scripts, rn for m, 0 for o, one letter more or less.

`skeleton` is the idea of Unicode's UTS 39: what the eye takes for the same has the same skeleton. The table holds what
is used to imitate names of companies, not all of Unicode; everything that NFKD takes apart is folded beforehand.
"""

import unicodedata

from webapp.mail.address import readable_domain

MAX_LENGTH = 320           # characters that are looked at
SHORTEST = 6               # characters: of a shorter name, one other letter means nothing
LONG = 7                   # characters: a name that is nobody else's by chance

# Latin letter -> what looks like it, lower case, after NFKD.
_LIKE = {"a": "аɑα", "b": "ьвβƅꞵ", "c": "сϲⅽ", "d": "ԁđɗ", "e": "еεєҽ", "f": "ƒſꜰ", "g": "ɡցց", "h": "һнհħ",
         "i": "іɩιıɪ", "j": "јϳ", "k": "кκ", "l": "ӏɭłℓǀ∣|1!", "m": "мṃ", "n": "пոηɴ", "o": "оοօøσ0",
         "p": "рρƿ", "q": "ԛգ", "r": "гɾ", "s": "ѕꜱ5$", "t": "тτŧ", "u": "υսμ", "v": "νѵʋ", "w": "ѡωԝա",
         "x": "хχ", "y": "уүγყ", "z": "ᴢʐ", "ss": "ß", "ae": "æӕ", "oe": "œ"}
_FOLDED = {ord(other): latin for latin, others in _LIKE.items() for other in others}
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
# Scripts whose letters are mistaken for each other. Others beside Latin in one word are everyday (T-shirt店).
_ALIKE = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU"})
_SIGNS = frozenset("µμΩωπ")        # Greek letters that stand for something else: µTorrent


def domain_of(address: str) -> str:
    """The domain of an address as people read it, lower case; "" when there is none."""
    return readable_domain(address.rpartition("@")[2]) if "@" in address else ""


def skeleton(text: str) -> str:
    """What `text` looks like at a glance: lower case, no accents, no hyphens, look-alike letters as one."""
    text = text[:MAX_LENGTH]
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.lower())
        text = "".join(c for c in text if not unicodedata.combining(c))
    text = text.lower().translate(_FOLDED).replace("-", "")
    for pair, letter in _PAIRS:
        text = text.replace(pair, letter)
    return text


def is_close(one: str, other: str) -> bool:
    """Does one letter more, less, other or swapped with its neighbour make `one` into `other`? Not when equal."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    a, b = one[start:], other[start:]
    if len(a) == len(b):
        return a[1:] == b[1:] or a[:2] == b[1::-1] and a[2:] == b[2:]
    return a[1:] == b if len(a) > len(b) else a == b[1:]


def imitates(domain: str, known: str) -> bool:
    """May somebody take `domain` for `known`? Both as people read them (Unicode), lower case, and not the same.

    Domains of which one lies below the other belong to the same people.
    """
    if domain == known or domain.endswith("." + known) or known.endswith("." + domain):
        return False
    seen, known_seen = skeleton(domain), skeleton(known)
    if seen == known_seen or seen.startswith(known_seen + "."):         # corp.example.evil.test
        return True
    return len(known.rpartition(".")[0]) >= SHORTEST and is_close(domain, known)


def borrows(domain: str, known: str) -> bool:
    """Does `domain` carry the name of `known` within another one: transwisla-faktury.com, transwisla.support?"""
    name = max(known.rpartition(".")[0].split("."), key=len)
    if len(name) < LONG or domain == known or domain.endswith("." + known):
        return False
    words = domain.replace("-", ".").split(".")
    return name in words


def mixed_word(text: str) -> str | None:
    """The first word in which letters of look-alike scripts are mixed (Pаypal with a Cyrillic а), else None."""
    if text.isascii():
        return None
    for word in text[:MAX_LENGTH].split():
        scripts = {_script(c) for c in unicodedata.normalize("NFKC", word) if c.isalpha() and c not in _SIGNS}
        if len(scripts & _ALIKE) > 1:
            return word
    return None


def _script(letter: str) -> str:
    return unicodedata.name(letter, "?").split()[0]
