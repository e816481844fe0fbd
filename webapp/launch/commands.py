"""The command line of `run`, read inside .venv."""

import argparse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("serve", "demo", "test", "lint", "bench", "torture", "doctor")

MAIL_SERVERS = "demo-mail-servers"  # for serve.py only, so not in the help


def main(arguments):
    """Do what was asked. Returns the exit code."""
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help")):
        arguments = ["serve", *arguments]
    if arguments[0] == "test":  # everything after it is pytest's
        from webapp.launch.suite import run_tests
        return run_tests(ROOT, arguments[1:])
    if arguments[0] == "lint":
        from webapp.launch.suite import run_lint
        return run_lint(ROOT, arguments[1:])
    if arguments[0] == "torture":  # and this one's are the script's
        from webapp.launch.bench import torture
        return torture(ROOT, arguments[1:])
    if arguments[0] == "bench" and len(arguments) > 1 and not arguments[1].startswith("-"):
        from webapp.launch.bench import bench
        return bench(ROOT, arguments[1], arguments[2:])
    if arguments[0] == MAIL_SERVERS:
        from webapp.launch.mail_servers import become
        return become(arguments[1:])
    options = parser().parse_args(arguments)
    if options.command in ("serve", "demo"):
        from webapp.launch.serve import serve
        return serve(ROOT, options)
    if options.command == "doctor":
        from webapp.launch.doctor import doctor
        return doctor(ROOT, options)
    from webapp.launch.bench import bench
    return bench(ROOT)


def parser():
    top = argparse.ArgumentParser(
        prog="run", description="Postroom: mail for teams. Without a command: serve, with the demo.",
        epilog="Environment: DATABASE_URL (PostgreSQL), REDIS_URL, POSTROOM_...: see the README's table of settings.")
    commands = top.add_subparsers(dest="command", metavar="|".join(COMMANDS))
    serving = argparse.ArgumentParser(add_help=False)
    serving.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    serving.add_argument("--port", type=port, default=8025, help="port to listen on (default %(default)s)")
    serve = commands.add_parser("serve", parents=[serving], help="start everything (the default)")
    serve.add_argument("--no-demo", dest="demo", action="store_false", help="start empty, without the demo company")
    demo = commands.add_parser("demo", parents=[serving], help="the same, always with the demo company")
    demo.set_defaults(demo=True)
    commands.add_parser("test", help="run every test; arguments go to pytest")
    commands.add_parser("lint", help="check the code's style")
    bench = commands.add_parser("bench", help="run the scripts that print the README's figures")
    bench.add_argument("name", nargs="?", help="one of benchmarks/*.py, and its own arguments; all of them without it")
    commands.add_parser("torture", help="200 kills with -9, all letters from hell: does it hold? (--help tells more)")
    commands.add_parser("doctor", parents=[serving], help="tell what is wrong with this installation")
    return top


def port(text):
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"“{text}” is not a port from 1 to 65535")
    return int(text)
