"""The files open in what reads such files."""

import io
import struct
import zipfile
import zlib
from xml.etree import ElementTree

import pytest

from webapp.demo.story import attachments


def test_the_pdf_has_a_cross_reference_that_points_at_its_objects():
    content = attachments.pdf("x.pdf", "Zażółć (gęślą)", ["jaźń \\ °C"]).content
    start = int(content.split(b"startxref\n")[1].split()[0])
    rows = content[start:].split(b"\n")[2:]
    offsets = [int(row[:10]) for row in rows if row.endswith(b"n ")]
    assert len(offsets) == 7
    for number, offset in enumerate(offsets, 1):
        assert content[offset:].startswith(b"%d 0 obj" % number)


def test_the_png_holds_every_pixel():
    content = attachments.png("x.png", attachments.trailer, 20, 10).content
    assert struct.unpack(">II", content[16:24]) == (20, 10)
    data = content.split(b"IDAT")[1].split(b"IEND")[0][:-8]
    assert len(zlib.decompress(data)) == 10 * (20 * 3 + 1)


def test_the_jpeg_has_one_code_for_every_block():
    """Decoded by hand: the means come back as the scene painted them."""
    def stripes(x, y):
        return (200, 200, 200) if x < 0.5 else (40, 40, 40)

    content = attachments.jpeg("x.jpg", stripes, 4, 2).content
    assert content[:2] == b"\xff\xd8" and content[-2:] == b"\xff\xd9"
    scan = content[content.index(b"\xff\xda") + 14:-2].replace(b"\xff\x00", b"\xff")
    assert _luma(scan, 8) == [72, 72, -88, -88] * 2


def _luma(scan, blocks):
    bits = "".join(f"{byte:08b}" for byte in scan)
    codes = {"00": 0, "010": 1, "011": 2, "100": 3, "101": 4, "110": 5, "1110": 6, "11110": 7, "111110": 8}
    at, last, found = 0, [0, 0, 0], []
    for _ in range(blocks):
        for component in range(3):
            length = next(n for n in range(2, 9) if bits[at:at + n] in codes)
            size = codes[bits[at:at + length]]
            at += length
            if size:
                value = int(bits[at:at + size], 2)
                last[component] += value if bits[at] == "1" else value - (1 << size) + 1
            at += size
            assert bits[at] == "0"  # end of block
            at += 1
        found.append(last[0])
    return found


@pytest.mark.parametrize("file", [attachments.xlsx("x.xlsx", [["Zażółć", 1.5]]),
                                  attachments.docx("x.docx", ["Zażółć & co"])])
def test_office_files_are_archives_of_readable_xml_that_name_their_parts(file):
    archive = zipfile.ZipFile(io.BytesIO(file.content))
    assert archive.testzip() is None
    for name in archive.namelist():
        ElementTree.fromstring(archive.read(name))
    types = ElementTree.fromstring(archive.read("[Content_Types].xml"))
    named = {element.get("PartName", "")[1:] for element in types} - {""}
    assert named and named <= set(archive.namelist())
