"""What the migrations make is what the models describe."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from webapp.extensions import db


def test_the_migrated_database_and_the_models_are_the_same(app):
    with db.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), db.metadata)
    ours = [d for d in differences if "blob" not in str(d)]      # the blob store makes its own table
    assert ours == []
