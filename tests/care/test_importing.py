"""A course file into the record: through the bedside's verbs, twice changing nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitoring import assess, care, course, episodes, protocol, queries
from monitoring.course import Course
from monitoring.domain import Flap, OutcomeKind, Refused, Source
from monitoring.store import Record
from tests.bedside import PROTOCOLS, Bed, at, everything

COURSES = sorted(Path("data/courses").glob("*.json"))
LATER = at(60 * 24 * 30)


def a_course(**changed: Any) -> Course:
    """A short stay with a hold, a return and an outcome."""
    usual = {
        "by": "nurse1", "colour": "matches", "refill": 2.0, "flap_temp_c": 33.8,
        "control_temp_c": 34.1, "turgor": "soft", "doppler_artery": "strong",
    }  # fmt: skip
    told: dict[str, Any] = {
        "flap": {
            "label": "L breast DIEP", "kind": "free", "name": "DIEP", "tissue": "skin",
            "recipient": "breast", "buried": False, "skin_type": "II", "monitors": ["handheld"],
            "perfused_at": at(0).isoformat(),
        },
        "checks": [usual | {"observed_at": at(m).isoformat()} for m in (1, 30, 400, 430)],
        "holds": [{"from_at": at(60).isoformat(), "until_at": at(90).isoformat(),
                   "reason": "imaging"}],
        "returns": [{"decided_at": at(100).isoformat(), "into_theatre_at": at(120).isoformat(),
                     "perfused_again_at": at(300).isoformat(), "back_at": at(390).isoformat(),
                     "finding": "kink", "salvaged": True}],
        "outcome": {"kind": "survived", "closed_at": at(5000).isoformat()},
    }  # fmt: skip
    return course.parse(json.loads(json.dumps(told | changed)), "stay.json")


def bring(record: Record, stay: Course, **more: Any) -> care.Imported:
    return care.import_course(record, PROTOCOLS, stay, ward="W", now=LATER, **more)


@pytest.mark.parametrize("path", COURSES, ids=lambda p: p.stem)
def test_an_imported_course_is_judged_as_it_is_without_a_record(record: Record, path: Path) -> None:
    """What `assess` says of a course is what the record holds once it is imported."""
    stay = course.read(path)
    done = bring(record, stay, confirmed=care.ALL)
    assert (done.new, done.known) == (len(stay.checks), 0)
    chosen = protocol.propose(PROTOCOLS, stay.facts)
    flap = Flap(done.flap_id, stay.facts, chosen.key, holds=stay.holds, returns=stay.returns)
    expected = {c.key: a for c, a in assess.judge_stay(flap, stay.checks, chosen)}
    with record.read() as conn:
        held = episodes.current_assessments(conn, list(expected))
    assert {k: s.assessment for k, s in held.items()} == expected


def test_importing_twice_changes_nothing(record: Record) -> None:
    """The same file again finds every check known, and writes nothing."""
    stay = a_course()
    bring(record, stay)
    before = everything(record)
    again = bring(record, stay)
    assert (again.new, again.known) == (0, 4)
    assert everything(record) == before


def test_a_whole_stay_arrives(record: Record) -> None:
    """Hold, return, baseline after the return, outcome, who made the checks and how they came."""
    done = bring(record, a_course())
    bed = Bed(record, done.flap_id)
    flap = bed.flap()
    assert [(h.from_at, h.until_at) for h in flap.holds] == [
        (at(60), at(90)), (at(120), at(390)),
    ]  # fmt: skip
    assert flap.slots_from == at(390)
    assert flap.baseline is not None and flap.baseline.observed_at == at(400)
    assert {(c.check.by, c.check.source) for c in bed.checks()} == {("nurse1", Source.IMPORT)}
    with record.read() as conn:
        found = queries.outcome_of(conn, done.flap_id)
        stand_in = queries.load_flap(conn, done.flap_id).patient
    assert found is not None and found.kind is OutcomeKind.SURVIVED
    assert (stand_in.name, stand_in.bed) == ("IMPORTED, course", "imported")


def test_an_import_that_stopped_halfway_goes_on(record: Record) -> None:
    """The power failed after two checks: the same file brings the rest, and the outcome."""
    stay = a_course()
    bring(record, replace(stay, checks=stay.checks[:2], outcome=None))
    done = bring(record, stay)
    assert (done.new, done.known) == (2, 2)
    with record.read() as conn:
        assert queries.outcome_of(conn, done.flap_id) is not None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"checks": [{"observed_at": at(99_999).isoformat(), "by": "n", "colour": "pale"}]},
         "Check 1 lies"),
        ({"checks": [{"observed_at": at(1).isoformat(), "by": "n", "refill": 9.5}]},
         "Check 1: Refill 9.5 s is unusual"),
        ({"outcome": {"kind": "survived", "closed_at": at(99_999).isoformat()}}, "The outcome"),
    ],
)  # fmt: skip
def test_what_would_be_refused_leaves_nothing_behind(
    record: Record, changed: dict[str, Any], said: str
) -> None:
    """A future time or an unusual value anywhere in the file: nothing of it is in the record."""
    before = everything(record)
    with pytest.raises(Refused, match=said):
        bring(record, a_course(**changed))
    assert everything(record) == before


def test_unusual_values_pass_once_confirmed(record: Record) -> None:
    """Whoever imports says that the unusual values are right."""
    stay = a_course(
        checks=[{"observed_at": at(1).isoformat(), "by": "n", "refill": 9.5, "colour": "pale"}]
    )
    assert bring(record, stay, confirmed=care.ALL).new == 1
