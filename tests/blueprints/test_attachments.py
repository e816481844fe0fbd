"""Attachments: streamed, asked for with an ETag, all in one archive, looked at, and never before the scanner has."""

import dataclasses
import io
import os
import random
import re
import tracemalloc
import zipfile
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from fakes.clamd import EICAR, Clamd
from mailroom import arrive, connected, letter, stored
from PIL import Image
from sqlalchemy import update

from webapp.actions import files
from webapp.blueprints.messages.archive import archived
from webapp.extensions import db, unit
from webapp.jobs import scan
from webapp.mail.filename import clean_filename
from webapp.mail.preview import MAX_TEXT
from webapp.models import Attachment, Message, Scan
from webapp.models.types import now

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"


def picture(size=(800, 600), kind="PNG"):
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind, comment="camera") if kind == "JPEG" else Image.new(
        "RGB", size, "red").save(out, kind)
    return out.getvalue()


def received(*given, **headers):
    """{file name: its Attachment} of one mail with these files, (name, type, bytes) each."""
    raw = letter(files=given, **headers)
    arrive(connected(), raw)
    return {a.filename: a for a in stored(Attachment)}


@pytest.fixture
def scanner(app):
    """A virus scanner is set; `scanner(where)` points to another one, or says what to do while it is away."""
    before = app.config["SETTINGS"]

    def point(where, away="wait"):
        app.config["SETTINGS"] = dataclasses.replace(before, clamd=where, clamd_away=away)
    with Clamd() as fake:
        point(fake.where)
        point.fake = fake
        yield point
    app.config["SETTINGS"] = before


def test_a_large_file_comes_in_pieces_with_a_tag_and_is_not_sent_twice(team, browser_of):
    content = random.Random(1).randbytes(3_000_000)
    file = received(("a.bin", "application/octet-stream", content))["a.bin"]
    with browser_of("marek") as client:
        answer = client.get(f"/attachments/{file.id}", buffered=True)
        again = client.get(f"/attachments/{file.id}", headers={"If-None-Match": answer.headers["ETag"]}, buffered=True)
        other = client.get(f"/attachments/{file.id}", headers={"If-None-Match": '"x"'}, buffered=True)
    assert answer.data == content
    assert file.sha256 in answer.headers["ETag"]
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert (again.status_code, again.data, other.status_code) == (304, b"", 200)


def test_who_may_not_see_it_any_more_gets_no_304_either(house, browser_of):
    file = db.session.get(Attachment, house["HIDDENWORD"].attachment_id)
    with browser_of("ewa") as client:
        assert client.get(f"/attachments/{file.id}", headers={"If-None-Match": f'"{file.sha256}"'}).status_code == 404


def test_a_file_of_50_mb_is_in_memory_once_at_most(app, team):
    content = os.urandom(50_000_000)
    source = files.source(received(("a.bin", "application/octet-stream", content))["a.bin"])
    del content
    tracemalloc.start()
    try:
        size = sum(len(piece) for piece in files.pieces(source))
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size == 50_000_000
    assert peak < 60_000_000


def test_a_bomb_that_packs_well_comes_out_in_small_pieces(app, team):
    source = files.source(received(("a.bin", "application/octet-stream", bytes(30_000_000)))["a.bin"])
    tracemalloc.start()
    try:
        assert max(map(len, files.pieces(source))) <= 128 * 1024
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


def test_a_small_file_beside_large_ones_is_found_without_them(app, team, monkeypatch):
    found = received(("big.bin", "application/octet-stream", os.urandom(500_000)), ("small.txt", "text/plain", b"small"))
    monkeypatch.setattr(app.extensions["blobs"], "get_raw", lambda _name: pytest.fail("the whole message was read"))
    assert b"".join(files.pieces(files.source(found["small.txt"]))) == b"small"


def test_all_files_come_as_one_archive_with_names_of_their_own(team, browser_of):
    given = [("a.txt", "text/plain", b"one"), ("A.txt", "text/plain", b"two"), ("../../evil.sh", "text/plain", b"three"),
             ("a.txt", "text/plain", b"four"), ("zażółć.pdf", "application/pdf", os.urandom(400_000)), ("noext", "text/plain", b"5"),
             ("noext", "text/plain", b"6")]
    received(*given)
    with browser_of("marek") as client:
        page = client.get("/conversations/1").text
        link = re.search(r'href="(/messages/\d+/files.zip)"', page)[1]
        answer = client.get(link, buffered=True)
    assert answer.content_type == "application/zip"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    assert archive.testzip() is None
    assert archive.namelist() == ["a.txt", "A (2).txt", "evil.sh", "a (3).txt", "zażółć.pdf", "noext", "noext (2)"]
    assert [archive.read(n) for n in archive.namelist()] == [content for _name, _kind, content in given]
    assert {i.compress_type for i in archive.infolist()} == {zipfile.ZIP_STORED}


def unpacked(files, at=None):
    archive = zipfile.ZipFile(io.BytesIO(b"".join(archived(files, at or now()))))
    assert archive.testzip() is None
    return {name: archive.read(name) for name in archive.namelist()}


def test_names_in_an_archive_are_never_too_long_for_a_disk():
    name = clean_filename("ż" * 300 + ".pdf")
    names = list(unpacked([(name, lambda: iter([b"x"]))] * 11))
    assert len(set(names)) == 11
    assert names[10].endswith("ż (11).pdf")
    assert max(len(n.encode()) for n in names) <= 255


def test_a_file_that_is_gone_takes_no_other_file_of_the_archive_with_it():
    def gone():
        raise LookupError

    assert unpacked([("a.txt", lambda: iter([b"one"])), ("b.txt", gone), ("c.txt", lambda: iter([b"three"]))]) == {
        "a.txt": b"one", "b.txt.missing": b"", "c.txt": b"three"}


@pytest.mark.parametrize("year", [1, 1970, 2150, 9999])
def test_an_archive_is_of_any_year(year):
    assert unpacked([("a.txt", lambda: iter([b"x"]))], datetime(year, 1, 1, tzinfo=UTC)) == {"a.txt": b"x"}


def test_an_archive_is_written_while_it_is_sent():
    read = []

    def pieces(number):
        read.append(number)
        yield from (os.urandom(100_000) for _ in range(100))
    tracemalloc.start()
    try:
        got = archived([(f"{n}.bin", lambda n=n: pieces(n)) for n in range(5)], now())
        next(got)
        assert read == [0]
        assert sum(map(len, got)) > 49_000_000
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


def test_more_than_an_archive_holds_is_said_in_words(team, browser_of):
    received(("a.txt", "text/plain", b"one"), ("b.txt", "text/plain", b"two"))
    with unit():
        db.session.execute(update(Attachment).values(size=150_000_000))
    with browser_of("marek") as client:
        assert "files.zip" not in client.get("/conversations/1").text
        answer = client.get("/messages/1/files.zip")
    assert answer.status_code == 413
    assert "An archive holds up to 200 MB. Download the files one by one." in answer.text


def test_one_file_needs_no_archive_and_none_has_none(team, browser_of):
    received(("a.txt", "text/plain", b"one"))
    arrive(connected(address="b@corp.example"), letter(Message_ID="<2@x>"), first_uid=2)
    with browser_of("marek") as client:
        assert "files.zip" not in client.get("/conversations/1").text
        assert client.get("/messages/2/files.zip").status_code == 404


def test_pictures_are_shown_small_and_large_painted_anew(team, browser_of):
    file = received(("przód.jpg", "image/jpeg", picture((3000, 1000), "JPEG")))["przód.jpg"]
    with browser_of("marek") as client:
        page = client.get("/conversations/1").text
        assert f'<img class="file__thumb" src="/attachments/{file.id}/thumbnail" alt="" loading="lazy">' in page
        small, large = (client.get(f"/attachments/{file.id}/{what}", buffered=True) for what in ("thumbnail", "picture"))
        shown = client.get(f"/attachments/{file.id}/preview")
        again = client.get(f"/attachments/{file.id}/thumbnail", headers={"If-None-Match": small.headers["ETag"]})
    assert [Image.open(io.BytesIO(a.data)).size for a in (small, large)] == [(320, 107), (2000, 667)]
    assert b"camera" not in large.data
    assert again.status_code == 304
    assert large.content_type == "image/jpeg"
    assert large.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert f'<img src="/attachments/{file.id}/picture" width="2000" height="667" alt="przód.jpg">' in shown.text


@pytest.mark.parametrize("content", [b"<svg onload=x()>", b"<html><script>x()</script>", b"\x89PNG\r\n\x1a\nrubbish", b""])
def test_what_only_says_that_it_is_a_picture_is_not_served_as_one(team, browser_of, content):
    file = received(("a.png", "image/png", content))["a.png"]
    with browser_of("marek") as client:
        assert [client.get(f"/attachments/{file.id}/{what}").status_code for what in ("thumbnail", "picture", "pdf")] == [404] * 3
        page = client.get(f"/attachments/{file.id}/preview")
    assert page.status_code == 200
    assert "This file isn’t what its name says" in unescape(page.text)
    assert "<svg onload" not in page.text


def test_a_text_is_shown_escaped_in_its_charset_and_cut(team, browser_of):
    raw = letter(files=[("a.csv", "application/octet-stream", "ą;<script>x()</script>;{{ 7*7 }}\n".encode("cp1250") + b"x" * 300_000)])
    raw = raw.replace(b'filename="a.csv"', b'filename="a.csv"').replace(b"application/octet-stream", b"text/csv; charset=windows-1250")
    arrive(connected(), raw)
    file = stored(Attachment)[0]
    with browser_of("marek") as client:
        page = client.get(f"/attachments/{file.id}/preview").text
    shown = re.search(r"<pre[^>]*>(.*?)</pre>", page, re.S)[1]
    assert shown.startswith("ą;&lt;script&gt;x()&lt;/script&gt;;{{ 7*7 }}\n")
    assert len(unescape(shown)) == MAX_TEXT
    assert "These are the first 200\u00a0KB. The download holds all of it." in page


def test_a_program_that_is_called_a_text_is_not_shown(team, browser_of):
    file = received(("a.txt", "text/plain", b"MZ\x90\0\3\0\0\0"), ("b.txt", "text/plain", b"x"))["a.txt"]
    with browser_of("marek") as client:
        page = client.get(f"/attachments/{file.id}/preview")
    assert "<pre" not in page.text
    assert (page.status_code, "Files of this message" in page.text) == (200, True)


def test_a_pdf_is_shown_by_the_browser_in_a_sandbox_of_its_own(team, browser_of):
    found = received(("a.pdf", "application/octet-stream", PDF), ("b.pdf", "application/pdf", b"<html><script>x()</script>"))
    with browser_of("marek") as client:
        page = client.get(f"/attachments/{found['a.pdf'].id}/preview").text
        answer = client.get(f"/attachments/{found['a.pdf'].id}/pdf", buffered=True)
        assert client.get(f"/attachments/{found['b.pdf'].id}/pdf").status_code == 404
        assert "<iframe" not in client.get(f"/attachments/{found['b.pdf'].id}/preview").text
    assert f'src="/attachments/{found["a.pdf"].id}/pdf"' in page
    assert (answer.data, answer.content_type) == (PDF, "application/pdf")
    assert answer.headers["Content-Disposition"].startswith('inline; filename="a.pdf"')
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'; ")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("kind", ["message/rfc822", "text/html", "image/svg+xml", "application/x-msdownload", "application/zip"])
def test_of_everything_else_there_is_a_download_only(team, browser_of, kind):
    main, sub = kind.split("/")
    raw = letter(files=[("a.bin", "application/octet-stream", b"Subject: x\r\n\r\nhello")]).replace(
        b"application/octet-stream", kind.encode()).replace(b"a.bin", b"a." + sub[:3].encode())
    arrive(connected(), raw)
    with browser_of("marek") as client:
        page = client.get("/conversations/1").text
        for file in stored(Attachment):
            assert f"/attachments/{file.id}/preview" not in page
            assert [client.get(f"/attachments/{file.id}/{what}").status_code
                    for what in ("preview", "thumbnail", "picture", "pdf")] == [404] * 4
            answer = client.get(f"/attachments/{file.id}", buffered=True)
            assert answer.headers["Content-Disposition"].startswith("attachment;")


def test_a_file_is_handed_out_once_the_scanner_has_looked_at_it(team, browser_of, scanner):
    file = received(("a.txt", "text/plain", b"harmless"))["a.txt"]
    with browser_of("marek") as client:
        for path in (f"/attachments/{file.id}", f"/attachments/{file.id}/preview", "/messages/1/files.zip", "/messages/1/raw"):
            waits = client.get(path)
            assert (waits.status_code, waits.headers["Retry-After"]) == (202, "2")
            assert "harmless" not in waits.text
            assert f'href="{path}"' in waits.text
        scan.scan(file.id)
        assert scanner.fake.asked == [b"harmless"]
        assert client.get(f"/attachments/{file.id}", buffered=True).data == b"harmless"
        assert client.get("/messages/1/raw", buffered=True).content_type == "message/rfc822"
        scan.scan(file.id)
        assert len(scanner.fake.asked) == 1
        with unit():
            db.session.execute(update(Scan).values(at=now() - timedelta(days=8)))
        assert client.get(f"/attachments/{file.id}").status_code == 202


def test_the_same_bytes_in_another_mail_need_no_second_look(team, browser_of, scanner):
    box = connected()
    for uid in (1, 2):
        arrive(box, letter(Message_ID=f"<{uid}@x>", files=[("a.txt", "text/plain", b"harmless")]), first_uid=uid)
    first, second = stored(Attachment)
    scan.scan(first.id)
    with browser_of("marek") as client:
        assert client.get(f"/attachments/{second.id}", buffered=True).data == b"harmless"


def test_what_is_infected_is_never_handed_out_and_named(team, browser_of, scanner):
    found = received(("virus.txt", "text/plain", b"x" + EICAR), ("good.txt", "text/plain", b"good"))
    for file in found.values():
        scan.scan(file.id)
    bad = found["virus.txt"].id
    with browser_of("marek") as client:
        page = client.get("/conversations/1").text
        assert "Virus found: Win.Test.EICAR_HDB-1" in re.sub(r"<[^>]+>", "", page)
        assert f'/attachments/{bad}"' not in page
        for what in ("", "/preview"):
            answer = client.get(f"/attachments/{bad}{what}")
            assert answer.status_code == 403
            assert "The virus scanner found Win.Test.EICAR_HDB-1 in virus.txt." in answer.text
            assert "EICAR-STANDARD" not in answer.text
        archive = zipfile.ZipFile(io.BytesIO(client.get("/messages/1/files.zip", buffered=True).data))
        assert archive.namelist() == ["good.txt"]
        whole = client.get("/messages/1/raw")
        assert whole.status_code == 403
        assert "The virus scanner found Win.Test.EICAR_HDB-1 in virus.txt." in whole.text
        scanner("127.0.0.1:1", "allow")
        scan.scan(bad)
        assert client.get(f"/attachments/{bad}").status_code == 403


@pytest.mark.parametrize(("away", "code"), [("wait", 202), ("allow", 200)])
def test_while_the_scanner_is_away_the_setting_says_what_happens(team, browser_of, scanner, away, code):
    file = received(("a.txt", "text/plain", b"harmless"))["a.txt"]
    scanner("127.0.0.1:1", away)
    with browser_of("marek") as client:
        assert client.get(f"/attachments/{file.id}").status_code == 202
        scan.scan(file.id)
        assert db.session.get(Scan, file.sha256, populate_existing=True).state == "away"
        answer = client.get(f"/attachments/{file.id}", buffered=True)
        assert answer.status_code == code
        assert ("The virus scanner doesn’t answer at the moment" in unescape(answer.text)) is (code == 202)
        with unit():
            db.session.execute(update(Scan).values(at=now() - timedelta(minutes=1)))
        assert client.get(f"/attachments/{file.id}").status_code == 202


@pytest.mark.parametrize(("away", "code"), [("wait", 403), ("allow", 200)])
def test_a_file_that_is_too_large_for_the_scanner(team, browser_of, scanner, away, code):
    file = received(("a.txt", "text/plain", b"x" * 2000))["a.txt"]
    with Clamd(most=1000) as small:
        scanner(small.where, away)
        scan.scan(file.id)
        with browser_of("marek") as client:
            answer = client.get(f"/attachments/{file.id}", buffered=True)
    assert answer.status_code == code
    if code == 403:
        assert "more than the virus scanner takes" in answer.text


def test_without_a_scanner_nothing_waits(team, browser_of):
    file = received(("a.txt", "text/plain", b"x" + EICAR))["a.txt"]
    with browser_of("marek") as client:
        assert client.get(f"/attachments/{file.id}", buffered=True).status_code == 200
    assert stored(Message)[0].has_attachments


@pytest.mark.parametrize("name", ["\"><img src=x onerror=x()>.txt", "{{ 7*7 }}.txt", "a\u202egpj.txt", "<b>.pdf", "x" * 300 + ".txt"])
def test_hostile_names_come_out_escaped_everywhere(team, browser_of, name):
    file = next(iter(received((name, "text/plain", b"content")).values()))
    with browser_of("marek") as client:
        for page in (client.get("/conversations/1").text, client.get(f"/attachments/{file.id}/preview").text):
            assert "<img src=x" not in page
            assert "<b>." not in page
            assert "\u202e" not in page
            assert "x" * 260 not in page
