"""How Alembic reaches our database: through the application's engine, all new migrations in one transaction.

SQLite rebuilds a table to change it: with foreign keys on, dropping the old one would ask, or delete, every row that
points to it. So they are off meanwhile, and checked before the commit.
"""

from alembic import context
from flask import current_app

from webapp.extensions import db, writing

context.config.set_main_option("sqlalchemy.url", str(db.engine.url).replace("%", "%%"))


def run():
    arguments = current_app.extensions["migrate"].configure_args
    token = writing.set(True)
    try:
        with db.engine.connect() as connection:
            sqlite = connection.dialect.name == "sqlite"
            if sqlite:
                connection.connection.execute("PRAGMA foreign_keys=OFF")
            try:
                context.configure(connection=connection, target_metadata=db.metadata, **arguments)
                with context.begin_transaction():
                    context.run_migrations()
                if sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
                    raise RuntimeError(f"the migration breaks a foreign key: {tuple(broken)}")
                connection.commit()
            finally:
                if sqlite:
                    connection.rollback()
                    connection.connection.execute("PRAGMA foreign_keys=ON")
    finally:
        writing.reset(token)


run()
