"""How Alembic reaches our database: through the application's engine, in one transaction a migration."""

from alembic import context
from flask import current_app

from webapp.extensions import db

context.config.set_main_option("sqlalchemy.url", str(db.engine.url).replace("%", "%%"))


def run():
    arguments = current_app.extensions["migrate"].configure_args
    with db.engine.connect() as connection:
        context.configure(connection=connection, target_metadata=db.metadata, **arguments)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
