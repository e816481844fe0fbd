"""What the migrations make is what the models describe."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from webapp.extensions import db


def test_the_migrated_database_and_the_models_are_the_same(app):
    with db.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), db.metadata)
    # The blob store makes its own table; the index of words is no table that a model could describe.
    ours = [d for d in differences if "blob" not in str(d) and "search_words" not in str(d)]
    assert ours == []
