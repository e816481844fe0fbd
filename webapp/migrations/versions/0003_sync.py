"""Following the server: flags, deletions, new numberings, how far back, and the comparison with its messages."""
import sqlalchemy as sa
from alembic import op

import webapp.models.types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Moment = webapp.models.types.Moment


def upgrade():
    with op.batch_alter_table("connection") as batch:
        batch.add_column(sa.Column("history", sa.String(), nullable=False, server_default="all"))
        batch.add_column(sa.Column("history_until", Moment()))
        batch.create_check_constraint(op.f("ck_connection_history_known"),
                                      sa.text("history IN ('all', 'year', 'quarter', 'new')"))
    with op.batch_alter_table("folder") as batch:
        for name in ("start_uid", "ahead", "renumberings", "missing", "extra"):
            kind = sa.BigInteger() if name == "start_uid" else sa.Integer()
            batch.add_column(sa.Column(name, kind, nullable=False, server_default="0"))
        batch.add_column(sa.Column("uidnext", sa.BigInteger()))
        for name in ("flags_at", "renumbered_at", "reconciled_at"):
            batch.add_column(sa.Column(name, Moment()))
    # Whoever is still in a first sync has about that much ahead; the next window says it exactly.
    op.execute("UPDATE folder SET start_uid = high_uid")
    op.execute("UPDATE folder SET ahead = total WHERE low_uid > 0")

    op.create_index(op.f("ix_conversation_possible_reply_to_id"), "conversation", ["possible_reply_to_id"])


def downgrade():
    raise NotImplementedError("There is no way back from 0003: restore the copy of the data that you made before.")
