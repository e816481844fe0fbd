"""The blueprint that the views of one message hang on."""

from flask import Blueprint

blueprint = Blueprint("messages", __name__)
