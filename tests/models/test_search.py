"""What is found, and by whom: the same on SQLite and PostgreSQL."""

from datetime import UTC, date, datetime, timedelta

import pytest
from mailroom import arrive, connected, inbox, letter, person, stored
from sqlalchemy import text

from webapp.actions import inboxes, indexing, notes, outbox, replies, tags
from webapp.extensions import db, unit
from webapp.jobs.indexing import catch_up
from webapp.models import Conversation, InboxMember, Message, Note, Seen, search, words
from webapp.rules.search import parse

T0 = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
TODAY = date(2026, 11, 28)
HOURS = timedelta(hours=1)

# name: (subject, text, more of the letter), one an hour
LETTERS = {
    "pallet": ("Damaged pallet TW-48213", "The goods on the pallet are broken. Please send a claim form.", {}),
    "polish": ("Zażalenie – Łódź", "Proszę o fakturę zbiorczą, przesyłka uszkodzona w Łodzi.", {
        "sender": "Małgorzata Świątek <m.swiatek@meblopol.example>"}),
    "german": ("Rückladung Poznań–Hamburg", "Grüße aus der Hauptstraße, wir hätten achtzehn Paletten.", {
        "sender": "Jürgen Brandt <juergen@brandt.example>", "Cc": "Vera Groß <vera@brandt.example>"}),
    "chinese": ("关于合同", "请查收附件中的采购合同,谢谢。", {"sender": "王伟 <wang@shop.example>"}),
    "japanese": ("会議の議事録", "本日の会議議事録をお送りします。ﾃｽﾄ。", {}),
    "korean": ("회의 일정", "다음 회의록을 보내드립니다.", {}),
    "thai": ("ใบแจ้งหนี้", "กรุณาชำระเงินภายในสามสิบวัน", {}),
    "turkish": ("İstanbul siparişi", "ISPARTA deposu ısparta", {}),
    "html": ("Newsletter", "See it in colour", {"html": "<p>Only <b>markup</b>word</p>"}),
    "files": ("Documents", "Attached.", {"files": [("Umowa-ramowa 2026.pdf", "application/pdf", b"x")]}),
    "quote": ("Quote", "O'Brien's offer: 100% off \"deal\" -- a*b AND NOT c", {}),
    "closed": ("Old pallet", "An old story of pallets.", {}),
    "spam": ("Cheap pallet", "Buy pallets now", {"sender": "Spammer <s@spam.example>"}),
}

QUERIES = [
    ("pallet", "closed pallet"), ("PALLET", "closed pallet"), ("pallets", "closed"), ("pal* broken", "pallet"),
    ("pal broken", ""), ("broke", "pallet"), ('"pallet are broken"', "pallet"), ('"broken pallet"', ""), ("pallet -old", "pallet"),
    ("TW-48213", "pallet"), ("tw48213", ""), ("48213", "pallet"), ("zazalenie", "polish"), ("zażalenie łódź", "polish"),
    ("lodz", "polish"), ("fakturę", "polish"), ("faktura", ""), ("ŁÓDŹ", "polish"), ("lod", "polish"),
    ("ruckladung", "german"), ("grüße", "german"), ("GRUSSE", "german"), ("hauptstrasse", "german"), ("Hauptstraße", "german"),
    ("合同", "chinese"), ("采购合同", "chinese"), ("同", "chinese"), ("购同", ""), ("谢", "chinese"), ("議事", "japanese"),
    ("議事録", "japanese"), ("会議録", ""), ("テスト", "japanese"), ("ﾃｽﾄ", "japanese"), ("회의", "korean"), ("의록", "korean"),
    ("แจ้งหนี้", "thai"), ("สามสิบ", "thai"), ("istanbul", "turkish"), ("ısparta", "turkish"), ("isparta", "turkish"),
    ("umowa", "files"), ("file:ramowa", "files"), ("subject:pallet", "closed pallet"), ("subject:goods", ""),
    ("o'brien", "quote"), ('O\'Brien " OR * --', ""), ("100%", "quote"), ("a*b", "quote"), ("from:anna pallet", "closed pallet"),
    ("from:małgorzata", "polish"), ("from:swiatek", "polish"), ("from:m.swiatek@meblopol.example", "polish"),
    ("to:vera", "german"), ("from:vera", ""), ("to:groß", "german"), ("from:王", "chinese"), ("-from:anna pallet", ""),
    ("in:spam pallet", "spam"), ("in:spam", "spam"), ("in:anywhere pallet", "spam closed pallet"), ("is:closed", "closed"),
    ("pallet is:closed", "closed"), ("pallet -is:closed", "pallet"), ("in:support pallet", "closed pallet"),
    ("in:sup pallet", "closed pallet"), ("in:nowhere pallet", ""), ("has:file", "files"), ("has:note", "pallet"),
    ("umowa has:file", "files"), ("pallet has:file", ""), ("tag:vip", "german"), ("tag:VIP grüße", "german"),
    ("assignee:me", "polish"), ("assignee:zofia", "polish"), ("is:mine lodz", "polish"), ("assignee:nobody lodz", ""),
    ("pallet before:2026-11-02", ""), ("pallet after:2026-11-02", "closed pallet"), ("pallet after:2026-11-03", ""),
    ("ask insurer", "pallet"), ("from:marek insurer", "pallet"), ("is:unread pallet", "pallet"), ("is:read pallet", "closed"),
    ("colour", "html"), ("markupword", ""), ("is:unread in:spam", "spam"), ("pallet pallet pallet", "closed pallet"),
]


@pytest.fixture
def mail(team):
    """Letters of LETTERS, each in a conversation of its own; Zofia has one, one is closed, one spam, one read."""
    box = connected()
    arrive(box, *(letter(subject=subject, text=body, Message_ID=f"<{name}@x>", **more)
                  for name, (subject, body, more) in LETTERS.items()), at=T0)
    found = {m.message_id.removesuffix("@x"): m.conversation_id for m in stored(Message)}
    with unit():
        rows = {name: db.session.get(Conversation, i) for name, i in found.items()}
        for name, row in rows.items():
            row.status = {"closed": "closed", "spam": "spam"}.get(name, "open")
        rows["polish"].assignee_id = team.zofia
        db.session.add(Seen(conversation_id=rows["closed"].id, person_id=team.zofia, last_in_id=10**6))
        rows["closed"].last_in_id = rows["spam"].last_in_id = rows["pallet"].last_in_id = 5
        tags.tag(person("zofia"), rows["german"], "VIP")
        notes.write(person("marek"), rows["pallet"], "Ask the insurer first")
    return found


def names(mail, query, who="zofia", **more):
    asked, how = parse(query, TODAY), search.find
    if not asked.terms:
        how = search.narrowed
    page = how(person(who), asked, "Europe/Warsaw", **more)
    known = {i: name for name, i in mail.items()}
    return [known.get(i, i) for i, _document in page.hits]


def test_the_table_of_queries(mail):
    """All in one: the letters are the same for every row."""
    wrong = {query: found for query, expected in QUERIES
             if sorted(found := names(mail, query)) != sorted(expected.split())}
    assert wrong == {}


def test_the_newest_word_comes_first_whatever_order_mail_was_read_in(team):
    box = connected()
    for number in (3, 0, 4, 1, 2):
        arrive(box, letter(subject=f"Pallet {number}", Message_ID=f"<{number}@x>"), first_uid=number + 1,
               at=T0 + number * HOURS)
    known = {m.conversation_id: m.message_id for m in stored(Message)}
    page = search.find(person("zofia"), parse("pallet", TODAY), "UTC")
    assert [known[i] for i, _document in page.hits] == [f"{n}@x" for n in (4, 3, 2, 1, 0)]


def test_pages_show_every_conversation_once(team, monkeypatch):
    """Though messages of it, and other words, lie between."""
    monkeypatch.setattr(search, "FIRST", 4)
    monkeypatch.setattr(search, "NEXT", 3)
    box, number = connected(), 0
    for turn in range(4):
        for talk in range(5):
            answers = {} if not turn else {"In_Reply_To": f"<{talk}-0@x>"}
            arrive(box, letter(text="pallet" if (turn + talk) % 3 else "other", Message_ID=f"<{talk}-{turn}@x>",
                               subject=f"Talk {talk}", **answers), first_uid=number + 1, at=T0 + number * HOURS)
            number += 1
    everything = [i for i, _d in search.find(person("zofia"), parse("pallet", TODAY), "UTC").hits]
    assert len(everything) == len(set(everything)) == 5
    for size in (1, 2, 3, 4):
        pages, before = [], None
        for _ in range(20):
            page = search.find(person("zofia"), parse("pallet", TODAY), "UTC", before=before, size=size)
            pages += [i for i, _d in page.hits]
            before = page.before
            if before is None:
                break
        assert pages == everything, size


def test_pages_without_words_show_every_conversation_once(mail):
    everything = names(mail, "in:anywhere")
    pages, after = [], None
    while True:
        page = search.narrowed(person("zofia"), parse("in:anywhere", TODAY), "UTC", after=after, size=4)
        pages += [next(n for n, c in mail.items() if c == i) for i, _d in page.hits]
        after = page.before
        if after is None:
            break
    assert pages == everything and len(pages) == len(LETTERS)


def test_nobody_finds_what_they_may_not_read(mail, team):
    assert names(mail, "pallet", "marek") == names(mail, "pallet", "ewa") == names(mail, "pallet")
    with unit():
        inbox("Support").access = "members"
        db.session.add(InboxMember(inbox_id=inbox("Support").id, person_id=team.marek))
    for query in ("pallet", "has:note", "insurer", "in:support", "in:anywhere", "from:anna", "tag:vip"):
        assert names(mail, query) == [] and names(mail, query, "ewa") == [], query
        assert names(mail, query, "marek") != [], query
    assert search.by_number(person("marek"), mail["pallet"]) and not search.by_number(person("zofia"), mail["pallet"])


def test_an_inbox_that_one_may_not_know_is_none(mail, team):
    with unit():
        inboxes.create_inbox(person("zofia"), "Boardroom")
        inbox("Boardroom").access = "members"
    said = lambda query: search.narrowed(person("ewa"), parse(query, TODAY), "UTC").hints  # noqa: E731
    assert said("in:boardroom") == [("no_inbox", "boardroom")] and said("in:nothing") == [("no_inbox", "nothing")]


def test_personal_mail_is_found_by_its_owner_alone(mail, team):
    box = connected("personal", "zofia@corp.example")
    arrive(box, letter(to="zofia@corp.example", subject="Pallet for me alone", Message_ID="<own@x>"), at=T0)
    own = stored(Message, Message.message_id == "own@x")[0]
    page = search.find(person("zofia"), parse("pallet", TODAY), "UTC")
    assert page.own == [own.words_id] and own.id not in [i for i, _d in page.hits]
    assert search.find_own(person("zofia"), parse("alone", TODAY), "UTC").own == [own.words_id]
    for name in ("marek", "ewa"):
        assert search.find(person(name), parse("alone", TODAY), "UTC") == search.Page()
        assert search.find_own(person(name), parse("alone", TODAY), "UTC").own == []


def test_our_answer_is_found_at_once_and_not_once_it_is_called_back(mail):
    with unit():
        row = replies.reply(person("zofia"), db.session.get(Conversation, mail["german"]), "Zweiundvierzig geht")
        row_id = row.id
    assert names(mail, "zweiundvierzig") == ["german"]
    with unit():
        row = db.session.get(type(row), row_id)
        assert outbox.undo(person("zofia"), row)
    assert names(mail, "zweiundvierzig") == []


def test_what_is_removed_or_erased_leaves_the_index(mail):
    with unit():
        notes.remove(person("marek"), stored(Note)[0])
    assert names(mail, "insurer") == []
    with unit():
        stored(Message, Message.conversation_id == mail["chinese"])[0].erased_at = datetime.now(UTC)
    assert names(mail, "合同") == []
    with unit():
        db.session.execute(text("DELETE FROM attachment"))
        db.session.execute(text("DELETE FROM place"))
        db.session.execute(text("DELETE FROM message"))
    assert names(mail, "pallet") == [] and count() == 0


def test_stored_mail_of_before_the_upgrade_is_taken_up(mail):
    with unit():
        for table in ("message", "note"):
            db.session.execute(text(f"UPDATE {table} SET words_id = NULL"))
        db.session.execute(text("DELETE FROM search_words"))
    before = {query: [] for query, _found in QUERIES[:20]}
    assert {query: names(mail, query) for query in before} == before
    assert indexing.anything_wordless()
    db.session.rollback()
    catch_up()
    assert not indexing.anything_wordless()
    test_the_table_of_queries(mail)


def test_words_that_are_written_again_replace_the_old_ones(mail):
    message = stored(Message, Message.conversation_id == mail["pallet"])[0]
    with unit():
        indexing.put(db.session.merge(message), ("x", "", "other", "wholly different"))
    assert names(mail, "wholly") == ["pallet"] and names(mail, "goods") == [] and count() == len(LETTERS) + 1


def count():
    db.session.rollback()
    return db.session.scalar(text("SELECT count(*) FROM search_words"))


def test_numbers_of_documents_tell_time_and_row():
    for at, row, note in ((T0, 1, False), (datetime(2097, 1, 1, tzinfo=UTC), 2**31 - 1, True), (datetime(1970, 1, 2, tzinfo=UTC), 5, True)):
        number = words.number_of(at, row, note)
        assert words.row_of(number) == (note, row) and words.first_of(at) <= number < 2**62
    assert words.number_of(T0, 2**31 - 1, True) < words.number_of(T0 + timedelta(minutes=1), 1)


def test_a_word_of_any_frequency_is_found_without_reading_everything(mail, database):
    """PostgreSQL: a rare word through its GIN index, whatever the planner thinks of "newest first" (SYNC 6)."""
    if database == "sqlite":
        plan = " ".join(row[3] for row in db.session.execute(text(
            "EXPLAIN QUERY PLAN SELECT rowid FROM search_words WHERE search_words MATCH 'x' AND rowid < 99 "
            "ORDER BY rowid DESC LIMIT 5")))
        assert "VIRTUAL TABLE INDEX" in plan and "TEMP B-TREE" not in plan
        return
    with db.engine.connect() as connection:
        connection.exec_driver_sql("INSERT INTO search_words SELECT n::bigint << 33, 'common'::tsvector FROM generate_series(1, 20000) n")
        connection.exec_driver_sql("INSERT INTO search_words VALUES (7, 'once common')")
        connection.exec_driver_sql("ANALYZE search_words")
        plan = "\n".join(row[0] for row in connection.exec_driver_sql("EXPLAIN " + str(search.words._FOUND).replace(
            ":query", "'''once'''").replace(":before", "4611686018427387904").replace(":since", "0").replace(":most", "50")))
        assert "ix_search_words" in plan and "pk_search_words" not in plan
