"""Settings of an inbox: the sender's name, the signature."""

from flask_login import current_user

from webapp.actions.sending import set_sending
from webapp.blueprints.team.routes import blueprint
from webapp.web import find
from webapp.web.forms_letters import Sending
from webapp.web.present import go, present


@blueprint.get("/inboxes/<int:inbox_id>/sending")
def sending(inbox_id):
    found = find.inbox_to_set(inbox_id)
    return _page(found, Sending(formdata=None, company=found.company, person=found.from_form == "person",
                                signature=found.signature))


@blueprint.post("/inboxes/<int:inbox_id>/sending")
def set_up_sending(inbox_id):
    found, form = find.inbox_to_set(inbox_id), Sending()
    if form.did(lambda: set_sending(
            current_user, found, form.company.data or "", form.person.data, form.signature.data or "")):
        return go(f"/inboxes/{found.id}/settings#sending")
    return _page(find.inbox_to_set(inbox_id), form, 422)


def _page(found, form, code=200):
    return present("team/sending", code, inbox=found, sending_form=form)
