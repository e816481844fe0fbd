"""The README's pictures, from the running demo: `python3 run bench screens` writes static/readme/*.png.

Starts the demo in a temporary folder, signs in as Zofia, switches to English, connects the shared mailbox and looks.
1440 x 900 at scale 1, each under 250 kB.
"""

import itertools
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from playwright.sync_api import sync_playwright  # noqa: E402
from servers import free_port, remove, short_folder  # noqa: E402

from webapp.demo.people import MAILBOXES, PEOPLE  # noqa: E402

TARGET = ROOT / "static" / "readme"
LARGEST = 250_000  # bytes
ZOFIA, KONTAKT = PEOPLE[0], MAILBOXES[0]
ANSWER = "Pani Agnieszko, nowa paleta wyjeżdża dziś o 14:00, kierowca zadzwoni przed rozładunkiem."
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
    hand_out(page)
    page.locator(".conv__link", has_text=THREAD).first.click()
    page.locator("#subj", has_text=THREAD).wait_for()
    page.fill("#rich", ANSWER)
    page.wait_for_selector("#saved:not(:empty)")
    take(page, "inbox-light")
    page.emulate_media(color_scheme="dark")
    take(page, "inbox-dark")


def hand_out(page):
    """Some rows have somebody already, as on any morning."""
    for row, who in ((1, "Marek"), (3, "Zofia"), (4, "Marek")):
        page.locator(".conv__link").nth(row).click()
        page.wait_for_function("n => document.querySelectorAll('.conv')[n].hasAttribute('data-current')", arg=row)
        page.wait_for_selector(".assignee")
        page.wait_for_timeout(300)
        page.locator(".assignee").click()
        page.locator("#assign-menu").get_by_role("button", name=who).click()
        page.wait_for_selector(f".conv:nth-child({row + 1}) .conv__a .avatar:not(.avatar--none)")


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


def smaller(png):
    """The same picture in at most 256 colours, which a flat interface hardly shows: half the bytes.

    `png` as Chromium writes it: 8-bit RGB or RGBA, not interlaced (PNG, third edition: 9 filters, 11.2 chunks).
    """
    width, height, channels, rows = pixels(png)
    counts = Counter()
    for row in rows:
        counts.update(zip(*(row[n::channels] for n in range(3)), strict=True))
    palette = [colour for colour, _ in counts.most_common(256)]
    nearest = {colour: number for number, colour in enumerate(palette)}
    for r, g, b in counts.keys() - nearest.keys():
        nearest[r, g, b] = min(range(len(palette)), key=lambda n: (palette[n][0] - r) ** 2 + (palette[n][1] - g) ** 2
                               + (palette[n][2] - b) ** 2)
    lines = b"".join(b"\0" + bytes(map(nearest.__getitem__, zip(*(row[n::channels] for n in range(3)), strict=True)))
                     for row in rows)
    return b"\x89PNG\r\n\x1a\n" + b"".join((
        chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        chunk(b"PLTE", bytes(itertools.chain.from_iterable(palette))),
        chunk(b"IDAT", zlib.compress(lines, 9)), chunk(b"IEND", b"")))


def pixels(png):
    """(width, height, bytes of a pixel, rows without their filters)."""
    width, height, depth, colour = struct.unpack_from(">IIBB", png, 16)
    assert depth == 8 and colour in (2, 6), (depth, colour)
    data, at = b"", 8
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        data += png[at + 8:at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    data, step = zlib.decompress(data), 3 if colour == 2 else 4
    size, rows = width * step, []
    above = bytes(size)
    for start in range(0, height * (size + 1), size + 1):
        above = unfiltered(data[start], bytearray(data[start + 1:start + 1 + size]), above, step)
        rows.append(above)
    return width, height, step, rows


def unfiltered(kind, row, above, step):
    for n in range(len(row) if kind else 0):
        left, corner = (row[n - step], above[n - step]) if n >= step else (0, 0)
        up = above[n]
        if kind == 4:  # Paeth: whichever is nearest to left + up - corner
            guess = left + up - corner
            near = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
        else:
            near = (0, left, up, (left + up) // 2)[kind]
        row[n] = (row[n] + near) & 255
    return row


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def take(page, name):
    page.wait_for_load_state("networkidle") if "conversations" not in page.url else page.wait_for_timeout(1500)
    page.evaluate("document.activeElement.blur(); document.fonts.ready")
    page.mouse.move(1439, 899)
    TARGET.mkdir(parents=True, exist_ok=True)
    path = TARGET / f"{name}.png"
    path.write_bytes(smaller(page.screenshot()))
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")
    if path.stat().st_size > LARGEST:
        sys.exit(f"{path.name} is larger than {LARGEST // 1000} kB")


if __name__ == "__main__":
    main()
