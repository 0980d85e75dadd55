"""From what was typed and tapped to values: every field, nothing guessed, blank is never zero."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.domain import Check
from monitoring.entry import AskWhich, Wrong, admission, folds, moment, read_check, twice
from monitoring.signs import SIGNS, BadValue, Sign, Unable, UnableReason

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
NUMBERS = [s for s in SIGNS.values() if s.kind == "number"]
WORDS = [s for s in SIGNS.values() if s.kind in ("words", "refill")]
BACK = datetime.fromisoformat("2026-10-25T01:30")
"""A wall time that occurs twice in London."""
SKIPPED = datetime.fromisoformat("2026-03-29T01:30")
"""A wall time that does not occur in London."""


def form(signs: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    told = {
        "form_key": str(uuid4()), "observed": None, "observed_fold": None, "by": "ana",
        "signs": {"colour": "matches"} if signs is None else signs, "note": "", "worried": False,
        "concern_about": "", "confirmed": [],
    }  # fmt: skip
    return told | more


def read(filled: dict[str, Any], now: datetime = NOW) -> Any:
    return read_check(filled, flap_id="flap", zone=LONDON, now=now)[0]


def problems(filled: dict[str, Any], now: datetime = NOW) -> dict[str, str]:
    with pytest.raises(Wrong) as wrong:
        read(filled, now)
    return wrong.value.problems


@given(sign=st.sampled_from(NUMBERS), tenths=st.integers(-500, 25_000), comma=st.booleans())
def test_a_number_means_the_same_with_comma_or_point(sign: Sign, tenths: int, comma: bool) -> None:
    """33,8 and 33.8 are the same reading; outside the sign's range both are refused beside their
    field, naming value and range, and nothing is clamped."""
    text = f"{tenths / 10:.1f}".replace(".", "," if comma else ".")
    filled = form({sign.name: {"typed": text}})
    if sign.low <= tenths / 10 <= sign.high:
        assert read(filled).signs[sign.name] == tenths / 10
    else:
        said = problems(filled)
        assert set(said) == {sign.name}
        assert f"{sign.low:g} to {sign.high:g}" in said[sign.name]


@given(sign=st.sampled_from([*NUMBERS, SIGNS["refill"]]), text=st.text(max_size=8))
def test_whatever_is_typed_is_a_number_a_blank_or_a_sentence(sign: Sign, text: str) -> None:
    """Any text in a number's field: plainly one number, nothing at all, or a sentence."""
    filled = form({sign.name: {"typed": text}, "colour": "matches"})
    if not text.strip():
        assert sign.name not in read(filled).signs
        return
    try:
        value = read(filled).signs[sign.name]
    except Wrong as wrong:
        value, said = None, wrong.problems
    if value is None:
        assert set(said) == {sign.name}
        assert sign.label in said[sign.name]
    else:
        assert float(text.strip().replace(",", ".")) == value


@pytest.mark.parametrize(
    "text", ["NaN", "inf", "1e2", "3,5.1", "1 000", "٣٣", "33.4 C", "334", "-1"]
)
def test_what_is_not_plainly_a_temperature_is_refused(text: str) -> None:
    """Not a number, an exponent, two separators, a unit, other digits, °F: a sentence each."""
    assert set(problems(form({"flap_temp_c": {"typed": text}}))) == {"flap_temp_c"}


@given(st.data())
def test_every_word_of_every_sign_is_read(data: st.DataObject) -> None:
    """Each word of the vocabulary comes through as it is; any other is refused with the list."""
    sign = data.draw(st.sampled_from(WORDS))
    word = data.draw(st.sampled_from(sign.words))
    signs = {sign.name: word} | ({"refill": "normal"} if sign.name == "refill_again" else {})
    assert read(form(signs)).signs[sign.name] == word
    said = problems(form(signs | {sign.name: word + "x"}))
    assert set(said) == {sign.name}
    assert ", ".join(sign.words) in said[sign.name]


@given(
    st.sampled_from(sorted(SIGNS)),
    st.sampled_from([None, "", "  ", {"typed": ""}, {"typed": None}, {"seconds": None}]),
)
def test_blank_is_never_zero_nor_normal(name: str, blank: object) -> None:
    """An untouched or emptied field of any sign is not looked at, and makes no difference."""
    other = "light" if name != "light" else "warming"
    word = "lamp" if name != "light" else "on"
    assert dict(read(form({name: blank, other: word})).signs) == {other: word}
    said = problems(form({name: blank}))
    assert set(said) == {"form"}


@given(st.sampled_from(sorted(SIGNS)), st.sampled_from(UnableReason))
def test_unable_is_an_answer(name: str, reason: UnableReason) -> None:
    """Unable with a reason is neither a value nor a blank; another reason needs its words."""
    signs: dict[str, Any] = {"refill": "normal"} if name == "refill_again" else {}
    given_: dict[str, Any] = {"unable": reason.value}
    if reason is UnableReason.OTHER:
        assert "say which" in problems(form(signs | {name: given_}))[name]
        given_["text"] = "leeches on"
    value = read(form(signs | {name: given_})).signs[name]
    assert isinstance(value, Unable) and value.reason is reason


@given(st.floats(-5, 30, allow_nan=False))
def test_a_timed_refill_is_kept_to_the_hundredth(seconds: float) -> None:
    """What the stopwatch measured is stored as measured; beyond 15 s it is refused."""
    filled = form({"refill": {"seconds": seconds}})
    if 0 <= seconds <= 15:
        assert read(filled).signs["refill"] == seconds
    else:
        assert "0 to 15" in problems(filled)["refill"]


def test_zero_is_a_reading() -> None:
    """A typed 0, a timed 0 and a No are answers."""
    signs = read(
        form({
            "sto2_percent": {"typed": "0"}, "refill": {"seconds": 0},
            "drain_stopped_suddenly": False,
        })
    ).signs  # fmt: skip
    assert dict(signs) == {"sto2_percent": 0.0, "refill": 0.0, "drain_stopped_suddenly": False}


def test_every_problem_is_told_at_once() -> None:
    """Three wrong fields give three sentences, each at its own field."""
    said = problems(
        form({"flap_temp_c": {"typed": "92"}, "colour": "green"}, by=None, observed="soon")
    )
    assert set(said) == {"flap_temp_c", "colour", "by", "observed_at"}
    assert said["by"] == "Say who made this check."


def test_an_empty_form_is_no_check() -> None:
    """Nothing entered, a note alone, a second press without a first, an unknown sign."""
    assert set(problems(form({}))) == {"form"}
    assert set(problems(form({}, note="asleep"))) == {"form"}
    assert set(problems(form({"refill_again": "slow"}))) == {"refill_again"}
    assert set(problems(form({"mood": "good"}))) == {"mood"}


def test_a_worry_needs_no_sign_and_its_words_need_the_worry() -> None:
    """A nurse may save nothing but a concern; words about one that was not said are asked about
    rather than dropped."""
    check = read(form({}, worried=True, concern_about=" looks wrong "))
    assert (check.nurse_concern, check.concern_about) == (True, "looks wrong")
    assert set(problems(form(concern_about="looks wrong"))) == {"concern_about"}


def test_now_is_now_and_a_claimed_time_is_the_wards() -> None:
    """Untouched, a check is of this moment; a claimed time is on the ward's clock, in summer an
    hour ahead of UTC."""
    assert read(form()).observed_at == NOW
    summer = datetime(2026, 7, 1, 14, 0, tzinfo=UTC)
    claimed = read(form(observed="2026-07-01T14:40"), summer)
    assert claimed.observed_at == datetime(2026, 7, 1, 13, 40, tzinfo=UTC)
    zoned = read(form(observed="2026-07-01T14:40+00:00"), summer)
    assert zoned.observed_at == datetime(2026, 7, 1, 14, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    "said", ["", "2026-03-02", "2026-03-02T", "14:00", "yesterday", "2026-13-01T10:00"]
)
def test_half_a_time_is_no_time(said: str) -> None:
    """A day without a time is not midnight, and a blank is not now."""
    assert set(problems(form(observed=said))) == {"observed_at"}


def test_a_wall_time_that_occurs_twice_is_asked_never_guessed() -> None:
    """01:30 on the night the clock goes back: the form is given both, and takes the one chosen."""
    later = datetime(2026, 10, 25, 9, 0, tzinfo=UTC)
    with pytest.raises(Wrong) as wrong:
        read(form(observed="2026-10-25T01:30"), later)
    assert "occurs twice that night: say which one" in wrong.value.problems["observed_at"]
    assert wrong.value.folds == [
        ("first", "01:30 BST (+0100)"), ("second", "01:30 GMT (+0000)"),
    ]  # fmt: skip
    first = read(form(observed="2026-10-25T01:30", observed_fold="first"), later).observed_at
    second = read(form(observed="2026-10-25T01:30", observed_fold="second"), later).observed_at
    assert second - first == timedelta(hours=1)
    assert set(problems(form(observed="2026-10-25T01:30", observed_fold="third"), later)) == {
        "observed_at"
    }


def test_a_wall_time_the_clock_skips_is_refused() -> None:
    """01:30 on the night the clock goes forward does not exist."""
    said = problems(form(observed="2026-03-29T01:30"))
    assert "does not occur that night" in said["observed_at"]
    with pytest.raises(BadValue):
        moment(SKIPPED, LONDON, "first")


@given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)))  # noqa: DTZ001
def test_every_wall_time_is_one_instant_two_or_none(wall: datetime) -> None:
    """Any minute of the year is read back as itself, asked about, or refused."""
    try:
        instant = moment(wall, LONDON)
    except AskWhich:
        assert twice(wall, LONDON)
        both = [moment(wall, LONDON, "first"), moment(wall, LONDON, "second")]
        assert both[1] - both[0] == timedelta(hours=1)
        assert len(folds(wall, LONDON)) == 2
    except BadValue:
        assert wall.date() == SKIPPED.date()
    else:
        assert instant.astimezone(LONDON).replace(tzinfo=None) == wall
        assert not twice(wall, LONDON)


def test_both_sides_of_the_night_are_plain() -> None:
    """An hour before and after, nobody is asked."""
    assert not twice(BACK - timedelta(minutes=31), LONDON)
    assert twice(BACK, LONDON)
    assert not twice(BACK + timedelta(minutes=30), LONDON)
    assert not twice(None, LONDON)


def test_an_admission_names_what_is_missing() -> None:
    """Every blank of the admission form is asked for in the ward's words, at once."""
    with pytest.raises(Wrong) as wrong:
        admission({"mrn": "", "name": "A"}, {"label": "x", "skin_type": "VII"})
    said = wrong.value.problems
    assert said["mrn"] == "Say the MRN."
    assert said["perfused_at"] == "Say when perfusion was restored."
    assert said["skin_type"].startswith("Skin type: ")
    assert {"born_on", "ward", "bed", "kind", "tissue", "recipient", "buried"} <= set(said)


def test_an_admission_keeps_perfusion_before_monitoring() -> None:
    """A flap cannot arrive before it was perfused; the sentence says which times."""
    person = {"mrn": "1", "name": "A", "born_on": "1970-01-01", "ward": "W", "bed": "1"}
    facts = {
        "label": "x", "kind": "free", "name": "ALT", "tissue": "skin", "recipient": "trunk",
        "buried": False, "perfused_at": NOW, "monitoring_from": NOW - timedelta(hours=1),
    }  # fmt: skip
    with pytest.raises(Wrong) as wrong:
        admission(person, facts)
    assert wrong.value.problems == {"form": "Form: monitoring_from is before perfused_at."}
    who, what = admission(person, facts | {"monitoring_from": ""})
    assert (who.mrn, what.monitoring_from) == ("1", NOW)


def test_a_character_no_record_can_keep_is_refused() -> None:
    """A NUL in a note would be lost or break the save: it is refused with its field."""
    with pytest.raises(BadValue, match="no record can keep"):
        Check.parse(
            {"observed_at": "2026-03-02T14:00:00+00:00", "note": "well\0"},
            flap_id="f", by="ana", key=uuid4(),
        )  # fmt: skip
