"""The store keeps the promises that a cursor over UIDs leans on."""

import sqlite3

import pytest

from webapp.demo.mailstore import MailStore

A = "a@transwisla.example"


@pytest.fixture
def store(tmp_path):
    store = MailStore(tmp_path / "mail.sqlite3")
    yield store
    store.close()


def test_a_uid_is_never_given_twice(store):
    folder = store.create_folder(A, "INBOX")
    first, second = store.add(folder, b"1"), store.add(folder, b"2")
    store.remove(folder.id, [second])
    assert [first, second, store.add(folder, b"3")] == [1, 2, 3]
    assert store.folder(A, "inbox").uidnext == 4


def test_a_folder_that_is_made_again_is_another_one(store):
    before = store.create_folder(A, "Projects")
    store.delete_folder(before)
    assert store.create_folder(A, "Projects").uidvalidity > before.uidvalidity
    with pytest.raises(sqlite3.IntegrityError):
        store.create_folder(A, "Projects")


def test_a_renamed_folder_takes_its_children_along(store):
    for name in ("Klienci", "Klienci/Meblopol", "Klienci2"):
        store.create_folder(A, name)
    store.rename_folder(store.folder(A, "Klienci"), "Dawni")
    assert [folder.name for folder in store.folders(A)] == ["Dawni", "Dawni/Meblopol", "Klienci2"]


def test_what_fails_half_way_leaves_nothing(store):
    folder = store.create_folder(A, "INBOX")
    with pytest.raises(RuntimeError), store.transaction():
        store.add(folder, b"1")
        raise RuntimeError
    assert store.entries(folder.id) == []
    assert store.add(folder, b"2") == 1
