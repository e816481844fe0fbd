"""What few rows have is found by an index: reports on a message, mail that was moved by hand, unread notices. Files that
leave a draft are noted, so that their bytes can be forgotten."""
import sqlalchemy as sa
from alembic import op

import webapp.models.types

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

Moment = webapp.models.types.Moment
NOTE = ("INSERT INTO left_file (sha256, at) VALUES (OLD.sha256, {now}) "
        "ON CONFLICT (sha256) DO UPDATE SET at = excluded.at;")


def upgrade():
    for name, table, column, condition in (
            ("ix_message_bounce_of", "message", "bounce_of_id", "bounce_of_id IS NOT NULL"),
            ("ix_message_moved", "message", "moved_id", "moved_id IS NOT NULL"),
            ("ix_notice_unread", "notice", "person_id", "read_at IS NULL")):
        op.create_index(name, table, [column], sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))
    op.create_table(
        "left_file", sa.Column("id", sa.Integer(), nullable=False), sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("at", Moment(), nullable=False), sa.PrimaryKeyConstraint("id", name=op.f("pk_left_file")),
        sa.UniqueConstraint("sha256", name=op.f("uq_left_file_sha256")))
    op.create_index(op.f("ix_left_file_at"), "left_file", ["at"])
    if op.get_bind().dialect.name == "postgresql":
        note = NOTE.format(now="timezone('utc', clock_timestamp())")
        op.execute(f"CREATE FUNCTION note_left_file() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {note} "
                   "RETURN NULL; END $$")
        op.execute("CREATE TRIGGER draft_file_left AFTER DELETE ON draft_file FOR EACH ROW "
                   "EXECUTE FUNCTION note_left_file()")
    else:
        note = NOTE.format(now="strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'")
        op.execute(f"CREATE TRIGGER draft_file_left AFTER DELETE ON draft_file BEGIN {note} END")


def downgrade():
    raise NotImplementedError("There is no way back from 0006: restore the copy of the data that you made before.")
