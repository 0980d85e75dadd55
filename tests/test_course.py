"""Course files: what is read, and what is refused with the file, the check and the word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring import course
from monitoring.course import BadCourse
from monitoring.domain import ReturnFinding

SAMPLES = sorted(Path("data/courses").glob("*.json"))


def raw(**changed: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "flap": {
            "label": "x", "kind": "free", "name": "ALT", "tissue": "skin", "recipient": "trunk",
            "buried": False, "perfused_at": "2026-03-02T14:10:00+00:00",
        },
        "checks": [{"observed_at": "2026-03-02T15:00:00+00:00", "by": "n", "colour": "pale"}],
    }  # fmt: skip
    return told | changed


def check(**changed: Any) -> dict[str, Any]:
    one = {"observed_at": "2026-03-02T15:00:00+00:00", "by": "n", "colour": "pale"} | changed
    return raw(checks=[raw()["checks"][0], {k: v for k, v in one.items() if v is not ...}])


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_the_samples_are_read(path: Path) -> None:
    """Every sample course is a stay with checks."""
    assert course.read(path).checks
    assert len(SAMPLES) == 3


def test_reading_twice_gives_the_same_ids() -> None:
    """Ids follow from the content: a key differs when a value does."""
    first, again = course.parse(raw(), "a.json"), course.parse(raw(), "b.json")
    assert first == again
    other = course.parse(raw(checks=[raw()["checks"][0] | {"colour": "blue"}]), "c.json")
    assert other.checks[0].key != first.checks[0].key
    assert first.facts.monitoring_from == first.facts.perfused_at


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ([], "a course is an object with a flap"),
        ({}, "a course is an object with a flap"),
        (raw(extra=1), "unknown key 'extra'"),
        (raw(flap=3), "flap: Input should be a valid dictionary"),
        (raw(flap=raw()["flap"] | {"kind": "loose"}), r"flap.kind: Input should be .*'loose'"),
        (raw(flap={k: v for k, v in raw()["flap"].items() if k != "buried"}),
         "flap.buried is missing"),
        (raw(checks=None), "checks must be a list"),
        (raw(checks={}), "checks must be a list"),
        (raw(checks=[3]), "check 1: 3 is not a check"),
        (check(), "check 2: stands twice"),
        (check(colour="green"), "check 2: Colour: 'green' is not one of"),
        (check(mood="good"), "check 2: 'mood' is not part of a check"),
        (check(flap_temp_c=334), "check 2: Flap temperature: 334 is outside 10 to 43 °C"),
        (check(flap_temp_c="33"), "check 2: Flap temperature: '33' is not a number"),
        (check(flap_temp_c=True), "check 2: Flap temperature: True is not a number"),
        (check(by=...), "check 2: A check needs the person"),
        (check(observed_at="noon"), "check 2: observed_at: 'noon' is not a date and time"),
        (check(observed_at="2026-03-02T15:00:00"), "check 2: .* has no time zone"),
        (check(observed_at="2026-03-01T15:00:00+00:00"), "check 2: observed before monitoring"),
        (check(key="abc"), "check 2: key: 'abc' is not a UUID"),
        (check(nurse_concern="yes"), "check 2: nurse_concern: 'yes' is neither true nor false"),
        (check(colour={"unable": "tired"}), "check 2: Colour: 'tired' is not one of"),
        (raw(holds=[{"from_at": "2026-03-02T15:00:00+00:00", "reason": "tea"}]),
         "hold 1.reason: Input should be"),
        (raw(holds={}), "holds must be a list"),
        (raw(returns=[{"decided_at": "2026-03-02T15:00:00+00:00",
                       "back_at": "2026-03-02T14:00:00+00:00"}]), "return 1: A return runs"),
        (raw(outcome={"kind": "partial_loss", "closed_at": "2026-03-09T15:00:00+00:00"}),
         "outcome: A partial loss needs its percentage"),
        (raw(patient={"mrn": "1"}), "patient.name is missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_name(given_: object, said: str) -> None:
    """The sentence names the file, the check's number and the word; nothing is dropped."""
    with pytest.raises(BadCourse, match=said) as refused:
        course.parse(given_, "stay.json")
    assert str(refused.value).startswith("stay.json: ")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"{", "not readable as JSON"), (b"\xff\xfe", "not readable as JSON"), (b"", "not readable")],
)
def test_what_is_not_json_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    """Half a file, a file of another encoding, an empty one; and one that is not there."""
    path = tmp_path / "stay.json"
    path.write_bytes(content)
    with pytest.raises(BadCourse, match=f"stay.json: .*{said}|stay.json: {said}"):
        course.read(path)
    with pytest.raises(BadCourse, match=r"none.json: No such file"):
        course.read(tmp_path / "none.json")


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)  # fmt: skip


@given(st.sampled_from(["flap", "checks", "holds", "returns", "outcome", "patient"]), _json)
def test_nothing_but_a_course_or_a_sentence(key: str, value: object) -> None:
    """Whatever stands in the file's place, reading ends in a course or in a sentence."""
    try:
        course.parse(raw(**{key: value}), "stay.json")
    except BadCourse as refused:
        said = str(refused)
    else:
        return
    assert said.startswith("stay.json: ")


def test_a_whole_course_is_read() -> None:
    """Patient, holds, returns and outcome arrive as values."""
    at = "2026-03-02T1{}:00:00+00:00".format
    stay = course.parse(
        json.loads(json.dumps(raw(
            patient={"mrn": "1", "name": "A", "born_on": "1970-01-01", "ward": "W", "bed": "1"},
            holds=[{"from_at": at(6), "until_at": at(7), "reason": "theatre"}],
            returns=[{"decided_at": at(5), "finding": "kink"}],
            outcome={"kind": "partial_loss", "percent": 10, "closed_at": at(9)},
        ))), "stay.json",
    )  # fmt: skip
    assert stay.patient is not None and stay.outcome is not None
    assert (stay.returns[0].finding, stay.outcome.percent) == (ReturnFinding.KINK, 10)
