"""An organisation with something to hide: an open inbox, a restricted one, and two personal mailboxes."""

from types import SimpleNamespace

import pytest
from mailroom import arrive, connected, inbox, letter, person, stored

from webapp.actions import inboxes, people, replies
from webapp.extensions import db, unit
from webapp.models import Attachment, Conversation, Event, InboxMember, Message, Outbox

PIXEL = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
                      "0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082")
HTML = '<p>Hello <b>{word}</b></p><img src="cid:pixel"><script>steal()</script><img src="https://track.example/x.png">'


def mail(word, to):
    """A mail with HTML, an inline image and a file, and its word everywhere in it."""
    raw = letter(to=to, subject=f"{word} subject", text=f"{word} text", html=HTML.format(word=word),
                 sender=f"{word} Nowak <{word.lower()}@customer.example>", Message_ID=f"<{word}@x>",
                 files=[(f"{word}.txt", "application/pdf", word.encode()), ("pixel.png", "image/png", PIXEL)])
    at = raw.rfind(b"Content-Type: image/png")
    return raw[:at] + b"Content-ID: <pixel>\r\n" + raw[at:]


@pytest.fixture
def house(team):
    """Ids of everything, by word: OPENWORD (Support), HIDDENWORD (Boardroom: Marek's), ZOFIAWORD and MAREKWORD
    (personal). Olga is a member of the organisation and of no restricted inbox; Ewa only reads."""
    with unit():
        inboxes.create_inbox(person("zofia"), "Boardroom")
        people.create_person("Olga", "olga@corp.example", "member", "correct horse battery")
        inbox("Boardroom").access = "members"
        db.session.add(InboxMember(inbox_id=inbox("Boardroom").id, person_id=person("marek").id))
    made = {}
    for word, kind, address, actor, where in (
            ("OPENWORD", "team", "support@corp.example", "zofia", "Support"),
            ("HIDDENWORD", "team", "board@corp.example", "zofia", "Boardroom"),
            ("ZOFIAWORD", "personal", "zofia@corp.example", "zofia", None),
            ("MAREKWORD", "personal", "marek@corp.example", "marek", None)):
        box = connected(kind, address, actor, where)
        arrive(box, mail(word, address))
        message = stored(Message, Message.connection_id == box)[0]
        files = stored(Attachment, Attachment.message_id == message.id)
        made[word] = SimpleNamespace(
            connection_id=box, message_id=message.id, conversation_id=message.conversation_id or 0,
            inbox_id=inbox(where).id if where else 0, attachment_id=files[0].id, image_id=files[1].id, outbox_id=0,
            hold_id=box, kind="personal", token="x", filename="app.css", sign_in_id=0, person_id=0, team_id=0,
            event_id=0)
    for word, name in (("OPENWORD", "zofia"), ("HIDDENWORD", "marek")):
        with unit():
            made[word].outbox_id = replies.reply(
                person(name), db.session.get(Conversation, made[word].conversation_id), f"{word} answer").id
        assert db.session.get(Outbox, made[word].outbox_id)
        made[word].event_id = stored(Event, Event.conversation_id == made[word].conversation_id)[0].id
    return made
