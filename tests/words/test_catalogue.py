"""The Polish catalogue against the code: nothing missing, nothing left over, nothing that would break a sentence."""

import re

import pytest
from babel.messages.mofile import read_mo

from webapp.words import catalogue

PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")


@pytest.fixture(scope="module")
def kept():
    return catalogue.read()


def test_every_sentence_of_code_and_templates_is_in_the_catalogue_and_no_other(kept):
    assert _keys(kept) == _keys(catalogue.extract()), "run: flask --app wsgi words"


def test_partials_and_macros_are_read_too():
    places = {place for message in catalogue.extract() for place, _line in message.locations}
    assert {"templates/_shared/_message.html", "templates/base.html", "webapp/words/rules.py"} <= places


def test_every_sentence_has_a_translation_that_somebody_has_read(kept):
    assert [m.id for m in kept if m.id and not all(catalogue.forms(m))] == []
    assert [m.id for m in kept if m.id and m.fuzzy] == []
    assert not kept.obsolete


def test_the_compiled_catalogue_says_the_same(kept):
    with open(catalogue.MO, "rb") as file:
        compiled = read_mo(file)
    assert _translations(compiled) == _translations(kept), "run: flask --app wsgi words"


def test_a_translation_has_the_placeholders_of_its_sentence(kept):
    wrong = [(m.id, form) for m in kept if m.id for form in catalogue.forms(m)
             if set(PLACEHOLDER.findall(form)) not in _placeholders(m)
             or form.count("%") != len(PLACEHOLDER.findall(form))]
    assert wrong == []


def test_plurals_have_one_few_and_many(kept):
    assert kept.num_plurals == 3
    assert [m.id for m in kept if m.pluralizable and len(m.string) != 3] == []
    chosen = [_plural(kept.plural_expr, n) for n in (1, 2, 4, 5, 11, 12, 14, 21, 22, 25, 112, 122)]
    assert chosen == [0, 1, 1, 2, 2, 2, 2, 2, 1, 2, 2, 1]


def test_the_house_style_of_polish_is_kept(kept):
    """No exclamation marks, Polish quotes, forms without gender, a unit stays on its number's line."""
    forms = [form for m in kept if m.id for form in catalogue.forms(m)]
    assert [f for f in forms if "!" in f or "“" in f or '"' in f] == []
    assert [f for f in forms if re.search(r"\w(?:łeś|łaś)\b", f)] == []
    assert [f for f in forms if re.search(r"\)s (?:znaków|min|wiadomoś|minut|folder|obraz)", f)] == []


def _placeholders(message):
    """Those of each English form: “every day” has none, “every %(num)s days” has one."""
    return [set(PLACEHOLDER.findall(form)) for form in (message.id if message.pluralizable else (message.id,))]


def _keys(found):
    return {(m.context, m.id) for m in found if m.id}


def _translations(found):
    """Babel gives the contexts of a .mo as bytes."""
    return {(m.context.decode() if isinstance(m.context, bytes) else m.context, catalogue.text(m)): catalogue.forms(m)
            for m in found if m.id}


def _plural(expression, n):
    """gettext's C expression, read by Python's own gettext."""
    from gettext import c2py
    return c2py(expression)(n)
