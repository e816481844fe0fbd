"""What each folder is for: by SPECIAL-USE, else by its name in the languages that mail programs speak."""

import pytest
from imapclient.imap_utf7 import encode

from webapp.mail.imap import items
from webapp.mail.imap.folders import folders_of


def roles(*listed):
    return {folder.name: folder.role for folder in folders_of(listed)}


def plain(name, *flags, mark=b"/"):
    return flags, mark, encode(name)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Sent", "sent"),
        ("Sent Items", "sent"),
        ("INBOX.Sent", "sent"),
        ("Wysłane", "sent"),
        ("Elementy wysłane", "sent"),
        ("Kosz", "trash"),
        ("Szkice", "drafts"),
        ("Wersje robocze", "drafts"),
        ("Spam", "junk"),
        ("Gesendet", "sent"),
        ("Entwürfe", "drafts"),
        ("Papierkorb", "trash"),
        ("Éléments envoyés", "sent"),
        ("Brouillons", "drafts"),
        ("Corbeille", "trash"),
        ("Enviados", "sent"),
        ("Borradores", "drafts"),
        ("Papelera", "trash"),
        ("Archiwum", "archive"),
        ("Inbox", "inbox"),
        ("Klienci", "other"),
        ("Presented", "other"),
    ],
)
def test_a_well_known_name_has_its_role(name, role):
    assert roles(plain(name, mark=b"." if name.startswith("INBOX.") else b"/"))[name] == role


def test_an_attribute_wins_over_a_name_and_a_role_is_given_once():
    found = roles(plain("Sent"), plain("Wysłane", b"\\Sent"), plain("A/Wysłane"), plain("INBOX", b"\\Archive"))
    assert found == {"Sent": "other", "Wysłane": "sent", "A/Wysłane": "other", "INBOX": "inbox"}


def test_what_cannot_be_opened_has_no_role():
    (folder,) = folders_of([plain("Sent", b"\\Noselect")])
    assert folder.role == "other" and not folder.selectable


@pytest.mark.parametrize("wire", [b"&&&", b"&AA", b"Za\xc5\xbc\xc3\xb3", b"\xff\xfe", b"a&ZZZZZ-b"])
def test_names_in_bad_encoding_are_shown_and_keep_their_bytes(wire):
    (folder,) = folders_of([((), b"/", wire)])
    assert folder.wire_name == wire and folder.name and folder.selectable


def test_a_number_is_a_name_and_no_delimiter_is_fine():
    (folder,) = folders_of([((), None, 2026)])
    assert (folder.name, folder.wire_name, folder.delimiter) == ("2026", b"2026", "/")


def test_uid_sets_hold_exactly_what_was_asked():
    assert items.uid_set([7, 3, 1, 2, 2]) == b"1:3,7"
    assert items.uids_in(b"1:3,7,12:10") == [1, 2, 3, 7, 10, 11, 12]
    for bad in (b"1:*", b"x", b"", b"1:4294967296", b"1:99999999999"):
        with pytest.raises(items.BadAnswer):
            items.uids_in(bad)


@pytest.mark.parametrize(
    ("structure", "expected"),
    [
        (b'("text" "plain" NIL NIL NIL "7bit" 1 1)', False),
        (
            b'(("text" "plain" NIL NIL NIL "7bit" 1 1)("image" "png" NIL NIL NIL "base64" 9 NIL ("attachment" ("filename" "a"))))',
            True,
        ),
        (b'("text" "plain" ("name" "x(\\"attachment\\"") NIL NIL "7bit" 1 1 NIL ("inline" NIL))', False),
        (None, False),
    ],
)
def test_attachments_are_guessed_from_the_structure(structure, expected):
    assert items.has_attachments(structure) is expected
