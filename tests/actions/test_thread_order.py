"""What belongs together does not depend on the order in which it is read, and is what the definition says.

The definition is computed here on all mail at once, mail by mail; the product finds the same one mail after another.
"""

import itertools
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from mailroom import arrive, folder_of, letter, person, stored
from sqlalchemy import event, select

from webapp.actions import conversations, regroup
from webapp.actions.receive import receive
from webapp.actions.threads import is_our_id, known
from webapp.extensions import db, unit
from webapp.mail.compose import mint_message_id
from webapp.mail.types import Fetched
from webapp.models import Connection, Conversation, Message, ThreadKey

T0 = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
US, ANNA, BOB, CECIL, EVIL = ("support@corp.example", "anna@x.example", "bob@x.example", "cecil@x.example",
                              "evil@evil.example")


@dataclass(frozen=True)
class Mail:
    number: int
    sender: str                 # US: sent by us
    to: tuple
    own: str
    mentions: tuple
    reply_to: str = ""

    @property
    def people(self):
        return {*self.to, self.sender} - {US}

    @property
    def item(self):
        raw = letter(sender=self.sender, to=", ".join(self.to), text=f"Number {self.number}", Reply_To=self.reply_to or None)
        ids = f"Message-ID: <{self.own}>\r\nReferences: {' '.join(f'<{i}>' for i in self.mentions)}\r\n"
        return Fetched(self.number + 1, ids.encode() + raw, T0 + timedelta(hours=self.number), frozenset())


@pytest.fixture
def minted(app):
    return [mint_message_id("corp.example", app.config["SECRET_KEY"].encode()) for _n in range(3)]


def correspondence(rng, minted):
    """Few people and few Message-IDs, so that everything happens: copied ids, mail that is missing, whoever is copied
    in late, whoever refers to all sorts."""
    people, ids = [ANNA, BOB, CECIL, EVIL], [f"{n}@x" for n in range(6)]
    mails, unsent = [], list(minted)
    for number in range(rng.randint(4, 12)):
        sender = rng.choice([US, *people])
        own = rng.choice(ids + minted[:1] * (sender != US) + [f"{number}@alone"] * 4)
        if sender == US and unsent and rng.random() < 0.7:      # what comes back from Sent is no other mail
            own = unsent.pop()
        mentions = rng.sample([i for i in ids + minted if i != own], rng.choice((0, 1, 1, 2, 3)))
        to = {US} if sender != US else {rng.choice(people)}
        to |= set(rng.sample(people, rng.choice((0, 0, 0, 1, 2))))
        mails.append(Mail(number, sender, tuple(sorted(to)), own, tuple(mentions),
                          rng.choice(people) if rng.random() < 0.1 else ""))
    return mails


def definition(mails):
    """Every mail starts alone, and whatever may join does, until nothing may."""
    groups = [{m} for m in mails]
    while pair := next(((a, b) for a, b in itertools.combinations(groups, 2) if joined(a, b)), None):
        groups = [g for g in groups if g not in pair] + [pair[0] | pair[1]]
    return sorted(sorted(m.number for m in g) for g in groups)


def joined(a, b):
    with_a, with_b = ({p for m in g for p in m.people} for g in (a, b))
    return any(answers(m, t, with_a, with_b) or answers(t, m, with_b, with_a) or same(m, t, with_a, with_b)
               for m in a for t in b)


def answers(m, t, with_m, with_t):
    if owned(t) not in mentioned(m):
        return False
    if m.sender == US:
        return t.sender == US or t.sender in with_m or t.reply_to in with_m
    return m.sender in with_t


def same(m, t, with_m, with_t):
    """They mention the same, or have the same Message-ID."""
    knows = m.sender in with_t, t.sender in with_m
    twice = owned(m) is not None and owned(m) == owned(t) and (all(knows) or m.sender == t.sender == US)
    if not mentioned(m) & mentioned(t):
        return twice
    return twice or (knows[1] if m.sender == US else knows[0] if t.sender == US else all(knows))


def owned(m):
    return m.own if m.sender == US or not is_our_id(m.own) else None


def mentioned(m):
    return {*m.mentions, *([] if owned(m) else [m.own])}


def read(box, mails, batch):
    """Numbers of the mails that are together, after these were read in this order."""
    for start in range(0, len(mails), batch):
        part = mails[start:start + batch]
        for role in ("sent", "inbox"):
            receive(db.session.get(Connection, box), folder_of(box, role),
                    [m.item for m in part if (m.sender == US) == (role == "sent")])
    together = {}
    for conversation_id, text in db.session.execute(select(Message.conversation_id, Message.text)):
        together.setdefault(conversation_id, []).append(int(text.split()[1]))
    counts = dict(db.session.execute(select(Conversation.id, Conversation.message_count)).all())
    assert counts == {number: len(inside) for number, inside in together.items()}
    return sorted(map(sorted, together.values()))


@pytest.mark.parametrize("part", range(6))
def test_whatever_the_order_it_is_what_the_definition_says(box, minted, caplog, part):
    sizes = []
    for seed in range(part * 20, part * 20 + 20):
        rng = random.Random(seed)
        mails = correspondence(rng, minted)
        expected = definition(mails)
        sizes += map(len, expected)
        for order, batch in ((mails, 1), (mails[::-1], 1), (rng.sample(mails, len(mails)), rng.choice((1, 2, 5))),
                             (rng.sample(mails, len(mails)), 40)):
            assert read(box, order, batch) == expected, (seed, [m.number for m in order], batch)
            db.session.rollback()
    assert 1 in sizes and max(sizes) > 4
    assert not caplog.messages


def every_order(box, *mails):
    for order in itertools.permutations(mails):
        for batch in (1, len(mails)):
            yield read(box, order, batch)
            db.session.rollback()


def test_a_copied_message_id_gets_no_answers_of_others_even_when_it_is_read_first(box):
    mails = (Mail(0, ANNA, (US,), "a@x", ()), Mail(1, EVIL, (US,), "a@x", ()),
             Mail(2, US, (ANNA,), "o@x", ("a@x",)), Mail(3, ANNA, (US,), "b@x", ("a@x", "o@x")),
             Mail(4, EVIL, (US,), "e@x", ("b@x", "o@x", "a@x")))
    for found in every_order(box, *mails[:4]):
        assert found == [[0, 2, 3], [1]]
    assert read(box, mails[::-1], 1) == [[0, 2, 3], [1, 4]]


def test_mail_that_never_came_ties_those_who_know_each_other_whoever_else_mentions_it(box):
    mails = (Mail(0, EVIL, (US, ANNA), "e@x", ("gone@x",)), Mail(1, ANNA, (US, BOB), "a@x", ("gone@x",)),
             Mail(2, BOB, (US, ANNA), "b@x", ("gone@x",)), Mail(3, CECIL, (US,), "c@x", ("gone@x",)))
    for found in every_order(box, *mails):
        assert found == [[0], [1, 2], [3]]


def test_who_is_let_in_lets_in_whom_he_wrote_to_and_so_on(box):
    mails = [Mail(0, ANNA, (US,), "0@x", ()), Mail(9, ANNA, (US,), "9@x", ("0@x",))]
    people = [ANNA, *(f"p{n}@x.example" for n in range(6))]
    for n in range(1, 6):       # each refers to the first mail, which he may only when the one before him is in
        mails.append(Mail(n, people[n], (US, people[n + 1]), f"{n}@x", ("0@x",)))
    last = Mail(6, ANNA, (US, people[1]), "6@x", ("9@x",))      # it does not speak of the first
    for batch in (1, 3, 7):
        assert read(box, mails, batch) == [[0, 9], *([n] for n in range(1, 6))]
        assert read(box, [last], 1) == [[*range(7), 9]]
        db.session.rollback()
        assert read(box, [*mails[::-1], last], batch) == [[*range(7), 9]]
        db.session.rollback()


def test_mail_by_many_strangers_who_refer_to_one_costs_no_more_and_the_customer_is_found(box, monkeypatch):
    monkeypatch.setattr(known, "MOST_OF_ONE", 20)
    strangers = [Mail(n, f"evil{n}@evil.example", (US,), f"{n}@evil" if n % 2 else "a@x", ("a@x",) * (n % 2))
                 for n in range(1, 121)]
    assert len(read(box, [Mail(0, ANNA, (US,), "a@x", ()), *strangers], 40)) == 121
    db.session.commit()
    rows = []

    def count(result):
        rows.append(result)
    real = known._speaking_of
    monkeypatch.setattr(known, "_speaking_of", lambda *what: [count(r) or r for r in real(*what)])
    arrive(box, Mail(200, ANNA, (US,), "b@x", ("a@x",)).item)
    assert len(rows) == 20
    assert [m.conversation_id for m in stored(Message, Message.from_address == ANNA)] == [stored(Conversation)[0].id] * 2


def test_what_was_taken_out_stays_out_though_its_mail_refers_to_the_rest(box):
    mails = [Mail(0, ANNA, (US,), "0@x", ()), Mail(1, ANNA, (US,), "1@x", ("0@x",)), Mail(2, ANNA, (US,), "2@x", ("0@x", "1@x"))]
    arrive(box, *(m.item for m in mails))
    with unit():
        new = regroup.split(person("marek"), stored(Conversation)[0], stored(Message)[2], False).id
    arrive(box, Mail(3, ANNA, (US, BOB), "3@x", ("0@x", "1@x", "2@x")).item)
    arrive(box, Mail(4, ANNA, (US, BOB), "4@x", ("0@x", "1@x")).item)
    old = stored(Conversation)[0].id
    assert [m.conversation_id for m in stored(Message)] == [old, old, new, new, old]
    said = {k.conversation_id: set() for k in db.session.query(ThreadKey)}
    for key in db.session.query(ThreadKey):
        said[key.conversation_id].add((key.message_id, key.own))
    assert {("2@x", True), ("1@x", False), ("0@x", False)} <= said[new] and ("2@x", True) not in said[old]


def test_what_people_have_worked_in_takes_the_other_in(box):
    arrive(box, Mail(1, BOB, (US,), "1@x", ("0@x",)).item)
    arrive(box, Mail(0, ANNA, (US,), "0@x", ()).item)
    first, second = stored(Conversation)
    assert first.possible_reply_to_id == second.id
    with unit():
        conversations.assign(person("marek"), db.session.get(Conversation, second.id), person("marek"))
    arrive(box, Mail(2, ANNA, (US, BOB), "2@x", ("0@x",)).item)
    [one] = stored(Conversation)
    assert (one.id, one.message_count, one.possible_reply_to_id) == (second.id, 3, None)


def test_a_batch_takes_a_few_statements_however_many_mails_it_has(box):
    def statements(mails):
        said = []

        def note(_connection, _cursor, statement, *_rest):
            said.append(statement)
        event.listen(db.engine, "before_cursor_execute", note)
        try:
            arrive(box, *(m.item for m in mails))
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        return len(said)
    arrive(box, Mail(0, ANNA, (US,), "0@x", ()).item)
    few = statements([Mail(n, ANNA, (US,), f"{n}@x", ("0@x",)) for n in range(1, 3)])
    many = statements([Mail(n, ANNA, (US,), f"{n}@x", ("0@x",)) for n in range(3, 60)])
    assert many <= few + 2
