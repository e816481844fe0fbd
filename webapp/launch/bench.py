"""`python3 run bench [name [arguments]]`: the scripts that print the README's figures."""

import os
import subprocess
import sys
from pathlib import Path

from webapp.launch.terminal import complain, say


def bench(root, name=None, arguments=(), environ=os.environ):
    """Run one script of benchmarks/ with its own arguments, or all of them, in order of their names. Returns the first
    bad exit code."""
    scripts = {path.stem: path for path in sorted((Path(root) / "benchmarks").glob("*.py"))
               if not path.name.startswith("_")}
    if name and name.removesuffix(".py") not in scripts:
        complain(f"There is no benchmark “{name}”. There are: {', '.join(scripts) or 'none yet'}.")
        return 2
    worst = 0
    for stem, path in scripts.items():
        if name and stem != name.removesuffix(".py"):
            continue
        say(f"== {stem}")
        code = _run(root, path, arguments, environ)
        worst = worst or code
    return worst


def torture(root, arguments, environ=os.environ):
    """`python3 run torture`: benchmarks/torture.py with its own arguments. Exit code 0: nothing lost or doubled."""
    return _run(root, Path(root) / "benchmarks" / "torture.py", arguments, environ)


def _run(root, path, arguments, environ):
    return subprocess.run([sys.executable, str(path), *arguments], cwd=root, check=False,
                          env={**environ, "PYTHONPATH": str(root)}).returncode
