"""The directions of DESIGN 4: who may import whom, no cycles, and which layers no framework reaches."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = ROOT / "webapp"

# Layer -> what of ours it may import (besides itself). A dotted name allows that module alone.
MAY_IMPORT = {
    "mail": (),
    "rules": ("mail.types", "mail.address"),
    "extensions": (),
    "aftermath": ("extensions",),
    "queue": ("aftermath",),
    "live": ("aftermath", "queue"),
    "config": ("mail.clamd", "mail.types", "demo.people"),
    "words": ("rules",),
    "models": ("rules", "extensions", "mail.pack"),
    "actions": ("models", "rules", "mail", "queue", "live", "extensions"),
    "jobs": ("actions", "models", "rules", "mail", "queue", "live", "extensions", "words"),   # words: of notices
    "work": ("jobs", "actions", "models", "rules", "mail", "queue", "live", "extensions", "demo.pictures"),
    "web": ("rules", "models", "extensions", "config", "live", "words", "mail.text", "mail.providers",
            "demo.people"),
    "blueprints": ("web", "actions", "models", "rules", "extensions", "queue", "live", "words", "mail.folding",
                   "mail.html", "mail.parse", "mail.pdf", "mail.preview", "mail.providers", "mail.repaint",
                   "mail.source", "mail.types", "mail.written_html"),
    "migrations": ("extensions", "models"),
    "cli": ("actions", "models", "rules", "extensions", "words", "jobs", "demo"),
    "demo": ("actions", "models", "rules", "extensions", "mail", "config"),
    "launch": ("config", "demo", "extensions", "models", "mail"),
    "__init__": ("config", "extensions", "queue", "live", "words", "models", "web", "blueprints", "cli"),
}
# What a layer must not import, whatever the table says of the layer that it comes from.
NEVER = {
    "actions": ("mail.imap", "mail.smtp", "mail.idle", "mail.connect", "mail.web", "mail.discover", "mail.clamd"),
    "blueprints": ("mail.imap", "mail.smtp", "mail.idle", "mail.connect", "mail.web", "mail.discover", "mail.clamd"),
}
FRAMEWORKS = {"flask", "flask_babel", "flask_login", "flask_sqlalchemy", "flask_wtf", "jinja2", "redis", "rq",
              "sqlalchemy", "werkzeug", "wtforms"}
REQUEST = {"request", "session", "g", "abort", "redirect", "render_template", "url_for", "make_response"}


@cache
def modules():
    """{dotted name below webapp: its syntax tree}; a package is named like its folder."""
    found = {}
    for path in sorted(CODE.rglob("*.py")):
        parts = path.relative_to(CODE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        found[name] = ast.parse(path.read_text())
    return found


def layer(name):
    return name.split(".")[0]


def imports(name):
    """(dotted name below webapp, or None for others; top-level package, imported names)."""
    package = name if any(n.startswith(f"{name}.") for n in modules()) else name.rpartition(".")[0]
    for node in ast.walk(modules()[name]):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _ours(alias.name), alias.name.split(".")[0], ()
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                steps = package.split(".")[:len(package.split(".")) - node.level + 1]
                base = ".".join(["webapp", *steps, *([node.module] if node.module else [])])
            names = tuple(alias.name for alias in node.names)
            if base == "webapp" or base.startswith("webapp."):
                for each in names:
                    yield _ours(f"{base}.{each}"), "webapp", names
            else:
                yield None, base.split(".")[0], names


def _ours(dotted):
    if not dotted.startswith("webapp"):
        return None
    below = dotted.removeprefix("webapp").strip(".")
    while below and below not in modules():
        below = below.rpartition(".")[0]
    return below or "__init__"


def _covers(allowed, target):
    return any(target == a or target.startswith(f"{a}.") for a in allowed)


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_a_layer_imports_only_what_the_table_allows(name):
    wrong = [f"{module} -> {target}" for module in modules() if layer(module) == name
             for target, package, _names in imports(module)
             if package == "webapp" and target and layer(target) != name
             and (not _covers(MAY_IMPORT[name], target) or _covers(NEVER.get(name, ()), target))]
    assert wrong == []


def test_every_room_of_the_house_stands_in_the_table():
    assert {layer(m) for m in modules()} == set(MAY_IMPORT)


def test_nothing_imports_in_a_circle():
    graph = {m: {t for t, package, _n in imports(m) if package == "webapp" and t and t != m} for m in modules()}
    circles, done, path = [], set(), []

    def visit(module):
        if module in path:
            circles.append(" -> ".join([*path[path.index(module):], module]))
        elif module not in done:
            path.append(module)
            for target in sorted(graph[module]):
                visit(target)
            path.pop()
            done.add(module)
    for module in sorted(graph):
        if layer(module) != "__init__":
            visit(module)
    assert circles == []


@pytest.mark.parametrize("name", ["mail", "rules"])
def test_no_framework_reaches_mail_and_rules(name):
    used = {(m, package) for m in modules() if layer(m) == name for _t, package, _n in imports(m)}
    assert {(m, p) for m, p in used if p in FRAMEWORKS} == set()


@pytest.mark.parametrize("name", ["models", "actions", "jobs", "work", "queue", "live", "aftermath"])
def test_the_request_stays_outside(name):
    wrong = [(m, sorted(REQUEST & set(names))) for m in modules() if layer(m) == name
             for _t, package, names in imports(m) if package == "flask" and REQUEST & set(names)]
    users = [m for m in modules() if layer(m) == name
             for _t, package, names in imports(m) if package == "flask_login" and "current_user" in names]
    assert (wrong, users) == ([], [])


def _calls(name, methods):
    """Calls of db.session.<one of methods> in a layer."""
    return [f"{module}:{node.lineno} {node.func.attr}" for module in modules() if layer(module) == name
            for node in ast.walk(modules()[module])
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in methods
            and ast.unparse(node.func.value).endswith("session")]


def test_actions_never_commit_and_views_never_write():
    assert _calls("actions", ("commit", "rollback")) == []
    assert _calls("blueprints", ("commit", "add", "add_all", "delete", "merge")) == []
    assert _calls("web", ("add", "add_all", "delete", "merge")) == []


def test_a_blueprint_imports_no_other():
    wrong = [(m, t) for m in modules() if layer(m) == "blueprints" and m != "blueprints"
             for t, package, _n in imports(m) if package == "webapp" and t and layer(t) == "blueprints"
             and t.split(".")[:2] != m.split(".")[:2]]     # a large one is a folder
    assert wrong == []


def test_no_file_is_called_after_nothing():
    bad = {"utils", "util", "helpers", "helper", "misc", "common", "manager", "service", "services"}
    assert [m for m in modules() if set(m.split(".")) & bad] == []
    classes = [f"{m}.{node.name}" for m in modules() for node in ast.walk(modules()[m])
               if isinstance(node, ast.ClassDef) and node.name.endswith(("Manager", "Service", "Helper", "Util"))]
    assert classes == []
