"""Tables as files that a spreadsheet opens, and in which it finds no formula."""

import csv
import io
import json
from datetime import datetime


def lines(head, rows):
    """CSV, line by line; `rows` of plain values."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([harmless(name) for name in head])
    for row in rows:
        writer.writerow([harmless(value) for value in row])
        yield _taken(buffer)
    yield _taken(buffer)


def harmless(value):
    """A cell that a spreadsheet would take for a formula begins with an apostrophe. A number is no formula."""
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = value.isoformat() if isinstance(value, datetime) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _taken(buffer):
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
