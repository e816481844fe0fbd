"""Addresses to write from that have no mailbox of their own."""
import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "alias",
        sa.Column("hold_id", sa.Integer(), nullable=False),
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.id"], name=op.f("fk_alias_hold_id_hold"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name=op.f("fk_alias_connection_id_connection"),
                                ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_alias")))
    op.create_index(op.f("ix_alias_connection_id"), "alias", ["connection_id"])


def downgrade():
    raise NotImplementedError("There is no way back from 0011: restore the copy of the data that you made before.")
