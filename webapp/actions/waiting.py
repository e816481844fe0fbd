"""People who asked for an address that another holds."""

from sqlalchemy import select

from webapp.actions.notices import tell
from webapp.extensions import db
from webapp.models import HoldRequest
from webapp.models.types import now


def tell_waiting(address_key):
    """It is free now."""
    for wanted in db.session.scalars(select(HoldRequest).where(HoldRequest.address_key == address_key,
                                                               HoldRequest.ended_at.is_(None))).all():
        wanted.ended_at = now()
        if wanted.person.state == "active":
            tell(wanted.person, "address.free", address=wanted.address, kind=wanted.kind)
