"""`python -m webapp.demo --dir INSTANCE_DIR`: the demo's mail servers, until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from webapp.demo.customers import ANSWER_AFTER, PACE
from webapp.demo.people import IMAP_PORT, SMTP_PORT
from webapp.demo.server import Demo, PortTaken


def main() -> int:
    options = _options()
    logging.basicConfig(level=logging.INFO, format="demo: %(message)s", stream=sys.stderr)
    try:
        asyncio.run(_serve(options))
    except PortTaken as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"The demo cannot use {options.dir}: {error.strerror or error}.", file=sys.stderr)
        return 2
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m webapp.demo", description="Mail servers and customers to try with")
    parser.add_argument("--dir", type=Path, required=True, help="the instance folder; ours is demo/ in it")
    parser.add_argument("--imap-port", type=int, default=IMAP_PORT, help="IMAP over TLS (0 takes a free one)")
    parser.add_argument("--smtp-port", type=int, default=SMTP_PORT, help="SMTP over TLS (0 takes a free one)")
    parser.add_argument("--pace", type=float, default=PACE,
                        help="mean seconds between customers who write by themselves; 0: they only answer")
    parser.add_argument("--answer-after", type=float, default=ANSWER_AFTER,
                        help="seconds until a customer answers, at least; at most 2.5 times that")
    parser.add_argument("--seed", type=int, default=1, help="the same seed and times give the same mail")
    return parser.parse_args()


async def _serve(options: argparse.Namespace) -> None:
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    demo = Demo(options.dir / "demo", options.imap_port, options.smtp_port, options.pace, options.seed,
                options.answer_after)
    await demo.start()
    print(f"ready imap={demo.imap_port} smtp={demo.smtp_port} ca={demo.folder / 'ca.pem'}", flush=True)
    await stopping.wait()
    await demo.stop()


if __name__ == "__main__":
    sys.exit(main())
