"""Who is meant by @ and a name."""

import pytest

from webapp.rules import RuleBroken
from webapp.rules.bounds import NOTE_MAX
from webapp.rules.mentions import as_written, check_note, handles, spans

KNOWN = handles([(1, "Zofia Dąbrowska"), (2, "Marek Zieliński"), (3, "Ania Kowalczyk"), (4, "Ania Nowak"), (5, "J. R. Łoś")],
                [(1, "Sales"), (2, "Sales North")])


@pytest.mark.parametrize(("text", "meant"), [
    ("@Zofia look", [("person", 1)]), ("@zofia dąbrowska, look", [("person", 1)]), ("@Marek.", [("person", 2)]),
    ("@Ania look", []), ("@Ania Nowak look", [("person", 4)]), ("@Sales North and @Sales", [("team", 2), ("team", 1)]),
    ("write to zofia@corp.example", []), ("@@Zofia", []), ("@Zofiaa", []), ("(@Marek) @Zofia?", [("person", 2), ("person", 1)]),
    ("@J. R. Łoś knows", [("person", 5)]), ("@Zofia\nDąbrowska", [("person", 1)]), ("@", []), ("", [])])
def test_the_longest_name_that_fits_is_meant(text, meant):
    assert [m for _s, _e, m in spans(text, KNOWN)] == meant


def test_the_span_is_the_name_with_its_at_and_no_more():
    text = "Ask @Marek Zieliński, please"
    [(start, end, _meant)] = spans(text, KNOWN)
    assert text[start:end] == "@Marek Zieliński"


def test_many_ats_cost_little():
    import time
    began = time.process_time()
    list(spans("@" * 20_000 + "@Zofia " * 2_000, KNOWN))
    assert time.process_time() - began < 2


def test_a_note_says_something_and_has_an_end():
    assert check_note("  hm \n") == "hm"
    for text, code in (("", "empty_note"), (" \n", "empty_note"), ("x" * (NOTE_MAX + 1), "long_note")):
        with pytest.raises(RuleBroken) as broken:
            check_note(text)
        assert broken.value.code == code


def test_names_are_offered_as_their_owners_write_them():
    written = as_written(handles([(1, "Zofia  Dąbrowska"), (2, "O'Neill McDuff")], [(1, "Sales North")]), {
        ("person", 1): "Zofia  Dąbrowska", ("person", 2): "O'Neill McDuff", ("team", 1): "Sales North"})
    assert written == {"Sales North": ("team", 1), "Zofia": ("person", 1), "O'Neill": ("person", 2),
                       "Zofia Dąbrowska": ("person", 1), "O'Neill McDuff": ("person", 2)}
