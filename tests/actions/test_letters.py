"""What is written becomes the right bytes: recipients, threads, names, signatures, quotes; and undo gives all of it back."""

import base64
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from mailroom import arrive, connected, inbox, letter, person, stored
from tabs import meanwhile

from webapp.actions import conversations, drafts, letters, outbox, regroup, replies, templates
from webapp.actions.letters import Letter
from webapp.actions.receive import blobs
from webapp.actions.summary import summarise
from webapp.extensions import db, unit
from webapp.live import versions
from webapp.models import Attachment, Closing, Conversation, Draft, DraftFile, Event, Message, Outbox
from webapp.models.types import now
from webapp.rules import RuleBroken

INDEX = base64.b64encode(bytes([1, 0xdb]) + bytes(20)).decode()


@pytest.fixture
def box(team):
    box = connected()
    connected(address="oferty@corp.example")
    arrive(box, letter(to="support@corp.example, jan@y.example", Cc="ola@y.example, oferty@corp.example",
                       Message_ID="<q2@x>", References="<q0@x> <q1@x>", Thread_Index=INDEX, Thread_Topic="Broken pallet"))
    return box


def conversation():
    return db.session.get(Conversation, stored(Conversation)[0].id)


def reply(text="We will replace it.", **how):
    """Marek's answer as a parsed message, and its envelope."""
    with unit():
        row = replies.reply(person("marek"), db.session.get(Conversation, 1), text, **how)
        return message_from_bytes(blobs().get_raw(row.raw_sha256), policy=policy.default), [
            r.address for r in row.recipients]


def test_an_answer_has_its_thread_and_quotes_what_it_answers(box):
    mail, envelope = reply()
    assert envelope == ["anna@customer.example"]
    assert mail["In-Reply-To"] == "<q2@x>" and mail["References"] == "<q0@x> <q1@x> <q2@x>"
    assert mail["Subject"] == "Re: Broken pallet"
    text = mail.get_body(("plain",)).get_content()
    assert text.startswith("We will replace it.") and "Anna Nowak <anna@customer.example> wrote:" in text
    assert "> it is broken." in text
    assert "<blockquote" in mail.get_body(("html",)).get_content()


def test_outlooks_thread_goes_on(box):
    mail, _envelope = reply()
    grown = base64.b64decode(mail["Thread-Index"])
    assert grown.startswith(base64.b64decode(INDEX)) and len(grown) == 27
    assert mail["Thread-Topic"] == "Broken pallet"


def test_an_answer_to_all_reaches_all_but_us(box):
    with unit():
        found = db.session.get(Conversation, 1)
        parent = replies.last_message(found)
        to, cc = replies.answer_all(parent, letters.sender_for(found.inbox, found), found.inbox)
    assert [a for _n, a in to] == ["anna@customer.example", "jan@y.example"]
    assert [a for _n, a in cc] == ["ola@y.example"]


def test_bcc_is_in_the_envelope_and_in_no_byte(box):
    mail, envelope = reply(to=[["Anna", "anna@customer.example"]], bcc=[["Boss", "boss@corp2.example"]])
    assert envelope == ["anna@customer.example", "boss@corp2.example"]
    assert mail["Bcc"] is None and b"boss@" not in mail.as_bytes().lower()
    assert stored(Message, Message.outgoing)[0].bcc == [["Boss", "boss@corp2.example"]]


def test_the_name_and_signature_of_the_inbox_go_along(box):
    with unit():
        found = inbox()
        found.company, found.from_form, found.signature = "Transwisła", "person", "Transwisła\nPortowa 3"
    mail, _envelope = reply("Dzień dobry")
    assert mail["From"].addresses[0].display_name == "Marek, Transwisła"
    text = mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert text.startswith("Dzień dobry\n\n-- \nTranswisła\nPortowa 3\n\n")
    assert text.index("Portowa") < text.index("> it is broken.")
    html = mail.get_body(("html",)).get_content()
    assert html.index("Portowa") < html.index("<blockquote")


def test_a_chosen_address_of_the_inbox_sends_and_no_other(box):
    mail, _envelope = reply(sender="oferty@corp.example")
    assert mail["From"].addresses[0].addr_spec == "oferty@corp.example"
    mail, _envelope = reply(sender="ceo@bank.example")
    assert mail["From"].addresses[0].addr_spec == "oferty@corp.example", "the one that wrote here last"


def test_what_is_handed_on_begins_no_thread_with_its_sender(box):
    with unit():
        draft = drafts.begin(person("marek"), db.session.get(Conversation, 1), kind="forward")
        drafts.enclose(draft, [("plan.pdf", "application/pdf", b"%PDF-1.4 plan")])
    with unit():
        files = list(db.session.get(Draft, 1).files)
        row = replies.reply(person("marek"), db.session.get(Conversation, 1), "See below.", kind="forward",
                            to=[["", "depot@z.example"]], files=files)
        mail = message_from_bytes(blobs().get_raw(row.raw_sha256), policy=policy.default)
    assert mail["Subject"] == "Fwd: Broken pallet" and mail["In-Reply-To"] is None and mail["References"] is None
    assert "From: Anna Nowak <anna@customer.example>" in mail.get_body(("plain",)).get_content()
    assert [a.get_filename() for a in mail.iter_attachments()] == ["plan.pdf"]
    assert stored(Draft) == [] and stored(Message, Message.outgoing)[0].has_attachments
    assert [a.filename for a in stored(Attachment)] == ["plan.pdf"]


def test_formatted_words_leave_as_both_with_their_picture_inside(box):
    with unit():
        draft = drafts.begin(person("marek"), db.session.get(Conversation, 1))
        [picture] = drafts.enclose(draft, [("plan.png", "image/png", b"\x89PNG plan")], within=True)
        html = f'<div>Hi <b>you</b></div><img src="cid:{picture.content_id}">'
        row = replies.reply(person("marek"), db.session.get(Conversation, 1), "Hi you", html=html, files=[picture])
        raw = blobs().get_raw(row.raw_sha256)
    mail = message_from_bytes(raw, policy=policy.default)
    assert "<b>you</b>" in mail.get_body(("html",)).get_content()
    [related] = [p for p in mail.walk() if p.get_content_type() == "multipart/related"]
    inside = list(related.iter_parts())[1]
    assert inside["Content-ID"] == f"<{picture.content_id}>" and inside.get_content() == b"\x89PNG plan"
    sent = stored(Message, Message.outgoing)[0]
    assert sent.has_html and not sent.has_attachments


def test_undo_gives_back_everything_that_was_written(box):
    with unit():
        draft = drafts.begin(person("marek"), db.session.get(Conversation, 1))
        drafts.enclose(draft, [("plan.pdf", "application/pdf", b"%PDF-1.4 plan")])
        how = dict(to=[["Anna", "anna@customer.example"]], cc=[["", "c@z.example"]], bcc=[["", "b@z.example"]],
                   subject="Re: Other", html="<b>Hi</b>", files=list(draft.files), token="c1-p2-0")
        row = replies.reply(person("marek"), db.session.get(Conversation, 1), "Hi", **how).id
    with unit():
        assert outbox.undo(person("marek"), db.session.get(Outbox, row))
    [back] = stored(Draft)
    assert (back.to, back.cc, back.bcc, back.subject, back.text, back.html) == (
        how["to"], how["cc"], how["bcc"], "Re: Other", "Hi", "<b>Hi</b>")
    assert [(f.filename, letters.content_of(f)) for f in stored(DraftFile)] == [("plan.pdf", b"%PDF-1.4 plan")]


def test_a_new_message_begins_a_conversation_and_undone_leaves_none(team):
    connected()
    letter = Letter(kind="new", text="Hello", subject="Offer", to=[["Anna", "anna@customer.example"]])
    with unit():
        row = letters.send(person("marek"), inbox(), None, letter, token="n" + "0" * 32).id
    [opened] = stored(Conversation)
    assert (opened.subject, opened.status, opened.assignee.name, opened.who, opened.message_count) == (
        "Offer", "waiting", "Marek", "Anna", 1)
    with unit():
        assert outbox.undo(person("marek"), db.session.get(Outbox, row))
    assert stored(Conversation) == [] and stored(Event) == []
    [draft] = stored(Draft)
    assert (draft.kind, draft.inbox_id, draft.to, draft.subject, draft.text) == (
        "new", inbox().id, [["Anna", "anna@customer.example"]], "Offer", "Hello")


def test_what_is_being_written_in_a_new_message_outlives_its_undoing(team):
    connected()
    first = Letter(kind="new", text="Hello", subject="Offer", to=[["Anna", "anna@customer.example"]])
    with unit():
        row = letters.send(person("marek"), inbox(), None, first, at=now() + timedelta(days=1)).id
    opened = stored(Conversation)[0].id
    with unit():
        found, parent = db.session.get(Conversation, opened), stored(Message)[0].id
        drafts.save_draft(person("zofia"), found, "One thing more", parent_id=parent, kind="forward",
                          to=[["", "depot@z.example"]], subject="Fwd: Offer")
        drafts.enclose(drafts.draft_of(person("zofia"), found), [("plan.pdf", "application/pdf", b"%PDF-1.4 plan")])
        drafts.save_draft(person("marek"), found, "And another", parent_id=parent)
    with unit():
        assert outbox.undo(person("marek"), db.session.get(Outbox, row))
    assert stored(Conversation) == []
    theirs, mine, back = stored(Draft)
    assert [d.text for d in (theirs, mine, back)] == ["One thing more", "And another", "Hello"]
    for draft in (theirs, mine, back):
        assert (draft.kind, draft.conversation_id, draft.parent_id, draft.inbox_id) == ("new", None, None, inbox().id)
    assert len({d.token for d in (theirs, mine, back)} - {None}) == 3
    assert (theirs.to, theirs.subject) == ([["", "depot@z.example"]], "Fwd: Offer")
    assert [f.draft_id for f in stored(DraftFile)] == [theirs.id]


def test_whoever_calls_back_finds_the_message_where_it_was_put_meanwhile(app, box, monkeypatch):
    reply()
    arrive(box, letter(subject="Other", Message_ID="<o@x>"), first_uid=2)

    def merge():
        regroup.merge(person("zofia"), db.session.get(Conversation, 1), db.session.get(Conversation, 2))
    with unit():
        row = db.session.get(Outbox, 1)
        assert row.message.conversation_id == 1
        meanwhile(app, merge)
        assert outbox.undo(person("marek"), row)
    assert [d.conversation_id for d in stored(Draft)] == [2]
    assert [(c.status, c.message_count) for c in stored(Conversation)] == [("merged", 0), ("open", 2)]


def test_an_answer_to_a_new_message_comes_into_its_conversation(team):
    box = connected()
    with unit():
        letters.send(person("marek"), inbox(), None, Letter(kind="new", text="Hello", subject="Offer",
                                                            to=[["", "anna@customer.example"]]))
    ours = stored(Message)[0].message_id
    arrive(box, letter(subject="Re: Offer", In_Reply_To="<ours@x>").replace(b"ours@x", ours.encode()))
    assert [(c.message_count, c.status) for c in stored(Conversation)] == [(2, "open")]


def test_a_colleagues_answer_since_is_noticed_and_ones_own_is_not(box):
    seen = stored(Message)[-1].id
    with unit():
        replies.reply(person("zofia"), db.session.get(Conversation, 1), "Zofia was faster")
    with pytest.raises(RuleBroken) as broken, unit():
        replies.reply(person("marek"), db.session.get(Conversation, 1), "Me too", seen=seen)
    assert broken.value.code == "answered_meanwhile"
    db.session.rollback()
    with unit():
        replies.reply(person("zofia"), db.session.get(Conversation, 1), "And one thing more", seen=seen)
    assert len(stored(Outbox)) == 2


def test_what_a_machine_of_ours_answered_is_no_colleagues_answer(box):
    seen = stored(Message)[-1].id
    with unit():
        replies.reply(person("zofia"), db.session.get(Conversation, 1), "We have got it.").message.auto = True
    with unit():
        replies.reply(person("marek"), db.session.get(Conversation, 1), "Hello", seen=seen)
    assert len(stored(Outbox)) == 2


@pytest.mark.parametrize("drop", [lambda found: drafts.drop_draft(person("marek"), found),
                                  lambda found: drafts.drop(drafts.draft_of(person("marek"), found))])
def test_colleagues_screens_hear_that_a_draft_is_gone(box, drop):
    with unit():
        drafts.save_draft(person("marek"), db.session.get(Conversation, 1), "Half a th")
    before = versions(["conversation-1"])
    with unit():
        drop(db.session.get(Conversation, 1))
    assert stored(Draft) == [] and versions(["conversation-1"]) != before


def test_one_composer_sends_once(box):
    with unit():
        replies.reply(person("marek"), db.session.get(Conversation, 1), "Once", token="c1-p2-0")
    with pytest.raises(RuleBroken) as broken, unit():
        replies.reply(person("marek"), db.session.get(Conversation, 1), "Twice", token="c1-p2-0")
    assert broken.value.code == "sent_already"
    db.session.rollback()
    assert len(stored(Outbox)) == 1


def test_later_is_dated_then_and_waits_till_then(box):
    at = now().replace(microsecond=0) + timedelta(days=2)
    mail, _envelope = reply(at=at)
    assert mail["Date"].datetime == at
    [row] = stored(Outbox)
    assert row.not_before == at and outbox.due() is not None
    assert db.session.scalars(outbox.due()).all() == []
    with unit():
        assert outbox.hurry(person("marek"), db.session.get(Outbox, row.id))
    assert db.session.scalars(outbox.due()).all() == [row.id]


def place():
    found = conversation()
    return found.status, found.last_outgoing, found.last_snippet, found.last_at, found.last_out_at


def test_what_leaves_later_answers_nothing_until_it_leaves(box):
    before = place()
    reply(at=now() + timedelta(days=2))
    assert place() == before and before[0] == "open"
    assert conversation().message_count == 2
    assert replies.last_message(conversation()).message_id == "q2@x", "nobody has got the other one"
    with unit():
        summarise(conversation(), conversation().last_in_id)
    assert place() == before
    row = stored(Outbox)[0].id
    with unit():
        outbox.hurry(person("marek"), db.session.get(Outbox, row))
        assert outbox.claim(row)
    left = place()
    assert left[:2] == ("waiting", True) and left[3] == left[4] and abs(left[3] - now()) < timedelta(minutes=1)
    with unit():
        summarise(conversation(), conversation().last_in_id)
    assert place() == left


@pytest.mark.parametrize(("do", "status"), [
    (lambda c: conversations.close(person("zofia"), c), "closed"),
    (lambda c: conversations.snooze(person("zofia"), c, now() + timedelta(days=9)), "snoozed"),
    (lambda c: arrive(c, letter(Message_ID="<q3@x>", References="<q2@x>"), first_uid=9), "open")])
def test_what_happens_before_it_leaves_stands(box, do, status):
    reply(at=now() + timedelta(days=2))
    if status == "open":
        do(box)
    else:
        with unit():
            do(conversation())
    row = stored(Outbox)[0].id
    with unit():
        outbox.hurry(person("marek"), db.session.get(Outbox, row))
        assert outbox.claim(row)
    assert place()[:2] == (status, True)


def test_calling_back_what_had_not_answered_yet_opens_nothing(box):
    reply()
    assert place()[0] == "waiting"
    reply(at=now() + timedelta(days=2), text="And one more thing")
    before = place()
    with unit():
        assert outbox.undo(person("marek"), db.session.get(Outbox, stored(Outbox)[1].id))
    assert place() == before


def test_a_new_message_for_later_is_there_meanwhile_and_gone_when_called_back(box):
    with unit():
        letters.send(person("marek"), inbox(), None, Letter(
            kind="new", text="Hi", subject="News", to=[["", "jan@y.example"]]), at=now() + timedelta(days=2))
    assert stored(Conversation)[-1].status == "waiting"
    with unit():        # somebody was done with it
        conversations.close(person("zofia"), stored(Conversation)[-1])
    with unit():
        assert outbox.undo(person("marek"), db.session.get(Outbox, stored(Outbox)[0].id))
    assert len(stored(Conversation)) == 1 and stored(Closing) == []


@pytest.mark.parametrize("again", [False, True], ids=["as counted in", "as summarised"])
def test_who_answers_a_new_message_that_was_sent_before_its_time_is_in_the_open_list(box, again):
    with unit():
        letters.send(person("marek"), inbox(), None, Letter(
            kind="new", text="Hi", subject="News", to=[["", "jan@y.example"]]), at=now() + timedelta(days=2))
    new = stored(Conversation)[-1].id
    if again:
        with unit():
            summarise(db.session.get(Conversation, new), 0)
    made = db.session.get(Conversation, new)
    assert max(made.opened_at, made.last_at) <= now() and made.last_out_at is None
    row = stored(Outbox)[0]
    with unit():
        outbox.hurry(person("marek"), db.session.get(Outbox, row.id))
        assert outbox.claim(row.id)
    arrive(box, letter(sender="jan@y.example", In_Reply_To=f"<{stored(Message)[-1].message_id}>", Message_ID="<a@y>"),
           first_uid=7, at=now() + timedelta(seconds=1))
    db.session.rollback()
    made = db.session.get(Conversation, new)
    assert (made.status, made.last_outgoing, made.message_count) == ("open", False, 2)
    assert made.opened_at <= made.last_out_at <= made.last_at


def test_calling_back_what_is_due_and_was_not_tried_yet_opens_nothing(box):
    reply()
    reply(at=now() + timedelta(days=2), text="And one more thing")
    with unit():        # its time comes
        row = db.session.get(Outbox, stored(Outbox)[1].id)
        row.not_before = row.message.at = now()
    with unit():
        assert outbox.undo(person("marek"), db.session.get(Outbox, stored(Outbox)[1].id))
    assert place()[0] == "waiting"


def test_an_address_that_nobody_can_write_to_is_said_at_its_field(box):
    with pytest.raises(RuleBroken) as broken, unit():
        replies.reply(person("marek"), db.session.get(Conversation, 1), "Hi", to=[["", "anna@x.example"]],
                      cc=[["", "żółw@x.example"]])
    assert (broken.value.field, broken.value.code) == ("cc", "bad_recipients")
    db.session.rollback()
    _mail, envelope = reply(to=[["", "jan@żółw.example"]])
    assert envelope == ["jan@xn--w-uga1v8h.example"]


def test_a_template_is_filled_with_what_is_known(box):
    with unit():
        made = templates.write(person("zofia"), "Hours", "{{contact.first_name}}|{{contact.name}}|{{my.name}}|"
                               "{{inbox.name}}|{{conversation.subject}}")
        assert templates.filled(person("marek"), made, inbox(), conversation()) == (
            "Anna|Anna Nowak|Marek|Support|Broken pallet")
        assert templates.filled(person("marek"), made, inbox()) == "||Marek|Support|"
