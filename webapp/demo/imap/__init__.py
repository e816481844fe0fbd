"""A small IMAP4rev1 server (RFC 3501) for the demo, written because no library fits.

pymap's maildir passes each message through Python's mailbox module, so what comes out is not byte
for byte what went in; it knows no SPECIAL-USE, and looks for new mail once a second.
"""
