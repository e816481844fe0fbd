"""Routing rules of an inbox: written, tried, and explained."""

from webapp.blueprints.routing import rules, trying, why  # noqa: F401 (their routes)
from webapp.blueprints.routing.routes import blueprint

__all__ = ["blueprint"]
