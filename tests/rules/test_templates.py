"""Templates: known fields only, and a value is never taken for a field."""

import pytest

from webapp.rules import RuleBroken
from webapp.rules.templates import check, fill, first_name


@pytest.mark.parametrize("text", ["Hi {{contact.password}}", "Hi {{ }}", "Hi {{contact.name", "{{{{my.name}}}}",
                                  "{{my.name.__class__}}"])
def test_a_field_that_nobody_fills_is_refused_at_saving(text):
    with pytest.raises(RuleBroken) as broken:
        check("Greeting", text)
    assert broken.value.code == "unknown_field"


def test_fields_are_filled_once():
    assert check(" A  name ", "Hi {{ contact.name }},\n\n") == ("A name", "Hi {{ contact.name }},")
    assert fill("Hi {{ contact.name }} {{my.name}}", {"contact.name": "{{my.name}}", "my.name": "Zofia"}) == (
        "Hi {{my.name}} Zofia")


@pytest.mark.parametrize(("name", "first"), [("Anna Nowak", "Anna"), ("Biuro Obsługi Klienta i Serwisu", ""), ("anna", ""),
                                             ("a@b.example", ""), ("Nowak", ""), ("Jan Maria Lis", "Jan")])
def test_nobody_is_greeted_by_half_of_a_companys_name(name, first):
    assert first_name(name) == first
