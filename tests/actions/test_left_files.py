"""Files of drafts are forgotten a day after they left, and never while something has them."""

from datetime import timedelta

import pytest
from mailroom import arrive, conversation, letter, person, stored
from sqlalchemy import delete, update
from tabs import at_once, needs_writers_side_by_side

from webapp.actions import drafts, left_files, outbox, replies
from webapp.actions.blobs import blobs
from webapp.extensions import db, unit
from webapp.jobs import sweep
from webapp.models import Conversation, Draft, DraftFile, LeftFile, Message, Outbox
from webapp.models.types import now

PLAN = b"%PDF-1.4 plan" + bytes(range(256)) * 20
DAY = timedelta(days=1, minutes=1)


@pytest.fixture
def drafted(one):
    """Marek's draft with the plan; the conversation, and the name of its bytes."""
    with unit():
        [file] = drafts.enclose(drafts.begin(person("marek"), conversation(one)), [("plan.pdf", "application/pdf", PLAN)])
        name = file.sha256
    yield one, name
    blobs().forget_parts([name])


def is_there(name):
    return blobs().get_part(name) == PLAN


def a_day_later():
    with unit():
        db.session.execute(update(LeftFile).values(at=now() - DAY))
    sweep.everything()


@pytest.mark.parametrize("leave", [
    lambda one: drafts.drop_draft(person("marek"), conversation(one)),
    lambda one: drafts.drop(drafts.draft_of(person("marek"), conversation(one))),
    lambda one: drafts.take_out(db.session.get(DraftFile, 1)),
    lambda one: db.session.execute(delete(Draft))], ids=["discarded", "dropped", "taken out", "deleted with its draft"])
def test_its_bytes_go_a_day_after_it_left(drafted, leave):
    one, name = drafted
    with unit():
        leave(one)
    [left] = stored(LeftFile)
    assert left.sha256 == name and abs(now() - left.at) < timedelta(minutes=1)
    sweep.everything()
    assert is_there(name), "somebody may have the page open still"
    a_day_later()
    assert not is_there(name) and stored(LeftFile) == []


def test_what_another_draft_or_a_mail_has_stays(drafted, box):
    one, name = drafted
    arrive(box, letter(Message_ID="<2@x>", subject="Other"), first_uid=2)
    with unit():
        drafts.enclose(drafts.begin(person("zofia"), conversation(one)), [("same.pdf", "application/pdf", PLAN)])
        drafts.drop_draft(person("marek"), conversation(one))
    a_day_later()
    assert is_there(name) and stored(LeftFile) == []
    raw = letter(Message_ID="<3@x>", files=[("plan.pdf", "application/pdf", PLAN)])
    arrive(box, raw, first_uid=3)
    with unit():
        drafts.drop_draft(person("zofia"), conversation(one))
    a_day_later()
    assert blobs().get_raw(stored(Message)[-1].raw_sha256) == raw


def test_what_can_be_called_back_is_kept_until_it_has_left(drafted):
    one, name = drafted
    with unit():
        files = list(drafts.draft_of(person("marek"), conversation(one)).files)
        row = replies.reply(person("marek"), conversation(one), "See", files=files, at=now() + timedelta(days=9)).id
    assert stored(Draft) == []
    a_day_later()
    assert is_there(name) and len(stored(LeftFile)) == 1
    with unit():
        assert outbox.undo(person("marek"), db.session.get(Outbox, row))
    a_day_later()
    assert is_there(name) and [f.sha256 for f in stored(DraftFile)] == [name] and stored(LeftFile) == []


def test_a_file_that_comes_back_meanwhile_is_not_forgotten(app, drafted):
    """It is put into a draft, and not committed yet, when the clock comes."""
    one, name = drafted
    needs_writers_side_by_side()
    with unit():
        drafts.drop_draft(person("marek"), conversation(one))
    with unit():
        db.session.execute(update(LeftFile).values(at=now() - DAY))
    with unit():
        drafts.enclose(drafts.begin(person("marek"), conversation(one)), [("plan.pdf", "application/pdf", PLAN)])
        at_once(app, left_files.forget_left)
    assert is_there(name) and [c.id for c in stored(Conversation)] == [one]
