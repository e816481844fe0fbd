"""The day's work of a team: waiting, snoozed, spam and trash; tags, notes, views, templates; drafts that hold a whole
message; what answers by itself; counts that triggers keep."""
import sqlalchemy as sa
from alembic import op

import webapp.models.types

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

Moment = webapp.models.types.Moment


def upgrade():
    _conversations()
    _tags()
    _drafts()
    _notes()
    _kept()
    _inboxes()
    _automatic()
    _messages()
    _tally()


def downgrade():
    raise NotImplementedError("There is no way back from 0005: restore the copy of the data that you made before.")


def _key(table, column, to, **more):
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"), **more)


def _conversations():
    with op.batch_alter_table("conversation") as batch:
        batch.add_column(sa.Column("status_at", Moment(), nullable=False, server_default=sa.func.current_timestamp()))
        for name in ("snoozed_until", "woke_at", "last_out_at"):
            batch.add_column(sa.Column(name, Moment()))
        batch.add_column(sa.Column("team_id", sa.Integer()))
        batch.create_foreign_key(op.f("fk_conversation_team_id"), "team", ["team_id"], ["id"], ondelete="SET NULL")
        batch.create_index(op.f("ix_conversation_team_id"), ["team_id"])
        batch.drop_constraint(op.f("ck_conversation_status_known"), type_="check")
        batch.create_check_constraint(op.f("ck_conversation_status_known"), sa.text(
            "status IN ('open', 'waiting', 'snoozed', 'closed', 'spam', 'trash', 'merged')"))
        batch.create_check_constraint(op.f("ck_conversation_only_snoozed_has_an_end"),
                                      sa.text("snoozed_until IS NULL OR status = 'snoozed'"))
    op.execute("UPDATE conversation SET status_at = last_at, last_out_at = (SELECT max(at) FROM message "
               "WHERE conversation_id = conversation.id AND outgoing)")
    op.execute("UPDATE conversation SET status = 'waiting' WHERE status = 'open' AND last_outgoing")
    for name, columns, which in (("sent", ["inbox_id", "last_out_at", "id"], "last_out_at IS NOT NULL"),
                                 ("asleep", ["snoozed_until"], "snoozed_until IS NOT NULL")):
        op.create_index(f"ix_conversation_{name}", "conversation", columns, sqlite_where=sa.text(which),
                        postgresql_where=sa.text(which))
    op.add_column("event", sa.Column("act", sa.String(32)))
    op.create_index(op.f("ix_event_act"), "event", ["act"])


def _tags():
    op.create_table(
        "tag", sa.Column("id", sa.Integer(), nullable=False), sa.Column("name", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False), sa.Column("made_at", Moment(), nullable=False),
        sa.CheckConstraint("length(name) <= 40", name=op.f("ck_tag_name_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag")), sa.UniqueConstraint("key", name=op.f("uq_tag_key")))
    op.create_table(
        "conversation_tag", sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False),
        _key("conversation_tag", "conversation_id", "conversation", ondelete="CASCADE"),
        _key("conversation_tag", "tag_id", "tag", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("conversation_id", "tag_id", name=op.f("pk_conversation_tag")))
    op.create_index(op.f("ix_conversation_tag_tag_id"), "conversation_tag", ["tag_id"])


def _drafts():
    with op.batch_alter_table("draft") as batch:
        batch.alter_column("conversation_id", existing_type=sa.Integer(), nullable=True)
        for name, to, ondelete in (("inbox_id", "inbox", "CASCADE"), ("parent_id", "message", "SET NULL")):
            batch.add_column(sa.Column(name, sa.Integer()))
            batch.create_foreign_key(op.f(f"fk_draft_{name}"), to, [name], ["id"], ondelete=ondelete)
        batch.add_column(sa.Column("kind", sa.String(), nullable=False, server_default="reply"))
        for name in ("sender", "subject"):
            batch.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))
        for name in ("to", "cc", "bcc"):
            batch.add_column(sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))
        batch.add_column(sa.Column("html", sa.String()))
        batch.create_check_constraint(op.f("ck_draft_kind_known"), sa.text("kind IN ('reply', 'forward', 'new')"))
        batch.create_check_constraint(op.f("ck_draft_belongs_somewhere"),
                                      sa.text("conversation_id IS NOT NULL OR inbox_id IS NOT NULL"))
    op.create_index("ix_draft_person", "draft", ["person_id", "saved_at", "id"])
    op.create_table(
        "draft_file", sa.Column("id", sa.Integer(), nullable=False), sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False), sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False), sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content_id", sa.String()), _key("draft_file", "draft_id", "draft", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_file")))
    op.create_index(op.f("ix_draft_file_draft_id"), "draft_file", ["draft_id"])


def _notes():
    op.create_table(
        "note", sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=False), sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False), sa.Column("at", Moment(), nullable=False),
        sa.Column("removed_at", Moment()), sa.CheckConstraint("length(text) <= 20000", name=op.f("ck_note_text_length")),
        _key("note", "conversation_id", "conversation", ondelete="CASCADE"), _key("note", "author_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")))
    op.create_index("ix_note_conversation", "note", ["conversation_id", "at", "id"])
    op.create_table(
        "mention", sa.Column("note_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False), sa.Column("seen_at", Moment()),
        _key("mention", "note_id", "note", ondelete="CASCADE"), _key("mention", "person_id", "person", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("note_id", "person_id", name=op.f("pk_mention")))
    unseen = sa.text("seen_at IS NULL")
    op.create_index("ix_mention_person", "mention", ["person_id", "note_id"])
    op.create_index("ix_mention_unseen", "mention", ["person_id"], sqlite_where=unseen, postgresql_where=unseen)
    for name in ("mail_mentions", "mail_following", "single_keys"):
        op.add_column("person", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_table(
        "follower", sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        _key("follower", "conversation_id", "conversation", ondelete="CASCADE"),
        _key("follower", "person_id", "person", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("conversation_id", "person_id", name=op.f("pk_follower")))
    op.create_index(op.f("ix_follower_person_id"), "follower", ["person_id"])


def _kept():
    op.create_table(
        "saved_view", sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False), sa.Column("name", sa.String(), nullable=False),
        sa.Column("query", sa.JSON(), nullable=False), sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.CheckConstraint("length(name) <= 60", name=op.f("ck_saved_view_name_length")),
        _key("saved_view", "person_id", "person", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")))
    op.create_index(op.f("ix_saved_view_person_id"), "saved_view", ["person_id"])
    op.create_table(
        "template", sa.Column("id", sa.Integer(), nullable=False), sa.Column("inbox_id", sa.Integer()),
        sa.Column("name", sa.String(), nullable=False), sa.Column("subject", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False), sa.Column("html", sa.String()),
        sa.Column("made_by_id", sa.Integer()), sa.Column("changed_at", Moment(), nullable=False),
        sa.CheckConstraint("length(name) <= 80", name=op.f("ck_template_name_length")),
        sa.CheckConstraint("length(text) <= 50000", name=op.f("ck_template_text_length")),
        _key("template", "inbox_id", "inbox", ondelete="CASCADE"), _key("template", "made_by_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template")))
    op.create_index(op.f("ix_template_inbox_id"), "template", ["inbox_id"])


def _inboxes():
    with op.batch_alter_table("inbox") as batch:
        batch.add_column(sa.Column("from_form", sa.String(), nullable=False, server_default="company"))
        for name in ("company", "signature", "auto_first_text", "auto_away_text"):
            batch.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))
        batch.add_column(sa.Column("signature_html", sa.String()))
        for name in ("auto_first", "auto_away"):
            batch.add_column(sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("hours", sa.JSON()))
        batch.add_column(sa.Column("auto_off_at", Moment()))
        batch.create_check_constraint(op.f("ck_inbox_from_form_known"), sa.text("from_form IN ('company', 'person')"))
        batch.create_check_constraint(op.f("ck_inbox_company_length"), sa.text("length(company) <= 80"))


def _automatic():
    op.create_table(
        "sender_rule", sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inbox_id", sa.Integer(), nullable=False), sa.Column("kind", sa.String(), nullable=False),
        sa.Column("pattern", sa.String(), nullable=False), sa.Column("made_by_id", sa.Integer()),
        sa.Column("made_at", Moment(), nullable=False),
        sa.CheckConstraint("kind IN ('allow', 'deny')", name=op.f("ck_sender_rule_kind_known")),
        sa.CheckConstraint("length(pattern) <= 254", name=op.f("ck_sender_rule_pattern_length")),
        _key("sender_rule", "inbox_id", "inbox", ondelete="CASCADE"), _key("sender_rule", "made_by_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sender_rule")),
        sa.UniqueConstraint("inbox_id", "pattern", name=op.f("uq_sender_rule_inbox_id_pattern")))
    op.create_table(
        "auto_reply", sa.Column("id", sa.Integer(), nullable=False), sa.Column("inbox_id", sa.Integer(), nullable=False),
        sa.Column("address_key", sa.String(), nullable=False), sa.Column("domain", sa.String(), nullable=False),
        sa.Column("message_id", sa.Integer()), sa.Column("at", Moment(), nullable=False),
        _key("auto_reply", "inbox_id", "inbox", ondelete="CASCADE"),
        _key("auto_reply", "message_id", "message", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auto_reply")))
    for name, column in (("address", "address_key"), ("domain", "domain")):
        op.create_index(f"ix_auto_reply_{name}", "auto_reply", ["inbox_id", column, "at"])
    op.create_index("ix_auto_reply_inbox", "auto_reply", ["inbox_id", "at"])


def _messages():
    # Both databases can do this in place: a batch would write every message anew.
    op.add_column("message", sa.Column("bcc", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("message", sa.Column("auto_kind", sa.String(), nullable=False, server_default=""))
    op.add_column("message", sa.Column("erased_at", Moment()))
    op.execute("ALTER TABLE message ADD COLUMN bounce_of_id INTEGER CONSTRAINT fk_message_bounce_of_id "
               "REFERENCES message (id)")
    op.add_column("outbox_recipient", sa.Column("bounce", sa.String()))
    op.add_column("outbox_recipient", sa.Column("bounce_text", sa.String(), nullable=False, server_default=""))
    op.add_column("outbox_recipient", sa.Column("bounced_at", Moment()))


TALLY = "INSERT INTO tally (inbox_id, status, assignee_id, n)"


def _tally():
    op.create_table(
        "tally", sa.Column("id", sa.Integer(), nullable=False), sa.Column("inbox_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False), sa.Column("assignee_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False), sa.PrimaryKeyConstraint("id", name=op.f("pk_tally")))
    op.create_index("ix_tally", "tally", ["inbox_id", "status", "assignee_id", "n"])
    op.execute(f"{TALLY} SELECT inbox_id, status, coalesce(assignee_id, 0), count(*) FROM conversation GROUP BY 1, 2, 3")
    (_tally_postgresql if op.get_bind().dialect.name == "postgresql" else _tally_sqlite)()


def _tally_sqlite():
    def counted(row, n):
        return f"{TALLY} VALUES ({row}.inbox_id, {row}.status, coalesce({row}.assignee_id, 0), {n});"
    moved = " OR ".join(f"OLD.{c} IS NOT NEW.{c}" for c in ("inbox_id", "status", "assignee_id"))
    for name, when, body in (
            ("new", "INSERT ON conversation", counted("NEW", 1)), ("gone", "DELETE ON conversation", counted("OLD", -1)),
            ("moved", f"UPDATE OF inbox_id, status, assignee_id ON conversation WHEN {moved}",
             counted("OLD", -1) + counted("NEW", 1))):
        op.execute(f"CREATE TRIGGER tally_{name} AFTER {when} BEGIN {body} END")


def _tally_postgresql():
    """A row for each kind of conversation that a statement adds or deletes, not for each conversation."""
    for name, n, table in (("new", 1, "added"), ("gone", -1, "deleted")):
        op.execute(f"CREATE FUNCTION tally_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {TALLY} "
                   f"SELECT inbox_id, status, coalesce(assignee_id, 0), {n} * count(*) FROM {table} GROUP BY 1, 2, 3; "
                   "RETURN NULL; END $$")
    op.execute("CREATE TRIGGER tally_new AFTER INSERT ON conversation REFERENCING NEW TABLE AS added "
               "FOR EACH STATEMENT EXECUTE FUNCTION tally_new()")
    op.execute("CREATE TRIGGER tally_gone AFTER DELETE ON conversation REFERENCING OLD TABLE AS deleted "
               "FOR EACH STATEMENT EXECUTE FUNCTION tally_gone()")
    op.execute(f"CREATE FUNCTION tally_moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {TALLY} VALUES "
               "(OLD.inbox_id, OLD.status, coalesce(OLD.assignee_id, 0), -1), "
               "(NEW.inbox_id, NEW.status, coalesce(NEW.assignee_id, 0), 1); RETURN NULL; END $$")
    columns = ("inbox_id", "status", "assignee_id")
    moved = " OR ".join(f"OLD.{c} IS DISTINCT FROM NEW.{c}" for c in columns)
    op.execute(f"CREATE TRIGGER tally_moved AFTER UPDATE OF {', '.join(columns)} ON conversation FOR EACH ROW "
               f"WHEN ({moved}) EXECUTE FUNCTION tally_moved()")
