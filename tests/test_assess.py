"""Judging a check: what must hold of every judgement, whatever was recorded."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.assess import LOOK_BACK, assess, is_baseline, judge_stay, known_by, view_of
from monitoring.deciding import Decision, Plan
from monitoring.domain import Assessment, Check, Flap, Pattern, Return, Severity, Stream
from monitoring.protocol import Protocol, load
from monitoring.signs import CONTEXT, EVERY_SIGN, REFILL_WORDS, SIGNS, Unable, UnableReason
from tests.stays import START, a_check, a_flap, usual

SHIPPED = load()
SKIN = SHIPPED["skin-paddle@1"]
REFILL_SIGNS = {"refill", "refill_again"}

NORMAL: dict[str, Any] = {
    "colour": "matches", "refill": 2.0, "turgor": "soft", "swelling": "none", "pain": "usual",
    "airway": "clear", "doppler_artery": "strong", "doppler_waveform": "triphasic",
    "doppler_vein": "present", "implant_signal": "present", "prick": "bright",
    "sto2_percent": 85.0, "flap_lactate_mmol_l": 1.5, "drain_ml_per_h": 5.0,
    "drain_stopped_suddenly": False,
}  # fmt: skip


def a_value(name: str) -> st.SearchStrategy[Any]:
    """Anything that may be recorded of a sign: a value or unable."""
    sign = SIGNS[name]
    unable = st.sampled_from(UnableReason).filter(lambda r: r != "other").map(Unable)
    if sign.kind == "yes_no":
        return st.one_of(st.booleans(), unable)
    words = st.sampled_from(sign.words) if sign.words else st.nothing()
    number: st.SearchStrategy[Any] = st.nothing()
    if sign.kind in ("number", "refill"):
        number = st.floats(sign.low, sign.high).map(lambda x: round(x, 1))
    return st.one_of(words, number, unable)


ANY_SIGNS = st.fixed_dictionaries({}, optional={name: a_value(name) for name in SIGNS}).map(
    lambda signs: signs if "refill" in signs else {**signs, "refill_again": None}
)


def said_of(signs: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in signs.items() if value is not None}


@st.composite
def stays(draw: st.DrawFn) -> list[Check]:
    """Up to six checks, minutes to hours apart, by two people."""
    hour, checks = 0.0, []
    for _ in range(draw(st.integers(1, 6))):
        hour += draw(st.sampled_from([0.1, 0.25, 1.0, 4.0]))
        who = draw(st.sampled_from(["nurse1", "nurse2"]))
        concern = draw(st.booleans()) and draw(st.booleans())
        checks.append(a_check(round(hour, 2), said_of(draw(ANY_SIGNS)), who, nurse_concern=concern))
    return checks


PROTOCOLS = st.sampled_from(sorted(SHIPPED.values(), key=lambda p: p.id))


def last(flap: Flap, checks: list[Check], protocol: Protocol = SKIN) -> Assessment:
    return assess(flap, checks[-1], checks[:-1], protocol)


def of_the_flap(judged: Assessment) -> int:
    """How loudly the worst finding speaks, prompts about the record aside."""
    heard = [f.severity.rank for f in judged.findings if f.pattern is not Pattern.MONITORING]
    return max(heard, default=0)


@given(stays(), PROTOCOLS, st.booleans())
def test_the_same_record_is_always_judged_the_same(
    checks: list[Check], protocol: Protocol, baseline: bool
) -> None:
    """No clock and no memory of other flaps enters a judgement."""
    flap = a_flap(baseline=usual(0) if baseline else None)
    assert last(flap, checks, protocol) == last(flap, checks, protocol)


@given(stays(), PROTOCOLS, st.booleans())
def test_a_decision_met_before_is_the_one_made_anew(
    checks: list[Check], protocol: Protocol, baseline: bool
) -> None:
    """The kept decisions are those that the conditions themselves would make now."""
    flap = a_flap(baseline=usual(0) if baseline else None)
    view = view_of(flap, checks[-1], checks[:-1], protocol)
    kept = protocol.plan.decide(view)
    fresh = Plan(([lv.when for lv in r.levels] for r in protocol.check_rules), protocol.required)
    assert kept == fresh.decide(view_of(flap, checks[-1], checks[:-1], protocol))
    for rule, decision in zip(protocol.check_rules, kept, strict=True):
        assert decision == _plainly([level.when for level in rule.levels], view)


def _plainly(levels: list[Any], view: Any) -> Decision:
    lacked: set[str] = set()
    for number, condition in enumerate(levels):
        held = condition.truth(view)
        if held:
            return Decision(number, tuple(sorted(lacked)))
        if held is None:
            lacked |= condition.lacked(view)
    return Decision(None, tuple(sorted(lacked)))


@given(stays(), PROTOCOLS, st.sampled_from(sorted(NORMAL)))
def test_a_normal_sign_never_cancels_an_abnormal_one(
    checks: list[Check], protocol: Protocol, name: str
) -> None:
    """Looking at one more sign and finding it normal never makes a check quieter."""
    *before, check = checks
    without = {n: v for n, v in check.signs.items() if n != name}
    if name == "refill":
        without.pop("refill_again", None)
    blank = replace(check, signs=without)
    normal = replace(check, signs={**without, name: NORMAL[name]})
    flap = a_flap(baseline=usual(0))
    loud = of_the_flap(assess(flap, blank, before, protocol))
    assert of_the_flap(assess(flap, normal, before, protocol)) >= loud


@given(stays(), PROTOCOLS)
def test_nurse_concern_is_always_at_least_amber(checks: list[Check], protocol: Protocol) -> None:
    """Whatever else was recorded, a worried nurse is heard, in a stream of its own."""
    worried = replace(checks[-1], nurse_concern=True, concern_about="looks wrong")
    judged = assess(a_flap(), worried, checks[:-1], protocol)
    concern = next(f for f in judged.findings if f.rule == "N1")
    assert concern.severity.rank >= Severity.AMBER.rank
    assert concern.stream is Stream.CONCERN
    assert concern.because == "Nurse concern: looks wrong."


A_PRESS = st.one_of(st.sampled_from(REFILL_WORDS), st.floats(0, 15).map(lambda x: round(x, 1)))


@given(st.lists(st.tuples(A_PRESS, st.none() | A_PRESS), min_size=1, max_size=5), PROTOCOLS)
def test_refill_alone_is_never_red(presses: list[tuple[Any, Any]], protocol: Protocol) -> None:
    """Refill persisted 75 min after complete devascularisation, and misleads both ways."""
    checks = [
        a_check(n + 1, said_of({"refill": first, "refill_again": second}))
        for n, (first, second) in enumerate(presses)
    ]
    assert last(a_flap(), checks, protocol).severity is not Severity.RED


@given(stays(), PROTOCOLS)
def test_every_finding_explains_itself(checks: list[Check], protocol: Protocol) -> None:
    """Each value a finding rests on stands in its sentence, and a reading of this check is among
    them; citations and what to do are never missing."""
    judged = last(a_flap(baseline=usual(0)), checks, protocol)
    for finding in judged.findings:
        assert finding.because.endswith(".")
        assert finding.citations
        assert finding.do_now
        if finding.pattern is Pattern.MONITORING:
            continue
        assert any(e.check_key == checks[-1].key for e in finding.evidence)
        for evidence in finding.evidence:
            assert evidence.by
            if evidence.check_key == checks[-1].key:
                assert _is_told(evidence.sign, evidence.value, finding.because)


def _is_told(sign: str, value: Any, sentence: str) -> bool:
    if sign == "nurse_concern" or sign in REFILL_SIGNS or isinstance(value, Unable):
        return True  # two presses are told by the one that counts
    if isinstance(value, bool):
        return SIGNS[sign].label.lower() in sentence.lower()
    return EVERY_SIGN[sign].show(value) in sentence


@given(stays(), PROTOCOLS)
def test_what_lacks_an_answer_is_never_counted_as_good(
    checks: list[Check], protocol: Protocol
) -> None:
    """Findings run worst first, and an unanswered rule names what it lacked."""
    judged = last(a_flap(), checks, protocol)
    ranks = [f.severity.rank for f in judged.findings]
    assert ranks == sorted(ranks, reverse=True)
    assert all(u.lacked for u in judged.unanswered)


def test_an_empty_check_is_unanswered_and_not_full() -> None:
    """Nothing looked at is not a good check."""
    judged = assess(a_flap(), a_check(1, {}), [], SKIN)
    assert not judged.full
    assert not judged.findings
    assert {u.rule for u in judged.unanswered} >= {"V1", "A1", "T1", "S0", "S1"}
    assert not is_baseline(a_check(1, {}), judged)


@pytest.mark.parametrize("artery", ["strong", "weak", "absent", None])
def test_an_arterial_signal_never_clears_a_venous_picture(artery: str | None) -> None:
    """The artery is heard long after the vein has closed."""
    congested = usual(6, colour="dusky", refill=0.5, doppler_artery=artery)
    judged = assess(a_flap(baseline=usual(0)), congested, [usual(0)], SKIN)
    assert (judged.severity, judged.findings[0].rule) == (Severity.RED, "V1")


def test_confounders_stand_beside_a_finding_and_hide_none() -> None:
    """Cold, low pressure or a vasopressor explain; they never make a finding quieter."""
    context = {"core_temp_c": 35.2, "map_mmhg": 52, "vasopressor": True, "warming": "off",
               "light": "dim"}  # fmt: skip
    bad = assess(a_flap(), usual(6, colour="white", refill=5.0, **context), [], SKIN)
    same = assess(a_flap(), usual(6, colour="white", refill=5.0), [], SKIN)
    assert [f.rule for f in bad.findings] == [f.rule for f in same.findings]
    assert {e.sign for e in bad.confounders} == set(CONTEXT)
    assert assess(a_flap(), usual(6, **context), [], SKIN).confounders == ()


def test_a_file_that_makes_concern_yellow_is_overruled() -> None:
    """Nurse concern is amber at least, whatever a protocol says or leaves out."""
    without = SKIN.model_copy(update={"rules": tuple(r for r in SKIN.rules if r.id != "N1")})
    for name in ("check_rules", "plan", "required_by_monitors"):
        without.__dict__.pop(name, None)
    worried = usual(6)
    worried = replace(worried, nurse_concern=True)
    judged = assess(a_flap(), worried, [], without)
    assert [(f.rule, f.severity) for f in judged.findings] == [("N1", Severity.AMBER)]


def test_a_file_that_makes_refill_alone_red_is_overruled() -> None:
    """The cap on refill holds in the product, not in a file."""
    s0 = next(r for r in SKIN.rules if r.id == "S0")
    loud = tuple(level.model_copy(update={"severity": Severity.RED}) for level in s0.levels)
    shouting = SKIN.model_copy(update={"rules": (s0.model_copy(update={"levels": loud}),)})
    for name in ("check_rules", "plan", "required_by_monitors"):
        shouting.__dict__.pop(name, None)
    slow = a_check(6, {"refill": 5.0, "refill_again": 6.0})
    assert assess(a_flap(), slow, [], shouting).severity is Severity.AMBER
    pale = a_check(6, {"colour": "pale"})
    assert assess(a_flap(), pale, [], shouting).severity is Severity.RED


def test_a_finding_carries_what_is_stored_and_shown() -> None:
    """Severity, picture, reason, readings with author, sources, deed and recheck."""
    lost = usual(6, doppler_artery="absent")
    judged = assess(a_flap(baseline=usual(0)), lost, [usual(0), usual(5)], SKIN)
    found = next(f for f in judged.findings if f.rule == "D1")
    assert (found.severity, found.pattern) == (Severity.AMBER, Pattern.ARTERIAL)
    assert found.because == "Doppler artery absent, was strong (1 h earlier)."
    assert [(e.sign, e.value, e.by) for e in found.evidence] == [
        ("doppler_artery", "absent", "nurse1"),
        ("doppler_artery", "strong", "nurse1"),
    ]
    assert found.citations == ("MD-DIEP", "Fujiwara18")
    assert (found.recheck_minutes, found.if_unmet) == (10, Severity.RED)
    assert found.at == lost.observed_at
    assert (judged.protocol_id, judged.protocol_version) == ("skin-paddle", 1)
    assert judged.protocol_hash == SKIN.hash


def test_of_two_equal_findings_the_one_that_names_a_picture_leads() -> None:
    """A tile says venous rather than indeterminate where both are amber."""
    judged = assess(a_flap(), replace(usual(6, colour="dusky"), nurse_concern=True), [], SKIN)
    assert judged.severity is Severity.AMBER
    assert judged.pattern is Pattern.VENOUS


def test_the_look_back_ends_after_a_day_and_at_the_return_from_theatre() -> None:
    """What was heard before the flap was opened again says nothing of it now."""
    heard = usual(1)
    silent = usual(24.5, doppler_artery="absent")
    assert timedelta(hours=24) == LOOK_BACK
    in_reach = assess(a_flap(), usual(25, doppler_artery="absent"), [heard], SKIN)
    assert any(f.rule == "D1" for f in in_reach.findings)
    out_of_reach = assess(a_flap(), usual(25.1, doppler_artery="absent"), [heard], SKIN)
    assert not any(f.rule == "D1" for f in out_of_reach.findings)
    back = Return(decided_at=START + timedelta(hours=2), back_at=START + timedelta(hours=24))
    returned = a_flap(returns=(back,), baseline=usual(0))
    judged = assess(returned, silent, [heard], SKIN)
    assert not any(f.rule == "D1" for f in judged.findings)
    assert any(f.rule == "S1" for f in judged.findings)  # a silent artery is a strong sign anyway


def test_a_later_check_among_the_earlier_ones_is_a_mistake_of_ours() -> None:
    """Judging the past on the future would be a silent lie."""
    with pytest.raises(ValueError, match="observed after"):
        assess(a_flap(), usual(5), [usual(6)], SKIN)


def test_only_what_was_recorded_by_then_was_known() -> None:
    """A late entry does not change what was known when an older check was judged."""
    late = a_check(4, {"colour": "pale"}, recorded_at=START + timedelta(hours=9))
    now = usual(5)
    assert known_by([usual(3), late, usual(6)], now) == [usual(3)]


def test_the_baseline_is_the_first_full_check_without_a_finding() -> None:
    """A flap that is abnormal on arrival does not set its own standard."""
    checks = [usual(0, colour="dusky"), usual(1, turgor=None), usual(2, flap_temp_c=33.0),
              usual(3, flap_temp_c=31.9)]  # fmt: skip
    judged = [a for _, a in judge_stay(a_flap(), checks, SKIN)]
    assert judged[0].severity is Severity.AMBER
    assert not judged[1].full
    assert not judged[2].findings
    gap_change = next(f for f in judged[3].findings if f.rule == "T1")
    assert gap_change.because.startswith("Temperature gap 2.2 °C (2 or more), change of the gap")


def test_a_stay_is_judged_check_by_check_in_order_of_observation() -> None:
    """However the file orders them."""
    checks = [usual(hour) for hour in (3, 1, 2)]
    assert [c.observed_at for c, _ in judge_stay(a_flap(), checks, SKIN)] == sorted(
        c.observed_at for c in checks
    )
