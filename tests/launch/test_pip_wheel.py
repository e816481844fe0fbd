"""Fetching pip from an index: newest by number, checked by hash, from JSON and HTML."""

import hashlib
import json

import pytest

from webapp.launch import pip_wheel


def listed(*versions, **more):
    return [{"filename": f"pip-{v}-py3-none-any.whl", "url": "x", "sha256": "0", "requires_python": "",
             "yanked": False, **more} for v in versions]


def index_with(tmp_path, body, content=b"a wheel", stated=None):
    """A file:// index whose page is `body` with {sha} filled in."""
    folder = tmp_path / "simple" / "pip"
    folder.mkdir(parents=True)
    (folder / "pip-30.1-py3-none-any.whl").write_bytes(content)
    sha = stated or hashlib.sha256(content).hexdigest()
    (folder / "index.html").write_text(body.replace("{sha}", sha))
    return {"index-url": f"file://{tmp_path}/simple"}


HTML = """<a href="pip-9.0.3-py2.py3-none-any.whl#sha256=00">old</a>
<a href="pip-30.1-py3-none-any.whl#sha256={sha}" data-requires-python="&gt;=3.9">new</a>
<a href="pip-31.0-py3-none-any.whl#sha256=00" data-yanked="broken">yanked</a>"""
JSON = json.dumps({"files": [{"filename": "pip-30.1-py3-none-any.whl", "url": "pip-30.1-py3-none-any.whl",
                              "hashes": {"sha256": "{sha}"}, "requires-python": None, "yanked": False}]})


def test_versions_are_compared_as_numbers():
    assert pip_wheel.newest(listed("9.0.3", "26.3", "26.10", "26.9.1"))["filename"].startswith("pip-26.10-")


def test_pre_releases_and_yanked_files_are_passed_over():
    files = listed("26.3", "27.0b1") + listed("28.0", yanked=True)
    assert pip_wheel.newest(files)["filename"].startswith("pip-26.3-")


def test_a_pip_for_a_newer_python_is_passed_over():
    files = listed("26.3", requires_python=">=3.9, !=3.9.0, !=3.9.1") + listed("40.0", requires_python=">=3.15")
    assert pip_wheel.newest(files, (3, 11, 7))["filename"].startswith("pip-26.3-")


def test_an_excluded_series_is_passed_over():
    assert pip_wheel.newest(listed("26.3", requires_python=">=3.7,!=3.11.*"), (3, 11, 7)) is None


@pytest.mark.parametrize("page", [HTML, JSON], ids=["html", "json"])
def test_the_wheel_is_fetched_from_an_index(tmp_path, monkeypatch, page):
    monkeypatch.setattr(pip_wheel, "settings", lambda: index_with(tmp_path, page))
    wheel = pip_wheel.download(tmp_path)
    assert (wheel.name, wheel.read_bytes()) == ("pip-30.1-py3-none-any.whl", b"a wheel")


def test_a_wheel_with_another_hash_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(pip_wheel, "settings", lambda: index_with(tmp_path, HTML, stated="ab" * 32))
    with pytest.raises(pip_wheel.NoPip, match="does not have the sha256"):
        pip_wheel.download(tmp_path)
    assert not (tmp_path / "pip-30.1-py3-none-any.whl").exists()


def test_a_wheel_without_a_hash_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(pip_wheel, "settings", lambda: index_with(tmp_path, HTML.replace("#sha256={sha}", "")))
    with pytest.raises(pip_wheel.NoPip, match="no sha256"):
        pip_wheel.download(tmp_path)


def test_an_index_that_is_away_gives_one_sentence_without_its_password(monkeypatch):
    monkeypatch.setattr(pip_wheel, "settings", lambda: {"index-url": "http://me:secret@127.0.0.1:9/simple"})
    with pytest.raises(pip_wheel.NoPip) as told:
        pip_wheel.download("/nowhere")
    assert "http://127.0.0.1:9/simple" in str(told.value)
    assert "PIP_INDEX_URL" in str(told.value)
    assert "secret" not in str(told.value)


def test_the_second_index_is_asked_when_the_first_has_no_pip(tmp_path, monkeypatch):
    options = index_with(tmp_path, HTML)
    options = {"index-url": f"file://{tmp_path}/empty", "extra-index-url": options["index-url"]}
    monkeypatch.setattr(pip_wheel, "settings", lambda: options)
    assert pip_wheel.download(tmp_path).name == "pip-30.1-py3-none-any.whl"


def test_pips_own_files_and_variables_are_read_the_variable_wins(tmp_path):
    weak, strong = tmp_path / "weak.conf", tmp_path / "strong.conf"
    weak.write_text("[global]\nindex-url = https://weak/simple\ncert = /ca.pem\n")
    strong.write_text("[install]\nindex_url = https://strong/simple/%7e\n")
    assert pip_wheel.settings({}, [weak, strong]) == {"index-url": "https://strong/simple/%7e", "cert": "/ca.pem"}
    found = pip_wheel.settings({"PIP_INDEX_URL": "https://variable/simple"}, [weak, strong])
    assert pip_wheel.indexes(found) == ["https://variable/simple"]


def test_without_any_setting_it_is_pypi():
    assert pip_wheel.indexes({}) == ["https://pypi.org/simple"]
