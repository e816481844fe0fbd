"""Users and roles, and teams: an admin's pages."""

from webapp.blueprints.people import invite, leaving, teams, users
from webapp.blueprints.people.routes import blueprint

__all__ = ["blueprint", "invite", "leaving", "teams", "users"]
