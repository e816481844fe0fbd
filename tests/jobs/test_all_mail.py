"""A mailbox with labels, as Gmail has them: each label is a folder, and \\All holds everything once more.

On a real Dovecot that calls a folder \\All; the same bytes with the same date lie in several folders.
"""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from jobs.test_numbering import facts, fetched  # noqa: F401 (a fixture)
from mailroom import letter, person, stored
from servers.dovecot import Dovecot

from webapp.actions import connections, conversations, folders, replies
from webapp.extensions import db, unit
from webapp.jobs import mailbox as opening
from webapp.jobs import sync
from webapp.models import Connection, Conversation, Event, Folder, Message, Notice, Place, Seen

ALL, LABEL = "[Gmail]/All Mail", "Klienci"
LABELS = f"""namespace inbox {{
  mailbox "{ALL}" {{
    auto = subscribe
    special_use = \\All
  }}
  mailbox {LABEL} {{
    auto = subscribe
  }}
}}
"""
AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture(scope="session")
def gmail(authority):
    with Dovecot(authority=authority, extra=LABELS) as server:
        yield server


@pytest.fixture
def box(mailbox, gmail, allowed, sink):
    """`box(kind)`: a mailbox whose folders are those that the server lists, INBOX, Sent, the label and \\All chosen."""
    def make(kind="team"):
        owner = "zofia" if kind == "team" else "marek"
        made = mailbox(kind, owner, imap_port=gmail.imaps_port)
        gmail.add_user(made.address, "secret-1")
        with unit():
            row = db.session.get(Connection, made.id)
            with opening.open_imap(opening.imap_endpoint(row), opening.login(row)) as session:
                connections.set_folders(row, session.folders())
            assert {f.name: f.role for f in row.folders}[ALL] == "all"
            folders.choose(person(owner), row, [f.id for f in row.folders if f.name in (ALL, LABEL)])
        return SimpleNamespace(id=made.id, address=made.address, server=gmail, kind=kind)
    return make


def lay(box, raw, *names, flags=(), at=AT):
    """The same mail into each of these, as a label does."""
    return [box.server.deliver(box.address, raw, folder=name, flags=flags, date=at) for name in names]


def take_out(box, name, uid):
    """A label is taken off: the server lists the mail in that folder no more."""
    with box.server.imap(box.address) as client:
        client.select(f'"{name}"')
        client.uid("STORE", str(uid), "+FLAGS", "(\\Deleted)")
        client.expunge()


def mail(n, **headers):
    return letter(subject=f"Number {n}", text=f"Text {n}", Message_ID=f"<{n}@x>", **headers)


def lies_in(subject):
    """Names of the folders in which the message lies now."""
    [message] = stored(Message, Message.subject == subject)
    return sorted(p_folder.name for p_folder in db.session.scalars(db.select(Folder).join(
        Place, Place.folder_id == Folder.id).where(Place.message_id == message.id, Place.gone_at.is_(None))))


def counted(box):
    """(messages, messages in conversations, what the conversations say of it): of personal mail there are none."""
    messages = stored(Message)
    return len(messages), sum(m.conversation_id is not None for m in messages), sum(
        c.message_count for c in stored(Conversation))


@pytest.fixture(params=["team", "personal"])
def full(box, request):
    """0–5 in INBOX and \\All, 6 and 7 with the label too, 8 in \\All alone (archived long ago), 9 was sent."""
    made = box(request.param)
    for n in range(6):
        lay(made, mail(n), "INBOX", ALL, flags=["\\Seen"] if n < 3 else ())
    for n in (6, 7):
        lay(made, mail(n), "INBOX", LABEL, ALL)
    lay(made, mail(8), ALL)
    lay(made, mail(9, sender=made.address, to="anna@customer.example"), "Sent", ALL, flags=["\\Seen"])
    sync.pull(made.id)
    row = db.session.get(Connection, made.id)
    assert (row.problem, row.caught_up) == (None, True), row.problem_facts
    return made


def test_each_mail_is_one_message_wherever_it_lies(full):
    assert sorted(m.subject for m in stored(Message)) == [f"Number {n}" for n in range(10)]
    assert {n: lies_in(f"Number {n}") for n in range(10)} == {
        **{n: sorted(["INBOX", ALL]) for n in range(6)}, **{n: sorted(["INBOX", LABEL, ALL]) for n in (6, 7)},
        8: [ALL], 9: sorted(["Sent", ALL])}
    assert [m.subject for m in stored(Message) if m.outgoing] == ["Number 9"]
    assert counted(full) == ((10, 10, 10) if full.kind == "team" else (10, 0, 0))
    if full.kind == "team":
        assert {c.subject for c in stored(Conversation) if not c.last_in_id} == {*(f"Number {n}" for n in range(3)), "Number 9"}
    before = facts(), len(stored(Place))
    sync.pull(full.id)
    assert (facts(), len(stored(Place))) == before


def test_the_second_place_of_a_mail_is_no_news(full):
    """Each label may come with a look of its own: the mail was read and its conversation closed in between."""
    lay(full, mail(20, In_Reply_To="<9@x>"), "INBOX", at=None)
    sync.pull(full.id)
    if full.kind == "team":
        with unit():
            [conversation] = stored(Conversation, Conversation.last_in_id == stored(Message)[-1].id)
            conversations.close(person("zofia"), conversation)
            db.session.add(Seen(person_id=person("zofia").id, conversation_id=conversation.id,
                                last_in_id=conversation.last_in_id))
    told = len(stored(Event)), len(stored(Notice))
    before = facts()
    for name in (ALL, LABEL):
        lay(full, mail(20, In_Reply_To="<9@x>"), name, at=None)
        sync.pull(full.id)
        assert facts() == before
    assert (len(stored(Event)), len(stored(Notice))) == told
    assert lies_in("Number 20") == sorted(["INBOX", ALL, LABEL])


def test_a_label_that_is_taken_off_leaves_the_rest(full):
    before = facts()
    for uid, names in ((1, ["INBOX"]), (7, ["INBOX"]), (8, ["INBOX"])):
        for name in names:
            take_out(full, name, uid)       # archived
    take_out(full, LABEL, 1)
    sync.pull(full.id)
    assert lies_in("Number 0") == [ALL]
    assert lies_in("Number 6") == [ALL]
    assert lies_in("Number 7") == sorted([LABEL, ALL])
    assert lies_in("Number 1") == sorted(["INBOX", ALL])
    assert facts() == before
    lay(full, mail(0), "INBOX", flags=["\\Seen"])      # back from the archive
    sync.pull(full.id)
    assert lies_in("Number 0") == sorted(["INBOX", ALL])
    assert facts() == before


def test_a_mail_that_is_deleted_everywhere_keeps_its_message(full):
    before = facts()
    for name, uid in (("INBOX", 7), (LABEL, 1), (ALL, 7)):
        take_out(full, name, uid)
    sync.pull(full.id)
    assert lies_in("Number 6") == []
    assert lies_in("Number 7") == sorted(["INBOX", LABEL, ALL])
    assert facts() == before


@pytest.mark.parametrize("names", [("INBOX", "Sent", LABEL, ALL), (ALL,), ("INBOX", LABEL)],
                         ids=["all folders", "all mail", "labels"])
def test_folders_that_are_numbered_anew_bring_nothing_new(full, fetched, names):  # noqa: F811
    before, places = facts(), {n: lies_in(f"Number {n}") for n in range(10)}
    take_out(full, "INBOX", 2)
    for name in names:
        full.server.new_uidvalidity(full.address, name)
    fetched.clear()
    sync.pull(full.id)
    sync.pull(full.id)
    assert fetched == [], "known by Message-ID, size and date"
    assert facts() == before
    assert {n: lies_in(f"Number {n}") for n in range(10)} == {**places, 1: [ALL]}
    row = db.session.get(Connection, full.id)
    assert (row.problem, row.caught_up) == (None, True)


def test_all_mail_chosen_later_brings_only_what_is_nowhere_else(mailbox, gmail, box):
    made = box("team")
    with unit():
        for folder in db.session.get(Connection, made.id).folders:
            folder.chosen = folder.role in ("inbox", "sent")
    for n in range(30):
        lay(made, mail(n), "INBOX", ALL)
    for n in range(30, 34):
        lay(made, mail(n), ALL)
    sync.pull(made.id)
    assert len(stored(Message)) == 30
    with unit():
        row = db.session.get(Connection, made.id)
        folders.choose(person("zofia"), row, [f.id for f in row.folders if f.name == ALL])
    sync.pull(made.id)
    assert counted(made) == (34, 34, 34)
    assert len(stored(Place)) == 30 + 34


# What was sent


def test_what_was_sent_elsewhere_and_met_in_all_mail_first_is_ours(box):
    """Between the looks at Sent and at \\All somebody sends by the web mail."""
    made = box()
    sync.pull(made.id)
    raw = mail(1, sender=made.address, to="anna@customer.example")
    lay(made, raw, ALL, flags=["\\Seen"], at=None)
    sync.pull(made.id)
    lay(made, raw, "Sent", flags=["\\Seen"], at=None)
    sync.pull(made.id)
    [message], [conversation] = stored(Message), stored(Conversation)
    assert (message.outgoing, conversation.last_outgoing, conversation.last_in_id) == (True, True, 0)


@pytest.mark.parametrize("names", [("Sent", ALL), (ALL, "Sent")], ids=["sent first", "all mail first"])
def test_our_own_reply_comes_back_under_two_labels_as_what_we_wrote(box, names):
    """The server wrote into it on its way, as Gmail does: Sent and \\All hold the same bytes, and not ours."""
    made = box()
    lay(made, mail(1), "INBOX", ALL)
    sync.pull(made.id)
    with unit():
        outbox = replies.reply(person("zofia"), stored(Conversation)[0], "Hello back")
        message_id = db.session.get(Message, outbox.message_id).message_id
    changed = letter(sender=made.address, to="anna@customer.example", subject="Re: Number 1", text="Hello back",
                     Message_ID="<here@x>", Received="from [192.0.2.1] by smtp.example")
    changed = changed.replace(b"<here@x>", b"<%s>" % message_id.encode())       # email would fold one of this length
    for name in names:
        lay(made, changed, name, flags=["\\Seen"], at=None)
        sync.pull(made.id)
    assert [(m.subject, m.outgoing) for m in stored(Message)] == [("Number 1", False), ("Re: Number 1", True)]
    assert stored(Conversation)[0].message_count == 2


def test_a_draft_that_lies_in_all_mail_is_not_mail(box):
    """Gmail shows drafts in \\All too, each saved one anew. Nobody has sent them (rules.folders.NEVER)."""
    made = box()
    sync.pull(made.id)
    for n in range(3):
        lay(made, mail(n, sender=made.address), ALL, flags=["\\Draft", "\\Seen"], at=datetime.now(UTC) - timedelta(minutes=1))
        sync.pull(made.id)
    assert stored(Message) == []
