"""IMAP's line grammar (RFC 3501 section 9): bytes to tokens, and values to bytes."""

import asyncio
import re

MAX_LINE = 65_536
MAX_LITERAL = 30 * 1024 * 1024
MAX_DEPTH = 20

LITERAL_AT_END = re.compile(rb"\{(\d{1,10})(\+?)\}$")
# An atom takes everything up to the closing bracket, so that BODY[HEADER.FIELDS (FROM TO)]<0.99> is one token.
TOKEN = re.compile(
    rb'[ ]*(?:(?P<open>\()|(?P<close>\))|"(?P<quoted>(?:[^"\\]|\\.)*)"|\x00(?P<literal>\d+)\x00'
    rb'|(?P<atom>(?:[^ ()"\[\x00-\x1f]|\[[^\]]*\])+))'
)

NUMBER_SET = re.compile(rb"(?:\d{1,10}|\*)(?::(?:\d{1,10}|\*))?(?:,(?:\d{1,10}|\*)(?::(?:\d{1,10}|\*))?)*")


class BadSyntax(Exception):
    """The client's line makes no sense; the text goes into the BAD answer."""


class TooLong(Exception):
    """The client sends more than we take; the connection ends."""


Token = bytes | list


async def read_command(reader: asyncio.StreamReader, go_ahead, max_literal: int = MAX_LITERAL) -> list[Token]:
    """One command with its literals (RFC 3501 4.3, LITERAL+ of RFC 7888), as tokens; lists are nested.

    `go_ahead()` is awaited before a synchronising literal is read. Raises EOFError at the end of the
    stream, TooLong, BadSyntax.
    """
    text, literals, size = b"", [], 0
    while True:
        line = await read_line(reader)
        found = LITERAL_AT_END.search(line)
        if not found:
            return tokens(text + line, literals)
        count = int(found[1])
        size += count + len(line)
        if size > max_literal:
            raise TooLong
        if not found[2]:
            await go_ahead()
        try:
            literals.append(await reader.readexactly(count))
        except asyncio.IncompleteReadError as error:
            raise EOFError from error
        text += line[:found.start()] + b"\x00%d\x00" % (len(literals) - 1)


async def read_line(reader: asyncio.StreamReader) -> bytes:
    """One line without its end. Raises EOFError, TooLong."""
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError as error:
        raise EOFError from error
    except asyncio.LimitOverrunError as error:
        raise TooLong from error
    return line.rstrip(b"\r\n").replace(b"\x00", b"?")  # NUL marks a literal below, and is not legal in a line


def tokens(text: bytes, literals: list[bytes]) -> list[Token]:
    stack, at = [[]], 0
    text = text.rstrip(b" ")
    while at < len(text):
        found = TOKEN.match(text, at)
        if not found:
            raise BadSyntax("cannot read the command")
        at = found.end()
        if found["open"]:
            if len(stack) > MAX_DEPTH:
                raise BadSyntax("too many parentheses")
            stack.append([])
        elif found["close"]:
            if len(stack) == 1:
                raise BadSyntax("unbalanced parentheses")
            stack[-2].append(stack.pop())
        elif found["quoted"] is not None:
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", found["quoted"]))
        elif found["literal"]:
            stack[-1].append(literals[int(found["literal"])])
        else:
            stack[-1].append(found["atom"])
    if len(stack) > 1:
        raise BadSyntax("unbalanced parentheses")
    return stack[0]


def string(value: bytes | None) -> bytes:
    """NIL, a quoted string, or a literal when quoting cannot carry it."""
    if value is None:
        return b"NIL"
    if len(value) > 1000 or re.search(rb"[^\x20-\x7e]", value):
        return literal(value)
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def literal(value: bytes) -> bytes:
    return b"{%d}\r\n%b" % (len(value), value)


def number_set(text: Token, highest: int) -> list[tuple[int, int]]:
    """A sequence-set as inclusive ranges. `*` is `highest`; 5:* with highest 3 is 3:5 (RFC 3501 9)."""
    if not isinstance(text, bytes) or not NUMBER_SET.fullmatch(text):
        raise BadSyntax("not a set of numbers")
    ranges = []
    for piece in text.split(b","):
        ends = [highest if end == b"*" else int(end) for end in piece.split(b":")]
        ranges.append((min(ends), max(ends)))
    return ranges


def in_set(number: int, ranges: list[tuple[int, int]]) -> bool:
    return any(low <= number <= high for low, high in ranges)


def as_set(numbers: list[int]) -> bytes:
    """Ascending numbers as the shortest set: [1, 2, 3, 7] -> 1:3,7."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return b",".join(b"%d" % low if low == high else b"%d:%d" % (low, high) for low, high in runs)
