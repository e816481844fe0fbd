"""What people write with formatting, and what is quoted below it."""

import base64
from datetime import UTC, datetime

import pytest

from webapp.mail import quoted, thread_index, written_html

AT = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(("written", "left"), [
    ("<p onclick=a() style='color:red' class=x>Hi</p>", "<p>Hi</p>"),
    ("<script>a()</script><style>b</style>ok", "ok"),
    ('<a href="javascript:a()">x</a><a href="https://x.example/?a=1&amp;b=2">y</a>',
     '<a>x</a><a href="https://x.example/?a=1&amp;b=2">y</a>'),
    ('<img src="https://track.example/x.png"><img src="data:image/png;base64,AA"><img src=x onerror=a()>', ""),
    ('<img src="cid:ab12@postroom" alt="Plan">', '<img src="cid:ab12@postroom" alt="Plan">'),
    ('<iframe src="https://x.example"></iframe><form action=x><input name=y></form><table><tr><td>cell</td></tr></table>',
     "cell"),
    ("<!-- secret --><b>bold</b><svg><a xlink:href='javascript:a()'>s</a></svg>", "<b>bold</b>"),
])
def test_only_harmless_html_leaves(written, left):
    assert written_html.clean(written) == left
    assert written_html.clean(left) == left


def test_a_picture_of_the_editor_becomes_one_of_the_message_and_back():
    html = written_html.clean('<img src="/draft-files/7"><img src="/draft-files/8">', {"/draft-files/7": "a@postroom"}.get)
    assert html == '<img src="cid:a@postroom">'
    assert written_html.cids(html) == {"a@postroom"}
    assert written_html.shown(html, {"a@postroom": "/draft-files/7"}.get) == '<img src="/draft-files/7">'


def test_the_text_part_says_the_same():
    html = "<div>Hi</div><div>you</div><ul><li>one</li><li>two</li></ul>"
    assert written_html.text(html) == "Hi\nyou\n\n• one\n• two"
    assert written_html.is_blank("<div><br></div>&nbsp;") and not written_html.is_blank("<div>x</div>")


def original(**more):
    facts = {"who": "Anna <anna@x.example>", "at": AT, "subject": "Pallet", "to": "support@corp.example",
             "text": "Seen words", "html": None}
    return quoted.Original(**{**facts, **more})


@pytest.mark.parametrize("make", [quoted.below_answer, quoted.handed_on])
def test_only_what_was_seen_is_quoted(make):
    html = ('<p>Seen words</p><div style="display:none">KOBOLD</div><p hidden>KOBOLD</p><p style="font-size:0">KOBOLD</p>'
            '<img src="https://track.example/x.png">')
    text, shown = make(original(text="KOBOLD in the text part", html=html), "en")
    assert "Seen words" in text and "Seen words" in shown
    assert "KOBOLD" not in text + shown and "track.example" not in text + shown


def test_an_answer_is_attributed_so_that_programs_fold_it():
    from webapp.mail.text import split_quote
    for language, line in (("en", "On 2026-06-01 12:00, Anna <anna@x.example> wrote:"),
                           ("pl", "W dniu 2026-06-01 12:00, Anna <anna@x.example> pisze:")):
        text, html = quoted.below_answer(original(text="One\n\nTwo"), language)
        assert text == f"{line}\n> One\n>\n> Two"
        assert "<blockquote" in html and "&lt;anna@x.example&gt;" in html
        assert split_quote(f"My answer.\n\n{text}")[0].strip() == "My answer."


def test_a_strangers_subject_stays_on_its_line_of_what_is_handed_on():
    text, html = quoted.handed_on(original(subject="Hi\r\nBcc: x\u202e", text="<b>words</b>"), "pl")
    assert "Temat: Hi Bcc: x" in text.replace("  ", " ") and "\r" not in text
    assert "&lt;b&gt;words" in html


def test_outlooks_index_grows_by_five_bytes_and_keeps_its_beginning():
    first = bytes([1, 0xdb]) + bytes(range(4)) + bytes(16)
    grown = thread_index.answered(base64.b64encode(first), AT, 7)
    assert base64.b64decode(grown)[:22] == first and len(base64.b64decode(grown)) == 27
    again = thread_index.answered(grown.encode(), AT, 7)
    assert len(base64.b64decode(again)) == 32
    for broken in (b"", b"!!", base64.b64encode(b"short"), base64.b64encode(bytes(24))):
        assert thread_index.answered(broken, AT, 7) is None


def test_outlooks_headers_are_found_folded():
    header = b"Thread-Topic: A\r\n  long one\r\nSubject: x\r\nThread-Index: AQHb\r\n AAAA\r\n"
    assert thread_index.of(header)[b"thread-index"].replace(b" ", b"") == b"AQHbAAAA"
