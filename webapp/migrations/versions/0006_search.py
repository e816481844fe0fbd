"""Search: an index of words, one document for each message and each note. What is stored already is taken up by a job
(jobs.indexing), the newest first."""
import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# (table, what erases a row's words)
ERASED = (("message", "erased_at"), ("note", "removed_at"))


def upgrade():
    wordless = sa.text("words_id IS NULL")
    for table, _erased in ERASED:
        # Both databases can do this in place: a batch would write every message anew.
        op.add_column(table, sa.Column("words_id", sa.BigInteger()))
        op.create_index(f"ix_{table}_wordless", table, ["id"], sqlite_where=wordless, postgresql_where=wordless)
    (_postgresql if op.get_bind().dialect.name == "postgresql" else _sqlite)()


def downgrade():
    raise NotImplementedError("There is no way back from 0006: restore the copy of the data that you made before.")


def _sqlite():
    """The words come folded and parted by single spaces: SQLite is to do nothing else to them. What goes or is erased
    takes its words along, whoever does it."""
    op.execute("CREATE VIRTUAL TABLE search_words USING fts5(sender, people, head, body, columnsize=0, tokenize='ascii')")
    for table, erased in ERASED:
        gone = "DELETE FROM search_words WHERE rowid = OLD.words_id;"
        for name, when in (("gone", f"DELETE ON {table} WHEN OLD.words_id IS NOT NULL"),
                           ("erased", f"UPDATE OF {erased} ON {table} WHEN OLD.words_id IS NOT NULL "
                                      f"AND NEW.{erased} IS NOT NULL")):
            op.execute(f"CREATE TRIGGER search_{table}_{name} AFTER {when} BEGIN {gone} END")


def _postgresql():
    op.execute("CREATE TABLE search_words (id BIGINT CONSTRAINT pk_search_words PRIMARY KEY, words TSVECTOR NOT NULL)")
    op.execute("CREATE INDEX ix_search_words ON search_words USING gin (words)")
    op.execute("CREATE FUNCTION search_forget() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
               "DELETE FROM search_words WHERE id = OLD.words_id; RETURN NULL; END $$")
    for table, erased in ERASED:
        for name, when, more in (("gone", "DELETE", ""), ("erased", f"UPDATE OF {erased}", f"AND NEW.{erased} IS NOT NULL")):
            op.execute(f"CREATE TRIGGER search_{table}_{name} AFTER {when} ON {table} FOR EACH ROW "
                       f"WHEN (OLD.words_id IS NOT NULL {more}) EXECUTE FUNCTION search_forget()")
