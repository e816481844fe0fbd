"""How a command says NO (RFC 3501 7.1.2)."""


class No(Exception):
    """The command is understood and refused; the text may begin with a response code."""
