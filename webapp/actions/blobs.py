"""The store of raw mail and attachments of this application."""

from flask import current_app


def blobs():
    return current_app.extensions["blobs"]
