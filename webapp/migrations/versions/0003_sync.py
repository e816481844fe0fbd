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
    op.add_column("connection", sa.Column("read_with", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("message", sa.Column("parser_version", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("message", sa.Column("reread_at", Moment()))
    unreadable = sa.text("state = 'unreadable'")
    op.create_index("ix_message_unreadable", "message", ["connection_id"], sqlite_where=unreadable,
                    postgresql_where=unreadable)
    # Whoever is still in a first sync has about that much ahead; the next window says it exactly.
    op.execute("UPDATE folder SET start_uid = high_uid")
    op.execute("UPDATE folder SET ahead = total WHERE low_uid > 0")

    op.create_index(op.f("ix_conversation_possible_reply_to_id"), "conversation", ["possible_reply_to_id"])
    with op.batch_alter_table("conversation") as batch:
        batch.add_column(sa.Column("who_at", Moment()))
        batch.add_column(sa.Column("merged_into_id", sa.Integer()))
        batch.create_foreign_key(op.f("fk_conversation_merged_into_id"), "conversation", ["merged_into_id"], ["id"])
        batch.create_index(op.f("ix_conversation_merged_into_id"), ["merged_into_id"])
        batch.drop_constraint(op.f("ck_conversation_status_known"), type_="check")
        batch.create_check_constraint(op.f("ck_conversation_status_known"),
                                      sa.text("status IN ('open', 'closed', 'merged')"))
    op.execute("UPDATE conversation SET who_at = (SELECT max(at) FROM message WHERE conversation_id = conversation.id "
               "AND NOT outgoing AND NOT bounce AND from_address <> '')")
    # Both databases can do this in place: a batch would write every message anew.
    op.execute("ALTER TABLE message ADD COLUMN moved_id INTEGER CONSTRAINT fk_message_moved_id REFERENCES event (id)")
    with op.batch_alter_table("thread_key") as batch:
        batch.add_column(sa.Column("by", sa.String(), nullable=False, server_default="?"))
        batch.drop_constraint(op.f("pk_thread_key"), type_="primary")
        batch.create_primary_key(op.f("pk_thread_key"), ["inbox_id", "message_id", "conversation_id", "own", "by"])
    _say_who_speaks()


def _say_who_speaks():
    """Keys were a conversation's, without who speaks of what, and one conversation's only. Those are left as they are, for
    nobody's mail; what stored mail says is added, by its sender as he wrote himself."""
    keys, message, conversation = (sa.table(name, *map(sa.column, columns)) for name, columns in (
        ("thread_key", ("inbox_id", "message_id", "conversation_id", "own", "by")),
        ("message", ("id", "conversation_id", "message_id", "outgoing", "sender_ambiguous", "from_address")),
        ("conversation", ("id", "inbox_id"))))
    references = sa.type_coerce(sa.literal_column('message."references"'), sa.JSON)
    after, columns = 0, (*message.c, references.label("mentions"), conversation.c.inbox_id)
    while rows := op.get_bind().execute(sa.select(*columns).join(
            conversation, conversation.c.id == message.c.conversation_id).where(message.c.id > after)
            .order_by(message.c.id).limit(1000)).all():
        after = rows[-1].id
        said = {(r.inbox_id, i[:998], r.conversation_id, i == r.message_id, _writer(r))
                for r in rows for i in (r.message_id, *(r.mentions or ())) if i}
        known = set(map(tuple, op.get_bind().execute(sa.select(*keys.c).where(
            keys.c.conversation_id.in_({r.conversation_id for r in rows})))))
        if new := sorted(said - known):
            op.bulk_insert(keys, [dict(zip(keys.c.keys(), key, strict=True)) for key in new])


def _writer(row):
    """ "": we; "?": nobody, or several."""
    return "" if row.outgoing else "?" if row.sender_ambiguous else (row.from_address or "").strip().lower() or "?"


def downgrade():
    raise NotImplementedError("There is no way back from 0003: restore the copy of the data that you made before.")
