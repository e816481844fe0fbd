"""pip's newest wheel, from the index that pip itself would use. Standard library only.

The index is the simple repository API in JSON (PEP 691) or HTML (PEP 503), over http(s) or as a file:// folder.
"""

import base64
import configparser
import hashlib
import json
import os
import re
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser
from pathlib import Path

DEFAULT_INDEX = "https://pypi.org/simple"
ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.5, text/html;q=0.2"
TIME_OUT = 30  # seconds
LARGEST = 50_000_000  # bytes; pip's wheel has about 2,000,000
_PLAIN_VERSION = re.compile(r"pip-(\d+(?:\.\d+)*)-py3-none-any\.whl|pip-(\d+(?:\.\d+)*)-py2\.py3-none-any\.whl")


class NoPip(Exception):
    """One sentence: why pip could not be had, and what to do."""


def download(folder):
    """Fetch the newest pip that runs on this Python into a folder, its sha256 checked. Returns the path."""
    options = settings()
    problems = []
    for index in indexes(options):
        try:
            wheel = newest(files(index, options))
            if wheel is None:
                problems.append(f"{_shown(index)}: no pip there")
                continue
            return _save(wheel, Path(folder), options)
        except (OSError, ValueError) as problem:
            problems.append(f"{_shown(index)}: {problem}")
    raise NoPip(f"Could not get pip from the package index ({'; '.join(problems)}). Install pip or uv on this machine, "
                "or name an index that can be reached in PIP_INDEX_URL, then start again.")


def settings(environ=os.environ, files=None):
    """pip's own options (index-url, extra-index-url, cert, proxy) from its files and PIP_*; the latter wins."""
    found = {}
    for path in files if files is not None else _config_files(environ):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue  # pip itself will complain about it, with its own words
        for section in ("global", "install"):
            if parser.has_section(section):
                found.update({key.replace("_", "-"): value for key, value in parser.items(section)})
    found.update({name[4:].lower().replace("_", "-"): value for name, value in environ.items()
                  if name.startswith("PIP_") and value})
    return found


def indexes(options):
    """Addresses of the indexes, the main one first."""
    return [options.get("index-url", "").strip() or DEFAULT_INDEX, *options.get("extra-index-url", "").split()]


def files(index, options):
    """[{filename, url, sha256, requires_python, yanked}] of project pip in one index. Raises OSError, ValueError."""
    address = index.rstrip("/") + "/pip/"
    if address.startswith("file:"):
        address += "index.html"
    with _open(address, options) as answer:
        page, kind, address = answer.read(LARGEST), answer.headers.get("Content-Type", ""), answer.geturl()
    if "json" in kind or page.lstrip()[:1] == b"{":
        listed = [{"filename": f["filename"], "url": f["url"], "sha256": f.get("hashes", {}).get("sha256"),
                   "requires_python": f.get("requires-python") or "", "yanked": bool(f.get("yanked"))}
                  for f in json.loads(page)["files"]]
    else:
        reader = _Anchors()
        reader.feed(page.decode("utf-8", "replace"))
        listed = reader.files
    return [{**f, "url": urllib.parse.urljoin(address, f["url"])} for f in listed]


def newest(listed, python=sys.version_info[:3]):
    """The newest final release that runs on this Python, or None. Versions are compared as numbers, not as text."""
    fitting = [(_version(f["filename"]), f) for f in listed
               if _version(f["filename"]) and not f["yanked"] and _accepts(f["requires_python"], python)]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


def _version(filename):
    match = _PLAIN_VERSION.fullmatch(filename)
    return tuple(int(part) for part in (match[1] or match[2]).split(".")) if match else None


def _accepts(requires, python):
    """Enough of PEP 440 for what pip has ever declared: >=, <, != with a wildcard."""
    for clause in filter(None, (c.strip() for c in requires.split(","))):
        match = re.fullmatch(r"(>=|<|!=)\s*(\d+(?:\.\d+)*)(\.\*)?", clause)
        if not match:
            continue
        bound = tuple(int(part) for part in match[2].split("."))
        here = python[:len(bound)]
        if (match[1] == ">=" and here < bound) or (match[1] == "<" and here >= bound) or (
                match[1] == "!=" and here == bound):
            return False
    return True


def _save(wheel, folder, options):
    if not wheel["sha256"]:
        raise ValueError(f"{wheel['filename']} has no sha256 in the index")
    with _open(wheel["url"], options) as answer:
        content = answer.read(LARGEST)
    if hashlib.sha256(content).hexdigest() != wheel["sha256"].lower():
        raise ValueError(f"{wheel['filename']} does not have the sha256 that the index states")
    path = folder / wheel["filename"]
    path.write_bytes(content)
    return path


def _open(address, options):
    """Credentials in the address become a header: urllib takes them for a part of the host name."""
    parts = urllib.parse.urlsplit(address)
    headers = {"Accept": ACCEPT, "User-Agent": "postroom-run"}
    if parts.username:
        pair = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    handlers = [urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=options.get("cert") or None))]
    if options.get("proxy"):
        handlers.append(urllib.request.ProxyHandler({"http": options["proxy"], "https": options["proxy"]}))
    request = urllib.request.Request(parts.geturl(), headers=headers)
    return urllib.request.build_opener(*handlers).open(request, timeout=TIME_OUT)


def _shown(index):
    """An index address without its password, for a sentence."""
    return re.sub(r"//[^/@]*@", "//", index)


def _config_files(environ):
    """pip's files from the weakest to the strongest (pip documentation, Configuration)."""
    if environ.get("PIP_CONFIG_FILE") == os.devnull:
        return []
    home = Path(environ.get("HOME", "~")).expanduser()
    shared = [Path(folder) / "pip" / "pip.conf" for folder in environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")]
    if sys.platform == "darwin":
        shared.append(Path("/Library/Application Support/pip/pip.conf"))
    own = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    if sys.platform == "darwin" and (home / "Library/Application Support/pip").is_dir():
        own = home / "Library/Application Support/pip/pip.conf"
    files = [*shared, Path("/etc/pip.conf"), home / ".pip" / "pip.conf", own]
    return [*files, Path(environ["PIP_CONFIG_FILE"])] if environ.get("PIP_CONFIG_FILE") else files


class _Anchors(HTMLParser):
    """The links of a simple index page (PEP 503, 592): one file each."""

    def __init__(self):
        super().__init__()
        self.files = []

    def handle_starttag(self, tag, attrs):
        link = dict(attrs)
        if tag != "a" or not link.get("href"):
            return
        url, _, fragment = link["href"].partition("#")
        self.files.append({
            "filename": urllib.parse.unquote(url.rstrip("/").rsplit("/", 1)[-1]), "url": url,
            "sha256": fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else None,
            "requires_python": link.get("data-requires-python") or "", "yanked": "data-yanked" in link})
