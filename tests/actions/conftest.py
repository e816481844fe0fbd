"""A team address that is connected, and one conversation in it."""

import pytest
from mailroom import arrive, connected, letter, stored

from webapp.models import Conversation


@pytest.fixture
def box(team):
    return connected()


@pytest.fixture
def one(box):
    """Its number: Anna has written once."""
    arrive(box, letter(Message_ID="<1@x>"))
    return stored(Conversation)[0].id
