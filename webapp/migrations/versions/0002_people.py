"""People, teams, one-time links, notices, requests for an address, and the audit log as a chain."""
import json

import sqlalchemy as sa
from alembic import op

import webapp.models.types
from webapp.models.audit import BEGINNING, digest_of

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Moment = webapp.models.types.Moment


def upgrade():
    _people()
    _teams()
    _notices()
    _connections()
    _audit()


def downgrade():
    raise NotImplementedError("There is no way back from 0002: restore the copy of the data that you made before.")


def _people():
    with op.batch_alter_table("person") as batch:
        batch.add_column(sa.Column("title", sa.String(), nullable=False, server_default=""))
        batch.add_column(sa.Column("last_seen_at", Moment()))
        batch.add_column(sa.Column("state_by_id", sa.Integer()))
        batch.alter_column("removed_at", new_column_name="state_at")
        batch.create_foreign_key(op.f("fk_person_state_by_id"), "person", ["state_by_id"], ["id"])
        batch.drop_constraint(op.f("ck_person_state_known"), type_="check")
        batch.create_check_constraint(op.f("ck_person_state_known"),
                                      sa.text("state IN ('invited', 'active', 'deactivated', 'removed')"))
        batch.create_check_constraint(op.f("ck_person_title_length"), sa.text("length(title) <= 100"))
    with op.batch_alter_table("sign_in") as batch:
        batch.add_column(sa.Column("last_seen_at", Moment(), nullable=False, server_default="2026-11-23 00:00:00"))
        batch.add_column(sa.Column("ip", sa.String(), nullable=False, server_default=""))
    op.execute("UPDATE sign_in SET last_seen_at = created_at")
    op.drop_table("sign_in_failure")
    op.create_table(
        "try",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_try")))
    op.create_index(op.f("ix_try_subject"), "try", ["subject"])
    op.create_index(op.f("ix_try_at"), "try", ["at"])
    op.create_table(
        "link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("person_id", sa.Integer()),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("made_by_id", sa.Integer()),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("used_at", Moment()),
        sa.CheckConstraint("purpose IN ('invite', 'reset', 'email')", name=op.f("ck_link_purpose_known")),
        sa.ForeignKeyConstraint(["made_by_id"], ["person.id"], name=op.f("fk_link_made_by_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_link_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link")))
    op.create_index(op.f("ix_link_person_id"), "link", ["person_id"])


def _teams():
    op.create_table(
        "team",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.CheckConstraint("length(name) <= 60", name=op.f("ck_team_name_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        sa.UniqueConstraint("name", name=op.f("uq_team_name")))
    _pair("team_member", "team", "person", index="person")
    _pair("inbox_team", "inbox", "team", index="team")
    with op.batch_alter_table("inbox") as batch:
        batch.add_column(sa.Column("deleted_at", Moment()))
    op.drop_index("uq_inbox_name", "inbox")
    op.create_index("uq_inbox_name", "inbox", ["name"], unique=True, sqlite_where=sa.text("deleted_at IS NULL"),
                    postgresql_where=sa.text("deleted_at IS NULL"))


def _pair(table, one, other, index):
    op.create_table(
        table,
        *(sa.Column(f"{name}_id", sa.Integer(), nullable=False) for name in (one, other)),
        *(sa.ForeignKeyConstraint([f"{name}_id"], [f"{name}.id"], name=op.f(f"fk_{table}_{name}_id"),
                                  ondelete="CASCADE") for name in (one, other)),
        sa.PrimaryKeyConstraint(f"{one}_id", f"{other}_id", name=op.f(f"pk_{table}")))
    op.create_index(op.f(f"ix_{table}_{index}_id"), table, [f"{index}_id"])


def _notices():
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("key", sa.String()),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("read_at", Moment()),
        sa.Column("mail_state", sa.String(), nullable=False),
        sa.Column("mail_to", sa.String(), nullable=False),
        sa.Column("mail_at", Moment()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.CheckConstraint("mail_state IN ('none', 'queued', 'sent', 'failed')",
                           name=op.f("ck_notice_mail_state_known")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_notice_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("key", name=op.f("uq_notice_key")))
    op.create_index("ix_notice_due", "notice", ["mail_state", "mail_at"])
    op.create_index("ix_notice_person", "notice", ["person_id", "shown", "id"])


def _connections():
    with op.batch_alter_table("connection") as batch:
        batch.add_column(sa.Column("is_default", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("told_at", Moment()))
    for name, where in (("uq_connection_default", "is_default"),
                        ("uq_connection_calendar", "use = 'calendar' AND hold_id IS NOT NULL")):
        op.create_index(name, "connection", ["person_id"], unique=True, sqlite_where=sa.text(where),
                        postgresql_where=sa.text(where))
    op.execute("UPDATE connection SET is_default = TRUE WHERE id IN (SELECT min(id) FROM connection WHERE "
               "person_id IS NOT NULL AND use = 'mail' AND hold_id IS NOT NULL GROUP BY person_id)")
    op.create_table(
        "hold_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("address_key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment()),
        sa.CheckConstraint("length(address) <= 254", name=op.f("ck_hold_request_address_length")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_hold_request_person_id"),
                                ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold_request")))
    op.create_index(op.f("ix_hold_request_address_key"), "hold_request", ["address_key"])
    op.create_index(op.f("ix_hold_request_person_id"), "hold_request", ["person_id"])
    op.create_index("uq_hold_request_open", "hold_request", ["person_id", "address_key"], unique=True,
                    sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL"))


def _audit():
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")))
    with op.batch_alter_table("audit") as batch:
        batch.add_column(sa.Column("number", sa.Integer()))
        batch.add_column(sa.Column("previous", sa.String(64)))
        batch.add_column(sa.Column("digest", sa.String(64)))
    number, digest = _chain_what_is_there()
    op.bulk_insert(sa.table("audit_head", sa.column("id"), sa.column("number"), sa.column("digest")),
                   [{"id": 1, "number": number, "digest": digest}])
    with op.batch_alter_table("audit") as batch:
        batch.alter_column("number", existing_type=sa.Integer(), nullable=False)
        batch.alter_column("previous", existing_type=sa.String(64), nullable=False)
        batch.alter_column("digest", existing_type=sa.String(64), nullable=False)
        batch.alter_column("actor_id", existing_type=sa.Integer(), nullable=True)
        batch.create_unique_constraint(op.f("uq_audit_number"), ["number"])
        for column in ("action", "actor_id", "subject"):
            batch.create_index(op.f(f"ix_audit_{column}"), [column])
    _append_only()


def _chain_what_is_there():
    audit = sa.table("audit", sa.column("id"), sa.column("at", Moment()), *(sa.column(c) for c in (
        "actor_id", "action", "subject", "number", "previous", "digest")), sa.column("facts", sa.JSON()))
    bind, number, digest = op.get_bind(), 0, BEGINNING
    for row in bind.execute(sa.select(audit).order_by(audit.c.id)).all():
        previous, number = digest, number + 1
        facts = json.loads(row.facts) if isinstance(row.facts, str) else row.facts
        digest = digest_of(previous, number, row.at, row.actor_id, row.action, row.subject, facts)
        bind.execute(audit.update().where(audit.c.id == row.id)
                     .values(number=number, previous=previous, digest=digest))
    return number, digest


def _append_only():
    """The database itself refuses to change or to take back what is written."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
                       "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END")
        return
    op.execute("CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
               "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'check_violation'; END $$")
    op.execute("CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit "
               "FOR EACH ROW EXECUTE FUNCTION audit_append_only()")
