"""What the flap and alerts pages say, from a record written by the same verbs as the ward's."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from monitoring import alert_views, care, episodes, people, protocol, stay_facts, stay_views, ward
from monitoring.amending import Changes, amendment
from monitoring.care import Saved
from monitoring.components.stay_shapes import AlertCard, CheckRowView
from monitoring.domain import (
    Check,
    CloseReason,
    FlapFacts,
    HoldReason,
    Intent,
    Patient,
    Return,
    Role,
    Severity,
    Stream,
)
from monitoring.entry import Wrong
from monitoring.frames import EventKind, records
from monitoring.schedule import TIMELINESS_DEFINITION
from monitoring.store import Record
from monitoring.ward import Stay

LONDON = ZoneInfo("Europe/London")
PROTOCOLS = protocol.load()
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
WELL: dict[str, Any] = {
    "colour": "matches", "refill": 2.0, "flap_temp_c": 33.6, "control_temp_c": 34.0,
    "turgor": "soft", "doppler_artery": "strong", "doppler_vein": "present",
}  # fmt: skip
CONGESTED = WELL | {
    "colour": "dusky", "refill": 0.8, "turgor": "tense", "doppler_vein": "absent",
}  # fmt: skip


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


class Bed:
    """One flap on a real record, and what is done to it."""

    def __init__(self, record: Record) -> None:
        self.record = record
        with record.write() as conn:
            people.add_staff(conn, "Kim", Role.NURSE, "7", staff_id="kim")
            people.add_staff(conn, "Dr Osei", Role.REGISTRAR, "7", staff_id="osei")
        facts = FlapFacts.model_validate(
            {"label": "L breast DIEP", "kind": "free", "name": "DIEP", "tissue": "skin",
             "recipient": "breast", "buried": False, "skin_type": "II", "monitors": ["handheld"],
             "perfused_at": START, "anastomosis": "coupler 2.5 mm"}
        )  # fmt: skip
        patient = Patient(
            mrn="204118", name="ADEYEMI, Grace", born_on=date(1971, 3, 14), ward="7", bed="4"
        )
        self.flap_id = care.admit_flap(
            record, PROTOCOLS, patient=patient, facts=facts, by="kim", now=at(0)
        )

    def check(
        self, hours: float, signs: dict[str, Any], entered: float | None = None, **more: Any
    ) -> Saved:
        """A check so many hours after perfusion, entered then or later."""
        said = {n: v for n, v in signs.items() if v is not None}
        check = Check.parse(
            {"observed_at": at(hours), **said, **more}, flap_id=self.flap_id, by="kim", key=uuid4()
        )
        now = at(hours if entered is None else entered)
        return care.record_check(self.record, PROTOCOLS, check, now=now, confirmed=care.ALL)

    def stay(self) -> Stay:
        return ward.stay(self.record, PROTOCOLS, self.flap_id)

    def rows(self, hours: float) -> list[CheckRowView]:
        return stay_views.check_table_data(self.stay(), now=at(hours), zone=LONDON)["rows"]

    def cards(self, hours: float) -> list[AlertCard]:
        return stay_views.alerts_of_stay(self.stay(), now=at(hours), zone=LONDON)["cards"]

    def facts(self, hours: float, title: str) -> str:
        data = stay_facts.facts_data(self.stay(), now=at(hours), zone=LONDON)
        found = next(s for s in data["sections"] if s["title"] == title)
        lines = [f"{f['label']}: {f['text']}" for f in found["facts"]]
        return "; ".join(lines) or found["empty"]


@pytest.fixture
def bed(sqlite_record: Record) -> Bed:
    return Bed(sqlite_record)


def test_unable_blank_and_value_are_three_different_things(bed: Bed) -> None:
    """What could not be looked at has its reason, what nobody looked at is named apart."""
    bed.check(0, WELL | {"refill": {"unable": "asleep"}, "turgor": None})
    (row,) = bed.rows(0.1)
    refill = next(s for s in row["signs"] if s["label"] == "Refill")
    assert (refill["value"], refill["tone"]) == ("unable: asleep", "unable")
    assert "Turgor" not in [s["label"] for s in row["signs"]]
    assert row["missing"] == "Not looked at: Turgor"
    assert (row["severity"], row["word"]) == ("unknown", "Incomplete")


def test_zero_is_a_reading(bed: Bed) -> None:
    """A drain of 0 mL/h and a refill of 0 s are shown, not left out."""
    bed.check(0, WELL | {"drain_ml_per_h": 0.0, "refill": 0.0})
    (row,) = bed.rows(0.1)
    said = {s["label"]: s["value"] for s in row["signs"]}
    assert (said["Drain"], said["Refill"]) == ("0 mL/h", "0.0 s")


def test_missed_slots_stand_between_the_checks(bed: Bed) -> None:
    """Nobody looked: the table says so where it happened, newest first."""
    bed.check(0, WELL)
    bed.check(4, WELL)
    rows = bed.rows(4.1)
    assert rows[0]["kind"] == rows[-1]["kind"] == "check"
    between = [r for r in rows[1:-1] if r["kind"] == "missed"]
    assert between and all(r["severity"] == "unknown" for r in between)
    assert all("missed" in r["word"] for r in between)


def test_a_late_entry_carries_both_times(bed: Bed) -> None:
    """Observed at one time, entered at another, and its alert says when it would have fired."""
    bed.check(0, WELL)
    bed.check(1, CONGESTED, entered=3)
    late = next(r for r in bed.rows(3.1) if r["kind"] == "check" and r["word"].startswith("RED"))
    assert (late["time"], late["marks"]) == ("09:00", ["entered late, 11:00"])
    card = next(c for c in bed.cards(3.1) if c["word"] == "RED")
    assert "Entered late: would have fired at 09:00." in card["marks"]


def test_an_amended_check_is_not_called_late(bed: Bed) -> None:
    """Setting a value right an hour on leaves the time it was first recorded."""
    old = bed.check(0, WELL).check
    new = amendment(old, Changes({"colour": "pale"}), key=uuid4(), now=at(1))
    care.amend_check(
        bed.record, PROTOCOLS, key=old.key, check=new, by="osei", reason="other lamp", now=at(1)
    )
    (row,) = [r for r in bed.rows(1.1) if r["kind"] == "check"]
    assert row["marks"][0] == "amended 09:00"
    assert not any("late" in mark for mark in row["marks"])
    (before,) = row["older"]
    assert before["said"] == "Before it was amended by Dr Osei, 09:00: other lamp"
    assert [s["value"] for s in before["signs"] if s["tone"] == "changed"] == ["matches"]
    drawn = records(stay_views.picture(bed.stay(), now=at(1.1), zone=LONDON).checks)
    assert [(c["amended"], c["late"], c["by"]) for c in drawn] == [(True, False, "Kim")]


def test_a_struck_check_stays_in_the_table_and_leaves_the_picture(bed: Bed) -> None:
    """Entered on the wrong patient: readable, with who and why, and counted no more."""
    saved = bed.check(0, CONGESTED)
    care.retract_check(
        bed.record, PROTOCOLS, key=saved.check.key, by="osei", reason="bed 9", now=at(0.2)
    )
    (row,) = [r for r in bed.rows(0.3) if r["kind"] == "struck"]
    assert row["said"] == "Struck through by Dr Osei, 08:12: bed 9"
    assert stay_views.picture(bed.stay(), now=at(0.3), zone=LONDON).checks.empty
    card = next(c for c in bed.cards(0.3) if c["word"] == "RED")
    assert any("amended or struck" in mark for mark in card["marks"])


def test_only_the_readings_a_finding_rests_on_are_hot(bed: Bed) -> None:
    """The baseline that a reading is compared with stays quiet."""
    bed.check(0, WELL)
    bed.check(1, CONGESTED)
    (card,) = [c for c in bed.cards(1.1) if c["word"] == "RED"]
    newest, before = [c for c in card["checks"] if not c["gap"]]
    hot = dict(zip(card["columns"], (c["tone"] for c in newest["cells"]), strict=True))
    assert hot["Colour"] == hot["Refill s"] == hot["Vein"] == "hot"
    assert {c["tone"] for c in before["cells"]} == {"plain"}
    row = bed.rows(1.1)[0]
    assert {s["label"] for s in row["signs"] if s["tone"] == "hot"} >= {"Colour", "Refill", "Vein"}


def test_a_card_never_says_who_has_it_before_somebody_has(bed: Bed) -> None:
    """Open: nobody; acknowledged: the person, what they do and by when; closed: by whom and why."""
    bed.check(0, CONGESTED)
    (card,) = bed.cards(0.1)
    assert not card["plan_has"] and "nobody has it yet" in card["plan"]
    care.acknowledge_alert(
        bed.record, alert_id=card["id"], by="osei", intent=Intent.COMING, expected_at=at(0.5),
        now=at(0.2),
    )  # fmt: skip
    (card,) = bed.cards(0.3)
    assert card["plan"] == "08:12 acknowledged by Dr Osei: coming, 08:30"
    assert any("acknowledged by Dr Osei: coming, by 08:30" in line for line in card["story"])
    care.close_alert(
        bed.record, alert_id=card["id"], by="osei", reason=CloseReason.POSITION, now=at(0.4)
    )
    (card,) = bed.cards(0.5)
    assert (card["plan"], card["answers"]) == ("Closed 08:24 by Dr Osei: position", [])


def test_a_closed_alert_shows_the_checks_of_its_time(bed: Bed) -> None:
    """What was known when it was closed, not what came after."""
    bed.check(0, CONGESTED)
    (card,) = bed.cards(0.1)
    care.close_alert(
        bed.record, alert_id=card["id"], by="osei", reason=CloseReason.DRESSING, now=at(0.2)
    )
    bed.check(1, WELL)
    (card,) = [c for c in bed.cards(1.1) if c["state"] == "closed"]
    assert [check["time"] for check in card["checks"]] == ["08:00"]


def test_the_rule_its_sources_and_its_standing_are_on_the_card(bed: Bed) -> None:
    """Whoever doubts an alert can read what it rests on, and that nobody signed it off here."""
    bed.check(0, CONGESTED)
    (card,) = bed.cards(0.1)
    assert card["rule"].startswith("V1 ") and card["rule_why"]
    assert card["sources"] and all(": " in source for source in card["sources"])
    assert card["protocol"].endswith("proposed, awaiting local clinical sign-off")
    assert card["unanswered"].startswith("Unanswered: ")


def test_alerts_stand_worst_first_and_unowned_before_owned(bed: Bed) -> None:
    """Red before amber; of two equal ones the one nobody has; checks last."""
    bed.check(0, CONGESTED)
    bed.check(0.2, WELL, nurse_concern=True)
    with bed.record.read() as conn:
        running = episodes.open_alerts(conn)
    red = next(a for a in running if a.severity is Severity.RED)
    amber = next(a for a in running if a.severity is Severity.AMBER)
    owned = red._replace(id=90, state=alert_views.AlertState.ACKNOWLEDGED)
    checks = amber._replace(id=91, stream=Stream.MONITORING)
    found = alert_views.worst_first([checks, amber, owned, red])
    assert [a.id for a in found] == [red.id, 90, amber.id, 91]


def test_timeliness_is_whole_and_defined(bed: Bed) -> None:
    """Every count together, with what the words mean."""
    bed.check(0, WELL)
    (section,) = stay_facts.timeliness_data(bed.stay(), now=at(2))["sections"]
    for word in ("expected", "on time", "late", "entered late", "attempted", "missed", "extra"):
        assert f"{word} " in section["facts"][0]["text"]
    assert section["note"] == TIMELINESS_DEFINITION


def test_an_outcome_is_never_assumed(bed: Bed) -> None:
    """A flap without an outcome says that none was recorded."""
    assert bed.facts(1, "Outcome") == "Not recorded."


def test_a_hold_and_a_return_are_told_with_who_and_when(bed: Bed) -> None:
    """Marked in the picture, and in words beneath it."""
    care.hold_flap(
        bed.record, PROTOCOLS, flap_id=bed.flap_id, reason=HoldReason.IMAGING, by="kim", now=at(1)
    )
    assert bed.facts(1.1, "Holds") == "09:00 imaging: by Kim, not released yet"
    care.release_flap(bed.record, PROTOCOLS, flap_id=bed.flap_id, by="osei", now=at(1.5))
    assert "released by Dr Osei" in bed.facts(1.6, "Holds")
    value = Return(decided_at=at(2), into_theatre_at=at(2.2))
    care.record_return(
        bed.record, PROTOCOLS, flap_id=bed.flap_id, value=value, by="osei", now=at(2.2)
    )
    said = bed.facts(2.3, "Returns to theatre")
    assert "return decided 10:00" in said and "found: not recorded" in said
    kinds = {e.kind for e in stay_views.stay_events(bed.stay())}
    assert kinds == {EventKind.HOLD, EventKind.RETURN}


def test_a_correction_shows_both_values(bed: Bed) -> None:
    """What was recorded, what is right, who said so and why."""
    care.correct_flap(
        bed.record, PROTOCOLS, flap_id=bed.flap_id, changes={"skin_type": "V"}, by="osei",
        reason="looked again", now=at(1),
    )  # fmt: skip
    said = bed.facts(1.1, "Corrections")
    assert said == "09:00 Skin type, by Dr Osei: II became V: looked again"


def test_a_flap_that_is_discharged_is_never_called_well(bed: Bed) -> None:
    """After the end the page says when monitoring ended, and no severity."""
    bed.check(0, WELL)
    care.discharge_flap(bed.record, PROTOCOLS, flap_id=bed.flap_id, by="kim", now=at(1))
    head = stay_views.head_data(bed.stay(), (), now=at(2), zone=LONDON)
    assert (head["severity"], head["word"]) == ("unknown", "Monitoring ended Mon 09:00")
    assert not stay_views.monitored(bed.stay())


def test_an_amendment_changes_what_was_chosen_and_nothing_else(bed: Bed) -> None:
    """Decimals with a comma, a sign taken away, a note rewritten; the rest is kept."""
    old = bed.check(0, WELL, note="first").check
    key = UUID(int=7)
    changes = Changes({"flap_temp_c": {"typed": "32,5"}}, removed=["refill"], note="")
    new = amendment(old, changes, key=key, now=at(1))
    kept = {n: v for n, v in old.signs.items() if n not in ("flap_temp_c", "refill")}
    assert new.signs == kept | {"flap_temp_c": 32.5}
    assert (new.key, new.note, new.observed_at, new.by) == (key, None, old.observed_at, old.by)


@pytest.mark.parametrize(
    ("signs", "said"),
    [
        ({}, "Nothing is changed"),
        ({"refill": {"typed": "334"}}, "outside"),
        ({"flap_temp_c": {"typed": "warm"}}, "not a number"),
        ({"colour": {"unable": "other", "text": ""}}, "say which"),
    ],
)
def test_an_impossible_amendment_is_a_sentence(
    bed: Bed, signs: dict[str, object], said: str
) -> None:
    """What cannot be true, or changes nothing, is refused before anything is written."""
    old = bed.check(0, WELL).check
    with pytest.raises(Wrong, match=said):
        amendment(old, Changes(signs), key=uuid4(), now=at(1))
