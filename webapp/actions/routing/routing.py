"""A mail is routed: its rules are read, what they say is done, and why is kept."""

from datetime import timedelta

from sqlalchemy import exists, select, update

from webapp.actions import answers, autoreply, conversations, tags, templates
from webapp.actions.acts import as_it_is, happened
from webapp.actions.locks import lock_conversation, lock_inbox
from webapp.actions.notices import tell
from webapp.actions.routing.dividing import GIVES, PASSES, choice_of, hand_to, still_free
from webapp.actions.routing.facts import mail_of
from webapp.actions.routing.known import able_people, routes_of, rule_of
from webapp.extensions import db
from webapp.live import announce
from webapp.models import Conversation, Event, Inbox, Message, Person, Route, Routed, RouteHit, Tag, Template
from webapp.models.rows import write_rows
from webapp.models.types import now
from webapp.queue import later
from webapp.rules import RuleBroken
from webapp.rules.routing import decide

JOB = "webapp.jobs.routing.route"
FOLDERS = autoreply.FOLDERS     # what a server calls junk is nobody's work
OPENED = ("reopened_by_mail", "woke_by_mail")
ORDER = ("move", "tag", "target", "snooze", "close", "spam", "answer", "tell")
BEFORE = ("move", "tag", "target")      # somebody gets it


def note_due(connection, folder, fresh):
    """`fresh`: Rows of Message that were just filed and written. Mail that came after its address was connected is to
    be routed where it opens a conversation, or opens one again that nobody has."""
    inbox = connection.inbox
    if folder.role not in FOLDERS or not (inbox.otherwise or db.session.scalar(select(Route.id).where(
            Route.inbox_id == inbox.id, Route.is_on).limit(1))):
        return
    since = max(filter(None, (connection.created_at, connection.history_until)))
    for m in fresh:
        if not m.outgoing and not m.bounce and m.conversation_id and m.at > since and _calls_for_it(m, inbox):
            db.session.add(Routed(message_id=m.id, inbox_id=inbox.id, due_at=now(), facts={}))
            later(JOB, m.id)
    db.session.flush()


def _calls_for_it(message, inbox):
    conversation = db.session.get(Conversation, message.conversation_id)
    if not still_free(conversation) or conversation.inbox_id != inbox.id:
        return False
    before = exists().where(Message.conversation_id == conversation.id, Message.id < message.id, ~Message.outgoing)
    again = exists().where(Event.conversation_id == conversation.id, Event.kind.in_(OPENED), Event.at == message.at)
    is_later, is_again = db.session.execute(select(before, again)).one()
    return is_again or not is_later


def due():
    """SELECT of the ids of messages that are to be routed."""
    return select(Routed.message_id).where(Routed.due_at <= now()).order_by(Routed.due_at, Routed.message_id)


def route(message_id):
    """Decide, do, and keep why. True when it was done now. The rules are read first; then every inbox that it may lie
    in is locked, in the order of their numbers, for turns are taken one by one; then the conversation."""
    found = db.session.get(Routed, message_id)
    if found is None or found.due_at is None:
        return False
    message, inbox = db.session.get(Message, message_id), db.session.get(Inbox, found.inbox_id)
    if message.conversation is None:
        return _was_faster(found)
    decided = _Decided(message, message.conversation, inbox)
    for number in sorted({inbox.id, decided.moves_to or inbox.id}):
        lock_inbox(number)
    conversation = lock_conversation(message.conversation_id)
    won = db.session.execute(update(Routed).where(Routed.message_id == message_id, Routed.due_at.is_not(None))
                             .values(due_at=None).execution_options(synchronize_session=False)).rowcount
    if won != 1:
        return False
    db.session.refresh(found)
    db.session.refresh(message, ["conversation_id"])
    if conversation is None or message.conversation_id != conversation.id or inbox.deleted_at is not None or (
            not still_free(conversation) or conversation.inbox_id != inbox.id):
        return _was_faster(found)
    _Work(inbox, conversation, message, found, decided).do()
    return True


def _was_faster(found):
    found.due_at, found.facts = None, {"why": "taken", "inbox": found.inbox_id}
    db.session.flush()
    return False


class _Decided:
    """What the rules of an inbox, as they stand now, say of a mail."""

    def __init__(self, message, conversation, inbox):
        self.routes = routes_of(inbox.id)
        self.numbers = {route.id: n for n, route in enumerate(self.routes, 1)}
        self.decision = decide([rule_of(r) for r in self.routes], mail_of(message, conversation, inbox))
        self.moves_to = (self.decision.action("move") or {}).get("inbox")


class _Work:
    def __init__(self, inbox, conversation, message, kept, decided):
        self.inbox, self.conversation, self.message, self.kept = inbox, conversation, message, kept
        self.routes, self.numbers, self.decision = decided.routes, decided.numbers, decided.decision
        self.did, self.failed = [], []

    def do(self):
        """In this order: where it lies decides whose it can be, and what is put off is somebody's before that."""
        there = set(db.session.scalars(select(Route.id).where(Route.id.in_(self.decision.matched))))
        write_rows(RouteHit, [{"route_id": i, "message_id": self.message.id, "at": now()}
                              for i in self.decision.matched if i in there], known_ok=True)
        actions = sorted(((i, a) for i, a in self.decision.actions if a["do"] not in GIVES),
                         key=lambda pair: ORDER.index(pair[1]["do"]))
        for route_id, action in actions:
            if action["do"] in BEFORE:
                self._act(route_id, action)
        answers.say_due(self.conversation)
        assigned = self._assign()
        for route_id, action in actions:
            if action["do"] not in BEFORE:
                self._act(route_id, action)
        self._remind()
        self.kept.facts = {"inbox": self.inbox.id, "steps": steps_of(self.decision, self.routes), "did": self.did,
                           "failed": self.failed, **assigned}
        db.session.flush()
        announce(f"conversation-{self.conversation.id}", f"inbox-{self.inbox.id}")

    def _act(self, route_id, action):
        """What it names may be gone meanwhile: then that is kept, and shown on the rule."""
        try:
            done = _DOERS[action["do"]](self, action, self.numbers[route_id])
        except RuleBroken as broken:
            done, action = False, {**action, "code": broken.code}
        (self.failed if done is False else self.did).append({"rule": self.numbers[route_id], **action})

    def _assign(self):
        """Who gets it, where it is still open, and nobody's, and will be somebody's work."""
        if not gives_work(self.decision):
            return {}
        inbox = self.conversation.inbox        # it may have been moved
        route_id, action = giving(self.decision, inbox)
        chosen, number = choice_of(inbox, action, self._owner()), self.numbers.get(route_id)
        if chosen.person is not None:
            hand_to(inbox, self.conversation, chosen.person, chosen.why, rule=number)
        elif chosen.team is not None:
            self._to_team(chosen.team, number)
        elif chosen.why in PASSES:
            self.kept.waits, self.kept.inbox_id = chosen.group, inbox.id
        who = {"to": chosen.person and chosen.person.id, "team": chosen.team and chosen.team.id, "group": chosen.group}
        return {"why": chosen.why, "rule": number, **{name: value for name, value in who.items() if value}}

    def _remind(self):
        otherwise = self.conversation.inbox.otherwise or {}
        if otherwise.get("do") == "leave" and still_free(self.conversation):
            self.kept.remind_at = now() + timedelta(minutes=otherwise["minutes"])
            self.kept.inbox_id = self.conversation.inbox_id

    def _owner(self):
        return self.conversation.contact.owner_id if self.conversation.contact is not None else None

    def _to_team(self, team, number):
        before = as_it_is(self.conversation)
        self.conversation.team, self.conversation.team_id = team, team.id
        happened(None, self.conversation, "routed_team", None, before, name=team.name, rule=number)


def gives_work(decision):
    """Is it somebody's work, as the rules have it?"""
    return decision.action("close", "spam") is None


def giving(decision, inbox):
    """(the rule's id, or None; the action that says whose it is, or None). `inbox`: where it lies by then."""
    given = next(((i, a) for i, a in decision.actions if a["do"] in GIVES), None)
    return given or (None, inbox.otherwise)


def to_remind():
    """SELECT of the ids of messages whose conversation should have been somebody's by now."""
    return select(Routed.message_id).where(Routed.remind_at <= now()).order_by(Routed.remind_at)


def remind(message_id):
    """Whoever is to look after what is nobody's is told, once; of what is put off, when that is over."""
    row = db.session.scalar(select(Routed).where(Routed.message_id == message_id, Routed.remind_at <= now())
                            .with_for_update(key_share=True))
    if row is None:
        return
    row.remind_at, inbox = None, db.session.get(Inbox, row.inbox_id)
    conversation, otherwise = db.session.get(Message, message_id).conversation, inbox.otherwise or {}
    if conversation is not None and conversation.inbox_id == inbox.id and otherwise.get("do") == "leave":
        if still_free(conversation):
            _tell_of(conversation, inbox, otherwise["people"], message_id)
        elif conversation.status == "snoozed" and conversation.assignee_id is None and conversation.snoozed_until:
            row.remind_at = conversation.snoozed_until + timedelta(minutes=otherwise["minutes"])
    db.session.flush()


def _tell_of(conversation, inbox, people, message_id):
    able = {p.id: p for p in able_people(inbox)}
    for person_id in people:
        if person_id in able:
            tell(able[person_id], "unassigned", key=f"unassigned-{message_id}-{person_id}", inbox=inbox.name,
                 conversation=conversation.id, subject=conversation.subject, who=conversation.who)


def steps_of(decision, routes):
    """As they are kept: with the conditions as they stood then."""
    return [{"n": n, "verdict": step.verdict, "match": route.match,
             "found": [[route.conditions[place], _plain(what)] for place, what in step.found]}
            for n, (step, route) in enumerate(zip(decision.steps, routes, strict=True), 1)]


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


_DOERS = {"tag": _tag, "move": _move, "snooze": _snooze, "close": _close, "spam": _spam, "answer": _answer,
          "tell": _tell, "target": _target}
