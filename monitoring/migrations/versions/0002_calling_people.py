"""Calling people

Revision: 0002
After: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


_ALERT_CALLS = {
    "verbal_answer": "verbal_by IS NULL OR acknowledged_by IS NOT NULL",
    "passed": "(passed_by IS NULL) = (passed_to IS NULL) AND (passed_by IS NULL) = (passed_at IS NULL)",
    "lapsed": "(lapsed_by IS NULL) = (lapsed_at IS NULL)",
    "snoozed": "(snoozed_by IS NULL) = (snoozed_at IS NULL) AND (snoozed_by IS NULL) = (snoozed_until IS NULL) AND (snoozed_by IS NULL) = (snooze_reason IS NULL)",
    "red_is_loud": "snoozed_by IS NULL OR (severity <> 'red' AND stream <> 'concern')",
}


_RETURN_WITHDRAWN = {
    "withdrawn": "(withdrawn_by IS NULL) = (withdrawn_at IS NULL) AND (withdrawn_by IS NULL) = (withdrawn_reason IS NULL)",
    "withdrawn_before": "withdrawn_at IS NULL OR into_theatre_at IS NULL",
}


def upgrade() -> None:
    """Bring the record to this revision."""
    op.create_table(
        "channel",
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("problem", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('personal', 'shared', 'demo')", name=op.f("ck_channel_kind_word")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_channel")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("owner", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "contact",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("channel", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("address", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_contact_by_staff")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_contact_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint("staff_id", "channel", name=op.f("uq_contact_staff_id_channel")),
    )
    op.create_table(
        "handover",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ward", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("given_by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("accepted_by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("stood", sa.JSON(), nullable=False),
        sa.Column("note", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.CheckConstraint("given_by <> accepted_by", name=op.f("ck_handover_two_people")),
        sa.ForeignKeyConstraint(
            ["accepted_by"], ["staff.id"], name=op.f("fk_handover_accepted_by_staff")
        ),
        sa.ForeignKeyConstraint(
            ["given_by"], ["staff.id"], name=op.f("fk_handover_given_by_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
    )
    with op.batch_alter_table("handover", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_handover_ward"), ["ward"], unique=False)

    op.create_table(
        "shift",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ward", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("level", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("staff_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("uid", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "level IN ('nurse', 'charge_nurse', 'registrar', 'microsurgeon', 'consultant')",
            name=op.f("ck_shift_level_word"),
        ),
        sa.CheckConstraint("(ended_by IS NULL) = (ended_at IS NULL)", name=op.f("ck_shift_ended")),
        sa.CheckConstraint("until_at > from_at", name=op.f("ck_shift_lasts")),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_shift_by_staff")),
        sa.ForeignKeyConstraint(["ended_by"], ["staff.id"], name=op.f("fk_shift_ended_by_staff")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_shift_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift")),
    )
    with op.batch_alter_table("shift", schema=None) as batch_op:
        batch_op.create_index("ix_shift_ward_until", ["ward", "until_at"], unique=False)

    op.create_table(
        "page",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("alert_id", sa.Integer(), nullable=True),
        sa.Column("chain", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("level", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("staff_id", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("channel", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("severity", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("title", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("body", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("try_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("leased_by", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("answer", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(state = 'sent') = (sent_at IS NOT NULL)", name=op.f("ck_page_sent_state")
        ),
        sa.CheckConstraint(
            "kind = 'test' OR alert_id IS NOT NULL", name=op.f("ck_page_alert_known")
        ),
        sa.CheckConstraint("kind IN ('alert', 'passed', 'test')", name=op.f("ck_page_kind_word")),
        sa.CheckConstraint(
            "level IN ('nurse', 'charge_nurse', 'registrar', 'microsurgeon', 'consultant')",
            name=op.f("ck_page_level_word"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'dropped')", name=op.f("ck_page_state_word")
        ),
        sa.CheckConstraint(
            "(leased_by IS NULL) = (leased_until IS NULL)", name=op.f("ck_page_leased")
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_page_attempts_range")),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_page_alert_id_alert")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_page_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page")),
        sa.UniqueConstraint("key", name=op.f("uq_page_key")),
    )
    with op.batch_alter_table("page", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_page_alert_id"), ["alert_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_page_channel"), ["channel"], unique=False)
        batch_op.create_index(
            "ix_page_waiting",
            ["try_at"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )

    op.create_table(
        "page_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alert_id", sa.Integer(), nullable=False),
        sa.Column("chain", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("levels", sa.JSON(), nullable=False),
        sa.Column("gaps", sa.JSON(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.CheckConstraint("number >= 0", name=op.f("ck_page_step_number_range")),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alert.id"], name=op.f("fk_page_step_alert_id_alert")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_step")),
        sa.UniqueConstraint(
            "alert_id", "chain", "number", name=op.f("uq_page_step_alert_id_chain_number")
        ),
    )
    op.create_table(
        "photo",
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("flap_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("check_key", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("sha256", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("light", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("distance", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("note", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("picture", sa.LargeBinary(), nullable=False),
        sa.Column("small", sa.LargeBinary(), nullable=False),
        sa.Column("struck_by", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("struck_at", sa.BigInteger(), nullable=True),
        sa.Column("struck_reason", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.CheckConstraint(
            "(struck_by IS NULL) = (struck_at IS NULL) AND (struck_by IS NULL) = (struck_reason IS NULL)",
            name=op.f("ck_photo_struck"),
        ),
        sa.CheckConstraint("width > 0 AND height > 0", name=op.f("ck_photo_size")),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_photo_by_staff")),
        sa.ForeignKeyConstraint(
            ["check_key"], ["flap_check.key"], name=op.f("fk_photo_check_key_flap_check")
        ),
        sa.ForeignKeyConstraint(["flap_id"], ["flap.id"], name=op.f("fk_photo_flap_id_flap")),
        sa.ForeignKeyConstraint(["struck_by"], ["staff.id"], name=op.f("fk_photo_struck_by_staff")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_photo")),
    )
    with op.batch_alter_table("photo", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_photo_check_key"), ["check_key"], unique=False)
        batch_op.create_index("ix_photo_flap_taken", ["flap_id", "taken_at"], unique=False)

    op.create_table(
        "review",
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("flap_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("alert_id", sa.Integer(), nullable=True),
        sa.Column("by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("recorded_by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("mode", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("decision", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("recheck_minutes", sa.Integer(), nullable=True),
        sa.Column("actions", sa.JSON(), nullable=False),
        sa.Column("examination", sa.JSON(), nullable=False),
        sa.Column("note", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("body_hash", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("read_back_by", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("read_back_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(decision = 'recheck_in') <= (recheck_minutes IS NOT NULL)",
            name=op.f("ck_review_recheck_said"),
        ),
        sa.CheckConstraint(
            "decision IN ('continue', 'recheck_in', 'bedside_action', 'return_to_theatre')",
            name=op.f("ck_review_decision_word"),
        ),
        sa.CheckConstraint(
            "mode IN ('bedside', 'photo', 'telephone')", name=op.f("ck_review_mode_word")
        ),
        sa.CheckConstraint(
            "(read_back_by IS NULL) = (read_back_at IS NULL)", name=op.f("ck_review_read_back")
        ),
        sa.CheckConstraint(
            "recheck_minutes BETWEEN 1 AND 480", name=op.f("ck_review_recheck_minutes_range")
        ),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_review_alert_id_alert")),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_review_by_staff")),
        sa.ForeignKeyConstraint(["flap_id"], ["flap.id"], name=op.f("fk_review_flap_id_flap")),
        sa.ForeignKeyConstraint(
            ["read_back_by"], ["staff.id"], name=op.f("fk_review_read_back_by_staff")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["staff.id"], name=op.f("fk_review_recorded_by_staff")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_review")),
    )
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_review_alert_id"), ["alert_id"], unique=False)
        batch_op.create_index("ix_review_flap_at", ["flap_id", "reviewed_at"], unique=False)

    op.create_table(
        "flap_order",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("flap_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("review_key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("every_minutes", sa.Float(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.Column("by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("ended_by", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(ended_by IS NULL) = (ended_at IS NULL)", name=op.f("ck_flap_order_ended")
        ),
        sa.CheckConstraint(
            "every_minutes BETWEEN 5 AND 1440", name=op.f("ck_flap_order_every_minutes_range")
        ),
        sa.CheckConstraint("until_at > from_at", name=op.f("ck_flap_order_lasts")),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_flap_order_by_staff")),
        sa.ForeignKeyConstraint(["flap_id"], ["flap.id"], name=op.f("fk_flap_order_flap_id_flap")),
        sa.ForeignKeyConstraint(
            ["review_key"], ["review.key"], name=op.f("fk_flap_order_review_key_review")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flap_order")),
        sa.UniqueConstraint("review_key", name=op.f("uq_flap_order_review_key")),
    )
    with op.batch_alter_table("flap_order", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_flap_order_flap_id"), ["flap_id"], unique=False)

    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.add_column(sa.Column("ladder", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(
            sa.Column("verbal_by", sqlmodel.sql.sqltypes.AutoString(), nullable=True)
        )
        batch_op.add_column(sa.Column("arrived_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("plan_until", sa.BigInteger(), nullable=True))
        batch_op.add_column(
            sa.Column("passed_by", sqlmodel.sql.sqltypes.AutoString(), nullable=True)
        )
        batch_op.add_column(
            sa.Column("passed_to", sqlmodel.sql.sqltypes.AutoString(), nullable=True)
        )
        batch_op.add_column(sa.Column("passed_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(
            sa.Column("lapsed_by", sqlmodel.sql.sqltypes.AutoString(), nullable=True)
        )
        batch_op.add_column(sa.Column("lapsed_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(
            sa.Column("snoozed_by", sqlmodel.sql.sqltypes.AutoString(), nullable=True)
        )
        batch_op.add_column(sa.Column("snoozed_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("snoozed_until", sa.BigInteger(), nullable=True))
        batch_op.add_column(
            sa.Column("snooze_reason", sqlmodel.sql.sqltypes.AutoString(), nullable=True)
        )
        batch_op.add_column(
            sa.Column("snoozes", sa.Integer(), server_default=sa.text("0"), nullable=False)
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_alert_passed_to_staff"), "staff", ["passed_to"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_alert_passed_by_staff"), "staff", ["passed_by"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_alert_snoozed_by_staff"), "staff", ["snoozed_by"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_alert_lapsed_by_staff"), "staff", ["lapsed_by"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_alert_verbal_by_staff"), "staff", ["verbal_by"], ["id"]
        )
        for name, rule in _ALERT_CALLS.items():
            batch_op.create_check_constraint(batch_op.f(f"ck_alert_{name}"), rule)

    with op.batch_alter_table("flap_return", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("withdrawn_by", sqlmodel.sql.sqltypes.AutoString(), nullable=True)
        )
        batch_op.add_column(sa.Column("withdrawn_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(
            sa.Column("withdrawn_reason", sqlmodel.sql.sqltypes.AutoString(), nullable=True)
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_flap_return_withdrawn_by_staff"), "staff", ["withdrawn_by"], ["id"]
        )
        for name, rule in _RETURN_WITHDRAWN.items():
            batch_op.create_check_constraint(batch_op.f(f"ck_flap_return_{name}"), rule)


def downgrade() -> None:
    """Bring the record back to the revision before."""
    with op.batch_alter_table("flap_return", schema=None) as batch_op:
        for name in _RETURN_WITHDRAWN:
            batch_op.drop_constraint(batch_op.f(f"ck_flap_return_{name}"), type_="check")
        batch_op.drop_constraint(
            batch_op.f("fk_flap_return_withdrawn_by_staff"), type_="foreignkey"
        )
        batch_op.drop_column("withdrawn_reason")
        batch_op.drop_column("withdrawn_at")
        batch_op.drop_column("withdrawn_by")

    with op.batch_alter_table("alert", schema=None) as batch_op:
        for name in _ALERT_CALLS:
            batch_op.drop_constraint(batch_op.f(f"ck_alert_{name}"), type_="check")
        batch_op.drop_constraint(batch_op.f("fk_alert_verbal_by_staff"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_alert_lapsed_by_staff"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_alert_snoozed_by_staff"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_alert_passed_by_staff"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_alert_passed_to_staff"), type_="foreignkey")
        batch_op.drop_column("snoozes")
        batch_op.drop_column("snooze_reason")
        batch_op.drop_column("snoozed_until")
        batch_op.drop_column("snoozed_at")
        batch_op.drop_column("snoozed_by")
        batch_op.drop_column("lapsed_at")
        batch_op.drop_column("lapsed_by")
        batch_op.drop_column("passed_at")
        batch_op.drop_column("passed_to")
        batch_op.drop_column("passed_by")
        batch_op.drop_column("plan_until")
        batch_op.drop_column("arrived_at")
        batch_op.drop_column("verbal_by")
        batch_op.drop_column("ladder")

    with op.batch_alter_table("flap_order", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_flap_order_flap_id"))

    op.drop_table("flap_order")
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.drop_index("ix_review_flap_at")
        batch_op.drop_index(batch_op.f("ix_review_alert_id"))

    op.drop_table("review")
    with op.batch_alter_table("photo", schema=None) as batch_op:
        batch_op.drop_index("ix_photo_flap_taken")
        batch_op.drop_index(batch_op.f("ix_photo_check_key"))

    op.drop_table("photo")
    op.drop_table("page_step")
    with op.batch_alter_table("page", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_page_waiting",
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
        batch_op.drop_index(batch_op.f("ix_page_channel"))
        batch_op.drop_index(batch_op.f("ix_page_alert_id"))

    op.drop_table("page")
    with op.batch_alter_table("shift", schema=None) as batch_op:
        batch_op.drop_index("ix_shift_ward_until")

    op.drop_table("shift")
    with op.batch_alter_table("handover", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_handover_ward"))

    op.drop_table("handover")
    op.drop_table("contact")
    op.drop_table("lease")
    op.drop_table("channel")
