"""`flask --app wsgi ...`: prepare the installation, add a person, check the audit log, compare mailboxes with their
servers, update the catalogue."""

import sys

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade
from sqlalchemy import select

from webapp.actions import audit as audit_log
from webapp.actions import inboxes, people
from webapp.extensions import db, unit
from webapp.models import Connection, Person
from webapp.models.secret import SETUP, ensure_setup_code, forget_setup_code
from webapp.rules import RuleBroken


def init_app(app):
    for command in (prepare, add_person, audit, reconcile, words):
        app.cli.add_command(command)


@click.command()
@with_appcontext
def prepare():
    """Bring database and blob store up to date; in demo mode, add the demo company's people."""
    settings = current_app.config["SETTINGS"]
    upgrade()
    current_app.extensions["blobs"].ensure()
    with unit():
        inboxes.ensure_default_inbox("Obsługa klienta" if settings.demo else "Inbox")
        if settings.demo:
            _seed_demo()
        empty = not db.session.scalar(select(Person.id).limit(1))
    if empty:
        ensure_setup_code(settings.folder)
        click.echo(f"Nobody is in yet. The first admin needs the code in {settings.folder / SETUP}.")
    else:
        forget_setup_code(settings.folder)


@click.command("add-person")
@click.argument("name")
@click.argument("email")
@click.option("--role", type=click.Choice(["admin", "member", "viewer"]), default="member")
@click.password_option()
@with_appcontext
def add_person(name, email, role, password):
    """Add somebody who may sign in."""
    try:
        with unit():
            people.add_person(None, name, email, role, password)
        forget_setup_code(current_app.config["SETTINGS"].folder)
    except RuleBroken as broken:
        from webapp.words import say
        raise click.ClickException(say(broken)) from None


REASONS = {"missing": "is missing", "changed": "was changed", "unchained": "doesn’t follow the one before",
           "head": "isn’t the newest that was written: the end is missing, or was added by hand"}


@click.command()
@click.option("--expect", metavar="DIGEST", help="A newest digest that this command printed earlier.")
@with_appcontext
def audit(expect):
    """Check the audit log's chain. Write the newest digest down elsewhere, and give it back later with --expect: who
    writes the whole log anew can’t make it again."""
    count, newest, wrong = audit_log.verify()
    click.echo(f"{count} rows, newest digest {newest}")
    for number, reason in wrong:
        click.echo(f"number {number} {REASONS[reason]}")
    if expect:
        number = audit_log.number_of(expect)
        click.echo(f"{expect} is number {number}" if number else f"no row has the digest {expect}: it is another log")
    if wrong or expect and not number:
        sys.exit(1)
    click.echo("unbroken")


@click.command()
@click.argument("address", required=False)
@with_appcontext
def reconcile(address):
    """Compare the messages of every mailbox, or of one ADDRESS, with those on its server. What is missing is fetched,
    what is no longer there is marked so. Ends with 1 when a mailbox could not be compared."""
    from webapp.jobs import sync
    key = (address or "").strip().lower()
    rows = [(c.id, c.address) for c in db.session.scalars(select(Connection).where(
        Connection.state.in_(("active", "paused")), Connection.use == "mail").order_by(Connection.id))
        if not address or c.address.lower() == key]
    db.session.rollback()
    failed = not rows
    if not rows:
        click.echo(f"{address} isn’t connected." if address else "No mailbox is connected.")
    for connection_id, name in rows:
        results, trouble = sync.compare(connection_id)
        for found in results:
            click.echo("{0}  {folder}  server={server} stored={stored} missing={missing} extra={extra}".format(
                name, **found))
        if trouble:
            click.echo(f"{name}  not compared: {trouble}")
            failed = True
    if failed:
        sys.exit(1)


@click.command()
def words():
    """Bring the Polish catalogue up to date with the code: collect, update, compile. Names what wants a translation."""
    from webapp.words import catalogue  # reads every source file and template; only developers ask for that
    wanting = catalogue.refresh()
    for sentence in wanting:
        click.echo(sentence)
    click.echo(f"{len(wanting)} sentences want a translation in {catalogue.PO.relative_to(catalogue.ROOT)}.")


def _seed_demo():
    """People only; their mail comes through the demo's mail servers. The removed one held an address while there."""
    from webapp.demo.seed import seed
    if not db.session.scalar(select(Person.id).limit(1)):
        seed()
