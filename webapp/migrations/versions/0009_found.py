"""What few rows have is found by an index: reports on a message, mail that was moved by hand, unread notices."""
import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade():
    for name, table, column, condition in (
            ("ix_message_bounce_of", "message", "bounce_of_id", "bounce_of_id IS NOT NULL"),
            ("ix_message_moved", "message", "moved_id", "moved_id IS NOT NULL"),
            ("ix_notice_unread", "notice", "person_id", "read_at IS NULL")):
        op.create_index(name, table, [column], sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))


def downgrade():
    raise NotImplementedError("There is no way back from 0006: restore the copy of the data that you made before.")
