"""The blueprint that the views of the team inboxes hang on."""

from flask import Blueprint

blueprint = Blueprint("team", __name__)
