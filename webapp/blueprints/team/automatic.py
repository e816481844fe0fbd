"""What an admin says of mail that comes and goes by itself: whose is spam, what is answered, when somebody is there."""

from flask import abort, request, url_for
from flask_login import current_user

from webapp.actions import automatic, senders
from webapp.blueprints.team.acting import answer
from webapp.blueprints.team.routes import blueprint
from webapp.blueprints.team.settings import page
from webapp.extensions import db
from webapp.rules import RuleBroken
from webapp.web import find
from webapp.web.forms import Act
from webapp.web.forms_automatic import AutoReplies, NewSender, Targets, WorkingHours
from webapp.web.present import go


@blueprint.post("/conversations/<int:conversation_id>/deny-sender")
def deny_sender(conversation_id):
    """Of spam: mail of its sender, or of the sender's domain, always is. `pattern`: which of what was offered."""
    found = find.to_act(conversation_id)
    if not current_user.is_admin:
        abort(403)
    if not Act().validate_on_submit():
        abort(400)
    try:
        senders.add_rule(current_user, found.inbox, "deny", request.form.get("pattern", ""))
    except RuleBroken as broken:
        db.session.rollback()
        return answer(find.conversation(conversation_id), code=422, refused=broken)
    return answer(found)


@blueprint.post("/inboxes/<int:inbox_id>/automatic/replies")
def change_replies(inbox_id):
    found, form = find.inbox_to_set(inbox_id), AutoReplies()
    if form.did(lambda: automatic.change_replies(
            current_user, found, form.auto_first.data, form.auto_first_text.data or "", form.auto_away.data,
            form.auto_away_text.data or "")):
        return go(url_for("team.settings", inbox_id=found.id, _anchor="replies"))
    return page(found, 422, replies_form=form)


@blueprint.post("/inboxes/<int:inbox_id>/automatic/hours")
def change_hours(inbox_id):
    found, form = find.inbox_to_set(inbox_id), WorkingHours()
    if form.did(lambda: automatic.change_hours(current_user, found, form.zone.data or "", form.typed,
                                                form.holidays.data or "")):
        return go(url_for("team.settings", inbox_id=found.id, _anchor="hours"))
    return page(found, 422, hours_form=form)


@blueprint.post("/inboxes/<int:inbox_id>/automatic/targets")
def change_targets(inbox_id):
    found, form = find.inbox_to_set(inbox_id), Targets()
    if form.did(lambda: automatic.change_targets(
            current_user, found, (form.first.data or "", form.first_unit.data or ""),
            (form.later.data or "", form.later_unit.data or ""))):
        return go(url_for("team.settings", inbox_id=found.id, _anchor="targets"))
    return page(found, 422, targets_form=form)


@blueprint.post("/inboxes/<int:inbox_id>/automatic/senders")
def add_sender(inbox_id):
    found, form = find.inbox_to_set(inbox_id), NewSender()
    if form.did(lambda: senders.add_rule(current_user, found, form.kind.data, form.pattern.data)):
        return go(url_for("team.settings", inbox_id=found.id, _anchor="senders"))
    return page(found, 422, sender_form=form)


@blueprint.post("/inboxes/<int:inbox_id>/automatic/senders/<int:rule_id>/remove")
def remove_sender(inbox_id, rule_id):
    found = find.inbox_to_set(inbox_id)
    rule = find.sender_rule(found, rule_id)
    if not Act().validate_on_submit():
        abort(400)
    senders.remove_rule(current_user, found, rule)
    return go(url_for("team.settings", inbox_id=found.id, _anchor="senders"))
