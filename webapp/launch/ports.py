"""Is a port free, and does the web server behind it answer."""

import errno
import http.client
import os
import socket


class PortProblem(Exception):
    """One sentence with what to do."""


def check(host, port):
    """Raises PortProblem when we could not listen there."""
    try:
        address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(address[0], socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address[4])
    except socket.gaierror:
        raise PortProblem(f"There is no address “{host}” on this machine. Use --host 127.0.0.1, or --host 0.0.0.0 "
                          "for all of its addresses.") from None
    except (OSError, OverflowError) as problem:
        raise PortProblem(_sentence(host, port, problem)) from None


def url(host, port):
    """The address that a browser on this machine can open."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def healthy(host, port, seconds=2):
    """Whether /health answers 200."""
    shown = url(host, port).removeprefix("http://").rpartition(":")[0].strip("[]")
    connection = http.client.HTTPConnection(shown, port, timeout=seconds)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _sentence(host, port, problem):
    number = getattr(problem, "errno", None)
    if number == errno.EADDRINUSE:
        return f"Port {port} is taken by another program. Choose another one: python3 run --port {port + 1}"
    if number == errno.EACCES:
        return f"Port {port} needs special rights. Choose one above 1023: python3 run --port 8025"
    if number == errno.EADDRNOTAVAIL:
        return f"This machine has no address “{host}”. Use --host 127.0.0.1, or --host 0.0.0.0 for all it has."
    return f"Can't listen on {host} port {port} ({os.strerror(number) if number else problem}). Choose another: --port"
