"""A mail is routed: its rules are read, what they say is done, and why is kept."""

from datetime import timedelta

from sqlalchemy import exists, select, update

from webapp.actions import answers, autoreply, conversations, tags, templates
from webapp.actions.acts import as_it_is, happened
from webapp.actions.notices import tell
from webapp.actions.routing.dividing import GIVES, give, group_of, still_free
from webapp.actions.routing.facts import mail_of
from webapp.actions.routing.known import able_people, lock_inbox, routes_of, rule_of
from webapp.extensions import db
from webapp.live import announce
from webapp.models import Conversation, Event, Inbox, Message, Person, Route, Routed, RouteHit, Tag, Team, Template
from webapp.models.rows import write_rows
from webapp.models.types import now
from webapp.queue import later
from webapp.rules import RuleBroken
from webapp.rules.routing import decide

JOB = "webapp.jobs.routing.route"
FOLDERS = autoreply.FOLDERS     # what a server calls junk is nobody's work
OPENED = ("reopened_by_mail", "woke_by_mail")


def note_due(connection, folder, fresh):
    """`fresh`: Rows of Message that were just filed and written. Mail that came after its address was connected is to
    be routed where it opens a conversation, or opens one again that nobody has."""
    inbox = connection.inbox
    if folder.role not in FOLDERS or not (inbox.otherwise or db.session.scalar(select(Route.id).where(
            Route.inbox_id == inbox.id, Route.is_on).limit(1))):
        return
    since = max(filter(None, (connection.created_at, connection.history_until)))
    rows = [Routed(message_id=m.id, conversation_id=m.conversation_id, inbox_id=inbox.id, due_at=now(), facts={})
            for m in fresh if not m.outgoing and not m.bounce and m.conversation_id and m.at > since]
    for row in rows:
        if _calls_for_it(row):
            db.session.add(row)
            later(JOB, row.message_id)
    db.session.flush()


def _calls_for_it(row):
    conversation = db.session.get(Conversation, row.conversation_id)
    if not still_free(conversation) or conversation.inbox_id != row.inbox_id:
        return False
    at = db.session.scalar(select(Message.at).where(Message.id == row.message_id))
    before = exists().where(Message.conversation_id == conversation.id, Message.id < row.message_id, ~Message.outgoing)
    again = exists().where(Event.conversation_id == conversation.id, Event.kind.in_(OPENED), Event.at == at)
    is_later, is_again = db.session.execute(select(before, again)).one()
    return is_again or not is_later


def due():
    """SELECT of the ids of messages that are to be routed."""
    return select(Routed.message_id).where(Routed.due_at <= now()).order_by(Routed.due_at, Routed.message_id)


def route(message_id):
    """Decide, do, and keep why. True when it was done now. The inbox is locked: turns are taken one by one."""
    found = db.session.get(Routed, message_id)
    if found is None or found.due_at is None:
        return False
    inbox = lock_inbox(found.inbox_id)
    conversation = db.session.scalar(select(Conversation).where(Conversation.id == found.conversation_id)
                                     .with_for_update(key_share=True, of=Conversation)
                                     .execution_options(populate_existing=True))
    won = db.session.execute(update(Routed).where(Routed.message_id == message_id, Routed.due_at.is_not(None))
                             .values(due_at=None).execution_options(synchronize_session=False)).rowcount
    db.session.refresh(found)
    if won != 1 or inbox is None:
        return False
    message = db.session.get(Message, message_id)
    if conversation is None or message.conversation_id != conversation.id or inbox.deleted_at is not None or (
            not still_free(conversation) or conversation.inbox_id != inbox.id):
        found.facts = {"why": "taken"}          # somebody was faster
        db.session.flush()
        return False
    _Work(inbox, conversation, message, found).do()
    return True


class _Work:
    def __init__(self, inbox, conversation, message, kept):
        self.inbox, self.conversation, self.message, self.kept = inbox, conversation, message, kept
        self.routes = routes_of(inbox.id)
        self.numbers = {route.id: n for n, route in enumerate(self.routes, 1)}
        self.decision = decide([rule_of(r) for r in self.routes], mail_of(message, conversation, inbox))
        self.did, self.failed = [], []

    def do(self):
        write_rows(RouteHit, [{"route_id": i, "message_id": self.message.id, "at": now()}
                              for i in self.decision.matched], known_ok=True)
        given = None
        for route_id, action in self.decision.actions:
            if action["do"] in GIVES:
                given = (route_id, action)
            else:
                self._act(route_id, action)
        assigned = self._assign(given)
        if self.inbox.otherwise and self.inbox.otherwise["do"] == "leave" and still_free(self.conversation):
            self.kept.remind_at = now() + timedelta(minutes=self.inbox.otherwise["minutes"])
        facts = {"steps": steps_of(self.decision, self.routes), "did": self.did, "failed": self.failed}
        self.kept.facts = {**facts, **assigned}
        self.kept.conversation_id = self.conversation.id
        db.session.flush()
        announce(f"conversation-{self.conversation.id}", f"inbox-{self.inbox.id}")

    def _act(self, route_id, action):
        """What it names may be gone meanwhile: then that is kept, and shown on the rule."""
        try:
            done = _DOERS[action["do"]](self, action, self.numbers[route_id])
        except RuleBroken as broken:
            done, action = False, {**action, "code": broken.code}
        (self.failed if done is False else self.did).append(
            {"rule": self.numbers[route_id], **{k: v for k, v in action.items() if k != "hours" or v}})

    def _assign(self, given):
        """Who gets it, where it is still open, and nobody's."""
        if not still_free(self.conversation):
            return {}
        route_id, action = given or (None, self.inbox.otherwise)
        if not action or action["do"] not in GIVES:
            return {"why": "nobody_named"}
        number = self.numbers.get(route_id)
        if action["do"] == "team" and not action.get("how"):
            return self._to_team(action, number)
        group = group_of(action, self._owner())
        if group is None:
            return {"why": "no_owner", "rule": number}
        inbox = self.conversation.inbox        # it may have been moved
        person, why = give(inbox, self.conversation, group, rule=number)
        if person is None:
            self.kept.waits, self.kept.inbox_id = group, inbox.id
        return {"group": group, "why": why, "rule": number, **({"to": person.id} if person else {})}

    def _owner(self):
        return self.conversation.contact.owner_id if self.conversation.contact is not None else None

    def _to_team(self, action, number):
        team = db.session.get(Team, action["team"])
        if team is None:
            return {"why": "gone_team", "rule": number}
        before = as_it_is(self.conversation)
        self.conversation.team, self.conversation.team_id = team, team.id
        happened(None, self.conversation, "routed_team", None, before, name=team.name, rule=number)
        return {"why": "team", "team": team.id, "rule": number}


def to_remind():
    """SELECT of the ids of messages whose conversation should have been somebody's by now."""
    return select(Routed.message_id).where(Routed.remind_at <= now()).order_by(Routed.remind_at)


def remind(message_id):
    """Whoever is to look after what is nobody's is told, once."""
    row = db.session.scalar(select(Routed).where(Routed.message_id == message_id, Routed.remind_at <= now())
                            .with_for_update(key_share=True))
    if row is None:
        return
    row.remind_at = None
    conversation, inbox = (db.session.get(model, key) for model, key in (
        (Conversation, row.conversation_id), (Inbox, row.inbox_id)))
    otherwise = inbox.otherwise or {}
    if still_free(conversation) and otherwise.get("do") == "leave":
        able = {p.id: p for p in able_people(inbox)}
        for person_id in otherwise["people"]:
            if person_id in able:
                tell(able[person_id], "unassigned", key=f"unassigned-{message_id}-{person_id}", inbox=inbox.name,
                     conversation=conversation.id, subject=conversation.subject, who=conversation.who)
    db.session.flush()


def steps_of(decision, routes):
    """As they are kept: with the conditions as they stood then."""
    return [{"n": n, "verdict": step.verdict, "match": route.match,
             "found": [[route.conditions[place], _plain(what)] for place, what in step.found]}
            for n, (step, route) in enumerate(zip(decision.steps, routes, strict=True), 1)]


def kept_of(conversation_id):
    """What was decided last of a conversation, or None."""
    return db.session.scalar(select(Routed).where(
        Routed.conversation_id == conversation_id, Routed.due_at.is_(None)).order_by(
        Routed.at.desc(), Routed.message_id.desc()).limit(1))


def _plain(what):
    return what if what is None or isinstance(what, (str, int, bool)) else str(what)


def _tag(work, action, _number):
    tag = db.session.get(Tag, action["tag"])
    return tag is not None and tags.tag(None, work.conversation, tag.name)


def _move(work, action, number):
    inbox = db.session.get(Inbox, action["inbox"])
    if inbox is None or inbox.deleted_at is not None:
        return False
    return conversations.move(None, work.conversation, inbox)


def _snooze(work, action, _number):
    conversations.snooze(None, work.conversation, now() + timedelta(hours=action["hours"]))


def _close(work, _action, _number):
    conversations.close(None, work.conversation)


def _spam(work, _action, _number):
    conversations.mark_spam(None, work.conversation)


def _answer(work, action, _number):
    template = db.session.get(Template, action["template"])
    return template is not None and autoreply.answer_by_rule(
        work.message, templates.by_itself(template, work.inbox, work.conversation))


def _tell(work, action, number):
    able = {p.id for p in able_people(work.inbox)}
    for person_id in action["people"]:
        if person_id in able:
            tell(db.session.get(Person, person_id), "routed", key=f"routed-{work.message.id}-{person_id}",
                 conversation=work.conversation.id, subject=work.conversation.subject, who=work.conversation.who,
                 inbox=work.inbox.name, rule=number)


def _target(work, action, _number):
    work.conversation.within = action["minutes"]
    answers.say_due(work.conversation)
    db.session.flush()


_DOERS = {"tag": _tag, "move": _move, "snooze": _snooze, "close": _close, "spam": _spam, "answer": _answer,
          "tell": _tell, "target": _target}
