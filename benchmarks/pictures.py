"""Remote pictures: from the click on “Show pictures” until all of a newsletter’s are painted; and repainting alone.

The product's processes, a real Dovecot, a real Chromium. A server on loopback plays the sender's: it answers at once,
or after the delay that is given. Pictures of each newsletter are new, so each is fetched, decoded and encoded. Then
every kind of picture is repainted alone, in the process apart, as the product does it.
"""

import argparse
import io
import os
import statistics
import time
from types import SimpleNamespace

from _stage import chromium, percentile, report

from browser import letters, moves  # isort: skip - found through _stage
from browser.stage import DOMAIN, Stage  # isort: skip
from fakes.web import Web, ok, slowly  # isort: skip
from servers.ca import Authority  # isort: skip
from servers.dovecot import Dovecot  # isort: skip
from servers.sink import SmtpSink  # isort: skip
from servers.valkey import Valkey  # isort: skip
from servers import remove, short_folder  # isort: skip

ADDRESS = f"news@{DOMAIN}"
ZOFIA = ("Zofia Owner", f"zofia@{DOMAIN}", "admin")
COUNT = """() => [...document.images].filter(i => i.complete && i.naturalWidth > 1).length"""
KINDS = {"PNG": "600 x 400", "JPEG": "600 x 400", "GIF": "600 x 400", "WEBP": "600 x 400", "AVIF": "600 x 400",
         "GIF, 20 frames": "300 x 200", "JPEG, 12 megapixels": "4000 x 3000"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=60, help="in each newsletter")
    parser.add_argument("--newsletters", type=int, default=5)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds until the sender's server answers")
    options = parser.parse_args()
    painted = click_to_painted(options)
    speeds = {kind: speed(raw) for kind, raw in samples().items()}
    tell(options, painted, speeds)


def click_to_painted(options):
    """[seconds], one of each newsletter."""
    folder = short_folder("pics")
    try:
        authority = Authority(folder / "ca")
        with (Dovecot(authority=authority) as dovecot, SmtpSink(authority=authority, dovecot=dovecot) as sink,
              Valkey() as valkey, Stage(dovecot, sink, valkey.url, (ZOFIA,)) as stage, chromium() as browser):
            return [*_each(stage, browser, options)]
    finally:
        remove(folder)


def _each(stage, browser, options):
    page = browser.new_context(base_url=stage.url, locale="en-GB", viewport={"width": 1440, "height": 900}).new_page()
    moves.sign_in(page, ZOFIA[1])
    stage.mailbox(ADDRESS)
    for number in range(options.newsletters):
        stage.dovecot.deliver(ADDRESS, newsletter(stage.outside, number, options))
    inbox = moves.connect_team(page, ADDRESS, "News")
    for number in range(options.newsletters):
        page.goto(inbox)
        moves.ready(page)
        moves.open_conversation(page, f"Number {number}")
        page.wait_for_selector("html[data-stream=on]", state="attached")
        button = page.get_by_role("button", name="Show pictures")
        began = time.monotonic()
        button.click()
        while _painted(page) < options.pictures:
            if time.monotonic() - began > 60:
                raise TimeoutError(page.locator(".msg__blocked").inner_text())
            time.sleep(0.02)
        yield time.monotonic() - began


def _painted(page):
    try:
        return page.locator(".sheet__frame").last.element_handle().content_frame().evaluate(COUNT)
    except Exception:  # noqa: BLE001 - the frame is being loaded
        return 0


def newsletter(outside: Web, number, options):
    """Pictures of 600 x 200, each another: a third JPEG, a third PNG, the rest WebP and GIF."""
    paths = []
    for n in range(options.pictures):
        kind = ("JPEG", "PNG", "JPEG", "PNG", "WEBP", "GIF")[n % 6]
        answer = ok(drawing(kind, (600, 200), seed=number * 1000 + n))
        path = f"/{number}/{n}"
        outside.at[path] = slowly(options.delay, answer) if options.delay else answer
        paths.append(path)
    images = "".join(f'<p><img src="{outside.url(path)}" width="600" height="200"></p>' for path in paths)
    return letters.letter(ADDRESS, f"Number {number}", html=f"<html><body>{images}</body></html>")


def drawing(kind, size, seed=0, frames=1):
    """Something between a photograph and a logo: a gradient with noise on it, as large on disk as such pictures are."""
    from PIL import Image
    made = []
    for frame in range(frames):
        base = Image.linear_gradient("L").resize(size)
        noise = Image.effect_noise(size, 12 + (seed + frame) % 9)
        made.append(Image.merge("RGB", (base, Image.blend(base, noise, 0.3), base.rotate((seed * 7 + frame) % 360))))
    out = io.BytesIO()
    more = {"save_all": True, "append_images": made[1:], "duration": 80, "loop": 0} if frames > 1 else {}
    made[0].save(out, kind, **more)
    return out.getvalue()


def samples():
    found = {}
    for kind, size in KINDS.items():
        wide, _x, tall = size.partition(" x ")
        found[kind] = drawing(kind.partition(",")[0], (int(wide), int(tall)), frames=20 if "frames" in kind else 1)
    return found


def speed(raw, seconds=2.0):
    """Pictures a second in one child, one after the other, and what goes in and comes out."""
    from webapp.mail.repaint import Painter
    with Painter() as painter:
        painter.paint(raw)      # its start is not counted
        began, times = time.monotonic(), []
        while time.monotonic() - began < seconds:
            at = time.monotonic()
            painted = painter.paint(raw)
            times.append(time.monotonic() - at)
    return SimpleNamespace(each=statistics.median(times), came=len(raw), went=len(painted.content))


def tell(options, painted, speeds):
    figures = {"pictures": options.pictures, "delay_s": options.delay, "load": round(os.getloadavg()[0], 1),
               "click_to_painted_s": [round(t, 2) for t in painted],
               "repaint_ms": {kind: round(s.each * 1000, 1) for kind, s in speeds.items()}}
    report("pictures", figures, [
        (f"click to {options.pictures} pictures painted, median", f"{statistics.median(painted):.2f} s", ""),
        ("slowest", f"{percentile(painted, 100):.2f} s", f"of {len(painted)}"),
        *((f"repainting {kind}, {KINDS[kind]}", f"{1 / s.each:.0f} a second",
           f"{s.each * 1000:.1f} ms; {s.came / 1000:.0f} kB in, {s.went / 1000:.0f} kB out")
          for kind, s in speeds.items())])


if __name__ == "__main__":
    main()
