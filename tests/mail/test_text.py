import random
import time
from functools import partial

import pytest

from webapp.mail.text import snippet, split_quote, to_html


@pytest.mark.parametrize(
    "new, quoted",
    [
        ("Hi\n\n", "On Mon, Jan 6, 2025 at 10:00 AM Jan <a@b.example> wrote:\n\n> foo\n> bar\n"),
        ("Hi\n\n", "On Mon, Jan 6, 2025 at\n10:00 AM Jan <a@b.example>\nwrote:\n> foo"),
        ("Cześć\n\n", "W dniu 12.03.2024 o 10:11, Jan Kowalski pisze:\n> a\n> b"),
        ("Cześć\n\n", "wt., 12 mar 2024 o 10:11 Jan Kowalski <a@b.example> napisał(a):\n> a"),
        ("Ja\n\n", "Am 12.03.2024 um 10:11 schrieb Jan Kowalski <a@b.example>:\n\n> a\n"),
        ("ok\n\n", "-----Original Message-----\nFrom: x\nSent: y\n\nfoo"),
        ("ok\n\n", "-----Wiadomość oryginalna-----\nfoo"),
        ("ok\n\n", "-----Ursprüngliche Nachricht-----\nfoo"),
        ("ok\n\n", "Od: Jan <a@b.example>\nWysłano: środa\nDo: x\n\nfoo"),
        ("ok\n", "Von: Jan\nGesendet: Mo\n\nx"),
        ("ok\n", "From: Jan\nSent: Mo\nTo: x\n\nx"),
        ("ok\n\n", "________________________________\nFrom: Jan\nSent: Mo\n\nx"),
        ("", "> all of it"),
        ("answer\n\n", "> a\n> b\n"),
        ("On Monday I wrote:\nfoo\n", ""),
        ("> q\nanswer within\n> q\nend", ""),
        ("From: the start\nof a sentence", ""),
        ("", ""),
        ("On 6 Jan 2025 Jan <a@b.example> wrote:\n> x\n\nanswer below", ""),
        ("Dear all,\n____________________\nmy signature", ""),
    ],
)
def test_the_quote_is_told_from_what_is_new(new, quoted):
    assert split_quote(new + quoted) == (new, quoted)


def test_no_text_is_ever_lost():
    rng = random.Random(1)
    lines = [
        "On Mon 1 x <a@b> wrote:",
        "> q",
        "",
        "hello",
        "From: a",
        "Sent: b",
        "-----Original Message-----",
        "W dniu 1 pisze:",
        "--",
        "\r",
        "On ",
        "a" * 400,
    ]
    for _ in range(500):
        text = "\n".join(rng.choices(lines, k=rng.randint(0, 30)))
        assert "".join(split_quote(text)) == text


def test_plain_text_is_escaped_and_linked():
    html = to_html(
        "see https://x.example/a_(b)?q=1&r=2). or www.foo.example, jan@x.example "
        '<b onclick="x">\nline\n\n\npar javascript:x'
    )
    assert (
        'href="https://x.example/a_(b)?q=1&amp;r=2"' in html
        and 'href="https://www.foo.example"' in html
        and 'href="mailto:jan@x.example"' in html
    )
    assert "&lt;b onclick=&quot;x&quot;&gt;<br>\nline</p>\n<p>par javascript:x</p>" in html
    assert html.count("<a ") == html.count('target="_blank" rel="noopener noreferrer nofollow"') == 3
    assert to_html("") == to_html(" \n ") == ""


@pytest.mark.parametrize("hides", ["\u202e", "\u200b", "\u00ad", "\u2066", "\u3164", "\u2800" * 60, "\u034f"])
def test_a_link_that_the_eye_would_read_further_is_none(hides):
    for text in (f"https://bank.example{hides}/moc.live", f"www.x.example{hides}.bank.example", f"a@x.example{hides}.bank.example"):
        assert to_html(text) == f"<p>{text}</p>"
    assert 'href="https://x.example/a"' in to_html(f"https://x.example/a{hides} and more{hides}")
    assert f">https://x.example/a</a>{hides} and" in to_html(f"https://x.example/a{hides} and more{hides}")


def test_a_link_turns_around_with_nothing_and_ends_at_every_blank():
    assert 'dir="ltr">https://x.example/knab</a> ' in to_html("\u202ehttps://x.example/knab \u202c")
    for blank in "\u00a0\u3000\u2003\u2028\u0085":
        assert f">https://x.example</a>{blank}words" in to_html(f"https://x.example{blank}words")


@pytest.mark.parametrize(("link", "other"), [
    ("https://\u0430pple.com/x", "xn--pple-43d.com"), ("www.\u0430pple.com", "www.xn--pple-43d.com"), ("https://xn--pple-43d.com/", "\u0430pple.com"),
    ("http://me:secret@b\u00fccher.example:80/?q", "xn--bcher-kva.example"), ("https://\uff42ank.example/", "bank.example"),
    ("https://bank.example/\u0430", None), ("https://bank.example/xn--pple-43d", None), ("https://\u0430..b/", None)])
def test_a_link_to_an_internationalised_domain_has_its_other_form_beside_it(link, other):
    assert to_html(f"see {link}, yes", other_forms=True).endswith(f"</a>{f' ({other})' if other else ''}, yes</p>")
    assert to_html(f"> {link}", other_forms=True).count("(") == bool(other)
    assert "(" not in to_html(link)         # of what we write ourselves, it is not said


def test_quotes_within_quotes_stand_within_each_other():
    assert to_html("> a\n>> b\n> > c\n>\n> d\nmine <b>") == (
        "<blockquote>\n<p>a</p>\n<blockquote>\n<p>b<br>\nc</p>\n</blockquote>\n<p>d</p>\n</blockquote>\n<p>mine &lt;b&gt;</p>"
    )
    deep = to_html(">" * 50 + " x\n" + "> y")
    assert deep.count("<blockquote>") == deep.count("</blockquote>") == 8
    rng = random.Random(3)
    for _ in range(300):
        html = to_html("\n".join(rng.choices(["> a", ">> b", "", ">", "c", ">>> <i>", "> > https://x.example/"], k=9)))
        assert html.count("<blockquote>") == html.count("</blockquote>") and "<i>" not in html


def test_a_snippet_is_one_short_line_of_the_new_part():
    assert snippet("Hi\n  there\n\n> old") == "Hi there"
    assert snippet("> only\n> old") == "only old"
    assert snippet("a > b") == "a > b"
    cut = snippet("word " * 100)
    assert len(cut) <= 160 and cut.endswith("word…") and "\n" not in cut


@pytest.mark.parametrize("text, line", [
    ("On 6 Jan 2025 at 10:00, Jan <a@b.example> wrote:\n> old\n> older\n\nNo, we will not pay.\n", "No, we will not pay."),
    ("Hello,\n\nW dniu 6.01.2025 o 10:00, Jan\npisze:\n> stare\n\nNie.\n> starsze\nTak.\n", "Hello, Nie. Tak."),
    ("He said on 6.01.2025:\n> old\nNo.", "He said on 6.01.2025: No."),
    ("On 6 Jan 2025 at 10:00, Jan <a@b.example> wrote:\n> old\n", "On 6 Jan 2025 at 10:00, Jan <a@b.example wrote: old"),
])
def test_a_snippet_is_the_answer_and_not_the_quote_above_it(text, line):
    assert snippet(text) == line


@pytest.mark.parametrize(
    "text",
    [
        "On " + "a " * 50_000,
        "On \n" * 40_000,
        "http://" + "a" * 400_000,
        "http://a@b " * 40_000,
        "a@" * 200_000,
        "a" * 400_000 + "@",
        "a@b." + "b." * 100_000,
        "> x\n" * 200_000,
        "On 1 <a@b> wrote:\n> x\ny\n" * 30_000,
        "www." * 100_000,
        ("http://a" + ")" * 1_900 + " ") * 200,
        "Od: x\n" * 50_000,
        "\n" * 500_000,
        "\n x" * 200_000,
        ("\n" + " " * 1_000) * 400,
        " " * 500_000,
        "a\u0301" * 300_000,
        "wrote:\n" * 50_000,
        "(" * 400_000,
        "www.\u200bx" * 80_000,
        ("www." * 499 + "\u200bx") * 200,
        "http://\u0430\u0431.b " * 20_000,
        ("On 1.1.2025 a@b wrote:\n>x\ny\n") * 800,
    ],
    ids=range(23),
)
def test_time_is_linear(text):
    for function in (to_html, partial(to_html, other_forms=True), split_quote, snippet):
        started = time.process_time()
        function(text)
        assert time.process_time() - started < 0.7
