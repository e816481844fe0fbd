"""Rules that route mail, whose turn it is, who is there, and whose contact it is."""
import sqlalchemy as sa
from alembic import op

from webapp.models.types import Moment

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
WAITS, DUE, REMIND = (sa.text(f"{name} IS NOT NULL") for name in ("waits", "due_at", "remind_at"))


def upgrade():
    _rules()
    _decisions()
    op.create_table(
        "absence", sa.Column("id", sa.Integer(), nullable=False), sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False), sa.Column("last", sa.Date(), nullable=False),
        sa.Column("hand_over", sa.Boolean(), nullable=False), sa.Column("handed_at", Moment()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")), _to("absence", "person_id", "person"),
        sa.CheckConstraint("first <= last", name=op.f("ck_absence_ends_after_it_begins")))
    op.create_index(op.f("ix_absence_person_id"), "absence", ["person_id"])
    op.add_column("person", sa.Column("is_away", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("person", sa.Column("hours", sa.JSON()))
    op.add_column("inbox", sa.Column("otherwise", sa.JSON()))
    op.add_column("inbox", sa.Column("open_most", sa.Integer()))
    op.add_column("conversation", sa.Column("within", sa.Integer()))
    op.execute("ALTER TABLE contact ADD COLUMN owner_id INTEGER CONSTRAINT fk_contact_owner_id_person "
               "REFERENCES person (id)")
    op.create_index(op.f("ix_contact_owner_id"), "contact", ["owner_id"])


def _rules():
    op.create_table(
        "route", sa.Column("id", sa.Integer(), nullable=False), sa.Column("inbox_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False), sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("match", sa.String(), nullable=False), sa.Column("conditions", sa.JSON(), nullable=False),
        sa.Column("actions", sa.JSON(), nullable=False), sa.Column("go_on", sa.Boolean(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route")), _to("route", "inbox_id", "inbox"),
        sa.CheckConstraint("match IN ('all', 'any', 'none')", name=op.f("ck_route_match_known")))
    op.create_index("ix_route_inbox", "route", ["inbox_id", "position", "id"])
    op.create_table(
        "route_hit", sa.Column("route_id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False), sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("route_id", "message_id", name=op.f("pk_route_hit")),
        _to("route_hit", "route_id", "route"), _to("route_hit", "message_id", "message"))
    op.create_index("ix_route_hit_at", "route_hit", ["route_id", "at"])
    op.create_index(op.f("ix_route_hit_message_id"), "route_hit", ["message_id"])


def _decisions():
    op.create_table(
        "routed", sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("inbox_id", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False), sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("due_at", Moment()), sa.Column("remind_at", Moment()), sa.Column("waits", sa.JSON()), sa.PrimaryKeyConstraint("message_id", name=op.f("pk_routed")),
        _to("routed", "message_id", "message"), _to("routed", "inbox_id", "inbox"))
    op.create_index("ix_routed_waits", "routed", ["inbox_id", "at", "message_id"], sqlite_where=WAITS,
                    postgresql_where=WAITS)
    op.create_index("ix_routed_remind", "routed", ["remind_at"], sqlite_where=REMIND, postgresql_where=REMIND)
    op.create_index("ix_routed_due", "routed", ["due_at"], sqlite_where=DUE, postgresql_where=DUE)
    op.create_table(
        "turn", sa.Column("inbox_id", sa.Integer(), nullable=False), sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("inbox_id", "person_id", name=op.f("pk_turn")),
        _to("turn", "inbox_id", "inbox"), _to("turn", "person_id", "person"))


def _to(table, column, other):
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"),
                                   ondelete="CASCADE")


def downgrade():
    raise NotImplementedError("There is no way back from 0012: restore the copy of the data that you made before.")
