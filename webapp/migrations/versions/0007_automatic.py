"""What happens by itself: which mail is to be answered by a machine, such answers without an author, old spam."""
import sqlalchemy as sa
from alembic import op

import webapp.models.types

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

Moment = webapp.models.types.Moment


def upgrade():
    op.add_column("message", sa.Column("answer_due_at", Moment()))
    due, spam = sa.text("answer_due_at IS NOT NULL"), sa.text("status = 'spam'")
    op.create_index("ix_message_answer_due", "message", ["answer_due_at"], sqlite_where=due, postgresql_where=due)
    op.create_index("ix_conversation_spam", "conversation", ["status_at"], sqlite_where=spam, postgresql_where=spam)
    erased = sa.text("erased_at IS NOT NULL AND raw_sha256 IS NOT NULL")
    op.create_index("ix_message_erased", "message", ["erased_at"], sqlite_where=erased, postgresql_where=erased)
    for table, column in (("message", "raw_sha256"), ("attachment", "sha256"), ("draft_file", "sha256"),
                          ("outbox", "raw_sha256")):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    with op.batch_alter_table("outbox") as batch:
        batch.alter_column("author_id", existing_type=sa.Integer(), nullable=True)


def downgrade():
    raise NotImplementedError("There is no way back from 0006: restore the copy of the data that you made before.")
