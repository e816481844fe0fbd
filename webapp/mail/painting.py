"""Pictures of strangers decoded and painted anew, so that nothing of their bytes reaches a browser but colours.

Runs in a process apart only (webapp.mail.repaint): decoders are large C libraries with a history. What it imports, no
process of ours that holds a secret ever loads.
"""

import contextlib
import io
import warnings

from PIL import AvifImagePlugin, GifImagePlugin, IcoImagePlugin, Image, ImageFile, ImageOps, WebPImagePlugin

MOST_PIXELS = 40_000_000         # of one picture that comes in
MOST_FRAMES = 250                # of one that moves; with more, or more pixels in all, its first frame stands
MOST_PIXELS_MOVING = 30_000_000
TALLEST = 16_000                 # pixels that go out; WebP ends at 16,383
QUALITY = 85

_PLUGINS = (GifImagePlugin, IcoImagePlugin, WebPImagePlugin)    # loaded before the fork: each child knows them
Image.preinit()
warnings.simplefilter("ignore")               # of odd metadata: a stranger must not write our log
warnings.simplefilter("error", Image.DecompressionBombWarning)
Image.MAX_IMAGE_PIXELS = MOST_PIXELS          # beside our own look at the size: plugins read sizes of their own
ImageFile.LOAD_TRUNCATED_IMAGES = True        # half a picture is shown by every browser, too
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
# Frames stay as they lie in the file where they share one palette: no colours to choose anew, ten times as fast.
GifImagePlugin.LOADING_STRATEGY = GifImagePlugin.LoadingStrategy.RGB_AFTER_DIFFERENT_PALETTE_ONLY


class _No(Exception):
    """`code`: not_a_picture | too_large."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def paint(raw: bytes, how: tuple[int, int, bool]) -> tuple:
    """`how`: (widest, tallest, whether it may move), in pixels. ("", content, content type, width, height), or a code
    and four Nones: not_a_picture, too_large. What a decoder does not survive, the caller learns as apart.Died."""
    widest, tallest, moving = how
    try:
        return "", *_paint(raw, widest, min(tallest, TALLEST), moving)
    except _No as no:
        return no.code, None, None, None, None
    except MemoryError:
        return "too_large", None, None, None, None
    except Exception:  # noqa: BLE001 - a stranger's bytes: decoders raise anything
        return "not_a_picture", None, None, None, None


def format_of(raw: bytes) -> str | None:
    """What the first bytes say it is, in Pillow's names; None for all that is not painted: SVG, PDF, HTML, fonts."""
    for magic, name in ((b"\x89PNG\r\n\x1a\n", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"GIF87a", "GIF"),
                        (b"GIF89a", "GIF"), (b"BM", "BMP"), (b"\0\0\1\0", "ICO")):
        if raw.startswith(magic):
            return name
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        return "WEBP"
    if raw[4:8] == b"ftyp" and (raw[8:12] in (b"avif", b"avis") or b"avif" in raw[16:64]):
        return "AVIF"
    return None


def _paint(raw, widest, tallest, moving):
    name = format_of(raw)
    if name is None:
        raise _No("not_a_picture")
    try:
        image = Image.open(io.BytesIO(raw), formats=[name])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _No("too_large") from None
    pixels = image.width * image.height
    if pixels > MOST_PIXELS:
        raise _No("too_large")
    if name in ("GIF", "WEBP") and moving and 1 < (frames := getattr(image, "n_frames", 1)) <= MOST_FRAMES \
            and frames * pixels <= MOST_PIXELS_MOVING:
        return _moving(image, name, widest, tallest)
    if name == "JPEG":
        image.draft(None, (widest, widest * image.height // max(1, image.width)))    # decodes only what is needed
    image.load()
    _turn(image)
    return _still(image, name, widest, tallest)


def _still(image, name, widest, tallest):
    image = _fitted(_plain(image), widest, tallest)
    seen_through = image.mode == "RGBA" or "transparency" in image.info
    out = io.BytesIO()
    if name in ("JPEG", "AVIF", "WEBP") and not seen_through:
        image = image if image.mode in ("L", "RGB") else image.convert("RGB")
        image.save(out, "JPEG", quality=QUALITY)
        return out.getvalue(), "image/jpeg", *image.size
    if name in ("AVIF", "WEBP"):
        image.convert("RGBA").save(out, "WEBP", quality=QUALITY, method=1)
        return out.getvalue(), "image/webp", *image.size
    image.save(out, "PNG", compress_level=4)     # three times as fast as 6, 8 % larger
    return out.getvalue(), "image/png", *image.size


def _moving(image, name, widest, tallest):
    """Every frame, with the time it stands (at least 20 ms, as browsers have it) and how often all of it runs."""
    frames, times = [], []
    loop, fits = image.info.get("loop"), image.width <= widest and image.height <= tallest
    for number in range(image.n_frames):
        image.seek(number)
        frame = image.copy() if fits else _fitted(image.convert("RGBA"), widest, tallest)
        times.append(min(60_000, max(20, int(image.info.get("duration") or 100))))
        frame.info = {k: v for k, v in frame.info.items() if k == "transparency"}
        frames.append(frame)
    again = {} if loop is None else {"loop": max(0, int(loop))}
    out = io.BytesIO()
    if name == "GIF":
        frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=times, optimize=False, **again)
        return out.getvalue(), "image/gif", *frames[0].size
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], duration=times, quality=QUALITY, method=0,
                   **again)
    return out.getvalue(), "image/webp", *frames[0].size


def _turn(image):
    """As the camera was held."""
    with contextlib.suppress(Exception):      # rubbish in the place of EXIF: the picture itself is fine
        ImageOps.exif_transpose(image, in_place=True)


def _plain(image):
    """In a mode that every format knows, with nothing beside its colours: no profile, comment, text, EXIF. Copies only
    what it must: a large one fills a good part of the memory that there is."""
    kept = {"transparency": image.info["transparency"]} if "transparency" in image.info else {}
    if image.mode == "P" and isinstance(kept.get("transparency"), int | bytes | None):
        plain = image
    elif image.mode == "P" or kept or image.mode in ("LA", "La", "PA", "RGBa", "RGBA"):
        plain, kept = image if image.mode == "RGBA" else image.convert("RGBA"), {}
    elif image.mode in ("I", "F") or image.mode.startswith("I;16"):
        plain = _deep(image)
    elif image.mode in ("L", "RGB"):
        plain = image
    else:
        plain = image.convert("L" if image.mode == "1" else "RGB")
    plain.info = kept
    return plain


def _deep(image):
    """16 bits of grey as 8: `convert` would cut, not scale."""
    return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")


def _fitted(image, widest, tallest):
    """No wider and no taller than that, never larger than it was."""
    share = min(1, widest / image.width, tallest / image.height)
    if share == 1:
        return image
    size = max(1, round(image.width * share)), max(1, round(image.height * share))
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
        image.info = {}
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
