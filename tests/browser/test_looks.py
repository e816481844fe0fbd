"""Ordinary mail looks as it should: 38 samples in the manners of newsletters, shops and mail programs, as the frame shows
them at 1440 and at 390 pixels. POSTROOM_TEST_PICTURES=folder keeps pictures of them to look at.
"""

import os
import re
from pathlib import Path

import pytest
from browser.conftest import ARGUMENTS, CHROMIUM

from webapp.blueprints.messages.body import page
from webapp.mail.folding import fold
from webapp.mail.html import clean, fill, recheck
from webapp.mail.parse import parse

MAILS = {path.stem: path for path in sorted((Path(__file__).resolve().parents[1] / "mails/looks").glob("*.eml"))}
FOLDED = {name for name in MAILS if name.startswith("reply-")} - {"reply-gmail-inline", "reply-thunderbird-bottom"}
WIDTHS = (1440, 390)
# A grey picture of the size that its tag asks for, in the place of every one that is blocked or allowed.
GREY = ("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='{0}' height='{1}'%3E%3Crect width='100%25' "
        "height='100%25' fill='%23999'/%3E%3C/svg%3E")
FACTS = """() => {
  const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b; };
  const rgb = s => s.match(/[\\d.]+/g).map(Number);
  const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > .5) return c.slice(0, 3); } return [255, 255, 255]; };
  const faint = [], bent = [], tiny = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n; n = walk.nextNode();) {
    const e = n.parentElement, style = getComputedStyle(e);
    if (!n.data.trim() || e.closest('summary, .vh') || !e.checkVisibility({opacityProperty: true})) continue;
    const box = e.getBoundingClientRect();
    if (!box.width || parseFloat(style.fontSize) < 3) continue;
    const a = light(rgb(style.color).slice(0, 3)), b = light(ground(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 2.5) faint.push(`${n.data.trim().slice(0, 30)}: ${ratio.toFixed(1)}`);
    if (parseFloat(style.fontSize) < 9) tiny.push(n.data.trim().slice(0, 30));
  }
  for (const i of document.images) {
    const w = +i.getAttribute('width'), h = +i.getAttribute('height'), box = i.getBoundingClientRect();
    if (w > 2 && h > 2 && box.width && i.complete && i.naturalWidth && Math.abs(box.height * w / (box.width * h) - 1) > .05)
      bent.push(`${i.alt}: ${box.width}x${box.height} of ${w}x${h}`);
  }
  return {wide: document.documentElement.scrollWidth - document.documentElement.clientWidth, faint, bent, tiny,
    text: document.body.innerText, tall: document.body.scrollHeight,
    folds: document.querySelectorAll('details').length};
}"""


def shown(raw, pictures):
    """What the body page makes of it, with all its pictures or with none."""
    parsed = parse(raw)
    done = clean(parsed.html)
    html = fold(recheck(done.html), "Show quoted text", parsed.subject)
    if not pictures:
        return page(fill(html, {}))
    filled = fill(html, dict.fromkeys(range(len(done.images)), "GREY"))
    return page(re.sub(r"<img[^>]*>", _picture, filled))


def _picture(tag):
    wide, high = (re.search(rf' {name}="(\d+)"', tag[0]) for name in ("width", "height"))
    return tag[0].replace("GREY", GREY.format(wide[1] if wide else 800, high[1] if high else 600))


@pytest.fixture(scope="module")
def window(driver):
    browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
    page = browser.new_page()
    yield page
    browser.close()


HTML = [name for name in MAILS if not name.startswith("plain")]


def test_there_are_at_least_thirty_samples():
    assert len(HTML) >= 30


@pytest.mark.parametrize("name", HTML)
def test_a_mail_fits_and_can_be_read(window, name):
    raw = MAILS[name].read_bytes()
    for width in WIDTHS:
        window.set_viewport_size({"width": width - (40 if width < 600 else 700), "height": 900})
        window.set_content(shown(raw, pictures=False))
        facts = window.evaluate(FACTS)
        if folder := os.environ.get("POSTROOM_TEST_PICTURES"):
            window.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)
        assert facts["faint"] == [] and facts["tiny"] == [], facts
        if name != "wide-data-table":       # a real table of twelve columns is made smaller by sheet.js
            assert facts["wide"] <= 0, (width, facts["wide"])
        assert facts["folds"] == (name in FOLDED)
        window.set_content(shown(raw, pictures=True))
        facts = window.evaluate(FACTS)
        assert facts["wide"] <= 0 or name == "wide-data-table"
        assert facts["bent"] == []


def test_hidden_words_stay_hidden_and_others_do_not(window):
    window.set_viewport_size({"width": 740, "height": 900})
    text = {}
    for name in HTML:
        window.set_content(shown(MAILS[name].read_bytes(), pictures=False))
        text[name] = window.evaluate("document.body.innerText")
    assert "Fresh flour" not in text["newsletter-mailchimp"] and "open day" in text["newsletter-mailchimp"]
    assert "You ran 31" not in text["newsletter-preheader"]
    assert "Only for phones" not in text["newsletter-classes"]
    assert "only for Outlook" not in text["newsletter-outlook-mso"]
    assert "At ramp 4." in text["reply-gmail-inline"] and "Comes today" in text["reply-gmail-inline"]
    assert "promised for Monday" in text["forward-gmail"]
    assert "promised for Monday" not in text["reply-gmail"] and "It stands at ramp 4." in text["reply-gmail"]


def test_rules_of_a_style_sheet_are_followed(window):
    def look(name, selector, what):
        window.set_content(shown(MAILS[name].read_bytes(), pictures=False))
        return window.evaluate("([s, w]) => getComputedStyle(document.querySelector(s))[w]", [selector, what])

    assert look("newsletter-classes", "h2", "color") == "rgb(47, 93, 52)"
    assert look("newsletter-classes", "td td", "textAlign") == "center"
    assert look("invoice-table", "th", "backgroundColor") == "rgb(51, 65, 85)"
    assert look("invoice-table", "td:last-child", "textAlign") == "right"
    assert look("newsletter-dark", "a", "backgroundColor") == "rgb(255, 207, 92)"
    assert look("newsletter-mailchimp", "a", "color") == "rgb(255, 255, 255)"
