"""What of a file can be shown, and text in whatever charset."""

import pytest

from webapp.mail.preview import MAX_TEXT, as_text, is_pdf, kind_of


@pytest.mark.parametrize(("content_type", "name", "kind"), [
    ("image/png", "a", "picture"), ("image/jpeg", "a.exe", "picture"), ("image/svg+xml", "a.svg", None),
    ("image/heic", "a.heic", None), ("image/tiff", "a.tif", None), ("application/pdf", "a", "pdf"),
    ("text/plain", "a", "text"), ("text/plain", "a.pdf", "pdf"), ("text/csv", "a.csv", "text"),
    ("text/html", "a.html", None), ("text/html", "a.txt", None), ("application/xhtml+xml", "a", None),
    ("application/octet-stream", "a.PDF", "pdf"), ("application/octet-stream", "a.jpg", "picture"),
    ("application/octet-stream", "a.log", "text"), ("application/octet-stream", "a.html", None),
    ("application/octet-stream", "pdf", "pdf"), ("application/zip", "a.txt", None), ("message/rfc822", "a.eml", None),
    ("application/x-msdownload", "a.png", None), ("text/calendar", "a.ics", "text")])
def test_what_a_file_is_by_what_the_mail_says(content_type, name, kind):
    assert kind_of(content_type, name) == kind


@pytest.mark.parametrize(("data", "charset", "text"), [
    ("zażółć".encode(), None, "zażółć"), ("zażółć".encode("cp1250"), "windows-1250", "zażółć"),
    ("zażółć".encode("cp1250"), None, "zażółć"), ("zażółć".encode(), "windows-1250", "zażółć"),
    ("zażółć".encode("utf-16"), None, "zażółć"), ("zażółć".encode("utf-16-le"), "utf-16le", "zażółć"),
    (b"\xef\xbb\xbfa;b\r\nc;d\r", None, "a;b\nc;d\n"), (b"", None, ""), ("日本".encode("shift_jis"), "Shift_JIS", "日本"),
    (b"a\x1b[31mb\x0cc", None, "a[31mbc"), (b"plain", "zlib", "plain"), (b"\xff\xfe", None, "")])
def test_text_in_its_charset(data, charset, text):
    assert as_text(data, charset, "windows-1250") == text


@pytest.mark.parametrize("data", [b"MZ\x90\0\3\0\0\0", b"\x89PNG\r\n\x1a\n\0\0", bytes(range(1, 32)) * 20, b"a\0b"])
def test_what_is_no_text_is_not_shown_as_text(data):
    assert as_text(data) is None


def test_a_character_that_is_cut_at_the_end_spoils_nothing():
    data = ("x" * (MAX_TEXT - 1) + "ż" * 10).encode()
    assert as_text(data) == "x" * (MAX_TEXT - 1)
    assert as_text(("y" + "🙂" * 100_000).encode()[:MAX_TEXT]).endswith("🙂")


def test_a_pdf_begins_like_one():
    assert is_pdf(b"%PDF-1.7\n")
    assert is_pdf(b"\n\n%PDF-1.4")
    assert not is_pdf(b"<html>" + b" " * 1100 + b"%PDF-1.4")
