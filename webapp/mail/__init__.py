"""On the wire: bytes in, values out. Nothing here knows Flask, the database, RQ or the settings."""
