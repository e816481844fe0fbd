"""A PDF that acts by itself is told from one that only shows."""

import time
import zlib

import pytest

from webapp.mail.pdf import is_quiet


def pdf(catalog=b"", *objects, packed=(), how=b"/Filter /FlateDecode", pack=zlib.compress):
    """`objects`: from number 3 on; `packed`: (number, content) each, in an object stream."""
    out = b"%%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R %b >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [] >>\nendobj\n" % catalog
    for number, content in enumerate(objects, 3):
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    if packed:
        table, body = b"", b""
        for number, content in packed:
            table += b"%d %d " % (number, len(body))
            body += content + b" "
        content = pack(table + body)
        out += (b"90 0 obj\n<< /Type /ObjStm /N %d /First %d %b /Length %d >>\nstream\n%b\nendstream\nendobj\n"
                % (len(packed), len(table), how, len(content), content))
    return out + b"trailer << /Root 1 0 R >>\n%%EOF"


SCRIPT, LINK = b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>", b"<< /Type /Annot /A << /S /URI /URI (https://a.example) >> >>"
QUIET = {
    "plain": pdf(), "opens at a page": pdf(b"/OpenAction [2 0 R /Fit]", LINK), "goes to a page": pdf(b"/OpenAction << /S /GoTo /D [2 0 R /Fit] >>", LINK),
    "a reference to a place": pdf(b"/OpenAction 4 0 R", LINK, b"[2 0 R /Fit]"), "links": pdf(b"", LINK, LINK),
    "packed": pdf(packed=[(5, LINK), (6, b"<< /A 1 >>")]), "packed opening": pdf(b"/OpenAction 6 0 R", packed=[(5, LINK), (6, b"[2 0 R /Fit]")]),
    "words in its text": pdf(b"", b"<< /Length 9 >>\nstream\n(JavaScript) Tj\nendstream"), "fonts": pdf(b"", b"<< /BaseFont /ABCDEF+Arial#20Bold >>"),
    "outlines": pdf(b"/Outlines 3 0 R", b"<< /First 4 0 R /Last 4 0 R >>", packed=[(6, LINK)]), "a picture": pdf(b"", LINK, b"<< >>\nstream\n/AA\xff/AAx\nendstream"),
    "saved anew": pdf(b"/OpenAction [2 0 R /Fit]", LINK) * 20, "a named place": pdf(b"/OpenAction << /Type /Action /D (page1) /S /GoTo >>", LINK),
    "action without link": pdf(b"/AA << /O 3 0 R >>", b"<< >>"),
}
ACTING = {
    "script": pdf(b"/OpenAction " + SCRIPT), "named scripts": pdf(b"/Names << /JavaScript 3 0 R >>"), "escaped": pdf(b"/OpenAction << /S /J#61vaScr#69pt >>"),
    "packed script": pdf(b"/OpenAction 6 0 R", packed=[(6, SCRIPT)]), "submits": pdf(b"", b"<< /S /SubmitForm /F (https://a.example) >>"),
    "opens a page": pdf(b"/OpenAction 3 0 R", b"<< /S /URI /URI (https://a.example) >>"), "opens it at once": pdf(b"/OpenAction << /S /URI /URI (https://a.example) >>"),
    "when a page is shown": pdf(b"/AA << /O << /S /URI /URI (https://a.example) >> >>"), "packed page": pdf(b"/OpenAction 6 0 R", packed=[(6, b"<< /S /URI /URI (x) >>")]),
    "an opening that is nowhere": pdf(b"/OpenAction 77 0 R", LINK), "launch": pdf(b"", b"<< /S /Launch /F (cmd.exe) >>"), "another file": pdf(b"", b"<< /S /GoToR >>"),
    "a form of scripts": pdf(b"/AcroForm << /XFA [] >>"), "packed otherwise": pdf(packed=[(6, SCRIPT)], how=b"/Filter /ASCIIHexDecode", pack=lambda c: c.hex().encode()),
    "encrypted": pdf(b"/Encrypt 9 0 R", packed=[(6, LINK)], pack=lambda c: bytes(b ^ 90 for b in zlib.compress(c))),
    "with a predictor": pdf(packed=[(6, LINK)], how=b"/Filter /FlateDecode /DecodeParms << /Predictor 12 >>"),
    "hidden name of a stream": pdf(packed=[(6, SCRIPT)]).replace(b"/ObjStm", b"/Obj#53tm"), "no pdf": b"<html>", "nothing": b"",
    "goes to a page and further": pdf(b"/OpenAction << /S /GoTo /D [3 0 R /Fit] /Next << /S /URI /URI (x) >> >>"),
    "a place within another action": pdf(b"/OpenAction << /X << /S /GoTo >> /S /URI /URI (x) >>"),
    "a comment before the action": pdf(b"/AA %x\n << /O << /S /URI /URI (x) >> >>"), "a zero before it": pdf(b"/AA\0<< /O << /S /URI /URI (x) >> >>"),
    "an opening twice": pdf(b"/OpenAction 5 0 R", LINK, b"<< >>", b"[2 0 R /Fit]") + b"\n5 0 obj\n<< /S /URI /URI (x) >>\nendobj",
    "the last of many openings": pdf(b"/OpenAction [2 0 R /Fit]", LINK) * 60 + b"/OpenAction << /S /URI /URI (x) >>",
    "a stream that hides what it is": pdf(packed=[(6, SCRIPT)]).replace(b"/Type /ObjStm ", b""),
    "that says it elsewhere": pdf(b"", b"/ObjStm", b"<< /Length 8 >>\nstream\n" + zlib.compress(b"") + b"\nendstream", packed=[(6, SCRIPT)]).replace(b"/Type /ObjStm", b"/Type 3 0 R"),
    "a stream within a string": pdf(packed=[(6, SCRIPT)], how=b"/Pad (stream\n" + zlib.compress(b"") + b"endstream) /Filter /FlateDecode"),
    "a predictor by another name": pdf(packed=[(6, LINK)], how=b"/Filter /FlateDecode /DecodeParms << /Predicto#72 12 >>"),
    "a predictor elsewhere": pdf(packed=[(6, LINK)], how=b"/Filter /FlateDecode /DecodeParms 9 0 R"),
    "a predictor far away": pdf(packed=[(6, LINK)]).replace(b"/Type /ObjStm", b"/DecodeParms << /Predictor 12 >> /Pad /" + b"x" * 1_500 + b" /Type /ObjStm"),
    "in what looks like a stream": b"%PDF-1.7\n(stream\n)\n1 0 obj << /OpenAction " + SCRIPT + b" >> endobj (endstream)",
}


@pytest.mark.parametrize("name", QUIET)
def test_what_only_shows_is_quiet(name):
    assert is_quiet(QUIET[name])


@pytest.mark.parametrize("name", ACTING)
def test_what_acts_by_itself_or_hides_is_not(name):
    assert not is_quiet(ACTING[name])


def test_hostile_files_cost_little():
    bombs = [b"%PDF-" + b"/" * 5_000_000, b"%PDF-" + b"/ObjStm " * 500_000, b"%PDF-" + b"/ObjStm stream\n" * 300_000, b"%PDF-" + b"/OpenAction 1 0 R /URI " * 200_000,
             b"%PDF-" + b"/J#61vaScrip" * 400_000, b"%PDF-" + b"/OpenAction << " * 300_000 + b"/URI ", b"%PDF-" + b" 1 0 obj" * 500_000 + b"/URI /OpenAction 7 0 R",
             b"%PDF-" + b"/OpenAction 1 0 R " * 50 + b"/URI " + b"2 0 obj " * 2_000_000, b"%PDF-" + b"/First " * 2_000_000, b"%PDF-" + b"1 " * 9_000_000 + b"/URI /OpenAction 7 0 R",
             b"%PDF-" + (b"9 0 obj << /Type /ObjStm /First 4 >> stream\n" + zlib.compress(b"1 0 <<>>") + b"\nendstream endobj ") * 4_900 + bytes(19_000_000) + b"endstream",
             b"%PDF-" + (b"obj /ObjStm >> stream\n" + zlib.compress(b"1 0 <<>>")) * 4_900 + bytes(19_000_000) + b"endstream",
             pdf(packed=[(6, bytes(80_000_000))]), pdf(packed=[(n, b"x" * 30) for n in range(100_000)]), b"%PDF-" + bytes(19_000_000)]
    for bomb in bombs:
        started = time.process_time()
        is_quiet(bomb)
        assert time.process_time() - started < 1.5, bomb[:30]


def test_many_streams_in_a_large_file_cost_little():
    one = pdf(packed=[(n, LINK) for n in range(100)])
    large = one * 300 + b"9 0 obj << /Length 9 >> stream\n" + bytes(15_000_000)
    started = time.process_time()
    assert is_quiet(large)
    assert not is_quiet(large.replace(b"endstream", b"endstreaM"))
    assert time.process_time() - started < 2
