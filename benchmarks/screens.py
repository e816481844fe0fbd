"""The README's pictures, from the running demo: `python3 run bench screens` writes static/readme/*.png.

Starts the demo in a temporary folder, signs in as Zofia, switches to English, connects the shared mailbox and looks.
1440 x 900 at scale 1, each under 250 kB.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from playwright.sync_api import sync_playwright  # noqa: E402
from servers import free_port, remove, short_folder  # noqa: E402

from webapp.demo.people import MAILBOXES, PEOPLE  # noqa: E402

TARGET = ROOT / "static" / "readme"
LARGEST = 250_000  # bytes
ZOFIA, KONTAKT = PEOPLE[0], MAILBOXES[0]
THREAD = "Uszkodzona paleta"  # subject of the conversation that is shown
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--font-render-hinting=none"]
CDN = "https://cdn.jsdelivr.net/**"


def main():
    if not CHROMIUM:
        sys.exit("The pictures need Chromium: apt-get install chromium")
    folder, port = short_folder("shots"), free_port()
    demo = start(folder, port)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            context = browser.new_context(base_url=f"http://127.0.0.1:{port}", locale="en-GB", color_scheme="light",
                                          viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
            context.route(CDN, lambda route: route.abort())  # the same picture with and without a network
            take_all(context.new_page())
            browser.close()
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.wait(30)
        remove(folder)


def start(folder, port):
    """The demo as a visitor starts it; returns when it is ready."""
    output = folder / "output"
    with open(output, "wb") as log:
        demo = subprocess.Popen([sys.executable, str(ROOT / "run"), "demo", "--port", str(port)], cwd=ROOT, stdout=log,
                                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
                                env={**os.environ, "POSTROOM_DATA_DIR": str(folder / "data")})
    deadline = time.monotonic() + 120
    while "Stop with Ctrl-C" not in output.read_text():
        if demo.poll() is not None or time.monotonic() > deadline:
            demo.kill()
            sys.exit(output.read_text())
        time.sleep(0.1)
    return demo


def take_all(page):
    sign_in(page)
    page.goto("/choose?goal=one-to-one&goal=shared")
    take(page, "choose")
    connect(page)
    page.get_by_role("link", name="Open", exact=False).last.click()
    page.wait_for_selector("html[data-htmx=ready]", state="attached")
    page.locator(".conv__link", has_text=THREAD).first.click()
    page.wait_for_selector("#subj")
    take(page, "inbox-light")
    page.emulate_media(color_scheme="dark")
    take(page, "inbox-dark")


def sign_in(page):
    page.goto("/sign-in")
    page.fill("#email", ZOFIA.email)
    page.fill("#password", ZOFIA.password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)
    page.goto("/welcome")
    page.locator("[popovertarget=prefs]").first.click()
    page.get_by_role("button", name="English").click()
    page.wait_for_selector("html[lang=en]")


def connect(page):
    """Connect the shared mailbox, and take the checklist once the first mail is there."""
    page.goto("/connect/team")
    page.fill("#address", KONTAKT.address)
    page.fill("#password", KONTAKT.password)
    page.check("#shared")
    page.get_by_role("button", name="Connect", exact=True).click()
    page.wait_for_selector("#check-folders.is-done", timeout=30_000)
    page.get_by_text("Everything is connected").wait_for(state="attached", timeout=60_000)
    take(page, "connect")


def take(page, name):
    page.wait_for_load_state("networkidle") if "conversations" not in page.url else page.wait_for_timeout(1500)
    page.evaluate("document.activeElement.blur(); document.fonts.ready")
    page.mouse.move(1439, 899)
    TARGET.mkdir(parents=True, exist_ok=True)
    path = TARGET / f"{name}.png"
    page.screenshot(path=path)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")
    if path.stat().st_size > LARGEST:
        sys.exit(f"{path.name} is larger than {LARGEST // 1000} kB")


if __name__ == "__main__":
    main()
