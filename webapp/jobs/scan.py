"""An attachment shown to the virus scanner, because somebody wants to have it."""

import logging

from flask import current_app

from webapp.actions import files, scans
from webapp.extensions import db
from webapp.jobs import job, look, unit
from webapp.mail import clamd
from webapp.models import Attachment

log = logging.getLogger(__name__)


@job
def scan(attachment_id):
    settings = current_app.config["SETTINGS"]
    where, found = settings.scanner(), look(lambda: _content(attachment_id, settings.clamd_away))
    if where is None or found is None:
        return
    sha256, pieces = found
    try:
        verdict = clamd.scan(where, pieces)
    except clamd.Away as error:
        log.warning("the virus scanner is away: %s", error)
        verdict = clamd.Verdict("away")
    with unit():
        scans.keep(sha256, verdict.state, verdict.name)


def _content(attachment_id, when_away):
    attachment = db.session.get(Attachment, attachment_id)
    if attachment is None or scans.standings([attachment.sha256], when_away)[attachment.sha256][0] != "wait":
        return None
    try:
        return attachment.sha256, files.pieces(files.source(attachment))
    except LookupError:
        return None
