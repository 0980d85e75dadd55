"""The flap page: the whole stay, and what may be done to it, each by a named person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from streamlit.testing.v1 import AppTest

from monitoring import care, checks, people, protocol, queries, ward
from monitoring.domain import Check, HoldReason, Role
from monitoring.store import Record
from monitoring.ward import Stay

Open = Callable[..., AppTest]
Told = Callable[[AppTest, str], Any]
PROTOCOLS = protocol.load()
HOSTILE = "<img src=x onerror=alert(1)> **bold** [x](http://evil) :red[hot] $x$"


def flap_of(record: Record, label: str) -> str:
    with record.read() as conn:
        found = queries.active_flaps(conn).flaps
    return next(f.flap.id for f in found if f.flap.facts.label == label)


def stay(record: Record, flap_id: str) -> Stay:
    return ward.stay(record, PROTOCOLS, flap_id)


def begin(at: AppTest, flap_id: str, name: str) -> AppTest:
    at.session_state["doing"] = (flap_id, name)
    return at.run()


def press(at: AppTest, label: str) -> AppTest:
    return [b for b in at.button if b.label == label][-1].click().run()


def choose(at: AppTest, label: str, value: object) -> AppTest:
    return next(s for s in at.selectbox if s.label == label).set_value(value).run()


def write(at: AppTest, label: str, text: str) -> AppTest:
    return next(t for t in at.text_input if t.label == label).set_value(text).run()


@pytest.fixture
def venous(ward_record: Record) -> str:
    """The flap with the evolving venous congestion."""
    return flap_of(ward_record, "L breast DIEP")


def test_every_demo_flap_has_a_page_that_stands(ward_record: Record, open_page: Open) -> None:
    """No state a ward can be in, a buried flap, a hold or a return, breaks the page."""
    with ward_record.read() as conn:
        every = queries.active_flap_ids(conn)
    for flap_id in every:
        at = open_page("flap.py", flap=flap_id)
        assert not at.exception, flap_id
        assert not any("Not done" in m.value for m in at.markdown), flap_id


def test_the_head_says_who_how_and_under_which_protocol(
    open_page: Open, told: Told, venous: str
) -> None:
    """Two identifiers, date of birth, namesake, state, who has it, and that the protocol awaits
    sign-off."""
    head = told(open_page("flap.py", flap=venous), "head-")
    assert (head["name"], head["mrn"], head["born"]) == ("ADEYEMI, Grace", "204118", "14 Mar 1971")
    assert head["namesake"] == "another ADEYEMI in bed 9"
    assert (head["word"], head["severity"]) == ("RED", "red")
    assert "acknowledged by Dr M. Osei" in head["plan"]
    assert "proposed, awaiting local clinical sign-off" in head["protocol"]


def test_a_note_full_of_markup_is_shown_letter_by_letter(
    ward_record: Record, open_page: Open, told: Told, venous: str
) -> None:
    """What a person wrote reaches the screen as they wrote it, never as markup."""
    now = datetime.now(UTC)
    check = Check.parse(
        {"observed_at": now, "colour": "matches", "note": HOSTILE}, flap_id=venous,
        by="n-okafor", key=uuid4(),
    )  # fmt: skip
    care.record_check(ward_record, PROTOCOLS, check, now=now)
    at = open_page("flap.py", flap=venous)
    assert told(at, "checks-")["rows"][0]["note"] == HOSTILE
    assert not any(HOSTILE in m.value for m in at.markdown)


def test_an_unknown_flap_is_a_sentence(open_page: Open) -> None:
    """A wrong address says so and offers the flaps there are."""
    at = open_page("flap.py", flap="nobody")
    assert not at.exception
    assert at.text and any(s.label == "Which flap?" for s in at.selectbox)


def test_a_hold_names_its_person_and_reason(
    ward_record: Record, open_page: Open, told: Told, venous: str
) -> None:
    """Putting a flap on hold is refused without a name, then read back from the record."""
    at = begin(open_page("flap.py", flap=venous), venous, "hold")
    at = at.button_group(key="hold-reason").set_value(HoldReason.IMAGING).run()
    at = next(b for b in at.button if b.key == "do-hold").click().run()
    assert any("Say who you are." in t.value for t in at.text)
    assert not stay(ward_record, venous).holds
    at = choose(at, "Who are you?", "n-okafor")
    at = next(b for b in at.button if b.key == "do-hold").click().run()
    assert not at.exception
    (held,) = stay(ward_record, venous).holds
    assert (held.by, held.hold.reason) == ("n-okafor", HoldReason.IMAGING)
    assert "imaging" in told(at, "done-notice")["text"]
    assert any(b.label == "Release from hold" for b in at.button)


def test_an_amendment_keeps_every_value_that_was_not_changed(
    ward_record: Record, open_page: Open, told: Told, venous: str
) -> None:
    """One sign is set right with a reason; the others stay, and the old version is readable."""
    old = stay(ward_record, venous).bed.seen[-1].check
    at = begin(open_page("flap.py", flap=venous), venous, "amend")
    at = choose(at, "Which check is amended?", old.key)
    at = choose(at, "Doppler vein", "weak")
    at = write(at, "Why is it amended?", "probe had slipped")
    at = choose(at, "Who are you?", "n-okafor")
    at = press(at, "Amend this check")
    assert not at.exception
    new = stay(ward_record, venous).bed.seen[-1].check
    assert new.signs == {**old.signs, "doppler_vein": "weak"}
    assert new.observed_at == old.observed_at
    row = told(at, "checks-")["rows"][0]
    (before,) = row["older"]
    assert "probe had slipped" in before["said"]
    changed = [s["label"] for s in before["signs"] if s["tone"] == "changed"]
    assert changed == ["Vein"]


def test_an_amendment_that_changes_nothing_is_refused(
    ward_record: Record, open_page: Open, venous: str
) -> None:
    """Saving an untouched amendment writes nothing."""
    old = stay(ward_record, venous).bed.seen[-1].check
    at = begin(open_page("flap.py", flap=venous), venous, "amend")
    at = choose(at, "Which check is amended?", old.key)
    at = write(at, "Why is it amended?", "no reason at all")
    at = press(choose(at, "Who are you?", "n-okafor"), "Amend this check")
    assert any("Nothing is changed" in t.value for t in at.text)
    assert stay(ward_record, venous).bed.seen[-1].check.key == old.key


def test_a_number_left_blank_is_asked_for_never_dropped(
    ward_record: Record, open_page: Open, venous: str
) -> None:
    """Choosing another value and typing none does not take the reading away."""
    old = stay(ward_record, venous).bed.seen[-1].check
    at = begin(open_page("flap.py", flap=venous), venous, "amend")
    at = choose(at, "Which check is amended?", old.key)
    at = choose(at, "Flap temperature", "another value")
    at = write(at, "Why is it amended?", "misread")
    at = press(choose(at, "Who are you?", "n-okafor"), "Amend this check")
    assert any("give the value, or keep the old one" in t.value for t in at.text)
    assert stay(ward_record, venous).bed.seen[-1].check.key == old.key


def test_a_struck_check_stays_readable_with_its_reason(
    ward_record: Record, open_page: Open, told: Told, venous: str
) -> None:
    """A check of the wrong patient is struck through, by whom and why, and counts no more."""
    old = stay(ward_record, venous).bed.seen[-1].check
    at = begin(open_page("flap.py", flap=venous), venous, "strike")
    at = choose(at, "Which check is struck through?", old.key)
    at = write(at, "Why?", "was the other Adeyemi")
    at = press(choose(at, "Who are you?", "n-okafor"), "Strike it through")
    row = next(r for r in told(at, "checks-")["rows"] if r["kind"] == "struck")
    assert "was the other Adeyemi" in row["said"] and "N. Okafor" in row["said"]
    with ward_record.read() as conn:
        assert not checks.check_by_key(conn, old.key).current


def test_a_surgeon_sets_the_baseline_and_a_nurse_does_not(
    ward_record: Record, open_page: Open
) -> None:
    """The check is chosen by its time and by a registrar or consultant; a nurse is refused in a
    sentence, and nothing changes."""
    flap_id = calm(ward_record)
    known = stay(ward_record, flap_id)
    assert known.bed.flap.baseline is not None and not known.bed.flap.baseline_set
    other = known.bed.seen[-1].check
    assert other.key != known.bed.flap.baseline.key
    staff = {role: of(ward_record, role) for role in (Role.NURSE, Role.CONSULTANT)}
    at = begin(open_page("flap.py", flap=flap_id), flap_id, "baseline")
    at = choose(at, "Which check is the baseline?", other.key)
    at = press(choose(at, "Who are you?", staff[Role.NURSE]), "Set the baseline")
    assert any("set by a surgeon" in t.value for t in at.text)
    assert stay(ward_record, flap_id).bed.flap.baseline == known.bed.flap.baseline
    press(choose(at, "Who are you?", staff[Role.CONSULTANT]), "Set the baseline")
    after = stay(ward_record, flap_id).bed.flap
    assert after.baseline is not None
    assert (after.baseline.key, after.baseline_set) == (other.key, True)


def calm(record: Record) -> str:
    """A flap without an alert, a hold or a return, looked at several times."""
    beds = ward.snapshot(record, PROTOCOLS, datetime.now(UTC)).beds
    return next(
        b.flap.id for b in beds
        if len(b.seen) > 3 and not b.alerts and not b.flap.holds and not b.flap.returns
        and b.seen[-1].full and b.seen[-1].severity.rank == 0
    )  # fmt: skip


def of(record: Record, role: Role) -> str:
    with record.read() as conn:
        return next(s.id for s in people.list_staff(conn) if s.role is role)


def test_a_discharge_with_an_open_alert_is_refused(
    ward_record: Record, open_page: Open, venous: str
) -> None:
    """Nobody leaves the board while an alert is not closed; the page says which."""
    at = begin(open_page("flap.py", flap=venous), venous, "discharge")
    at = press(choose(at, "Who are you?", "n-okafor"), "End monitoring")
    assert any("has an alert that is not closed" in t.value for t in at.text)
    assert stay(ward_record, venous).bed.flap.ended_at is None


def test_a_wrong_fact_is_corrected_with_both_values_kept(
    ward_record: Record, open_page: Open, told: Told, venous: str
) -> None:
    """The recorded value stands beside the right one, and both stay in the record."""
    at = begin(open_page("flap.py", flap=venous), venous, "correct")
    at = choose(at, "Which fact is wrong?", "mrn")
    assert any(t.value == "Recorded: 204118" for t in at.text)
    at = write(at, "What is right?", "204119")
    at = write(at, "Why was it wrong?", "typing slip")
    at = press(choose(at, "Who are you?", "p-mensah"), "Set it right")
    assert not at.exception
    (correction,) = stay(ward_record, venous).corrections
    assert (correction.old, correction.new, correction.by) == ("204118", "204119", "p-mensah")
    assert "204118 became 204119: typing slip" in told(at, "done-notice")["text"]


def test_a_bed_is_moved_by_a_named_person(
    ward_record: Record, open_page: Open, venous: str
) -> None:
    """The patient lies elsewhere now."""
    at = begin(open_page("flap.py", flap=venous), venous, "move")
    at = choose(at, "Ward", stay(ward_record, venous).bed.patient.ward)
    at = write(at, "Bed", "21")
    at = press(choose(at, "Who are you?", "n-okafor"), "Move")
    assert stay(ward_record, venous).bed.patient.bed == "21"


def test_a_return_is_written_stage_by_stage(
    ward_record: Record, open_page: Open, venous: str
) -> None:
    """What is known already is shown and not asked again; the theatre opens a hold."""
    at = begin(open_page("flap.py", flap=venous), venous, "return")
    at = at.button_group(key="when-return-decided_at").set_value("now").run()
    at = press(choose(at, "Who are you?", "dr-m-osei"), "Write it down")
    at = begin(at, venous, "return")
    assert any(t.value.startswith("return decided: ") for t in at.text)
    at = at.button_group(key="when-return-into_theatre_at").set_value("now").run()
    at = press(choose(at, "Who are you?", "dr-m-osei"), "Write it down")
    assert not at.exception
    found = stay(ward_record, venous)
    (returned,) = found.returns
    assert returned.value.into_theatre_at is not None
    assert [h.hold.reason for h in found.holds] == [HoldReason.THEATRE]
