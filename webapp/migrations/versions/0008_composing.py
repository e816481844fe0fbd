"""What is sent knows the composer that it came from, so that it is sent once, and the draft that it was."""
import sqlalchemy as sa
from alembic import op

import webapp.models.types

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

Moment = webapp.models.types.Moment


def upgrade():
    for table in ("draft", "outbox"):
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("token", sa.String(64)))
            if table == "outbox":
                batch.add_column(sa.Column("written", sa.JSON()))
                batch.add_column(sa.Column("claimed_at", Moment()))
            batch.create_unique_constraint(op.f(f"uq_{table}_token"), ["token"])
    op.create_index("ix_outbox_claimed", "outbox", ["connection_id", "claimed_at"])


def downgrade():
    raise NotImplementedError("There is no way back from 0006: restore the copy of the data that you made before.")
