"""Choosing what an address is for, connecting it step by step, and changing who holds it."""

from webapp.blueprints.connections import connect, guide, hold, sender_check, steps
from webapp.blueprints.connections.routes import blueprint

__all__ = ["blueprint", "connect", "guide", "hold", "sender_check", "steps"]
