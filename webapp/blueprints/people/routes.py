"""The blueprint that the views of people and teams hang on, and what they all ask first."""

from flask import Blueprint, abort
from flask_login import current_user

blueprint = Blueprint("people", __name__)


def only_admins():
    """For others these pages are not there."""
    if not current_user.is_admin:
        abort(404)
