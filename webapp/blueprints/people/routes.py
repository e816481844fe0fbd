"""The blueprint that the views of people and teams hang on, and what they all ask first."""

from flask import Blueprint, abort
from flask_login import current_user

from webapp.web.forms import Act

blueprint = Blueprint("people", __name__)


def only_admins():
    """For others these pages are not there."""
    if not current_user.is_admin:
        abort(404)


def pressed():
    """A button was pressed: its CSRF token counts."""
    if not Act().validate_on_submit():
        abort(400)
