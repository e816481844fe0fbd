"""Sections and structures of well-made and badly made mail."""

from webapp.demo.imap import mime

NESTED = (b"Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n"
          b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\none\r\n"
          b"--b\r\nContent-Type: message/rfc822\r\n\r\n"
          b"Subject: inner\r\nFrom: A <a@x.example>\r\n\r\ninner body\r\n--b--\r\nepilogue")


def test_sections_are_slices_of_the_message():
    root = mime.parse(NESTED)
    assert mime.section(root, [1], b"", set()) == b"one"
    assert mime.section(root, [2], b"HEADER", set()) == b"Subject: inner\r\nFrom: A <a@x.example>\r\n\r\n"
    assert mime.section(root, [2, 1], b"", set()) == b"inner body"
    assert mime.section(root, [2], b"TEXT", set()) == b"inner body"
    assert mime.section(root, [3], b"", set()) is None
    assert mime.section(root, [1], b"MIME", set()) == b"Content-Type: text/plain; charset=utf-8\r\n\r\n"


def test_the_structure_names_every_part():
    structure = mime.body_structure(mime.parse(NESTED), extended=True)
    assert structure.startswith(b'(("text" "plain" ("charset" "utf-8") NIL NIL "7BIT" 3 0')
    assert b'"message" "rfc822"' in structure and b'"inner"' in structure
    assert b'"mixed" ("boundary" "b") NIL NIL NIL)' in structure


def test_a_multipart_without_parts_is_text():
    root = mime.parse(b"Content-Type: multipart/mixed; boundary=gone\r\n\r\nno boundary here")
    assert mime.body_structure(root, extended=False).startswith(b'("text" "plain"')


def test_mail_without_header_or_body_is_no_trouble():
    for raw in (b"", b"\r\n", b"just words", b"A: b", b"\r\nbody only", b"Content-Type: ;;;\xff\r\n\r\nx"):
        root = mime.parse(raw)
        assert root.header + root.body == raw
        assert mime.body_structure(root, extended=True) and mime.envelope(root)


def test_header_fields_are_given_folded_as_they_stand():
    header = b"Subject: a\r\n b\r\nTo: x\r\n\r\n"
    assert mime.pick_fields(header, {b"SUBJECT"}, True) == b"Subject: a\r\n b\r\n\r\n"
    assert mime.pick_fields(header, {b"SUBJECT"}, False) == b"To: x\r\n\r\n"
