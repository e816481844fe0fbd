"""The quote at the end of an HTML mail is told and folded, whatever program wrote it; nothing of one's own is hidden."""

import time

import pytest

from webapp.mail.folding import before_quote, fold, mark
from webapp.mail.html import clean

SAID = "On Mon, 6 Jan 2025 at 10:00, Jan Nowak &lt;jan@firma.example&gt; wrote:"
BLOCK = "<blockquote {}><div>OLD one</div><div>OLD two</div></blockquote>"
QUOTES = {
    "gmail": '<div dir="ltr">NEW</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class='
             f'"gmail_attr">{SAID}<br></div>' + BLOCK.format('class="gmail_quote" style="margin:0 0 0 .8ex"') + "</div>",
    "apple": f'<html><body>NEW<div><br><blockquote type="cite"><div>{SAID}</div><br><div>OLD one</div></blockquote>'
             "</div><br></body></html>",
    "iphone": f'<div dir="ltr">NEW</div><div dir="ltr"><br><blockquote type="cite">{SAID}<br><br></blockquote></div>'
              '<blockquote type="cite"><div dir="ltr">OLD one</div></blockquote>',
    "thunderbird": f'<p>NEW</p><div class="moz-cite-prefix">{SAID}<br></div>'
                   + BLOCK.format('type="cite" cite="mid:1@x"') + '<div class="moz-signature">-- <br>Jan</div>',
    "outlook desktop": '<div class="WordSection1"><p class="MsoNormal">NEW</p><div><div style="border:none;border-top:'
                       'solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal"><b>From:</b> Jan<br>'
                       "<b>Sent:</b> Monday<br><b>To:</b> Anna</p></div></div><p>OLD one</p><p>OLD two</p></div>",
    "outlook desktop pl": '<div class="WordSection1"><p>NEW</p><div><div style="border:none;border-top:solid #B5C4DF '
                          '1.0pt"><p><b>Od:</b> Jan<br><b>Wysłano:</b> środa</p></div></div><p>OLD one</p></div>',
    "outlook desktop de": '<div><p>NEW</p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt"><p><b><span>Von:'
                          "</span></b><span> Jan<br><b>Gesendet:</b> Mittwoch<br><b>An:</b> Anna<br></span></p></div>"
                          "</div><p>OLD one</p></div>",
    "outlook web": '<div>NEW</div><div id="appendonsend"></div><hr style="width:98%" tabindex="-1"><div id='
                   '"divRplyFwdMsg" dir="ltr"><font><b>From:</b> Jan<br><b>Sent:</b> Monday</font></div>'
                   "<div>OLD one</div>",
    "outlook phone": '<div dir="ltr">NEW</div><div id="ms-outlook-mobile-signature">Get Outlook for iOS</div>'
                     '<div id="mail-editor-reference-message-container"><hr><div>From: Jan</div><div>OLD</div></div>',
    "outlook mac": '<div>NEW</div><span id="OLK_SRC_BODY_SECTION"><div>From: Jan</div><div>OLD</div></span>',
    "yahoo": '<div class="yahoo-style-wrap"><div>NEW</div></div><div id="yahoo_quoted_12" class="yahoo_quoted"><div>'
             f"{SAID}</div><div>OLD one</div></div>",
    "proton": f'<div>NEW</div><div class="protonmail_quote">{SAID}<br>'
              + BLOCK.format('class="protonmail_quote" type="cite"') + "</div>",
    "tuta": f'<div>NEW</div><br><div>{SAID}</div>' + BLOCK.format('class="tutanota_quote"'),
    "zoho": f'<div>NEW</div><div class="zmail_extra"><div id="Zm-_Id_-Sgn1">---- {SAID} ----</div><blockquote id='
            '"blockquote_zmail"><div>OLD one</div></blockquote></div>',
    "samsung": "<div>NEW</div><div><br></div><div>-------- Original message --------</div><div>From: Jan</div>"
               "<div>Date: 6.01.2025</div><div>OLD one</div>",
    "samsung pl": '<div dir="auto">NEW</div><div><br></div><div align="left" style="font-size:100%"><div>-------- '
                  "Oryginalna wiadomość --------</div><div>Od: Jan</div></div><div>OLD one</div>",
    "k-9": f'<div>NEW</div><br><div class="gmail_quote">{SAID}<blockquote class="gmail_quote"><pre>OLD one</pre>'
           "</blockquote></div>",
    "gmx": '<div>NEW</div><div name="quote" style="margin:10px 5px 5px 10px;border-left:2px solid #C3D9E5"><div>'
           "<b>Gesendet:</b> Montag</div><div>OLD one</div></div>",
    "roundcube": f'<p>NEW</p><p id="reply-intro">{SAID}</p>' + BLOCK.format('type="cite" style="padding:0 0.4em"'),
    "plain blockquote": f"<p>NEW</p><p>{SAID}</p>" + BLOCK.format(""),
    "headers as text": "<p>NEW</p><p>From: Jan<br>Sent: Monday<br>To: Anna</p><p>OLD one</p>",
    "zimbra": '<div>NEW</div><hr id="zwchr" data-marker="__DIVIDER__"><div><b>From: </b>"Jan"<br></div><div>OLD</div>',
    "hotmail": '<div>NEW<br><div><hr id="stopSpelling">From: Jan<br>OLD</div></div>',
}
UNFOLDED = {
    "all of it": QUOTES["gmail"].replace("NEW", ""),
    "all of it, Outlook": QUOTES["outlook web"].replace("NEW", "&nbsp;"),
    "answer below": QUOTES["thunderbird"].replace('<div class="moz-signature">', "<p>ANSWER</p><div>"),
    "answer within": f'<div>NEW</div><div class="gmail_quote"><div class="gmail_attr">{SAID}</div><blockquote class='
                     '"gmail_quote">OLD</blockquote><div>ANSWER</div><blockquote class="gmail_quote">OLD</blockquote></div>',
    "forwarded by Gmail": '<div>NEW</div><div class="gmail_quote"><div dir="ltr" class="gmail_attr">---------- Forwarded '
                          "message ---------<br>From: Jan<br>Date: Mon</div>The letter</div>",
    "forwarded by Apple": '<div>NEW</div><div><br><blockquote type="cite"><div>Begin forwarded message:</div><div>'
                          "<b>From: </b>Jan</div></blockquote></div>",
    "forwarded by Thunderbird": '<p>NEW</p><div class="moz-forward-container">-------- Forwarded Message --------'
                                "<table><tr><th>Subject: </th><td>x</td></tr></table><p>The letter</p></div>",
    "a testimonial": "<p>NEW</p><p>What people say about us:</p><blockquote>The best shop.</blockquote>",
    "a form's field": '<p>NEW request</p><div name="quote">five pallets, please</div>',
    "a freight order": "<p>Please quote:</p><p><b>From:</b> Gdansk<br><b>To:</b> Berlin<br><b>Date:</b> 12.05.2025</p><p>Price?</p>",
    "a freight order in rows": "<p>Quote:</p><table><tr><td>From:</td><td>Gdansk</td></tr><tr><td>To:</td><td>Berlin</td></tr>"
                               "<tr><td>Date:</td><td>12.05</td></tr></table><p>Price?</p>",
    "nothing quoted": "<p>NEW</p><table><tr><td>From: 10:00</td><td>To: 12:00</td></tr></table>",
    "hidden words above": '<div style="display:none">preheader</div>' + QUOTES["gmail"].replace("NEW", ""),
    "rows": "<table><tr><td>NEW</td></tr><tr><td>-------- Original message --------</td></tr><tr><td>x</td></tr></table>",
}


def shown(html, subject="Re: Pallet"):
    done = clean(html)
    assert not done.too_complex
    return fold(done.html, "Show “quoted” text", subject)


@pytest.mark.parametrize("html", QUOTES.values(), ids=QUOTES)
def test_the_quote_is_folded_and_the_answer_is_not(html):
    out = shown(html)
    above, fold_mark, rest = out.partition('<details class="quote">')
    inside, _end, below = rest.rpartition("</details>")
    assert fold_mark, out
    assert "NEW" in above and "OLD" not in above
    assert "OLD" in inside and "NEW" not in inside
    assert "OLD" not in below and "wrote:" not in above
    assert out.count("<details") == out.count("</details>") == 1
    assert "Show “quoted” text" in inside.split("</summary>")[0]
    for tag in ("div", "blockquote", "span"):       # what is folded is whole
        assert inside.count(f"<{tag}") - inside.split("</summary>")[0].count(f"<{tag}") == \
            inside.count(f"</{tag}>") - inside.split("</summary>")[0].count(f"</{tag}>")


@pytest.mark.parametrize("html", UNFOLDED.values(), ids=UNFOLDED)
def test_nothing_else_is_folded(html):
    assert "<details" not in shown(html)


@pytest.mark.parametrize("name", ["outlook web", "outlook desktop", "gmail"])
def test_what_a_subject_calls_forwarded_is_not_folded(name):
    for subject in ("Fwd: Pallet", "WG: Palette", "PD: Paleta", "TR: Palette", "FW: x", "Enc: x", "Пересл: x"):
        assert "<details" not in shown(QUOTES[name], subject)


def test_what_is_stored_speaks_no_language_and_names_no_program():
    stored = clean(QUOTES["gmail"]).html
    assert 'quoted="quote"' in stored and "gmail" not in stored and "details" not in stored
    assert clean('<div quoted="x">a</div><p quoted=quote onclick=x>b').html.count("quoted") == 1
    assert "OLD" not in before_quote(stored) and "NEW" in before_quote(stored)


def test_a_strangers_own_details_never_come_through():
    out = shown("<details open ontoggle=x()><summary>Show quoted text</summary>a</details>" + QUOTES["gmail"])
    assert out.count("<details") == 1


BOMBS = {
    "gmail": '<div class="gmail_quote">' * 40_000, "needles": 'type="cite"' * 90_000, "open": "<div " + "x" * 1_000_000,
    "blocks": "<p>a</p><blockquote>b</blockquote>" * 6_000, "said": f"<p>{SAID}</p><blockquote>x</blockquote>" * 5_000,
    "headers": "<p>From: a</p>" * 18_000, "rules": "<p>-------- Original message --------</p>" * 18_000,
    "colons": "<p>a:</p>" * 19_000, "words": "<p>" + "quote " * 160_000, "ids": '<hr id="zwchr">' * 19_000,
    "borders": '<div style="border-top:solid #E1E1E1 1pt">x</div>' * 19_000,
}


@pytest.mark.parametrize("html", BOMBS.values(), ids=BOMBS)
def test_a_megabyte_of_quotes_takes_no_time(html):
    started = time.process_time()
    mark(html)
    assert time.process_time() - started < 0.5
    done = clean(html)
    started = time.process_time()
    fold(done.html, "x")
    assert time.process_time() - started < 1


def test_what_a_form_sends_is_not_folded_unless_it_is_in_an_answer():
    form = clean("<p>A message from the website.</p><p>From: Anna &lt;anna@x.example&gt;<br>Date: 12.05.2025<br>Subject: Pallets"
                 "</p><p>Please call me.</p>").html
    assert fold(form, "x", "New message", []) == form
    assert "<details" in fold(form, "x", "Re: Pallets", [])
    assert "<details" in fold(form, "x", "Pallets", ["a@x"])
    for name in ("outlook desktop", "headers as text", "samsung", "gmail", "zimbra"):
        assert "<details" in fold(clean(QUOTES[name]).html, "x", "", []), "marked by a mail program"
