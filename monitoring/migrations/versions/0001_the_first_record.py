"""The first record

Revision: 0001
After:
"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the record to this revision."""
    op.create_table(
        "heartbeat",
        sa.Column("worker", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ticks", sa.Integer(), nullable=False),
        sa.Column("note", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "patient",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mrn", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("born_on", sa.Date(), nullable=False),
        sa.Column("ward", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("bed", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient")),
        sa.UniqueConstraint("mrn", name=op.f("uq_patient_mrn")),
    )
    op.create_table(
        "protocol_seen",
        sa.Column("protocol_key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("hash", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("first_used_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("protocol_key", name=op.f("pk_protocol_seen")),
    )
    op.create_table(
        "staff",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("role", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("ward", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("id <> 'system'", name=op.f("ck_staff_not_system")),
        sa.CheckConstraint(
            "role IN ('nurse', 'charge_nurse', 'registrar', 'consultant', 'auditor', 'administrator')",
            name=op.f("ck_staff_role_word"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
    )
    op.create_table(
        "flap",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("operation_id", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("label", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("tissue", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("recipient", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("side", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("buried", sa.Boolean(), nullable=False),
        sa.Column("skin_type", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("perfused_at", sa.BigInteger(), nullable=False),
        sa.Column("monitoring_from", sa.BigInteger(), nullable=False),
        sa.Column("surgeon", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("anastomosis", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("ischaemia_minutes", sa.Integer(), nullable=True),
        sa.Column("risk_factors", sa.JSON(), nullable=False),
        sa.Column("monitors", sa.JSON(), nullable=False),
        sa.Column("protocol_key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("baseline_check_key", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("baseline_set_by", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("baseline_set_at", sa.BigInteger(), nullable=True),
        sa.Column("admitted_by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("admitted_at", sa.BigInteger(), nullable=False),
        sa.Column("discharged_by", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("discharged_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(baseline_set_by IS NULL) = (baseline_set_at IS NULL)",
            name=op.f("ck_flap_baseline_set"),
        ),
        sa.ForeignKeyConstraint(
            ["baseline_set_by"], ["staff.id"], name=op.f("fk_flap_baseline_set_by_staff")
        ),
        sa.CheckConstraint(
            "kind IN ('free', 'pedicled', 'replant')", name=op.f("ck_flap_kind_word")
        ),
        sa.CheckConstraint(
            "name IN ('ALT', 'DIEP', 'RFFF', 'fibula', 'LD', 'gracilis', 'TRAM', 'SGAP', 'scapular', 'jejunum', 'digit', 'other')",
            name=op.f("ck_flap_name_word"),
        ),
        sa.CheckConstraint(
            "recipient IN ('head_neck', 'breast', 'upper_limb', 'lower_limb', 'trunk')",
            name=op.f("ck_flap_recipient_word"),
        ),
        sa.CheckConstraint("side IN ('left', 'right', 'midline')", name=op.f("ck_flap_side_word")),
        sa.CheckConstraint(
            "skin_type IN ('I', 'II', 'III', 'IV', 'V', 'VI')", name=op.f("ck_flap_skin_type_word")
        ),
        sa.CheckConstraint(
            "tissue IN ('skin', 'muscle', 'bone_skin', 'bowel', 'digit')",
            name=op.f("ck_flap_tissue_word"),
        ),
        sa.CheckConstraint(
            "(discharged_by IS NULL) = (discharged_at IS NULL)", name=op.f("ck_flap_discharged")
        ),
        sa.CheckConstraint(
            "discharged_at IS NULL OR ended_at IS NOT NULL", name=op.f("ck_flap_discharge_ends")
        ),
        sa.CheckConstraint(
            "ischaemia_minutes BETWEEN 0 AND 1440", name=op.f("ck_flap_ischaemia_minutes_range")
        ),
        sa.CheckConstraint("monitoring_from >= perfused_at", name=op.f("ck_flap_perfused_first")),
        sa.ForeignKeyConstraint(
            ["admitted_by"], ["staff.id"], name=op.f("fk_flap_admitted_by_staff")
        ),
        sa.ForeignKeyConstraint(
            ["discharged_by"], ["staff.id"], name=op.f("fk_flap_discharged_by_staff")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_flap_patient_id_patient")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flap")),
    )
    with op.batch_alter_table("flap", schema=None) as batch_op:
        batch_op.create_index(
            "ix_flap_active",
            ["patient_id"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_flap_patient_id"), ["patient_id"], unique=False)

    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("flap_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("stream", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("severity", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("pattern", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("because", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("rule", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("first_sign_at", sa.BigInteger(), nullable=True),
        sa.Column("recovered_at", sa.BigInteger(), nullable=True),
        sa.Column("amended_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("intent", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("expected_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("close_reason", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("paged_at", sa.BigInteger(), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(closed_by = 'system') = (close_reason IN ('check_made', 'hold', 'discharged'))",
            name=op.f("ck_alert_system_reason"),
        ),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_alert_closed_state")
        ),
        sa.CheckConstraint(
            "close_reason IN ('true_compromise', 'position', 'dressing', 'probe', 'haematoma', 'no_cause', 'entered_in_error', 'check_made', 'hold', 'discharged')",
            name=op.f("ck_alert_close_reason_word"),
        ),
        sa.CheckConstraint(
            "closed_by <> 'system' OR stream = 'monitoring'", name=op.f("ck_alert_latched")
        ),
        sa.CheckConstraint(
            "intent IN ('coming', 'reviewing', 'advising', 'passing')",
            name=op.f("ck_alert_intent_word"),
        ),
        sa.CheckConstraint(
            "pattern IN ('arterial', 'venous', 'haematoma', 'device', 'monitoring', 'indeterminate')",
            name=op.f("ck_alert_pattern_word"),
        ),
        sa.CheckConstraint(
            "severity IN ('red', 'amber', 'yellow', 'none')", name=op.f("ck_alert_severity_word")
        ),
        sa.CheckConstraint(
            "state <> 'acknowledged' OR acknowledged_at IS NOT NULL",
            name=op.f("ck_alert_acknowledged_state"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'acknowledged', 'closed')", name=op.f("ck_alert_state_word")
        ),
        sa.CheckConstraint(
            "stream IN ('perfusion', 'haematoma', 'device', 'concern', 'monitoring')",
            name=op.f("ck_alert_stream_word"),
        ),
        sa.CheckConstraint(
            "(acknowledged_by IS NULL) = (acknowledged_at IS NULL) AND (acknowledged_by IS NULL) = (intent IS NULL) AND (acknowledged_by IS NULL) = (expected_at IS NULL)",
            name=op.f("ck_alert_acknowledged"),
        ),
        sa.CheckConstraint(
            "(closed_by IS NULL) = (closed_at IS NULL) AND (closed_by IS NULL) = (close_reason IS NULL)",
            name=op.f("ck_alert_closed"),
        ),
        sa.CheckConstraint("pages >= 0", name=op.f("ck_alert_pages_range")),
        sa.ForeignKeyConstraint(
            ["acknowledged_by"], ["staff.id"], name=op.f("fk_alert_acknowledged_by_staff")
        ),
        sa.ForeignKeyConstraint(["flap_id"], ["flap.id"], name=op.f("fk_alert_flap_id_flap")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_flap_id"), ["flap_id"], unique=False)
        batch_op.create_index(
            "uq_alert_not_closed",
            ["flap_id", "stream"],
            unique=True,
            sqlite_where=sa.text("state <> 'closed'"),
            postgresql_where=sa.text("state <> 'closed'"),
        )

    op.create_table(
        "care_list",
        sa.Column("nurse_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("flap_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["flap_id"], ["flap.id"], name=op.f("fk_care_list_flap_id_flap")),
        sa.ForeignKeyConstraint(
            ["nurse_id"], ["staff.id"], name=op.f("fk_care_list_nurse_id_staff")
        ),
        sa.PrimaryKeyConstraint("nurse_id", "flap_id", name=op.f("pk_care_list")),
    )
    op.create_table(
        "flap_check",
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("flap_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("source", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("note", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("nurse_concern", sa.Boolean(), nullable=False),
        sa.Column("concern_about", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("unable", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("body_hash", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("is_full", sa.Boolean(), nullable=True),
        sa.Column("severity", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("pattern", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("because", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("unanswered", sa.Integer(), nullable=True),
        sa.Column("replaces_key", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("amend_reason", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("amended_by", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("first_recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("replaced_by_key", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("replaced_at", sa.BigInteger(), nullable=True),
        sa.Column("struck_by", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("struck_at", sa.BigInteger(), nullable=True),
        sa.Column("struck_reason", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("colour", sa.String(), nullable=True),
        sa.Column("refill_seconds", sa.Float(precision=53), nullable=True),
        sa.Column("refill_word", sa.String(), nullable=True),
        sa.Column("refill_again_seconds", sa.Float(precision=53), nullable=True),
        sa.Column("refill_again_word", sa.String(), nullable=True),
        sa.Column("flap_temp_c", sa.Float(precision=53), nullable=True),
        sa.Column("control_temp_c", sa.Float(precision=53), nullable=True),
        sa.Column("turgor", sa.String(), nullable=True),
        sa.Column("swelling", sa.String(), nullable=True),
        sa.Column("pain", sa.String(), nullable=True),
        sa.Column("airway", sa.String(), nullable=True),
        sa.Column("doppler_artery", sa.String(), nullable=True),
        sa.Column("doppler_waveform", sa.String(), nullable=True),
        sa.Column("doppler_vein", sa.String(), nullable=True),
        sa.Column("implant_signal", sa.String(), nullable=True),
        sa.Column("prick", sa.String(), nullable=True),
        sa.Column("sto2_percent", sa.Float(precision=53), nullable=True),
        sa.Column("flap_glucose_mmol_l", sa.Float(precision=53), nullable=True),
        sa.Column("finger_glucose_mmol_l", sa.Float(precision=53), nullable=True),
        sa.Column("flap_lactate_mmol_l", sa.Float(precision=53), nullable=True),
        sa.Column("drain_ml_per_h", sa.Float(precision=53), nullable=True),
        sa.Column("drain_stopped_suddenly", sa.Boolean(), nullable=True),
        sa.Column("core_temp_c", sa.Float(precision=53), nullable=True),
        sa.Column("map_mmhg", sa.Float(precision=53), nullable=True),
        sa.Column("vasopressor", sa.Boolean(), nullable=True),
        sa.Column("warming", sa.String(), nullable=True),
        sa.Column("light", sa.String(), nullable=True),
        sa.CheckConstraint(
            "first_recorded_at <= recorded_at", name=op.f("ck_flap_check_first_recorded_first")
        ),
        sa.ForeignKeyConstraint(
            ["amended_by"], ["staff.id"], name=op.f("fk_flap_check_amended_by_staff")
        ),
        sa.CheckConstraint(
            "airway IN ('clear', 'threatened')", name=op.f("ck_flap_check_airway_word")
        ),
        sa.CheckConstraint(
            "colour IN ('matches', 'pale', 'white', 'mottled', 'dusky', 'blue', 'purple', 'black', 'bruised')",
            name=op.f("ck_flap_check_colour_word"),
        ),
        sa.CheckConstraint(
            "doppler_artery IN ('strong', 'weak', 'absent')",
            name=op.f("ck_flap_check_doppler_artery_word"),
        ),
        sa.CheckConstraint(
            "doppler_vein IN ('present', 'weak', 'absent')",
            name=op.f("ck_flap_check_doppler_vein_word"),
        ),
        sa.CheckConstraint(
            "doppler_waveform IN ('triphasic', 'biphasic', 'monophasic')",
            name=op.f("ck_flap_check_doppler_waveform_word"),
        ),
        sa.CheckConstraint(
            "implant_signal IN ('present', 'changed', 'intermittent', 'lost', 'device_fault')",
            name=op.f("ck_flap_check_implant_signal_word"),
        ),
        sa.CheckConstraint(
            "light IN ('daylight', 'lamp', 'dim')", name=op.f("ck_flap_check_light_word")
        ),
        sa.CheckConstraint("pain IN ('usual', 'rising')", name=op.f("ck_flap_check_pain_word")),
        sa.CheckConstraint(
            "pattern IN ('arterial', 'venous', 'haematoma', 'device', 'monitoring', 'indeterminate')",
            name=op.f("ck_flap_check_pattern_word"),
        ),
        sa.CheckConstraint(
            "prick IN ('bright', 'dark_brisk', 'scant', 'none')",
            name=op.f("ck_flap_check_prick_word"),
        ),
        sa.CheckConstraint(
            "refill_again_word IN ('brisk', 'normal', 'slow', 'absent')",
            name=op.f("ck_flap_check_refill_again_word_word"),
        ),
        sa.CheckConstraint(
            "refill_word IN ('brisk', 'normal', 'slow', 'absent')",
            name=op.f("ck_flap_check_refill_word_word"),
        ),
        sa.CheckConstraint(
            "severity IN ('red', 'amber', 'yellow', 'none')",
            name=op.f("ck_flap_check_severity_word"),
        ),
        sa.CheckConstraint(
            "source IN ('bedside', 'late_entry', 'device', 'import')",
            name=op.f("ck_flap_check_source_word"),
        ),
        sa.CheckConstraint(
            "swelling IN ('none', 'stable', 'rapid')", name=op.f("ck_flap_check_swelling_word")
        ),
        sa.CheckConstraint(
            "turgor IN ('soft', 'firm', 'tense', 'flaccid')", name=op.f("ck_flap_check_turgor_word")
        ),
        sa.CheckConstraint(
            "warming IN ('on', 'off', 'just_removed')", name=op.f("ck_flap_check_warming_word")
        ),
        sa.CheckConstraint(
            "(replaced_by_key IS NULL) = (replaced_at IS NULL)", name=op.f("ck_flap_check_replaced")
        ),
        sa.CheckConstraint(
            "(replaces_key IS NULL) = (amend_reason IS NULL) "
            "AND (replaces_key IS NULL) = (amended_by IS NULL)",
            name=op.f("ck_flap_check_amended"),
        ),
        sa.CheckConstraint(
            "(struck_by IS NULL) = (struck_at IS NULL) AND (struck_by IS NULL) = (struck_reason IS NULL)",
            name=op.f("ck_flap_check_struck"),
        ),
        sa.CheckConstraint(
            "control_temp_c BETWEEN 10 AND 43", name=op.f("ck_flap_check_control_temp_c_range")
        ),
        sa.CheckConstraint(
            "core_temp_c BETWEEN 25 AND 45", name=op.f("ck_flap_check_core_temp_c_range")
        ),
        sa.CheckConstraint(
            "drain_ml_per_h BETWEEN 0 AND 2000", name=op.f("ck_flap_check_drain_ml_per_h_range")
        ),
        sa.CheckConstraint(
            "finger_glucose_mmol_l BETWEEN 0 AND 40",
            name=op.f("ck_flap_check_finger_glucose_mmol_l_range"),
        ),
        sa.CheckConstraint(
            "flap_glucose_mmol_l BETWEEN 0 AND 40",
            name=op.f("ck_flap_check_flap_glucose_mmol_l_range"),
        ),
        sa.CheckConstraint(
            "flap_lactate_mmol_l BETWEEN 0 AND 40",
            name=op.f("ck_flap_check_flap_lactate_mmol_l_range"),
        ),
        sa.CheckConstraint(
            "flap_temp_c BETWEEN 10 AND 43", name=op.f("ck_flap_check_flap_temp_c_range")
        ),
        sa.CheckConstraint(
            "map_mmhg BETWEEN 20 AND 200", name=op.f("ck_flap_check_map_mmhg_range")
        ),
        sa.CheckConstraint(
            "refill_again_seconds BETWEEN 0 AND 15",
            name=op.f("ck_flap_check_refill_again_seconds_range"),
        ),
        sa.CheckConstraint(
            "refill_again_seconds IS NULL OR refill_again_word IS NULL",
            name=op.f("ck_flap_check_refill_again_once"),
        ),
        sa.CheckConstraint(
            "refill_seconds BETWEEN 0 AND 15", name=op.f("ck_flap_check_refill_seconds_range")
        ),
        sa.CheckConstraint(
            "refill_seconds IS NULL OR refill_word IS NULL", name=op.f("ck_flap_check_refill_once")
        ),
        sa.CheckConstraint(
            "sto2_percent BETWEEN 0 AND 100", name=op.f("ck_flap_check_sto2_percent_range")
        ),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_flap_check_by_staff")),
        sa.ForeignKeyConstraint(["flap_id"], ["flap.id"], name=op.f("fk_flap_check_flap_id_flap")),
        sa.ForeignKeyConstraint(
            ["replaced_by_key"],
            ["flap_check.key"],
            name=op.f("fk_flap_check_replaced_by_key_flap_check"),
        ),
        sa.ForeignKeyConstraint(
            ["replaces_key"], ["flap_check.key"], name=op.f("fk_flap_check_replaces_key_flap_check")
        ),
        sa.ForeignKeyConstraint(
            ["struck_by"], ["staff.id"], name=op.f("fk_flap_check_struck_by_staff")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_flap_check")),
        sa.UniqueConstraint("replaces_key", name=op.f("uq_flap_check_replaces_key")),
    )
    with op.batch_alter_table("flap_check", schema=None) as batch_op:
        batch_op.create_index(
            "ix_flap_check_flap_observed", ["flap_id", "observed_at"], unique=False
        )

    op.create_table(
        "flap_correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("flap_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("field", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("old", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("new", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_flap_correction_by_staff")),
        sa.ForeignKeyConstraint(
            ["flap_id"], ["flap.id"], name=op.f("fk_flap_correction_flap_id_flap")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flap_correction")),
    )
    with op.batch_alter_table("flap_correction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_flap_correction_flap_id"), ["flap_id"], unique=False)

    op.create_table(
        "flap_return",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("flap_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("into_theatre_at", sa.BigInteger(), nullable=True),
        sa.Column("perfused_again_at", sa.BigInteger(), nullable=True),
        sa.Column("back_at", sa.BigInteger(), nullable=True),
        sa.Column("finding", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("salvaged", sa.Boolean(), nullable=True),
        sa.Column("by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "finding IN ('arterial_thrombosis', 'venous_thrombosis', 'both', 'haematoma', 'compression', 'kink', 'spasm', 'infection', 'nothing_found')",
            name=op.f("ck_flap_return_finding_word"),
        ),
        sa.CheckConstraint(
            "back_at >= decided_at", name=op.f("ck_flap_return_order_decided_at_back_at")
        ),
        sa.CheckConstraint(
            "back_at >= into_theatre_at", name=op.f("ck_flap_return_order_into_theatre_at_back_at")
        ),
        sa.CheckConstraint(
            "back_at >= perfused_again_at",
            name=op.f("ck_flap_return_order_perfused_again_at_back_at"),
        ),
        sa.CheckConstraint(
            "into_theatre_at >= decided_at",
            name=op.f("ck_flap_return_order_decided_at_into_theatre_at"),
        ),
        sa.CheckConstraint(
            "perfused_again_at >= decided_at",
            name=op.f("ck_flap_return_order_decided_at_perfused_again_at"),
        ),
        sa.CheckConstraint(
            "perfused_again_at >= into_theatre_at",
            name=op.f("ck_flap_return_order_into_theatre_at_perfused_again_at"),
        ),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_flap_return_by_staff")),
        sa.ForeignKeyConstraint(["flap_id"], ["flap.id"], name=op.f("fk_flap_return_flap_id_flap")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flap_return")),
    )
    with op.batch_alter_table("flap_return", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_flap_return_flap_id"), ["flap_id"], unique=False)

    op.create_table(
        "hold",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("flap_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("released_by", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "reason IN ('theatre', 'imaging', 'procedure')", name=op.f("ck_hold_reason_word")
        ),
        sa.CheckConstraint(
            "(released_by IS NULL) = (released_at IS NULL)", name=op.f("ck_hold_released")
        ),
        sa.CheckConstraint(
            "released_at IS NULL OR until_at IS NOT NULL", name=op.f("ck_hold_release_ends")
        ),
        sa.CheckConstraint("until_at >= from_at", name=op.f("ck_hold_order_from_at_until_at")),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_hold_by_staff")),
        sa.ForeignKeyConstraint(["flap_id"], ["flap.id"], name=op.f("fk_hold_flap_id_flap")),
        sa.ForeignKeyConstraint(
            ["released_by"], ["staff.id"], name=op.f("fk_hold_released_by_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hold_flap_id"), ["flap_id"], unique=False)

    op.create_table(
        "outcome",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("flap_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("percent", sa.Float(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=False),
        sa.Column("by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'partial_loss') = (percent IS NOT NULL)",
            name=op.f("ck_outcome_percent_partial"),
        ),
        sa.CheckConstraint(
            "kind IN ('survived', 'partial_loss', 'total_loss')", name=op.f("ck_outcome_kind_word")
        ),
        sa.CheckConstraint("percent > 0 AND percent < 100", name=op.f("ck_outcome_percent_range")),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_outcome_by_staff")),
        sa.ForeignKeyConstraint(["flap_id"], ["flap.id"], name=op.f("fk_outcome_flap_id_flap")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcome")),
        sa.UniqueConstraint("flap_id", name=op.f("uq_outcome_flap_id")),
    )
    op.create_table(
        "watch_finding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("flap_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("rule", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("severity", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("because", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.CheckConstraint(
            "severity IN ('red', 'amber', 'yellow', 'none')",
            name=op.f("ck_watch_finding_severity_word"),
        ),
        sa.ForeignKeyConstraint(
            ["flap_id"], ["flap.id"], name=op.f("fk_watch_finding_flap_id_flap")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch_finding")),
        sa.UniqueConstraint(
            "flap_id",
            "rule",
            "severity",
            "due_at",
            name=op.f("uq_watch_finding_flap_id_rule_severity_due_at"),
        ),
    )
    op.create_table(
        "alert_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alert_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alert.id"], name=op.f("fk_alert_event_alert_id_alert")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_event")),
    )
    with op.batch_alter_table("alert_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_event_alert_id"), ["alert_id"], unique=False)

    op.create_table(
        "assessment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("check_key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("assessed_at", sa.BigInteger(), nullable=False),
        sa.Column("protocol_key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("protocol_hash", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("severity", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("pattern", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("is_full", sa.Boolean(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("unanswered", sa.JSON(), nullable=False),
        sa.Column("confounders", sa.JSON(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "pattern IN ('arterial', 'venous', 'haematoma', 'device', 'monitoring', 'indeterminate')",
            name=op.f("ck_assessment_pattern_word"),
        ),
        sa.CheckConstraint(
            "severity IN ('red', 'amber', 'yellow', 'none')",
            name=op.f("ck_assessment_severity_word"),
        ),
        sa.ForeignKeyConstraint(
            ["check_key"], ["flap_check.key"], name=op.f("fk_assessment_check_key_flap_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment")),
    )
    with op.batch_alter_table("assessment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assessment_check_key"), ["check_key"], unique=False)
        batch_op.create_index(
            "uq_assessment_current",
            ["check_key"],
            unique=True,
            sqlite_where=sa.text("is_current"),
            postgresql_where=sa.text("is_current"),
        )

    op.create_table(
        "recheck",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("flap_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("rule", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("if_unmet", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("check_key", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("severity", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("met_by_key", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("cancelled_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "severity IN ('red', 'amber', 'yellow', 'none')", name=op.f("ck_recheck_severity_word")
        ),
        sa.CheckConstraint("round >= 1", name=op.f("ck_recheck_round_range")),
        sa.CheckConstraint(
            "if_unmet IN ('red', 'amber', 'yellow', 'none')", name=op.f("ck_recheck_if_unmet_word")
        ),
        sa.CheckConstraint("due_at >= asked_at", name=op.f("ck_recheck_order_asked_at_due_at")),
        sa.CheckConstraint(
            "met_by_key IS NULL OR cancelled_at IS NULL", name=op.f("ck_recheck_met_or_cancelled")
        ),
        sa.ForeignKeyConstraint(
            ["check_key"], ["flap_check.key"], name=op.f("fk_recheck_check_key_flap_check")
        ),
        sa.ForeignKeyConstraint(["flap_id"], ["flap.id"], name=op.f("fk_recheck_flap_id_flap")),
        sa.ForeignKeyConstraint(
            ["met_by_key"], ["flap_check.key"], name=op.f("fk_recheck_met_by_key_flap_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recheck")),
    )
    with op.batch_alter_table("recheck", schema=None) as batch_op:
        batch_op.create_index(
            "ix_recheck_open",
            ["flap_id"],
            unique=False,
            sqlite_where=sa.text("met_by_key IS NULL AND cancelled_at IS NULL"),
            postgresql_where=sa.text("met_by_key IS NULL AND cancelled_at IS NULL"),
        )


def downgrade() -> None:
    """Bring the record back to the revision before."""
    with op.batch_alter_table("recheck", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_recheck_open",
            sqlite_where=sa.text("met_by_key IS NULL AND cancelled_at IS NULL"),
            postgresql_where=sa.text("met_by_key IS NULL AND cancelled_at IS NULL"),
        )

    op.drop_table("recheck")
    with op.batch_alter_table("assessment", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_assessment_current",
            sqlite_where=sa.text("is_current"),
            postgresql_where=sa.text("is_current"),
        )
        batch_op.drop_index(batch_op.f("ix_assessment_check_key"))

    op.drop_table("assessment")
    with op.batch_alter_table("alert_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alert_event_alert_id"))

    op.drop_table("alert_event")
    op.drop_table("watch_finding")
    op.drop_table("outcome")
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hold_flap_id"))

    op.drop_table("hold")
    with op.batch_alter_table("flap_return", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_flap_return_flap_id"))

    op.drop_table("flap_return")
    with op.batch_alter_table("flap_correction", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_flap_correction_flap_id"))

    op.drop_table("flap_correction")
    with op.batch_alter_table("flap_check", schema=None) as batch_op:
        batch_op.drop_index("ix_flap_check_flap_observed")

    op.drop_table("flap_check")
    op.drop_table("care_list")
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_alert_not_closed",
            sqlite_where=sa.text("state <> 'closed'"),
            postgresql_where=sa.text("state <> 'closed'"),
        )
        batch_op.drop_index(batch_op.f("ix_alert_flap_id"))

    op.drop_table("alert")
    with op.batch_alter_table("flap", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_flap_patient_id"))
        batch_op.drop_index(
            "ix_flap_active",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.drop_table("flap")
    op.drop_table("staff")
    op.drop_table("protocol_seen")
    op.drop_table("patient")
    op.drop_table("heartbeat")
