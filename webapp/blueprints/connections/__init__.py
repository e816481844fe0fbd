"""Choosing what an address is for, connecting it step by step, and changing who holds it."""

from webapp.blueprints.connections import aliases, connect, guide, hold, sender_check, steps
from webapp.blueprints.connections.routes import blueprint

__all__ = ["aliases", "blueprint", "connect", "guide", "hold", "sender_check", "steps"]
