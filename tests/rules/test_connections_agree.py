"""Every cell of the matrix of connections (BEHAVIOUR M1), the same verdict at every place that enforces it:
the pure rule, the form, the actions, and the database alone."""

import threading

import pytest
from mailroom import connected, inbox, person, stored
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from webapp.actions import connections, holds, inboxes, people
from webapp.extensions import db, unit
from webapp.mail.address import login_key
from webapp.models import Connection, Hold
from webapp.models.connection import held
from webapp.models.types import now
from webapp.rules import RuleBroken
from webapp.rules.connections import Held, Holder, ask, check_address

ADDRESS, LOGIN, OTHER = "info@corp.example", "imap.corp.example info@corp.example", "alias@corp.example"
WANTED = ("personal zofia", "personal marek", "team Support", "team Sales", "calendar zofia", "calendar marek",
          "calendar Support")
YES, HERE, TAKEN, SAME, NEVER = "yes", "here already", "taken", "same_mailbox", "team_calendar"

# What the address is already -> the verdict for each of WANTED. "Its login": the mailbox is connected, but under
# another address (two spellings, an alias); a calendar brings no login of a mailbox, so it does not meet it.
MATRIX = {
    "nothing":                       (YES, YES, YES, YES, YES, YES, NEVER),
    "personal zofia":                (HERE, TAKEN, TAKEN, TAKEN, YES, TAKEN, NEVER),
    "team Support":                  (TAKEN, TAKEN, HERE, TAKEN, TAKEN, TAKEN, NEVER),
    "calendar zofia":                (YES, TAKEN, TAKEN, TAKEN, HERE, TAKEN, NEVER),
    "personal and calendar zofia":   (HERE, TAKEN, TAKEN, TAKEN, HERE, TAKEN, NEVER),
    "personal of a removed person":  (TAKEN, TAKEN, TAKEN, TAKEN, TAKEN, TAKEN, NEVER),
    "released by an admin":          (YES, YES, YES, YES, YES, YES, NEVER),
    "personal of somebody deactivated": (TAKEN, TAKEN, TAKEN, TAKEN, TAKEN, TAKEN, NEVER),
    "personal zofia, paused":        (HERE, TAKEN, TAKEN, TAKEN, YES, TAKEN, NEVER),
    "team Support, paused":          (TAKEN, TAKEN, HERE, TAKEN, TAKEN, TAKEN, NEVER),
    "personal zofia, removed":       (YES, YES, YES, YES, YES, YES, NEVER),
    "team Support, removed":         (YES, YES, YES, YES, YES, YES, NEVER),
    "team Support, inbox deleted":   (YES, YES, None, YES, YES, YES, NEVER),
    "its login: personal zofia":     (SAME, TAKEN, TAKEN, TAKEN, YES, YES, NEVER),
    "its login: team Support":       (TAKEN, TAKEN, SAME, TAKEN, YES, YES, NEVER),
}


@pytest.fixture
def organisation(team):
    with unit():
        inboxes.create_inbox(person("zofia"), "Sales")
        people.create_person("Olga", "olga@corp.example", "member")


@pytest.mark.parametrize("already", MATRIX)
def test_every_cell_gets_the_same_verdict_from_rule_form_actions_and_database(organisation, browser_of, already):
    _make(already)
    expected = {w: verdict for w, verdict in zip(WANTED, MATRIX[already], strict=True) if verdict is not None}
    assert {w: _of_the_rule(already, w) for w in expected} == expected
    assert {w: _of_the_actions(w) for w in expected} == expected
    accepted = {w: _of_the_database(w) for w in expected}
    assert accepted == {w: verdict == YES for w, verdict in expected.items()}
    # A form knows the address alone: which mailbox it signs in to is seen when it signs in.
    typed = {w: YES if "its login" in already else verdict for w, verdict in expected.items() if "calendar" not in w}
    assert {w: _of_the_form(browser_of, w) for w in typed} == typed


def test_the_facts_say_who_holds_it_since_when_and_that_the_person_is_gone(organisation):
    _make("personal of a removed person")
    with pytest.raises(RuleBroken) as broken:
        connections.check(person("zofia"), Holder("team", inbox().id), ADDRESS)
    facts = broken.value.facts
    assert (facts["name"], facts["kind"], facts["gone"], facts["uses"]) == ("Olga", "personal", True, ["mail"])
    assert facts["since"] == person("olga").state_at.isoformat()


def test_a_removed_person_made_again_finds_the_connection_and_can_disconnect_it(organisation):
    _make("personal of a removed person")
    with unit():
        olga = people.create_person("Olga", "OLGA@corp.example", "member")
        mine = db.session.scalar(select(Connection).where(Connection.person_id == olga.id))
        assert mine.state == "active"
        connections.disconnect(olga, mine)
    assert _of_the_actions("team Sales") == YES


def test_only_an_admin_releases_and_never_what_an_inbox_holds(organisation):
    _make("personal of a removed person")
    with pytest.raises(RuleBroken) as broken:
        holds.release(person("marek"), db.session.scalar(select(Hold)))
    assert broken.value.code == "admins_only_here"
    connected("team", "sales@corp.example", inbox_name="Sales")
    with pytest.raises(RuleBroken) as broken:
        holds.release(person("zofia"), stored(Hold)[-1])
    assert broken.value.code == "disconnect_it"


@pytest.mark.parametrize(("one", "other", "same"), [
    ("info@corp.example", "  INFO@Corp.Example ", True),
    ("za\u017co\u0301l@corp.example", "za\u017c\u00f3l@corp.example", True),       # NFC
    ("info@bücher.example", "info@xn--bcher-kva.example", True),
    ("info@BÜCHER.example", "info@bücher.example", True),
    ("info@corp.example.", "info@corp.example", True),
    ("info+x@corp.example", "info@corp.example", False),
    ("in.fo@corp.example", "info@corp.example", False),
])
def test_spellings_of_one_address_are_one_and_dots_and_plus_are_never_taken_off(one, other, same):
    assert (check_address(one) == check_address(other)) is same


@pytest.mark.parametrize("text", ["", "info", "@corp.example", "info@", "a@b@c.example", "a b@corp.example",
                                  "info@corp.example\r\nBcc: x@y.example", "Info <info@corp.example>",
                                  "x" * 250 + "@corp.example"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(RuleBroken) as broken:
        check_address(text)
    assert broken.value.code == "not_an_address"


@pytest.mark.parametrize("second", [ADDRESS, OTHER], ids=["one address", "two spellings of one login"])
def test_of_two_who_connect_at_the_same_instant_one_wins_and_the_other_hears_who(app, organisation, database,
                                                                               monkeypatch, second):
    with unit():
        ids = [connections.begin(person(name), "personal", address, "secret-1").id
               for name, address in (("Zofia", ADDRESS), ("Marek", second))]
    barrier, answers = threading.Barrier(2), {}
    if database == "postgresql":         # both have asked, and heard yes, before either stores
        rounds = threading.local()

        def asked_together(*keys):
            answer = held(*keys)
            if not getattr(rounds, "done", False):
                rounds.done = True
                barrier.wait(5)
            return answer
        monkeypatch.setattr(connections, "held", asked_together)

    def claim(connection_id):
        with app.app_context():
            if database == "sqlite":     # its write lock lets only one in at a time
                barrier.wait(5)
            try:
                with unit():
                    connections.claim(db.session.get(Connection, connection_id), LOGIN)
                answers[connection_id] = "won"
            except RuleBroken as broken:
                answers[connection_id] = broken
            finally:
                db.session.remove()

    threads = [threading.Thread(target=claim, args=(i,)) for i in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    db.session.rollback()
    assert sorted(a if a == "won" else a.code for a in answers.values()) == ["taken", "won"], answers
    loser = next(a for a in answers.values() if a != "won")
    winner = next(db.session.get(Connection, i) for i, a in answers.items() if a == "won")
    assert (loser.facts["name"], loser.facts["by_login"]) == (winner.person.name, second != ADDRESS)
    assert len(db.session.scalars(select(Hold)).all()) == 1


def test_one_address_with_two_logins_is_one_account(organisation):
    connected("personal", ADDRESS, "zofia", login=LOGIN)
    for name, verdict in (("marek", TAKEN), ("zofia", "here_already")):
        with pytest.raises(RuleBroken) as broken:
            connections.check(person(name), Holder("personal", person(name).id), ADDRESS.upper())
        assert broken.value.code == verdict
    with pytest.raises(RuleBroken) as broken, unit():       # begun before the other was there, with a login of its own
        row = Connection(address=ADDRESS, person_id=person("marek").id, connected_by_id=person("marek").id)
        db.session.add(row)
        db.session.flush()
        connections.claim(row, "imap.corp.example delegate")
    assert (broken.value.code, broken.value.facts["by_login"]) == (TAKEN, False)


@pytest.mark.parametrize(("one", "other", "same"), [
    ("imap.corp.example Info@corp.example", "IMAP.Corp.Example. info@corp.example", True),
    ("imap.corp.example info", "imap.corp.example info@corp.example", False),
    ("imap.b\u00fccher.example x", "imap.xn--bcher-kva.example x", True),
    ("imap.corp.example info", "imap2.corp.example info", False),
])
def test_spellings_of_one_login_are_one(one, other, same):
    assert (login_key(*one.split(" ")) == login_key(*other.split(" "))) is same


def test_the_second_run_of_the_same_claim_finds_it_done(organisation):
    connection_id = connected(address=ADDRESS, login=LOGIN)
    with unit():
        row = db.session.get(Connection, connection_id)
        assert connections.claim(row, LOGIN).id == row.hold_id


def _make(already):
    """Bring the address, or its login, into this state by the product's own actions."""
    address = OTHER if already.startswith("its login: ") else ADDRESS
    words = already.removeprefix("its login: ").replace(",", "").split()
    if "removed person" in already or "released" in already:
        connected("personal", ADDRESS, "olga", login=LOGIN)
        with unit():
            people.remove_person(None, person("olga"))
            if "released" in already:
                holds.release(person("zofia"), db.session.scalar(select(Hold)))
        return
    if "deactivated" in words:
        connected("personal", ADDRESS, "olga", login=LOGIN)
        with unit():
            person("olga").state = "deactivated"
        return
    if "personal" in words:
        connected("personal", address, "zofia", login=LOGIN)
    if "team" in words:
        connected("team", address, login=LOGIN)
    if "calendar" in words:
        with unit():
            connections.claim(_calendar("zofia", address), None)
    with unit():
        row = db.session.scalar(select(Connection).where(Connection.use == "mail"))
        if words[-1] == "paused":
            holds.pause(person("zofia"), row)
        elif words[-1] == "deleted":
            connections.disconnect(person("zofia"), row)
            inbox("Support").deleted_at = now()
        elif words[-1] == "removed":
            connections.disconnect(person("zofia"), row)


def _wanted(wanted):
    kind, name = wanted.split()
    use, team = ("calendar" if kind == "calendar" else "mail"), name[0].isupper()
    return use, Holder("team", inbox(name).id) if team else Holder("personal", person(name).id)


def _verdict(question):
    try:
        return question()
    except RuleBroken as broken:
        return HERE if broken.code == "here_already" else broken.code


def _of_the_rule(already, wanted):
    """Pure: the state is written down by hand, no table is read."""
    use, holder = _wanted(wanted)
    zofia, support = Holder("personal", person("zofia").id), Holder("team", inbox().id)
    mail, calendar = frozenset({"mail"}), frozenset({"calendar"})
    facts = {
        "personal zofia": Held(zofia, mail), "personal zofia, paused": Held(zofia, mail),
        "team Support": Held(support, mail), "team Support, paused": Held(support, mail),
        "calendar zofia": Held(zofia, calendar), "personal and calendar zofia": Held(zofia, mail | calendar),
        "personal of somebody deactivated": Held(Holder("personal", 998), mail),
        "personal of a removed person": Held(Holder("personal", 999), mail, gone=True),
        "its login: personal zofia": Held(zofia, mail, by_login=True) if use == "mail" else None,
        "its login: team Support": Held(support, mail, by_login=True) if use == "mail" else None,
    }.get(already)
    return _verdict(lambda: ask(holder, use, facts))


def _of_the_actions(wanted):
    """Begin and claim, in a transaction that is rolled back."""
    use, holder = _wanted(wanted)
    actor = person("zofia") if holder.kind == "team" else db.session.get(type(person("zofia")), holder.id)

    def attempt():
        if use == "calendar":
            connections.check(actor, holder, ADDRESS, use)
            connections.claim(_calendar(actor.name, ADDRESS), None)
        else:
            row = connections.begin(actor, holder.kind, ADDRESS, "secret-1",
                                    inbox=inbox(wanted.split()[1]) if holder.kind == "team" else None)
            connections.claim(row, LOGIN)
        return YES
    try:
        return _verdict(attempt)
    finally:
        db.session.rollback()


def _calendar(name, address):
    row = Connection(use="calendar", address=address, person_id=person(name).id, connected_by_id=person(name).id)
    db.session.add(row)
    db.session.flush()
    return row


def _of_the_form(browser_of, wanted):
    """What it says while the address is typed, by the same validator that stops it when it is sent."""
    kind, name = wanted.split()
    with browser_of("zofia" if kind == "team" else name) as client:
        said = client.get(f"/connect/{kind}/hint", query_string={
            "address": ADDRESS, **({"inbox": inbox(name).id} if kind == "team" else {})}).text
    if "hint--danger" not in said:
        return YES
    return HERE if "is connected here already" in said else TAKEN


def _of_the_database(wanted):
    """Does any bare INSERT get through: a hold of one's own, or a use hung on the hold that is there?"""
    use, holder = _wanted(wanted)
    login = LOGIN if use == "mail" else None
    holds = [h.id for h in db.session.scalars(select(Hold))]
    mine = {"person_id" if holder.kind == "personal" else "inbox_id": holder.id}
    actor = person("zofia").id
    db.session.rollback()

    def stores(hold_id):
        with db.engine.connect() as bare:
            try:
                if hold_id is None:
                    hold_id = bare.execute(insert(Hold.__table__).values(
                        address=ADDRESS, address_key=ADDRESS, login_key=login, **mine)).inserted_primary_key[0]
                bare.execute(insert(Connection.__table__).values(
                    address=ADDRESS, use=use, state="active", hold_id=hold_id, connected_by_id=actor, **mine))
                return True
            except IntegrityError:
                return False
            finally:
                bare.rollback()
    verdicts = [stores(hold_id) for hold_id in (None, *holds)]
    return any(verdicts)
