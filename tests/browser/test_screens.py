"""Every screen, light and dark, at each width, in English and Polish: axe without findings, nothing spills."""

import os
from types import SimpleNamespace

import pytest
from browser.letters import NEWSLETTER, letter
from browser.moves import SOON, connect_personal, connect_team, ready
from browser.screens import STANDS_STILL, axe, spills
from browser.stage import DOMAIN, SILENT
from playwright.sync_api import expect

WIDTHS = {1440: 900, 1000: 800, 560: 800, 390: 780}
AXE_WIDTHS = (1440, 390)
LANGUAGES = {"en": "adam", "pl": "pola"}
WHO = "Grzegorz Brzęczyszczykiewicz-Konstantynopolitański"
LONG = "Reklamacja: uszkodzona paleta z ładunkiem na rampie numer cztery, prosimy o pilny kontakt w tej sprawie"


@pytest.fixture(scope="module")
def house(stage, once):
    """An inbox with everything that a list and a thread can show, made once."""
    address = stage.mailbox(f"screens@{DOMAIN}")
    for n in range(4):
        stage.dovecot.deliver(address, letter(address, f"Question {n}", sender=f"Customer {n} <c{n}@customer.example>"))
    stage.dovecot.deliver(address, letter(address, LONG, html=NEWSLETTER, sender=f"{WHO} <g@customer.example>",
                                          file=("umowa-o-współpracy-2026.pdf", b"%PDF-")))
    stage.dovecot.deliver(address, letter(address, "Plain", "Hello,\n\n" + "x" * 180 + "\n\n> quoted\n> more\n"))
    page = once("adam")
    inbox = connect_team(page, address, "Screens")
    page.goto(inbox)
    ready(page)
    links = page.locator(".conv__link").evaluate_all("all => all.map(a => [a.textContent, a.getAttribute('href')])")
    paths = {name: next(href for text, href in links if name in text) for name in ("Question 0", "Plain", LONG)}
    write_rules(page, inbox)
    page.goto(paths["Question 0"])
    ready(page)
    page.locator("#thread").get_by_role("button", name="Close").click()
    expect(page.locator(".subject__meta")).to_contain_text("Closed")
    page.goto(paths["Plain"])
    ready(page)
    page.get_by_role("button", name="Assign").click()
    page.locator("#assign-menu").get_by_role("button", name="Marek Colleague").click()
    page.get_by_label("Reply to").fill("We are looking into it.")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#messages > article")).to_have_count(2)
    return SimpleNamespace(inbox=inbox, html=paths[LONG], plain=paths["Plain"], closed=paths["Question 0"],
                           address=address)


@pytest.fixture(scope="module", params=LANGUAGES)
def home(request, stage, house, once):
    """What belongs to one person: a mailbox, one that failed, and for Pola the Polish interface."""
    who = LANGUAGES[request.param]
    page = once(who)
    own = stage.mailbox(f"{who}-own@{DOMAIN}")
    stage.dovecot.deliver(own, letter(own, "Private"))
    connection = connect_personal(page, own)
    page.goto(f"/mailboxes/{connection}/mail")
    page.get_by_role("link", name="Private").click()
    expect(page.get_by_text("where is our pallet?")).to_be_visible(timeout=SOON)
    message = page.url
    failed = begin(page, stage.mailbox(f"{who}-failed@{DOMAIN}"), "wrong")
    page.locator(".is-fail").wait_for(timeout=SOON)
    if request.param == "pl":
        page.goto("/welcome")
        page.get_by_role("button", name="Language, theme, sign out").click()
        page.get_by_role("button", name="Polski").click()
        page.goto("/welcome")
        expect(page.locator("html")).to_have_attribute("lang", "pl")
    return SimpleNamespace(who=who, language=request.param, connection=connection, failed=failed, message=message,
                           **vars(house))


def write_rules(page, inbox):
    """A rule of each kind, some in each other's way."""
    for fields in ({"c0_field": "subject", "c0_how": "contains", "c0_values": "reklamacja, uszkodz", "a0_do": "close"},
                   {"c0_field": "words", "c0_how": "contains", "c0_values": "temperatura, rejestrator",
                    "c1_field": "files", "c1_how": "any", "a0_do": "assign", "a0_people": ["1", "2"], "a0_how": "turns",
                    "a1_do": "target", "a1_minutes": "30", "go_on": "y"},
                   {"c0_field": "subject", "c0_how": "contains", "c0_values": "uszkodz", "a0_do": "owner"}):
        page.goto(f"{inbox}/routing/new")
        page.evaluate("""fields => { const form = document.getElementById("rule-form"), data = new URLSearchParams();
            data.set("csrf_token", form.elements.csrf_token.value); data.set("match", "all"); data.set("do", "save");
            for (const [name, value] of Object.entries(fields)) for (const v of [value].flat()) data.append(name, v);
            return fetch(form.action, { method: "POST", body: data }); }""", fields)


def a_rule_that_is_edited(page, home):
    page.goto(f"{home.inbox}/routing")
    ready(page)
    page.locator("#rulelist .rule__do [popovertarget]").nth(1).click()
    page.locator(".act-menu:popover-open a").click()
    page.locator("#rule-form").wait_for()


def a_refused_rule(page, home):
    page.watching.expect("HTTP 422")
    page.goto(f"{home.inbox}/routing/new")
    ready(page)
    page.locator("#c0").select_option("header")
    page.locator("[name=c0_name]").wait_for()
    page.locator("#rule-form .btn--primary").click()
    page.locator("#c0-e").wait_for()


def a_tried_message(page, home):
    page.goto(f"{home.inbox}/routing")
    ready(page)
    page.locator("#t-subject").fill("Temperatura, uszkodzona")
    page.locator("#trace .trace").wait_for()


def what_becomes_of_other_mail(page, home):
    page.goto(f"{home.inbox}/routing")
    ready(page)
    page.locator("#otherwise button").click()
    page.locator("#o_do").select_option("team")
    page.locator("[name=o_how]").wait_for()


def begin(page, address, password):
    page.goto("/connect/personal")
    page.locator("#address").fill(address)
    page.locator("#password").fill(password)
    page.locator(".connect__form .btn--primary").click()
    page.wait_for_url("**/connections/*")
    return page.url


def to(path):
    return lambda page, home: page.goto(path.format(**vars(home)))


def goals(*values):
    return to("/choose?" + "&".join(f"goal={v}" for v in values))


def a_refused_team_address(page, home):
    page.watching.expect("HTTP 422")
    page.goto("/connect/personal")
    page.locator("#address").fill(home.address)
    page.locator("#password").fill("secret-1")
    page.locator(".connect__form .btn--primary").click()
    page.locator("#address-e").wait_for()


def an_empty_team_form(page, home):
    page.watching.expect("HTTP 422")
    page.goto("/connect/team")
    page.locator(".connect__form").evaluate("form => { form.noValidate = true; form.requestSubmit(); }")
    page.locator("#address-e").wait_for()


def a_running_checklist(page, home):
    begin(page, f"{home.who}@{SILENT}", "secret-1")
    page.locator("#check-receive.is-run").wait_for()


def the_disconnect_dialog(page, home):
    page.goto("/mailboxes")
    ready(page)
    page.locator("#d [data-dialog]").click()
    page.locator("#dialog[open] h1").wait_for()


def the_list_of_keys(page, home):
    page.goto(home.inbox)
    page.keyboard.press("?")
    page.locator("#keys[open]").wait_for()


def the_menu_of_people(page, home):
    page.goto(home.plain)
    ready(page)
    page.locator(".assignee").click()
    page.locator("#assign-menu button").first.wait_for()


def the_menu_of(button, dialog=None, where="plain"):
    """Opens the menu of a message or of the conversation, and from it a dialog."""
    def show(page, home):
        page.goto(getattr(home, where))
        ready(page)
        page.locator(button).first.click()
        page.locator(".act-menu:popover-open a").first.wait_for()
        if dialog:
            page.locator(f".act-menu:popover-open a[href$='{dialog}']").click()
            page.locator("#dialog[open] h1").wait_for()
    return show


def merging(query):
    return lambda page, home: page.goto(home.plain + "/merge" + query)


def a_refused_merge(page, home):
    page.watching.expect("HTTP 422")
    page.goto(home.plain + "/merge")
    button = page.locator("#found button").first
    button.evaluate("button => { button.value = '999999'; }")
    button.click()
    page.locator("#into-e").wait_for()


def picked_rows(page, home):
    page.goto(home.inbox)
    ready(page)
    page.locator(".conv__pick .check").first.check(force=True)


def picked_rows_and_more(page, home):
    picked_rows(page, home)
    page.locator("[popovertarget=bulk-more]").click()
    page.locator("#bulk-more button").first.wait_for()


def a_menu(name, where="inbox"):
    def show(page, home):
        page.goto(getattr(home, where))
        ready(page)
        page.locator(f"[popovertarget={name}]").click()
        page.locator(f"#{name}:popover-open").wait_for()
    return show


def a_message_that_waits(page, home):
    page.goto(home.inbox)
    ready(page)
    page.evaluate("""document.querySelector('#news').innerHTML =
        '<a class="newmail" id="newmail" href="#">17 new conversations or answers – show</a>'""")


def error(status, path):
    def show(page, home):
        page.watching.expect(f"HTTP {status}")
        assert page.goto(path.format(**vars(home))).status == status
    return show


SCREENS = {
    "welcome": to("/welcome"),
    "choose-nothing": goals(), "choose-personal": goals("log", "meetings"), "choose-team": goals("shared", "routing"),
    "choose-both": goals("one-to-one", "from"),
    "choose-taken": to("/choose?goal=log&goal=shared&address={address}"),
    "choose-free": to("/choose?goal=shared&address=free@corp.example"),
    "switch-to-team": to("/connections/{connection}/switch"),
    "connect-personal": to("/connect/personal"), "connect-team": to("/connect/team"),
    "connect-refused": a_refused_team_address, "connect-missing": an_empty_team_form,
    "checklist-running": a_running_checklist, "checklist-failed": to("{failed}"),
    "checklist-done": to("/connections/{connection}"),
    "servers": to("/connections/{connection}/servers"),
    "inbox-list": to("{inbox}"), "inbox-mine-empty": to("{inbox}?view=mine"),
    "inbox-closed": to("{inbox}?status=closed"),
    "inbox-all": to("/conversations"), "inbox-spam-empty": to("{inbox}?status=spam"),
    "inbox-mentions-empty": to("/conversations?view=mentions&status=any"), "drafts": to("/drafts"),
    "inbox-filter": a_menu("filter-menu"), "thread-snooze": a_menu("snooze-menu", "plain"),
    "thread-tags": a_menu("tag-menu", "plain"), "inbox-picked-more": picked_rows_and_more,
    "inbox-picked": picked_rows, "inbox-waiting": a_message_that_waits,
    "thread-html": to("{html}"), "thread-plain": to("{plain}"), "thread-closed": to("{closed}"),
    "thread-people": the_menu_of_people, "thread-more": the_menu_of("[popovertarget=more-menu]"),
    "message-menu": the_menu_of(".msg [popovertarget]"), "why": the_menu_of(".msg [popovertarget]", "/why"),
    "split": the_menu_of(".msg [popovertarget]", "/split"), "merge": merging(""), "merge-nothing": merging("?q=zzzz"),
    "merge-refused": a_refused_merge,
    "inboxes": to("/inboxes"), "inbox-new": to("/inboxes/new"), "inbox-settings": to("{inbox}/settings"),
    "routing": to("{inbox}/routing"), "routing-edit": a_rule_that_is_edited, "routing-refused": a_refused_rule,
    "routing-tried": a_tried_message, "routing-otherwise": what_becomes_of_other_mail,
    "routing-why": to("{plain}/routing"), "availability": to("/availability"),
    "inbox-delete": to("{inbox}/delete"), "audit": to("/audit"), "audit-nothing": to("/audit?q=zzzz"),
    "keys": the_list_of_keys,
    "mailboxes": to("/mailboxes"), "mail": to("/mailboxes/{connection}/mail"), "message": to("{message}"),
    "disconnect": to("/connections/{connection}/disconnect"), "disconnect-dialog": the_disconnect_dialog,
    "people": to("/people"), "people-nobody": to("/people?q=zzzz"), "person": to("/people/2"),
    "leaving": to("/people/2/leaving"), "deactivate": to("/people/2/deactivate"), "invite": to("/people/invite"),
    "teams": to("/teams"),
    "profile": to("/profile"), "notices": to("/notices"), "link-over": error(404, "/links/nothing"),
    "not-found": error(404, "/conversations/999999"), "not-allowed": error(405, "/sign-out"),
}


def look_at(page, deep=True, name=None):
    """All findings of a screen that stands, through themes and widths. POSTROOM_SHOTS=folder keeps its pictures."""
    found = []
    page.wait_for_load_state()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.evaluate(STANDS_STILL)
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            if name and (folder := os.environ.get("POSTROOM_SHOTS")):
                page.screenshot(path=f"{folder}/{name}-{width}-{scheme}.png", full_page=True)
            if scheme == "light":
                found += [f"{width}: {line}" for line in spills(page)]
            if deep and width in AXE_WIDTHS:
                found += [f"{scheme} {width}: {line}" for line in axe(page)]
    return found


@pytest.fixture(scope="module")
def window(home, once):
    """One page for all screens of a person: with a warm cache, as people have it."""
    return once(home.who, locale={"en": "en-GB", "pl": "pl-PL"}[home.language])


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_is_clean(home, window, screen):
    page = window
    page.watching.start_anew()
    SCREENS[screen](page, home)
    expect(page.locator("html")).to_have_attribute("lang", home.language)
    found = look_at(page, home.language == "en", f"{screen}-{home.language}") + page.watching.unannounced()
    page.watching.start_anew()
    assert not found, "\n".join(found)


@pytest.mark.parametrize("language", ["English", "Polski"])
@pytest.mark.parametrize("path", ["/sign-in", "/set-up"])
def test_a_screen_before_signing_in_is_clean(stage, empty_stage, page_of, path, language):
    page = page_of(at=(stage if path == "/sign-in" else empty_stage).url)
    page.watching.expect("HTTP 422")
    page.goto(path)
    page.get_by_role("button", name=language).click()
    expect(page).to_have_url(page.watching.url + path)
    assert look_at(page) == []
    page.locator("form.stack").evaluate("form => { form.noValidate = true; form.requestSubmit(); }")
    page.locator("[aria-invalid]").first.wait_for()
    assert look_at(page) == []


def test_a_viewer_reads_and_is_told_why_not_more(house, page_of):
    page = page_of("ewa")
    page.goto(house.plain)
    assert page.locator("#composer, #assign-menu").count() == 0
    assert look_at(page, deep=False) == []
