"""Each condition holds, does not, or cannot be answered; and says why with its numbers."""

from __future__ import annotations

from typing import Any

import pytest

from monitoring.conditions import (
    BadCondition,
    Condition,
    contradictions,
    families,
    implies,
    lasting,
    parse_condition,
)
from monitoring.domain import Flap, Return
from tests.stays import START, a_check, a_flap, asked, facts, usual, view

DUSKY = {"one_of": {"sign": "colour", "words": ["dusky"]}}
SLOW = {"above": {"sign": "refill", "than": 3}}
COOL = {"above": {"sign": "temp_gap_c", "than": 2, "or_equal": True}}
LOST = {"changed_by": {"sign": "doppler_artery", "from": ["strong", "weak"], "to": ["absent"]}}
UNABLE = {"unable": "dressing"}

ONE_CHECK: list[tuple[str, dict[str, Any], dict[str, Any], bool | None]] = [
    ("the word", DUSKY, {"colour": "dusky"}, True),
    ("another word", DUSKY, {"colour": "matches"}, False),
    ("a blank", DUSKY, {}, None),
    ("unable", DUSKY, {"colour": UNABLE}, None),
    ("yes", {"one_of": {"sign": "drain_stopped_suddenly", "words": ["yes"]}},
     {"drain_stopped_suddenly": True}, True),
    ("no is an answer", {"one_of": {"sign": "drain_stopped_suddenly", "words": ["yes"]}},
     {"drain_stopped_suddenly": False}, False),
    ("absent refill", {"one_of": {"sign": "refill", "words": ["absent"]}},
     {"refill": 2.0, "refill_again": "absent"}, True),
    ("a timed refill is not absent", {"one_of": {"sign": "refill", "words": ["absent"]}},
     {"refill": 15.0}, False),
    ("over 3 s", SLOW, {"refill": 3.1}, True),
    ("just 3 s", SLOW, {"refill": 3.0}, False),
    ("slow in words is over 3 s", SLOW, {"refill": "slow"}, True),
    ("absent is over 3 s", SLOW, {"refill": "absent"}, True),
    ("normal in words is not", SLOW, {"refill": "normal"}, False),
    ("the second press is slow", SLOW, {"refill": 2.0, "refill_again": 3.5}, True),
    ("the first press was slow", SLOW, {"refill": 3.5, "refill_again": 2.0}, True),
    ("slow in words says nothing of 5 s", {"above": {"sign": "refill", "than": 5}},
     {"refill": "slow"}, None),
    ("normal in words says nothing of 2 s", {"below": {"sign": "refill", "than": 2}},
     {"refill": "normal"}, None),
    ("under 1 s", {"below": {"sign": "refill", "than": 1}}, {"refill": 0.9}, True),
    ("0 s is a reading", {"below": {"sign": "refill", "than": 1}}, {"refill": 0}, True),
    ("just 1 s", {"below": {"sign": "refill", "than": 1}}, {"refill": 1.0}, False),
    ("brisk in words", {"below": {"sign": "refill", "than": 1}}, {"refill": "brisk"}, True),
    ("30 % or less", {"below": {"sign": "sto2_percent", "than": 30, "or_equal": True}},
     {"sto2_percent": 30}, True),
    ("31 %", {"below": {"sign": "sto2_percent", "than": 30, "or_equal": True}},
     {"sto2_percent": 31}, False),
    ("0 % is a reading", {"below": {"sign": "sto2_percent", "than": 30}},
     {"sto2_percent": 0}, True),
    ("a gap of just 2 °C", COOL, {"control_temp_c": 34.1, "flap_temp_c": 32.1}, True),
    ("a gap of 1.9 °C", COOL, {"control_temp_c": 34.0, "flap_temp_c": 32.1}, False),
    ("one temperature is no gap", COOL, {"flap_temp_c": 30.0}, None),
    ("nothing of these", {"not_recorded": ["doppler_artery", "temp_gap_c"]}, {}, True),
    ("unable is not a value", {"not_recorded": ["doppler_artery"]},
     {"doppler_artery": UNABLE}, True),
    ("one of these", {"not_recorded": ["doppler_artery", "temp_gap_c"]},
     {"doppler_artery": "strong"}, False),
    ("no baseline", {"not_recorded": ["baseline"]}, {}, True),
    ("all hold", {"all": [DUSKY, SLOW]}, {"colour": "dusky", "refill": 4}, True),
    ("one does not", {"all": [DUSKY, SLOW]}, {"colour": "dusky", "refill": 2}, False),
    ("one is unknown", {"all": [DUSKY, SLOW]}, {"colour": "dusky"}, None),
    ("a no outweighs an unknown", {"all": [DUSKY, SLOW]}, {"colour": "pale"}, False),
    ("any holds beside an unknown", {"any": [DUSKY, SLOW]}, {"colour": "dusky"}, True),
    ("none holds", {"any": [DUSKY, SLOW]}, {"colour": "pale", "refill": 2}, False),
    ("an unknown may hold", {"any": [DUSKY, SLOW]}, {"colour": "pale"}, None),
    ("two of three", {"at_least": {"n": 2, "of": [DUSKY, SLOW, COOL]}},
     {"colour": "dusky", "refill": 4}, True),
    ("one of three, the others known", {"at_least": {"n": 2, "of": [DUSKY, SLOW, COOL]}},
     {"colour": "dusky", "refill": 2, "flap_temp_c": 34, "control_temp_c": 34}, False),
    ("one of three, one unknown", {"at_least": {"n": 2, "of": [DUSKY, SLOW, COOL]}},
     {"colour": "dusky", "refill": 2}, None),
    ("two families", {"families_at_least": {"n": 2, "of": [DUSKY, SLOW]}},
     {"colour": "dusky", "refill": 4}, True),
    ("one family", {"families_at_least": {"n": 2, "of": [DUSKY, SLOW]}},
     {"colour": "dusky", "refill": 2}, False),
    ("a second family unknown", {"families_at_least": {"n": 2, "of": [DUSKY, SLOW]}},
     {"colour": "dusky"}, None),
    ("hour 5 is before 24", {"hours_between": {"from": 0, "to": 24}}, {}, True),
    ("hour 5 is not after 24", {"hours_between": {"from": 24}}, {}, False),
    ("hour 5 starts at 5", {"hours_between": {"from": 5, "to": 6}}, {}, True),
    ("hour 5 is not within 4 to 5", {"hours_between": {"from": 4, "to": 5}}, {}, False),
    ("the flap's skin", {"flap_is": {"skin_type": ["I", "II"]}}, {}, True),
    ("another skin", {"flap_is": {"skin_type": ["V", "VI"]}}, {}, False),
    ("the clock is never true of a check", {"schedule": "overdue"}, {}, False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "signs", "expected"),
    [row[1:] for row in ONE_CHECK],
    ids=[f"{next(iter(row[1]))}: {row[0]}" for row in ONE_CHECK],
)
def test_one_check_answers_yes_no_or_unknown(
    condition: dict[str, Any], signs: dict[str, Any], expected: bool | None
) -> None:
    """A blank or an unable sign leaves a question open; it is never a no, and never a yes."""
    seen = view(a_check(5, signs))
    found = asked(condition)
    assert found.truth(seen) is expected
    if expected is None:
        assert found.lacked(seen)


def history(*values: Any, sign: str = "refill", step: float = 1.0) -> Any:
    """A view of the last of these values, one an hour."""
    checks = [a_check(5 + n * step, {} if v is None else {sign: v}) for n, v in enumerate(values)]
    return view(*checks)


RISING = {"changed_by": {"sign": "refill", "up": 1.5, "over_checks": 2}}
COOLING = {"changed_by": {"sign": "sto2_percent", "down": 20, "within_minutes": 75}}

OVER_TIME: list[tuple[str, dict[str, Any], Any, bool | None]] = [
    ("up by 1.5 over two steps", RISING, history(1.2, 2.0, 2.7), True),
    ("up by 1.4", RISING, history(1.2, 2.0, 2.6), False),
    ("up, down", RISING, history(1.0, 3.0, 2.9), False),
    ("a step that stands still", RISING, history(1.0, 2.7, 2.7), False),
    ("one step only", RISING, history(1.0, 2.7), None),
    ("a blank between is stepped over", RISING, history(1.2, None, 2.0, 2.7), True),
    ("words that cannot be ordered", RISING, history("slow", "slow", "slow"), False),
    ("words that may be far enough", RISING, history(2.0, 2.5, "slow"), None),
    ("words far enough apart", RISING, history("brisk", "normal", "absent"), True),
    ("down by 20 within the hour", COOLING, history(80, 60, sign="sto2_percent"), True),
    ("down by 19", COOLING, history(80, 61, sign="sto2_percent"), False),
    ("down by 20 in two hours", COOLING, history(80, 60, sign="sto2_percent", step=2), None),
    ("no earlier reading", COOLING, history(60, sign="sto2_percent"), None),
    ("nothing now", COOLING, history(80, None, sign="sto2_percent"), None),
    ("lost after strong", LOST, history("strong", "absent", sign="doppler_artery"), True),
    ("lost long ago", LOST, history("weak", "absent", "absent", sign="doppler_artery"), True),
    ("present", LOST, history("absent", "weak", sign="doppler_artery"), False),
    ("never present", LOST, history("absent", "absent", sign="doppler_artery"), False),
    ("never listened to", LOST, history(None, "absent", sign="doppler_artery"), None),
    ("on two checks", {"persists": {"of": SLOW, "checks": 2}}, history(4, 4), True),
    ("on one check", {"persists": {"of": SLOW, "checks": 2}}, history(4), False),
    ("not before", {"persists": {"of": SLOW, "checks": 2}}, history(4, 2, 4), False),
    ("over a blank", {"persists": {"of": SLOW, "checks": 2}}, history(4, None, 4), True),
    ("before it only blanks", {"persists": {"of": SLOW, "checks": 2}}, history(None, 4), None),
    ("not now", {"persists": {"of": SLOW, "checks": 2}}, history(4, 2), False),
    ("now a blank", {"persists": {"of": SLOW, "checks": 2}}, history(4, None), None),
    ("for 60 min", {"persists": {"of": SLOW, "minutes": 60}}, history(4, 4), True),
    ("for 61 min", {"persists": {"of": SLOW, "minutes": 61}}, history(4, 4), False),
    ("three of three", {"persists": {"of": SLOW, "checks": 3}}, history(4, 4, 4), True),
    ("two of three", {"persists": {"of": SLOW, "checks": 3}}, history(2, 4, 4), False),
    ("two steps on the ladder", {"steps": {"ladder": "venous", "at_least": 2}},
     history("dusky", sign="colour"), True),
    ("one step on the ladder", {"steps": {"ladder": "venous", "at_least": 2}},
     history("mottled", sign="colour"), False),
    ("another ladder", {"steps": {"ladder": "venous", "at_least": 1}},
     history("white", sign="colour"), False),
    ("bruised hides the colour", {"steps": {"ladder": "venous", "at_least": 1}},
     history("bruised", sign="colour"), None),
    ("worse each time", {"steps": {"ladder": "arterial", "at_least": 2, "against": "earlier",
                                   "over_checks": 2}},
     history("matches", "pale", "mottled", sign="colour"), True),
    ("worse at once", {"steps": {"ladder": "arterial", "at_least": 2, "against": "earlier",
                                 "over_checks": 2}},
     history("matches", "matches", "mottled", sign="colour"), False),
    ("worse, seen once", {"steps": {"ladder": "arterial", "at_least": 2, "against": "earlier",
                                    "over_checks": 2}},
     history("matches", "mottled", sign="colour"), None),
    ("unable twice", {"unable_times": {"times": 2}},
     history(UNABLE, UNABLE, sign="colour"), True),
    ("unable once", {"unable_times": {"times": 2}}, history(UNABLE, sign="colour"), False),
    ("unable, seen, unable", {"unable_times": {"times": 2}},
     history(UNABLE, "pale", UNABLE, sign="colour"), False),
    ("unable, blank", {"unable_times": {"times": 2}},
     history(UNABLE, None, sign="colour"), False),
    ("another sign unable twice", {"unable_times": {"times": 2, "names": ["prick"]}},
     history(UNABLE, UNABLE, sign="colour"), False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "seen", "expected"),
    [row[1:] for row in OVER_TIME],
    ids=[f"{next(iter(row[1]))}: {row[0]}" for row in OVER_TIME],
)
def test_the_course_answers_yes_no_or_unknown(
    condition: dict[str, Any], seen: Any, expected: bool | None
) -> None:
    """What was seen before counts as it was seen; what was not looked at stays open."""
    found = asked(condition)
    assert found.truth(seen) is expected
    if expected is None:
        assert found.lacked(seen)


def test_a_second_person_confirms_and_the_same_person_does_not() -> None:
    """The finding holds for the second listener only if somebody else found it last."""
    condition = asked({"by_different_person": {"of": LOST}})
    first = usual(5)
    lost = usual(6, doppler_artery="absent")
    same = usual(6.1, doppler_artery="absent")
    other = usual(6.1, by="nurse2", doppler_artery="absent")
    assert condition.truth(view(first, lost)) is False
    assert condition.truth(view(first, lost, same)) is False
    assert condition.truth(view(first, lost, other)) is True
    assert condition.truth(view(first, lost, usual(6.05), other)) is False
    assert condition.truth(view(first, lost, usual(6.1, doppler_artery=None))) is None
    assert "found by a second person" in condition.phrases(view(first, lost, other))[0]
    assert {e.by for e in condition.evidence(view(first, lost, other))} == {"nurse1", "nurse2"}


@pytest.mark.parametrize(
    ("baseline", "now", "expected"),
    [("matches", "mottled", True), ("mottled", "mottled", False), ("mottled", "dusky", True),
     ("black", "dusky", False), ("bruised", "dusky", True)],
)  # fmt: skip
def test_colour_counts_against_the_flaps_own_baseline(
    baseline: str, now: str, expected: bool
) -> None:
    """A flap that was mottled from the start is not worse for being mottled."""
    condition = asked({"steps": {"ladder": "venous", "at_least": 1}})
    flap = a_flap(baseline=usual(0, colour=baseline))
    assert condition.truth(view(usual(5, colour=now), flap=flap)) is expected


def test_a_change_from_baseline_needs_a_baseline_with_that_sign() -> None:
    """No baseline, or one without the sign, leaves the question open."""
    condition = asked({"above": {"sign": "temp_gap_change_c", "than": 1.8}})
    cold = usual(5, flap_temp_c=31.9)
    assert condition.truth(view(cold)) is None
    assert condition.truth(view(cold, flap=a_flap(baseline=usual(0, flap_temp_c=None)))) is None
    assert condition.truth(view(cold, flap=a_flap(baseline=usual(0)))) is True
    assert condition.truth(view(cold, flap=a_flap(baseline=usual(0, flap_temp_c=33.7)))) is False


def test_a_check_is_never_held_against_a_later_baseline() -> None:
    """A late entry from before the baseline is judged without it."""
    condition = asked({"not_recorded": ["baseline"]})
    flap = a_flap(baseline=usual(6))
    assert condition.truth(view(usual(5), flap=flap)) is True
    assert condition.truth(view(usual(7), flap=flap)) is False


def test_after_ever_present_reaches_the_baseline() -> None:
    """A signal heard only at baseline, days ago, was heard."""
    flap = a_flap(baseline=usual(0))
    lost = view(usual(70, doppler_artery="absent"), flap=flap)
    assert asked(LOST).truth(lost) is True
    assert asked(LOST).phrases(lost) == ["Doppler artery absent, was strong (baseline)"]
    assert asked(LOST).evidence(lost)[1].remark == "baseline"


def test_hours_count_from_the_last_perfusion() -> None:
    """After a return to theatre the clinical hours start again, and so may the monitoring's."""
    back = Return.model_validate(
        {
            "decided_at": START,
            "perfused_again_at": START + 30 * _HOUR,
            "back_at": START + 31 * _HOUR,
        }
    )
    flap = a_flap(returns=(back,))
    seen = view(usual(35), flap=flap)
    assert asked({"hours_between": {"from": 5, "to": 6}}).truth(seen) is True
    assert asked({"hours_between": {"from": 4, "to": 5, "since": "monitoring"}}).truth(seen) is True
    assert asked({"hours_between": {"from": 24}}).truth(seen) is False


_HOUR = usual(1).observed_at - usual(0).observed_at


def test_an_unknown_skin_type_leaves_the_question_open() -> None:
    """A fact nobody entered is asked for, not assumed."""
    condition = asked({"flap_is": {"skin_type": ["V"], "buried": False}})
    seen = view(usual(5), flap=Flap("flap", facts(skin_type=None), "x@1"))
    assert condition.truth(seen) is None
    assert condition.lacked(seen) == {"skin_type"}
    assert condition.truth(view(usual(5), flap=Flap("flap", facts(buried=True), "x@1"))) is False


EXPLAINED: list[tuple[dict[str, Any], Any, str]] = [
    (SLOW, history(3.5), "refill 3.5 s (over 3)"),
    (COOL, view(usual(5, flap_temp_c=31.7)), "temperature gap 2.4 °C (2 or more)"),
    (RISING, history(1.2, 2.0, 2.7), "refill 2.7 s, up 1.5 s from 1.2 s (2 h earlier)"),
    (COOLING, history(80, 60, sign="sto2_percent"),
     "StO2 60 %, down 20 % from 80 % (1 h earlier)"),
    ({"persists": {"of": SLOW, "checks": 2}}, history(4, None, None, 4.5),
     "refill 4.5 s (over 3), also 3 h earlier"),
    ({"persists": {"of": SLOW, "checks": 2}}, history(4, 4.5, step=4),
     "refill 4.5 s (over 3), also 4 h earlier, over a gap of 4 h"),
    (RISING, history(1.2, 2.0, 2.7, step=5),
     "refill 2.7 s, up 1.5 s from 1.2 s (10 h earlier, over a gap of 5 h)"),
    ({"steps": {"ladder": "venous", "at_least": 1, "against": "earlier"}},
     history("mottled", "dusky", sign="colour"), "colour dusky, was mottled (1 h earlier)"),
    ({"unable_times": {"times": 2}}, history(UNABLE, UNABLE, sign="colour"),
     "colour could not be looked at 2 times running"),
    ({"hours_between": {"from": 0, "to": 24}}, history(2.0), "5 h after perfusion"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "seen", "sentence"), EXPLAINED)
def test_it_says_why_with_its_numbers(condition: dict[str, Any], seen: Any, sentence: str) -> None:
    """The reason names the reading, what it is held against, and a gap it reaches over."""
    found = asked(condition)
    assert found.truth(seen) is True
    assert found.phrases(seen) == [sentence]


def test_a_change_told_by_the_second_press_alone_can_be_explained() -> None:
    """The first press was not possible; the second one carries the reason and the evidence."""
    condition = asked({"changed_by": {"sign": "refill", "up": 1.0}})
    seen = view(usual(4), usual(5, refill=UNABLE, refill_again=4.0))
    assert condition.truth(seen) is True
    assert condition.phrases(seen) == ["refill 4.0 s, up 2.0 s from 2.0 s (1 h earlier)"]
    assert [e.sign for e in condition.evidence(seen)] == ["refill_again", "refill"]


@pytest.mark.parametrize(
    "raw",
    [row[1] for row in ONE_CHECK] + [row[1] for row in OVER_TIME]
    + [{"by_different_person": {"of": DUSKY}}],
)  # fmt: skip
def test_every_condition_can_be_put_in_words(raw: dict[str, Any]) -> None:
    """The protocol page shows no condition as code."""
    words = asked(raw).describe()
    assert words
    assert not set("{}[]_") & set(words)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"one_of": {"sign": "color", "words": ["dusky"]}}, "'color' is not a sign"),
    ({"one_of": {"sign": "colour", "words": ["green"]}}, "has no word"),
    ({"one_of": {"sign": "colour", "words": []}}, "has no word"),
    ({"one_of": {"sign": "drain_stopped_suddenly", "words": ["maybe"]}}, "yes, no"),
    ({"above": {"sign": "colour", "than": 1}}, "not a number"),
    ({"below": {"sign": "refill", "then": 1}}, "below.than"),
    ({"changed_by": {"sign": "refill"}}, "up or down"),
    ({"changed_by": {"sign": "refill", "up": 1, "down": 1}}, "up or down"),
    ({"changed_by": {"sign": "refill", "up": 0}}, "up or down"),
    ({"changed_by": {"sign": "colour", "up": 1}}, "not a number"),
    ({"changed_by": {"sign": "doppler_vein", "from": ["loud"], "to": ["absent"]}}, "has no word"),
    ({"changed_by": {"sign": "refill", "up": 1, "against": "baseline", "over_checks": 2}},
     "against earlier"),
    ({"steps": {"ladder": "venous", "at_least": 0}}, "at_least 1"),
    ({"steps": {"ladder": "lymphatic", "at_least": 1}}, "ladder"),
    ({"persists": {"of": DUSKY}}, "checks or minutes"),
    ({"persists": {"of": DUSKY, "checks": 1}}, "at least 2"),
    ({"not_recorded": ["doppler"]}, "not a sign"),
    ({"unable_times": {"times": 0}}, "at least once"),
    ({"flap_is": {"colour": "red"}}, "not asked of a flap"),
    ({"flap_is": {"skin_type": ["VII"]}}, "never"),
    ({"hours_between": {"from": 5, "to": 5}}, "after from"),
    ({"at_least": {"n": 3, "of": [DUSKY, SLOW]}}, "3 of 2"),
    ({"all": []}, "all"),
    ({"any": []}, "cannot be"),
    ({"families_at_least": {"n": 2, "of": [DUSKY, DUSKY]}}, "fewer families"),
    ({"families_at_least": {"n": 2, "of": [{"all": [DUSKY, SLOW]}, DUSKY]}}, "one family"),
    ({"schedule": "tea_time"}, "schedule"),
    ({"not": DUSKY}, "not a condition"),
    ({"all": [DUSKY], "any": [DUSKY]}, "one word"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "sentence"), BAD)
def test_a_condition_that_makes_no_sense_is_refused(raw: dict[str, Any], sentence: str) -> None:
    """A misspelt sign or word would load and never fire: it is refused with its name."""
    with pytest.raises(BadCondition, match=sentence):
        parse_condition(raw)


def test_what_surely_follows_is_known() -> None:
    """Used to find levels that can never be reached."""
    dusky, slow, cool = asked(DUSKY), asked(SLOW), asked(COOL)
    both = asked({"all": [DUSKY, SLOW]})
    either = asked({"any": [DUSKY, SLOW]})
    assert implies(both, dusky)
    assert implies(dusky, either)
    assert implies(both, either)
    assert implies(asked({"persists": {"of": SLOW, "checks": 2}}), slow)
    assert not implies(dusky, both)
    assert not implies(either, dusky)
    assert not implies(dusky, cool)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({"all": [DUSKY, {"one_of": {"sign": "colour", "words": ["pale"]}}]}, "cannot be both"),
        ({"all": [COOL, {"below": {"sign": "temp_gap_c", "than": 2}}]}, "exclude each other"),
        ({"any": [DUSKY, {"schedule": "overdue"}]}, "stands alone"),
        ({"any": [DUSKY, {"hours_between": {"from": -5, "to": -1}}]}, "never comes"),
        ({"any": [DUSKY, {"hours_between": {"from": -5, "to": 0}}]}, "never comes"),
    ],
)
def test_parts_that_exclude_each_other_are_found(raw: dict[str, Any], sentence: str) -> None:
    """A level that asks for two colours at once would never fire."""
    assert [sentence in found for found in contradictions(asked(raw))] == [True]
    assert not list(contradictions(asked({"all": [DUSKY, SLOW, COOL]})))


def test_refill_and_its_second_press_may_differ_without_contradiction() -> None:
    """One press may be slow and the other brisk: that is no contradiction."""
    both = {"all": [SLOW, {"below": {"sign": "refill", "than": 1}}]}
    assert not list(contradictions(asked(both)))
    assert asked(both).truth(view(a_check(5, {"refill": 4, "refill_again": 0.5}))) is True


def test_families_are_those_of_all_parts() -> None:
    """Turgor, swelling and pain are one family; the hour has none."""
    condition: Condition = asked(
        {"all": [{"one_of": {"sign": "turgor", "words": ["firm"]}},
                 {"one_of": {"sign": "pain", "words": ["rising"]}},
                 {"hours_between": {"from": 1}}]}
    )  # fmt: skip
    assert families(condition) == {"turgor"}


@pytest.mark.parametrize(
    ("hours", "words"), [(2 / 3, "40 min"), (3, "3 h"), (3 + 1 / 3, "3 h 20 min")]
)
def test_durations_are_told_as_a_ward_says_them(hours: float, words: str) -> None:
    """Hours and minutes, never decimals of an hour."""
    assert lasting(hours * _HOUR) == words
