"""Small files that really open, made in code and the same each time."""

import io
import struct
import zipfile
import zlib
from typing import NamedTuple
from xml.sax.saxutils import escape


class File(NamedTuple):
    name: str
    content_type: str
    content: bytes


# PDF

POLISH = "ĄĆĘŁŃÓŚŹŻąćęłńóśźżÄÖÜäöüß–„”°"
GLYPHS = ("Aogonek Cacute Eogonek Lslash Nacute Oacute Sacute Zacute Zdotaccent aogonek cacute eogonek lslash nacute "
          "oacute sacute zacute zdotaccent Adieresis Odieresis Udieresis adieresis odieresis udieresis germandbls "
          "endash quotedblbase quotedblright degree")
FIRST_CODE = 128


def pdf(name: str, title: str, lines: list[str]) -> File:
    """One A4 page: a title, a rule, lines of text. PDF 1.4 with a cross-reference table."""
    drawn = [b"BT /F2 18 Tf 56 780 Td (%b) Tj ET" % _pdf_text(title), b"0.6 w 56 768 m 540 768 l S"]
    for number, line in enumerate(lines):
        drawn.append(b"BT /F1 11 Tf 56 %d Td (%b) Tj ET" % (742 - 18 * number, _pdf_text(line)))
    stream = b"\n".join(drawn)
    differences = " ".join("/" + glyph for glyph in GLYPHS.split())
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding 6 0 R >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R /F2 7 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
        (font % "Helvetica").encode(),
        f"<< /Type /Encoding /BaseEncoding /WinAnsiEncoding /Differences [{FIRST_CODE} {differences}] >>".encode(),
        (font % "Helvetica-Bold").encode(),
    ]
    out, offsets = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return File(name, "application/pdf", bytes(out))


def _pdf_text(text: str) -> bytes:
    codes = {letter: FIRST_CODE + number for number, letter in enumerate(POLISH)}
    plain = bytes(codes.get(letter) or (ord(letter) if ord(letter) < 127 else 63) for letter in text)
    return plain.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


# Pictures: a scene is a function from x, y (0..1) to red, green, blue (0..255).

def pallet(x: float, y: float, shift: float = 0.0) -> tuple[int, int, int]:
    """Boxes on a pallet in a warehouse; `shift` pushes the upper rows aside, as after a hard brake."""
    light = 1.15 - 0.5 * abs(x - 0.45) - 0.25 * y
    row = int((y - 0.28) / 0.15)
    left, right = 0.22 + shift * (3 - row) * 0.4, 0.78 + shift * (3 - row) * 0.4
    if 0.28 <= y < 0.73 and left <= x < right:
        seam = ((x - left) % 0.187 < 0.008) or ((y - 0.28) % 0.15 < 0.012)
        tape = 0.085 < (x - left) % 0.187 < 0.102
        colour = (120, 86, 52) if seam else (205, 186, 150) if tape else (186, 142, 92)
    elif 0.73 <= y < 0.81 and 0.18 <= x < 0.82:
        colour = (90, 62, 36) if (y > 0.76 and (x * 9) % 1 > 0.4) else (150, 112, 66)
    elif y > 0.7:
        colour = (128, 130, 132) if (x + y * 0.3) % 0.4 > 0.01 else (210, 190, 60)
    else:
        colour = (96, 110, 126) if (x * 7) % 1 > 0.06 else (62, 72, 86)
    return tuple(min(255, int(part * light)) for part in colour)


def shifted_pallet(x: float, y: float) -> tuple[int, int, int]:
    return pallet(x, y, shift=0.07)


def trailer(x: float, y: float) -> tuple[int, int, int]:
    """A trailer at a loading bay, early in the morning."""
    if y > 0.8:
        return int(70 + 30 * (1 - x)), int(72 + 28 * (1 - x)), 78
    if 0.12 < x < 0.88 and 0.25 < y < 0.7:
        if abs(y - 0.48) < 0.05:
            return 20, 96, 118
        return (214, 219, 222) if (x * 24) % 1 > 0.07 else (180, 186, 190)
    if 0.7 <= y <= 0.8 and ((x - 0.3) ** 2 + (y - 0.76) ** 2 < 0.0026 or (x - 0.7) ** 2 + (y - 0.76) ** 2 < 0.0026):
        return 26, 26, 30
    return int(196 - 90 * y), int(170 - 50 * y), int(170 + 30 * y)


def temperature_chart(x: float, y: float) -> tuple[int, int, int]:
    """A recorder's curve: flat at about 4 degrees, one peak."""
    curve = 0.62 - 0.34 * max(0.0, 1 - abs(x - 0.58) / 0.1) - 0.02 * ((x * 37) % 1)
    if abs(y - curve) < 0.012:
        return 190, 40, 40
    if abs(y - 0.5) < 0.004:
        return 40, 110, 190
    return (226, 230, 234) if (x * 12) % 1 < 0.03 or (y * 8) % 1 < 0.03 else (252, 252, 250)


def logo(x: float, y: float) -> tuple[int, int, int]:
    wave = 0.5 + 0.18 * (1 if (x * 3) % 1 > 0.5 else -1) * (0.5 - abs((x * 6) % 1 - 0.5)) * 2
    return (13, 110, 120) if y > wave else (235, 245, 246)


def png(name: str, scene, width: int = 480, height: int = 320) -> File:
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            rows += bytes(scene(x / width, y / height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(rows), 9))
               + chunk(b"IEND", b""))
    return File(name, "image/png", content)


def jpeg(name: str, scene, columns: int = 150, rows: int = 100) -> File:
    """A baseline JPEG (ITU T.81) of 8 x 8 blocks, each of one colour: its mean only, no detail inside a block.

    One Huffman table for the means, and one with the single code "end of block", is all that needs.
    """
    # The standard's table K.3 for luminance means: code lengths 2..9 for the categories 0..11.
    counts, categories = bytes([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]), bytes(range(12))
    codes, code, at = {}, 0, 0
    for length, count in enumerate(counts, 1):
        for _ in range(count):
            codes[categories[at]] = (code, length)
            code, at = code + 1, at + 1
        code <<= 1

    bits, size = 0, 0

    def put(value: int, length: int) -> None:
        nonlocal bits, size
        bits, size = (bits << length) | value, size + length

    out, last = bytearray(), [0, 0, 0]
    for row in range(rows):
        bits = bits & ((1 << (size % 8)) - 1) if size else 0
        size %= 8
        for column in range(columns):
            red, green, blue = scene((column + 0.5) / columns, (row + 0.5) / rows)
            luma = 0.299 * red + 0.587 * green + 0.114 * blue
            for index, level in enumerate((luma - 128, (blue - luma) * 0.564, (red - luma) * 0.713)):
                mean = round(max(-128, min(127, level)))       # the quantiser is 8, so the mean is the coefficient
                step, last[index] = mean - last[index], mean
                category = abs(step).bit_length()
                put(*codes[category])
                put(step if step > 0 else step + (1 << category) - 1, category)
                put(0, 1)                                       # end of block
        whole = bits >> (size % 8)
        out += whole.to_bytes(size // 8, "big")
    if size % 8:
        spare = 8 - size % 8
        out.append(((bits & ((1 << (size % 8)) - 1)) << spare) | ((1 << spare) - 1))
    scan = bytes(out).replace(b"\xff", b"\xff\x00")

    def segment(marker: int, data: bytes) -> bytes:
        return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data

    frame = struct.pack(">BHHB", 8, rows * 8, columns * 8, 3) + b"".join(bytes([i, 0x11, 0]) for i in (1, 2, 3))
    content = (b"\xff\xd8" + segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
               + segment(0xDB, b"\x00" + bytes([8] * 64)) + segment(0xC0, frame)
               + segment(0xC4, b"\x00" + counts + categories)
               + segment(0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\x00")
               + segment(0xDA, b"\x03" + b"".join(bytes([i, 0x00]) for i in (1, 2, 3)) + b"\x00\x3f\x00")
               + scan + b"\xff\xd9")
    return File(name, "image/jpeg", content)


# Office files: zip archives with the few parts that the formats demand.

XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
OPEN_XML = "http://schemas.openxmlformats.org"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WORKSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def xlsx(name: str, rows: list[list[str | float]]) -> File:
    def cell(value) -> str:
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
        return f"<c><v>{value}</v></c>"

    body = "".join(f"<row>{''.join(cell(value) for value in row)}</row>" for row in rows)
    main = f"{OPEN_XML}/spreadsheetml/2006/main"
    relations = f"{OPEN_XML}/officeDocument/2006/relationships"
    return File(name, XLSX, _office("xl/workbook.xml", f"{XLSX}.main+xml", {
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets>'
                           '<sheet name="Arkusz1" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>',
    }, {"/xl/worksheets/sheet1.xml": WORKSHEET}))


def docx(name: str, paragraphs: list[str]) -> File:
    body = "".join(f"<w:p><w:r><w:t>{escape(text)}</w:t></w:r></w:p>" for text in paragraphs)
    return File(name, DOCX, _office("word/document.xml", f"{DOCX}.main+xml", {
        "word/document.xml": f'<w:document xmlns:w="{OPEN_XML}/wordprocessingml/2006/main">'
                             f"<w:body>{body}</w:body></w:document>",
    }))


def _office(main: str, main_type: str, parts: dict[str, str], more_types: dict[str, str] | None = None) -> bytes:
    types = {f"/{main}": main_type, **(more_types or {})}
    overrides = "".join(f'<Override PartName="{part}" ContentType="{kind}"/>' for part, kind in types.items())
    fixed = {
        "[Content_Types].xml": f'<Types xmlns="{OPEN_XML}/package/2006/content-types">'
                               '<Default Extension="rels" '
                               'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                               f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>',
        "_rels/.rels": _relations("officeDocument", main),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in {**fixed, **parts}.items():
            archive.writestr(zipfile.ZipInfo(path), XML + text)  # ZipInfo's own date is fixed: 1980
    return buffer.getvalue()


def _relations(kind: str, target: str) -> str:
    return (f'<Relationships xmlns="{OPEN_XML}/package/2006/relationships"><Relationship Id="rId1" '
            f'Type="{OPEN_XML}/officeDocument/2006/relationships/{kind}" Target="{target}"/></Relationships>')


# Text

def csv(name: str, rows: list[list[str]]) -> File:
    """With semicolons, as a Polish Excel writes it."""
    return File(name, "text/csv", "".join(";".join(row) + "\r\n" for row in rows).encode("utf-8-sig"))


def txt(name: str, text: str) -> File:
    return File(name, "text/plain", text.encode())


def ics(name: str, uid: str, start: str, end: str, summary: str, place: str, organiser: str) -> File:
    """`start` and `end` in UTC as 20260611T083000Z (RFC 5545)."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Transwisla demo//PL", "METHOD:REQUEST", "BEGIN:VEVENT",
             f"UID:{uid}", f"DTSTAMP:{start}", f"DTSTART:{start}", f"DTEND:{end}", f"SUMMARY:{summary}",
             f"LOCATION:{place}", f"ORGANIZER:mailto:{organiser}", "END:VEVENT", "END:VCALENDAR", ""]
    return File(name, "text/calendar", "\r\n".join(lines).encode())
