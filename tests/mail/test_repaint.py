"""A stranger's picture, painted anew: it shows the same, and nothing else of it is left."""

import contextlib
import io
import os
import threading
import time

import pytest
from drawings import bomb, colour_of, film, noise, picture, seen
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from webapp.mail import apart, painting
from webapp.mail import repaint as repainting
from webapp.mail.repaint import NotPainted, Painter, repaint


def code_of(raw, *sizes):
    with pytest.raises(NotPainted) as caught:
        repaint(raw, *sizes)
    return caught.value.code


@pytest.mark.parametrize(("kind", "becomes"), [
    ("PNG", "image/png"), ("JPEG", "image/jpeg"), ("GIF", "image/png"), ("WEBP", "image/jpeg"), ("AVIF", "image/jpeg"),
    ("BMP", "image/png"), ("ICO", "image/png")])
def test_every_usual_kind_comes_out_as_one_that_every_browser_shows(kind, becomes):
    raw = picture(kind, (48, 32))
    painted = repaint(raw)
    assert (painted.content_type, painted.width, painted.height) == (becomes, *seen(raw)[1])
    assert seen(painted.content)[1] == (painted.width, painted.height)
    red, green, blue, seen_through = colour_of(painted.content, (24, painted.height // 2))
    assert (red > 240, green < 20, blue < 20, seen_through) == (True, True, True, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("widest", [2000, 20])
def test_every_mode_of_colours_is_painted(mode, widest):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    painted = repaint(picture(kind, (50, 40), 0 if mode in ("1", "L", "P", "I;16") else None, mode), widest)
    assert painted.width == min(50, widest)


def test_what_one_can_see_through_stays_so():
    for kind, mode, colour in (("PNG", "RGBA", (255, 0, 0, 0)), ("WEBP", "RGBA", (255, 0, 0, 0))):
        assert colour_of(repaint(picture(kind, colour=colour, mode=mode)).content)[3] == 0, kind
    out = io.BytesIO()
    Image.new("P", (20, 20), 3).save(out, "GIF", transparency=3)
    for widest in (2000, 10):
        assert colour_of(repaint(out.getvalue(), widest).content)[3] == 0


def test_nothing_is_left_of_what_was_hidden_in_it_and_it_stands_upright():
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "secret place"      # turned by a quarter; a description
    text = PngInfo()
    text.add_text("comment", "secret words")
    for raw in (picture("JPEG", (40, 20), exif=exif, comment=b"secret comment", icc_profile=b"secret" * 50) + b"secret tail",
                picture("PNG", (40, 20), exif=exif, pnginfo=text, icc_profile=b"secret" * 50) + b"<script>secret</script>",
                picture("WEBP", (40, 20), exif=exif, xmp=b"secret")):
        painted = repaint(raw)
        assert b"secret" in raw
        assert b"secret" not in painted.content
        assert not {"exif", "icc_profile", "comment", "xmp", "photoshop"} & Image.open(io.BytesIO(painted.content)).info.keys()
        assert (painted.width, painted.height) == (20, 40)
    assert b"secret" not in repaint(film(comment=b"secret")).content


@pytest.mark.parametrize(("sizes", "expected"), [((), (2000, 250)), ((400,), (400, 50)), ((4000, 100), (800, 100)),
                                                 ((9000, 9000), (4000, 500))])
def test_large_ones_become_smaller_and_keep_their_shape(sizes, expected):
    painted = repaint(picture(size=(4000, 500)), *sizes)
    assert (painted.width, painted.height) == seen(painted.content)[1] == expected


def test_nothing_is_made_larger_and_a_line_stays_a_line():
    assert seen(repaint(picture(size=(1, 1)), 500, 500).content)[1] == (1, 1)
    assert seen(repaint(picture(size=(9000, 1))).content)[1] == (2000, 1)


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_what_moves_goes_on_moving(kind):
    for widest, size in ((2000, (40, 30)), (20, (20, 15))):
        painted = repaint(film(kind, duration=[50, 100, 150, 200, 250]), widest)
        assert seen(painted.content) == (kind, size, 5)
        frames = Image.open(io.BytesIO(painted.content))
        times = []
        for number in range(5):
            frames.seek(number)
            frames.load()
            times.append(frames.info["duration"])
        assert times == [50, 100, 150, 200, 250]


def test_with_too_many_frames_the_first_stands():
    for frames, left in ((painting.MOST_FRAMES, painting.MOST_FRAMES), (painting.MOST_FRAMES + 1, 1)):
        raw = film(frames=frames)
        assert seen(raw)[2] == frames
        assert seen(repaint(raw).content)[1:] == ((40, 30), left)
    assert seen(repaint(film("WEBP", frames=12, size=(1800, 1800))).content)[1:] == ((1800, 1800), 1)


def test_frames_that_take_too_long_cost_their_motion_only(monkeypatch):
    """The child dies over all of them and paints the first."""
    asked = []
    real = Painter._ask

    def ask(self, raw, how):
        asked.append(how[2])
        if how[2]:
            self._apart.stop()
            raise apart.Died
        return real(self, raw, how)
    monkeypatch.setattr(Painter, "_ask", ask)
    assert seen(repaint(film()).content)[2] == 1
    assert asked == [True, False]


@pytest.mark.parametrize("raw", [
    b"", b"x", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"<html>", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n",
    b"GIF89a", b"RIFF\0\0\0\0WEBP", b"\xff\xd8\xff", b"\0\0\1\0", b"BM", b"\0\0\0\x1cftypavif", b"wOFF", b"\0" * 1000,
    b"<?xml version='1.0'?><svg/>", b"\x1f\x8b" + b"\0" * 50, b"8BPS", b"II*\0" + b"\0" * 100, b"%!PS-Adobe-3.0 EPSF-3.0\n",
    b"P6 1 1 255 abc", b"\x76\x2f\x31\x01", b"\xd7\xcd\xc6\x9a"])
def test_what_is_no_picture_is_none(raw):
    assert code_of(raw) == "not_a_picture"


def test_bombs_are_refused_quickly_and_the_next_one_is_painted():
    began = time.monotonic()
    assert code_of(bomb()) == "too_large"
    assert code_of(picture(size=(8001, 5001), mode="1", colour=0)) == "too_large"
    assert code_of(b"\x89PNG\r\n\x1a\n" + b"x" * repainting.MOST_BYTES) == "too_large"
    assert time.monotonic() - began < 5
    assert repaint(picture()).width == 60


def test_strangers_write_nothing_into_our_log(monkeypatch, capfd):
    monkeypatch.setattr(repainting, "_made", {})      # a workshop whose output is looked at
    exif = Image.Exif()
    exif[0x010E] = "x"
    odd = picture("JPEG", exif=exif).replace(b"Exif\0\0MM", b"Exif\0\0MM\xff\xff").replace(b"Exif\0\0II", b"Exif\0\0II\xff\xff")
    for raw in (odd, bomb(), picture(size=(8001, 5001), mode="1", colour=0), noise("JPEG")[:3000], picture("ICO")[:-20]):
        with contextlib.suppress(NotPainted):
            repaint(raw)
    repainting._made[os.getpid()].close()
    assert capfd.readouterr() == ("", "")


def test_a_large_photo_fits_into_the_limits():
    for raw in (noise("JPEG", (7000, 5500)), picture("PNG", (7200, 5400), (1, 2, 3, 4), "RGBA")):
        assert repaint(raw).width == 2000


def test_rubbish_of_every_kind_never_harms(monkeypatch):
    """Bits turned in real files: an answer each, and the workshop lives on."""
    import random
    chance = random.Random(7)
    with Painter() as painter:
        for kind in ("PNG", "JPEG", "GIF", "WEBP", "AVIF", "BMP", "ICO"):
            raw = picture(kind, (33, 17)) if kind != "GIF" else film()
            for _ in range(40):
                broken = bytearray(raw)
                for _ in range(chance.randint(1, 12)):
                    broken[chance.randrange(12, len(broken))] = chance.randrange(256)
                try:
                    painted = painter.paint(bytes(broken[:chance.randint(12, len(broken))]))
                except NotPainted as no:
                    assert no.code in ("not_a_picture", "too_large")
                else:
                    assert seen(painted.content)[1] == (painted.width, painted.height)
        assert painter.paint(picture()).width == 60


def test_many_threads_wait_their_turn_and_all_are_served():
    raw, got = noise("JPEG", (900, 700)), []
    threads = [threading.Thread(target=lambda: got.append(repaint(raw).width)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert got == [900] * 12


def test_who_waits_too_long_is_told_to_come_again(monkeypatch):
    monkeypatch.setattr(repainting, "PATIENCE", 0.05)
    for _ in range(repainting.AT_ONCE):
        repainting._turns.acquire()
    try:
        assert code_of(picture()) == "busy"
    finally:
        for _ in range(repainting.AT_ONCE):
            repainting._turns.release()


def test_a_workshop_that_was_killed_is_opened_anew():
    import signal
    repaint(picture())
    made = repainting._made[os.getpid()]
    os.kill(made._process.pid, signal.SIGKILL)
    made._process.wait(10)
    assert repaint(picture()).width == 60
    assert repainting._made[os.getpid()] is not made


def test_the_workshop_knows_nothing_of_us(monkeypatch):
    """A program of its own: neither our environment nor our memory is in it, and it ends when we do."""
    monkeypatch.setenv("POSTROOM_CANARY", "secret")
    nursery = apart.Elsewhere("webapp.mail.painting:paint")
    with open(f"/proc/{nursery._process.pid}/environ", "rb") as environ:
        assert b"POSTROOM_CANARY" not in environ.read()
    with apart.Apart(None, nursery) as child:
        child.ask([(picture(), (10, 10, True))])
        assert child.answer()[0] == ""
        with open(f"/proc/{child._pid}/maps") as maps:
            loaded = maps.read()
        assert "_imaging" in loaded
        assert not any(name in loaded for name in ("sqlalchemy", "psycopg", "_ssl", "zstandard", "nh3"))
    nursery.close()
    assert nursery._process.returncode is not None


def test_one_crash_of_the_painter_says_nothing_of_a_picture(monkeypatch):
    """What is said of bytes is kept: it must not be the machine's fault."""
    real, crashes = Painter._ask, [True]

    def ask(self, raw, how):
        if crashes:
            crashes.pop()
            self._apart.stop()
            raise apart.Died
        return real(self, raw, how)
    monkeypatch.setattr(Painter, "_ask", ask)
    assert repaint(picture()).content_type == "image/png"
