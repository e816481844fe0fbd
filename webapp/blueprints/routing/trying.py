"""Rules are tried: on a mail that is typed, or on one that came."""

from flask import abort, request

from webapp.actions import routing
from webapp.blueprints.routing.page import page
from webapp.blueprints.routing.routes import blueprint
from webapp.blueprints.routing.trial import Trial, decide_of, trial_of
from webapp.models.types import now
from webapp.web import find
from webapp.web.forms import pressed
from webapp.web.present import fragment, is_swap

TYPED_MAX = {"sender": 320, "subject": 998, "text": 20_000}


@blueprint.post("/inboxes/<int:inbox_id>/routing/try")
def try_it(inbox_id):
    found = find.inbox_to_set(inbox_id)
    pressed()
    trial = Trial() if is_swap() else trial_of(found)
    message = _chosen(found)
    if message is not None:
        trial.message_id = message.id
        trial.sender, trial.subject = message.from_address, message.subject
        mail = routing.mail_of(message, message.conversation, found)
    else:
        for name, most in TYPED_MAX.items():
            setattr(trial, name, request.form.get(name, "")[:most])
        mail = routing.try_mail(sender=trial.sender.strip(), subject=trial.subject, text=trial.text, at=now(),
                                address=next(iter(routing.addresses_of(found).values()), ""), inbox=found)
    decide_of(found, trial, mail)
    if is_swap():
        return fragment("routing/trace", inbox=found, trial=trial, known=routing.known_of(found))
    return page(found, trial=trial)


def _chosen(found):
    number = find.number(request.form.get("message"))
    if number is None:
        return None
    message = find.message(number)
    if message.conversation is None or message.conversation.inbox_id != found.id:
        abort(404)
    return message
