"""The blueprint that the views of connecting hang on."""

from flask import Blueprint

blueprint = Blueprint("connections", __name__)
