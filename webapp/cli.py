"""`flask --app wsgi ...`: prepare the installation, add a person, compare our places with the server's."""

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade
from sqlalchemy import select

from webapp.actions import inboxes, people
from webapp.extensions import db, unit
from webapp.models import Person
from webapp.rules import RuleBroken


def init_app(app):
    for command in (prepare, add_person, words):
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
            people.create_person(name, email, role, password)
    except RuleBroken as broken:
        from webapp.words import say
        raise click.ClickException(say(broken)) from None


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
