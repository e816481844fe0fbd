"""IMAP's grammar at its edges."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from webapp.demo.imap.wire import BadSyntax, TooLong, as_set, number_set, read_command, string, tokens


def read(data, max_literal=1000):
    async def run():
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        asked = []

        async def go_ahead():
            asked.append(1)

        return await read_command(reader, go_ahead, max_literal), len(asked)

    with ThreadPoolExecutor(1) as thread:     # this one may have a browser's event loop running
        return thread.submit(asyncio.run, run()).result()


def test_lists_nest_and_a_section_with_names_is_one_token():
    assert tokens(b'a FETCH 1 (FLAGS BODY.PEEK[HEADER.FIELDS (FROM "TO")]<0.9>)', []) == \
        [b"a", b"FETCH", b"1", [b"FLAGS", b'BODY.PEEK[HEADER.FIELDS (FROM "TO")]<0.9>']]


def test_a_literal_may_hold_anything_and_is_asked_for_unless_it_says_plus():
    assert read(b'a LOGIN {3}\r\n"\r\n {1+}\r\n)\r\n') == ([b"a", b"LOGIN", b'"\r\n', b")"], 1)


@pytest.mark.parametrize("line", [b"a (", b"a )", b'a "x', b"a b[", b"a " + b"(" * 50])
def test_what_makes_no_sense_is_said_to(line):
    with pytest.raises(BadSyntax):
        tokens(line, [])


def test_a_literal_that_is_too_large_is_not_read():
    with pytest.raises(TooLong):
        read(b"a APPEND x {5000}\r\n")
    with pytest.raises(EOFError):
        read(b"a APPEND x {5}\r\nab")


def test_sets_of_numbers():
    assert number_set(b"2,5:*,*", 3) == [(2, 2), (3, 5), (3, 3)]
    assert as_set([1, 2, 3, 7, 9, 10]) == b"1:3,7,9:10"
    with pytest.raises(BadSyntax):
        number_set(b"1,,2", 3)


def test_a_string_is_quoted_or_a_literal():
    assert string(b'a"b\\') == b'"a\\"b\\\\"'
    assert string(None) == b"NIL"
    assert string("ż".encode()) == b"{2}\r\n\xc5\xbc"
