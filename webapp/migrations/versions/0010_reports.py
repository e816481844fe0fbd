"""Until when an answer is due, and what reports count: answers and closings, kept when they happen."""
import sqlalchemy as sa
from alembic import op

import webapp.models.types

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

Moment = webapp.models.types.Moment


def upgrade():
    for name in ("first_within", "later_within", "due_after"):
        op.add_column("inbox", sa.Column(name, sa.Integer()))
    for name in ("asked_at", "due_at"):
        op.add_column("conversation", sa.Column(name, Moment()))
    op.add_column("conversation", sa.Column("asks_first", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("conversation", sa.Column("settled_id", sa.Integer(), server_default="0", nullable=False))
    is_due = sa.text("due_at IS NOT NULL")
    op.create_index("ix_conversation_due", "conversation", ["inbox_id", "due_at", "id"], sqlite_where=is_due,
                    postgresql_where=is_due)
    op.create_index("ix_conversation_opened", "conversation", ["inbox_id", "opened_at", "status"])
    theirs, plain = "conversation_id IS NOT NULL AND auto = 0", "conversation_id IS NOT NULL AND NOT auto"
    op.create_index("ix_message_report", "message", ["at", "conversation_id", "outgoing", "author_id", "auto"],
                    sqlite_where=sa.text(theirs), postgresql_where=sa.text(plain))
    _facts()
    # Closings are events, and known since there are any. Who waits is derived by a job. Answers count from now on.
    op.execute(CLOSINGS[op.get_bind().dialect.name])
    op.execute(SETTLED)
    op.execute("UPDATE inbox SET due_after = 0")


# When its first mail came; of one that was closed before, the first after that.
SINCE = """COALESCE((SELECT MIN(m.at) FROM message m WHERE m.conversation_id = c.id AND NOT m.outgoing AND m.at <= e.at
    AND m.at > (SELECT MAX(b.at) FROM event b WHERE b.conversation_id = c.id AND b.kind = 'closed' AND b.id < e.id)),
    CASE WHEN c.opened_at < e.at THEN c.opened_at ELSE e.at END)"""
# As text: PostgreSQL reads no JSON that speaks of a NUL.
CLOSING = f"""INSERT INTO closing (event_id, conversation_id, inbox_id, person_id, since, at, seconds)
    SELECT id, conversation_id, inbox_id, actor_id, since, at, {{seconds}} FROM (
        SELECT e.id, e.conversation_id, c.inbox_id, e.actor_id, {SINCE} AS since, e.at
        FROM event e JOIN conversation c ON c.id = e.conversation_id
        WHERE e.kind = 'closed' AND c.status <> 'spam' AND CAST(e.facts AS TEXT) NOT LIKE '%"taken_back"%') AS known
    ORDER BY id"""
CLOSINGS = {
    "sqlite": CLOSING.format(seconds="MAX(0, CAST((julianday(at) - julianday(since)) * 86400 AS INTEGER))"),
    "postgresql": CLOSING.format(seconds="GREATEST(0, CAST(EXTRACT(EPOCH FROM at - since) AS INTEGER))")}
# Whoever closed a conversation said that nobody waits there any more.
SETTLED = """UPDATE conversation SET settled_id = COALESCE((SELECT MAX(m.id) FROM message m
    WHERE m.conversation_id = conversation.id AND m.at <= (
        SELECT MAX(closing.at) FROM closing WHERE closing.conversation_id = conversation.id)), 0)
    WHERE EXISTS (SELECT 1 FROM closing WHERE closing.conversation_id = conversation.id)"""


def _facts():
    op.create_table(
        "answer", sa.Column("id", sa.Integer(), nullable=False), sa.Column("message_id", sa.Integer(), nullable=False),
        *_where(), sa.Column("asked_at", Moment(), nullable=False), sa.Column("answered_at", Moment(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False), sa.Column("work_seconds", sa.Integer(), nullable=False),
        sa.Column("is_first", sa.Boolean(), nullable=False), sa.Column("target", sa.Integer()),
        sa.Column("in_time", sa.Boolean()), *_keys("answer"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_answer_message_id"), ondelete="CASCADE"),
        sa.UniqueConstraint("message_id", name=op.f("uq_answer_message_id")))
    op.create_table(
        "closing", sa.Column("id", sa.Integer(), nullable=False), sa.Column("event_id", sa.Integer()), *_where(),
        sa.Column("since", Moment(), nullable=False), sa.Column("at", Moment(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("settled_before", sa.Integer(), server_default="0", nullable=False), *_keys("closing"),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_closing_event_id"), ondelete="SET NULL"),
        sa.UniqueConstraint("event_id", name=op.f("uq_closing_event_id")))
    for table in ("answer", "closing"):
        op.create_index(op.f(f"ix_{table}_conversation_id"), table, ["conversation_id"])
    op.create_index("ix_answer_report", "answer", ["inbox_id", "answered_at", "is_first", "work_seconds", "person_id",
                                                   "in_time"])
    op.create_index("ix_closing_report", "closing", ["inbox_id", "at", "seconds", "person_id"])


def _where():
    return (sa.Column("conversation_id", sa.Integer()), sa.Column("inbox_id", sa.Integer(), nullable=False),
            sa.Column("person_id", sa.Integer()))


def _keys(table):
    named = (("conversation_id", "conversation", "SET NULL"), ("inbox_id", "inbox", None), ("person_id", "person", None))
    return (sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
            *(sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"), ondelete=then)
              for column, other, then in named))


def downgrade():
    raise NotImplementedError("There is no way back from 0006: restore the copy of the data that you made before.")
