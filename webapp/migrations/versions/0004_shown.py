"""What is kept so that mail from strangers is shown safely and well: pictures, previews, what a sender proved."""
import sqlalchemy as sa
from alembic import op

import webapp.models.types
from webapp.models.contact import domain_of, skeleton

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Moment = webapp.models.types.Moment


def upgrade():
    _pictures()
    _senders()
    _files()


def downgrade():
    raise NotImplementedError("There is no way back from 0004: restore the copy of the data that you made before.")


def _pictures():
    op.create_table(
        "picture", sa.Column("id", sa.Integer(), nullable=False), sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False), sa.Column("state", sa.String(), nullable=False),
        sa.Column("why", sa.String()), sa.Column("sha256", sa.String(64)),
        sa.Column("version", sa.Integer(), nullable=False), sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False), sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False), sa.Column("at", Moment(), nullable=False),
        sa.Column("shown_at", Moment(), nullable=False),
        sa.CheckConstraint("state IN ('wanted', 'stored', 'failed')", name=op.f("ck_picture_state_known")),
        sa.CheckConstraint("state <> 'stored' OR sha256 IS NOT NULL", name=op.f("ck_picture_stored_is_there")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_picture_message_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture")),
        sa.UniqueConstraint("message_id", "number", name=op.f("uq_picture_message_id_number")))
    wanted = sa.text("state = 'wanted'")
    op.create_index("ix_picture_wanted", "picture", ["at"], sqlite_where=wanted, postgresql_where=wanted)
    op.create_index(op.f("ix_picture_sha256"), "picture", ["sha256"])
    op.create_index(op.f("ix_picture_shown_at"), "picture", ["shown_at"])
    op.create_table(
        "picture_leave", sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False), sa.Column("scope", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False), sa.Column("until", Moment()),
        sa.Column("made_at", Moment(), nullable=False),
        sa.CheckConstraint("scope IN ('message', 'sender', 'domain')", name=op.f("ck_picture_leave_scope_known")),
        sa.CheckConstraint("(scope = 'message') = (until IS NOT NULL)", name=op.f("ck_picture_leave_once_ends")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_picture_leave_person_id"),
                                ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture_leave")),
        sa.UniqueConstraint("person_id", "scope", "value", name=op.f("uq_picture_leave_person_id_scope_value")))


def _senders():
    with op.batch_alter_table("connection") as batch:
        batch.add_column(sa.Column("authserv_id", sa.String()))
        batch.create_check_constraint(op.f("ck_connection_authserv_id_length"), sa.text("length(authserv_id) <= 500"))
    # Both databases can do this in place: a batch would write every message anew.
    op.add_column("message", sa.Column("sender_hides", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("message", sa.Column("authentication", sa.JSON()))
    op.add_column("message", sa.Column("invitation", sa.JSON()))
    op.add_column("conversation", sa.Column("who_address", sa.String(), nullable=False, server_default=""))
    op.execute("UPDATE conversation SET who_address = coalesce((SELECT from_address FROM message WHERE "
               "conversation_id = conversation.id AND NOT outgoing AND NOT bounce AND from_address <> '' "
               "ORDER BY at DESC, id DESC LIMIT 1), '')")
    known = op.create_table(
        "known_domain", sa.Column("domain", sa.String(), nullable=False),
        sa.Column("skeleton", sa.String(), nullable=False), sa.Column("since", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_known_domain")))
    op.create_index(op.f("ix_known_domain_skeleton"), "known_domain", ["skeleton"])
    since = {}
    for key, at in op.get_bind().execute(sa.text(
            "SELECT address_key, created_at FROM contact_address JOIN contact ON contact.id = contact_id")
            .columns(sa.column("address_key", sa.String), sa.column("created_at", Moment))):
        domain = domain_of(key)
        since[domain] = min(at, since.get(domain, at))
    op.bulk_insert(known, [{"domain": d, "skeleton": skeleton(d), "since": at} for d, at in since.items()])


def _files():
    op.create_table(
        "scan", sa.Column("sha256", sa.String(64), nullable=False), sa.Column("state", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False), sa.Column("at", Moment(), nullable=False),
        sa.CheckConstraint("state IN ('clean', 'infected', 'too_large', 'away')", name=op.f("ck_scan_state_known")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_scan")))
