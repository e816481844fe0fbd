"""The processes beside the web server.

    worker.py jobs out in      RQ jobs from these queues, in this order
    worker.py watch            IDLE on every mailbox, one process
    worker.py clock            sweeps: finds what is due in the database and hints at it again
"""

import sys

from webapp.work import clock, jobs, watch


def main(arguments):
    match arguments:
        case ["jobs", *queues] if queues:
            jobs.run(queues)
        case ["watch"]:
            watch.run()
        case ["clock"]:
            clock.run()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
