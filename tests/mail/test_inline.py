"""Simple rules of a mail's own style sheets reach the elements that they mean; the rest is left behind, in bounded time."""

import random
import time

import pytest
from selectolax.lexbor import LexborHTMLParser

from webapp.mail.html import clean
from webapp.mail.inline import inline, sheets_of

from .test_html import harm_in


def style_of(sheet, body, selector="#it"):
    html = f"<html><head><style>{sheet}</style></head><body>{body}</body></html>"
    node = LexborHTMLParser(inline(html, sheets_of(html))).css_first(selector)
    return node.attributes.get("style") or ""


@pytest.mark.parametrize("sheet, body, style", [
    ("p{color:red}", "<p id=it>x", "color:red"),
    (".a{color:red}", "<p id=it class='b a'>x", "color:red"),
    ("p.a{color:red}", "<div id=it class=a>x</div>", ""),
    (".a.b{color:red}", "<p id=it class='a b'>x", "color:red"),
    ("#it{color:red}", "<p id=it>x", "color:red"),
    ("td,th , .a{color:red}", "<p id=it class=a>x", "color:red"),
    (".a p{color:red}", "<div class=a><div><p id=it>x</div></div>", "color:red"),
    (".a .b p{color:red}", "<div class=b><div class=a><p id=it>x</div></div>", ""),
    ("table.a tr td{color:red}", "<table class=a><tr><td id=it>x</table>", "color:red"),
    (".a > p{color:red}", "<div class=a><p id=it>x</div>", ""),
    ("p:hover{color:red}p::before{color:red}a[href]{color:red}*{color:red}", "<p id=it>x", ""),
    ("p{color:red}p{color:blue}", "<p id=it>x", "color:red;color:blue"),
    (".a{color:red}p{color:blue}", "<p id=it class=a>x", "color:blue;color:red"),
    ("#it{color:red}.a{color:blue}", "<p id=it class=a>x", "color:blue;color:red"),
    ("p{color:red}", "<p id=it style='color:blue'>x", "color:red;color:blue"),
    ("p{color:red !important}", "<p id=it style='color:blue'>x", "color:blue;color:red"),
    ("p{color:red}@media print{p{color:blue}}@import 'x';p{margin:0}", "<p id=it>x", "color:red;margin:0"),
    ("@font-face{src:url(x)}@supports (a:b){p{color:blue}p{color:green}}p{color:red}", "<p id=it>x", "color:red"),
    ("/* p{color:blue} */p{/*;*/color:red}", "<p id=it>x", "color:red"),
    ("<!-- p{color:red} -->", "<p id=it>x", "color:red"),
    ("P.A{color:red}", "<p id=it class=A>x", "color:red"),
    ("p{color:red", "<p id=it>x", ""),
    ("}p{color:red}", "<p id=it>x", "color:red"),
], ids=range(23))
def test_a_rule_reaches_what_it_means(sheet, body, style):
    assert style_of(sheet, body) == style


def test_the_bodys_own_colours_need_no_tree():
    html = "<html><head><style>body{margin:0;background:#eee}</style></head><body bgcolor=x>y</body></html>"
    assert inline(html, sheets_of(html)).count('<body style="margin:0;background:#eee" bgcolor=x>') == 1
    assert "background-color:#eee" in clean(html).html


@pytest.mark.parametrize("html", [
    "<!--[if mso]><style>p{color:red}</style><![endif]--><p>x", "<style media=print>p{color:red}</style><p>x",
    "<style media='(max-width:600px)'>p{color:red}</style><p>x", "<style>p{color:red}", "<p>x</p>",
])
def test_sheets_for_others_are_not_read(html):
    assert sheets_of(html) == ""


def test_sheets_for_all_but_outlook_are_read():
    assert sheets_of("<!--[if !mso]><!--><style>p{color:red}</style><!--<![endif]-->") == "p{color:red}"
    assert sheets_of("<STYLE TYPE=x media=screen>a{b:c}</STYLE><style>d{e:f}</style>") == "a{b:c}\nd{e:f}"


HOSTILE = [
    "p{background:url(http://leak.test/x)}", "p{position:fixed;inset:0;z-index:9}", "p{color:red}</style><script>x()</script>",
    'p{font-family:"</p><script>x()</script>"}', "p{color:red;background:u\\72l(//leak.test)}", "p{behavior:url(x)}",
    "p{width:99999px;margin:-900px;transform:scale(9)}", "p{--a:url(//leak.test);background:var(--a)}", "p{content:'x'}",
    "p{color:expression(x())}", "@import url(//leak.test);p{color:red}", "p{font:12px '\"onload=x()'}",
]


@pytest.mark.parametrize("sheet", HOSTILE, ids=range(len(HOSTILE)))
def test_what_a_sheet_says_is_looked_at_like_any_style(sheet):
    for body in ("<p>x</p>", "<table><tr><td><p class=a id=b style='color:blue'>x</table>"):
        assert harm_in(clean(f"<style>{sheet}</style>{body}").html) == []


def test_random_sheets_do_no_harm_and_never_stop_a_mail():
    rng = random.Random(7)
    pieces = list("{};:.,#*>@/ \n\"'<!-") + ["p", ".a", "color:red", "url(//leak.test)", "</style>", "<style>", "@media", "/*",
                                             "*/", "!important", "<p class=a>", "<script>", "position:fixed", "\\"]
    for _ in range(300):
        html = "<style>" + "".join(rng.choices(pieces, k=rng.randint(1, 40))) + "</style><p class=a id=b>x</p>"
        assert harm_in(clean(html).html) == []


MANY = "".join(f"<p class='c{n}'>x</p>" for n in range(6_000))
BOMBS = {
    "rules": "<style>" + "".join(f".c{n}{{color:#{n:06x}}}" for n in range(20_000)) + "</style>" + MANY,
    "rules x elements": "<style>" + "p{color:red}" * 600 + "</style>" + MANY,
    "ancestors": "<style>" + "".join(f".a{n} .b{n} p{{color:red}}" for n in range(600)) + "</style>" + "<div>" * 200
                 + "<p>x</p>" * 5_000,
    "selectors": "<style>" + "p," * 90_000 + "p{color:red}</style><p>x", "braces": "<style>" + "{" * 190_000 + "</style><p>x",
    "closing": "<style>" + "}" * 190_000 + "</style><p>x", "comments": "<style>" + "/*" * 90_000 + "</style><p>x",
    "styles": "<style>p{color:red}" + "</style><style>" * 60_000, "opens": "<style" * 150_000, "html": "<!--<style" * 90_000,
    "long": "<style>p{" + "color:red;" * 19_000 + "}</style>" + "<p>x</p>" * 6_000,
    "own": "<style>p{color:red}</style>" + "".join(f"<p style='margin:{n}px'>x</p>" for n in range(5_000)),
    "classes": "<style>.a{color:red}</style><p class='" + "a " * 400_000 + "'>x", "names": "<style>" + ".a" * 90_000 + "{x:y}</style>",
}


@pytest.mark.parametrize("html", BOMBS.values(), ids=BOMBS)
def test_a_bomb_of_sheets_takes_less_than_a_second(html):
    started = time.process_time()
    done = clean(html)
    assert time.process_time() - started < 1
    assert harm_in(done.html) == []


def test_comments_before_a_sheet_are_passed_once():
    started = time.process_time()
    assert sheets_of("<!---->" * 70_000 + "<style>") == ""
    assert time.process_time() - started < 0.5
    assert sheets_of("<!-- <style>a</style> -->" * 3 + "<style>b</style><!-- x --><style>c</style>") == "b\nc"
