"""Pictures for tests, made as they are needed."""

import io
import struct
import zlib

from PIL import Image


def picture(kind="PNG", size=(60, 40), colour="red", mode="RGB", **options):
    """The bytes of a picture of one colour."""
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, kind, **options)
    return out.getvalue()


def noise(kind="PNG", size=(600, 300), **options):
    """One that does not compress."""
    out = io.BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(out, kind, **options)
    return out.getvalue()


def film(kind="GIF", frames=5, size=(40, 30), duration=100, **options):
    """A moving picture, each frame of another grey."""
    out, all_of_them = io.BytesIO(), [Image.new("L", size, n * 7 % 256) for n in range(frames)]
    all_of_them[0].save(out, kind, save_all=True, append_images=all_of_them[1:], duration=duration, loop=0, **options)
    return out.getvalue()


def bomb(width=60_000, height=60_000):
    """A small PNG that says it is that large, and unpacks to it."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    line = b"\0" * (width // 8 + 1)
    packer = zlib.compressobj(9)
    data = packer.compress(line * min(height, 2_000)) + packer.flush()
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
            + chunk(b"IDAT", data) + chunk(b"IEND", b""))


def seen(content):
    """(format, size, frames) of a picture."""
    image = Image.open(io.BytesIO(content))
    return image.format, image.size, getattr(image, "n_frames", 1)


def colour_of(content, at=(0, 0)):
    return Image.open(io.BytesIO(content)).convert("RGBA").getpixel(at)
