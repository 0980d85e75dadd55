"""The cases of the shipped protocols run clean, and the runner is able to find fault."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from monitoring.cases import (
    BadCases,
    Case,
    CaseFile,
    Shown,
    check_protocol,
    check_protocols,
    flap_of,
    not_shown,
    read_cases,
    run_case,
)
from monitoring.conditions import BadCondition
from monitoring.promises import (
    Ward,
    dark_skin,
    no_abnormal_word_is_silent,
    normal_never_lowers,
    quiet_stay,
    two_weak_signs,
    unable_twice,
)
from monitoring.protocol import FOLDER, Protocol, find, lint, load

SHIPPED = load()


def text_of(protocol: Protocol) -> str:
    return (FOLDER / f"{protocol.id}-{protocol.version}.yaml").read_text(encoding="utf-8")


@cache
def _cases(name: str) -> CaseFile:
    return read_cases(FOLDER / "cases" / name)


def cases_of(protocol: Protocol) -> CaseFile:
    return _cases(f"{protocol.id}-{protocol.version}.yaml")


RAW = {p.key: yaml.safe_load(text_of(p)) for p in SHIPPED.values()}
for _raw in RAW.values():
    _raw.pop("named")


def changed(protocol: Protocol, edit: Callable[[dict[str, Any]], None]) -> Protocol:
    """The protocol as it would be after an edit of its file."""
    raw = copy.deepcopy(RAW[protocol.key])
    edit(raw)
    cited = {key for rule in raw["rules"] for key in rule["citations"]}
    cited |= set(raw.get("escalation", {}).get("citations", ()))
    raw["citations"] = {k: v for k, v in raw["citations"].items() if k in cited}
    made = Protocol.model_validate(raw)
    assert not lint(made)
    return made


def rule_of(raw: dict[str, Any], rule: str) -> dict[str, Any]:
    found: dict[str, Any] = next(r for r in raw["rules"] if r["id"] == rule)
    return found


THRESHOLDS = frozenset(
    "than up down minutes within_minutes at_least n checks over_checks times from to".split()
)


def numbers(part: Any, seen: set[int], path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where each threshold stands; one that is said once and used often counts once."""
    if id(part) in seen:
        return
    if isinstance(part, dict | list):
        seen.add(id(part))
    for key, value in _inside(part):
        if key in THRESHOLDS and isinstance(value, int | float):
            yield (*path, key)
        yield from numbers(value, seen, (*path, key))


def _inside(part: Any) -> list[tuple[Any, Any]]:
    if isinstance(part, dict):
        return list(part.items())
    return list(enumerate(part)) if isinstance(part, list) else []


@pytest.mark.parametrize("protocol", list(SHIPPED.values()), ids=list(SHIPPED))
def test_every_shipped_protocol_does_what_its_cases_say(protocol: Protocol) -> None:
    """Lint, every case, every level shown to fire and not to, and the promises of the product."""
    assert list(check_protocol(protocol, cases_of(protocol))) == []


def broken(protocol: Protocol) -> list[str]:
    """What the cases say of a protocol that was changed (its promises aside)."""
    original = SHIPPED[protocol.key]
    return list(_cases_only(protocol, cases_of(original)))


def _cases_only(protocol: Protocol, file: CaseFile) -> Iterator[str]:
    shown = Shown()
    for case in file.cases:
        yield from run_case(protocol, file, case, shown)
    yield from not_shown(protocol, shown)


NEWEST = {p.key: p for p in {p.id: p for p in SHIPPED.values()}.values()}


def test_an_older_version_says_what_the_newest_says_of_checks() -> None:
    """Version 2 added who is told; its rules and cases are version 1's, so what is shown of the
    one below holds of the other."""
    for protocol in SHIPPED.values():
        newest = find(SHIPPED, protocol.id)
        assert newest.key in NEWEST
        assert RAW[protocol.key]["rules"] == RAW[newest.key]["rules"]
        assert cases_of(protocol).cases == cases_of(newest).cases


RULES = [(p, r.id) for p in NEWEST.values() for r in p.rules]


@pytest.mark.parametrize(("protocol", "rule"), RULES, ids=[f"{p.id} {r}" for p, r in RULES])
def test_a_protocol_without_one_of_its_rules_is_reported(protocol: Protocol, rule: str) -> None:
    """No rule can be lost without a case noticing."""

    def without(raw: dict[str, Any]) -> None:
        raw["rules"] = [r for r in raw["rules"] if r["id"] != rule]

    assert any(rule in problem for problem in broken(changed(protocol, without)))


LEVELS = [(p, r.id, n) for p in NEWEST.values() for r in p.rules for n in range(len(r.levels))]


@pytest.mark.parametrize("protocol", list(NEWEST.values()), ids=list(NEWEST))
def test_a_level_that_grew_quieter_or_never_fires_is_reported(protocol: Protocol) -> None:
    """Each level in turn asks for a colour that cannot be beside another: a case must object."""
    silent = []
    for of, rule, number in LEVELS:
        if of is not protocol:
            continue

        def never(raw: dict[str, Any], rule: str = rule, number: int = number) -> None:
            level = rule_of(raw, rule)["levels"][number]
            level["when"] = {"hours_between": {"from": 9000 + number}}

        if not broken(changed(protocol, never)):
            silent.append(f"{rule} level {number + 1}")
    assert not silent


@pytest.mark.parametrize("protocol", list(NEWEST.values()), ids=list(NEWEST))
def test_a_threshold_that_moved_is_reported(protocol: Protocol) -> None:
    """Every number of every rule has a case on both sides of it: moved a little up or down, some
    case objects."""
    raw = RAW[protocol.key]
    unnoticed = []
    for place in numbers(raw["rules"], set()):
        for way in (1, -1):
            if not _is_noticed(protocol, place, way):
                if _is_no_change(raw["rules"], place, way):
                    continue
                unnoticed.append((raw["rules"][place[0]]["id"], place[1:], way))
    assert not unnoticed


def _is_no_change(rules: Any, place: tuple[Any, ...], way: int) -> bool:
    """Two worse colours running are two steps at least: to ask for one says the same."""
    part = rules
    for step in place[:-1]:
        part = part[step]
    return place[-2:] == ("steps", "at_least") and "over_checks" in part and way < 0


def _is_noticed(protocol: Protocol, place: tuple[Any, ...], way: int) -> bool:
    """Whether the cases object to a moved number; one that is refused outright was noticed."""

    def move(raw: dict[str, Any]) -> None:
        part: Any = raw["rules"]
        for step in place[:-1]:
            part = part[step]
        number = part[place[-1]]
        part[place[-1]] = number + way if isinstance(number, int) else round(number + way / 10, 2)

    try:
        moved = changed(protocol, move)
    except (ValidationError, BadCondition, AssertionError):
        return True
    return next(iter(_cases_only(moved, cases_of(protocol))), None) is not None


def ward(protocol: Protocol) -> Ward:
    file = cases_of(protocol)
    return Ward(protocol, flap_of(file, Case(name="promises"), protocol), file.usual)


def test_a_protocol_in_which_a_normal_sign_cancels_is_reported() -> None:
    """ "Only while the artery was not looked at" would let a strong artery clear congestion."""

    def excuse(raw: dict[str, Any]) -> None:
        level = rule_of(raw, "V1")["levels"][0]
        level["when"] = {"all": [level["when"], {"not_recorded": ["doppler_artery"]}]}

    said = normal_never_lowers(ward(changed(SHIPPED["skin-paddle@1"], excuse)))
    assert any("a normal doppler_artery makes this quieter" in s for s in said)


def test_a_protocol_that_lets_dark_skin_pass_is_reported() -> None:
    """Colour and refill alone are not enough evidence in skin types V and VI."""

    def without(raw: dict[str, Any]) -> None:
        raw["rules"] = [r for r in raw["rules"] if r["id"] != "K1"]

    said = dark_skin(ward(changed(SHIPPED["skin-paddle@1"], without)))
    assert any("skin type VI" in s and "no second modality" in s for s in said)


def test_a_protocol_that_forgets_unable_is_reported() -> None:
    """Unable twice is a finding of its own."""

    def without(raw: dict[str, Any]) -> None:
        raw["rules"] = [r for r in raw["rules"] if r["id"] != "X1"]

    assert any(
        "unable twice" in s for s in unable_twice(ward(changed(SHIPPED["muscle@1"], without)))
    )


def test_a_protocol_in_which_two_weak_signs_are_no_more_than_one_is_reported() -> None:
    """Two independent signs are far more specific than one."""

    def without(raw: dict[str, Any]) -> None:
        raw["rules"] = [r for r in raw["rules"] if r["id"] != "S1"]

    assert any(
        "two weak signs" in s for s in two_weak_signs(ward(changed(SHIPPED["bowel@1"], without)))
    )


def test_a_protocol_that_reads_a_word_and_forgets_it_is_reported() -> None:
    """A required sign whose abnormal word nobody asks about."""

    def without(raw: dict[str, Any]) -> None:
        raw["rules"] = [r for r in raw["rules"] if r["id"] not in ("S0", "S1")]

    assert any(
        "doppler_artery weak" in s
        for s in no_abnormal_word_is_silent(ward(changed(SHIPPED["bowel@1"], without)))
    )


def test_a_protocol_that_alarms_on_a_healthy_stay_is_reported() -> None:
    """A rule that fires on usual values would be switched off by the ward within a day."""

    def nervous(raw: dict[str, Any]) -> None:
        level = rule_of(raw, "S2")["levels"][2]
        level["when"] = {"changed_by": {"sign": "temp_gap_c", "up": 0.1}}

    assert any(
        "a healthy stay" in s for s in quiet_stay(ward(changed(SHIPPED["skin-paddle@1"], nervous)))
    )


def test_the_folder_is_checked_file_by_file(tmp_path: Path) -> None:
    """A bad file, a missing cases file and a wrong expectation are each told, with their names."""
    assert check_protocols(tmp_path) == [f"{tmp_path}: no protocol found."]
    (tmp_path / "cases").mkdir()
    for name in ("bowel-1.yaml", "buried-1.yaml"):
        shutil.copy(FOLDER / name, tmp_path / name)
    shutil.copy(FOLDER / "cases" / "bowel-1.yaml", tmp_path / "cases")
    (tmp_path / "odd-1.yaml").write_text("id: odd")
    cases = tmp_path / "cases" / "bowel-1.yaml"
    text = cases.read_text(encoding="utf-8")
    cases.write_text(text.replace("fires: {V1: red}", "fires: {V1: amber}", 1), encoding="utf-8")
    said = check_protocols(tmp_path)
    assert len(said) == 3
    assert "V1 should be amber, is red" in said[0]
    assert said[0].startswith("bowel-1.yaml: case ")
    assert said[1].startswith("buried-1.yaml: No such file")
    assert said[2].startswith("odd-1.yaml: ")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("cases: [", "not readable as YAML"),
        ("flap: {}\nusual: {}\ncases: []", "cases"),
        ("flap: {}\nusual: {}\ncases: [{name: x, at: 6}]", "not a time"),
        ("flap: {}\nusual: {}\ncases: [{name: x, at: '+06:00', but: {}, only: {}}]", "not both"),
        ("flap: {}\nusual: {}\ncases: [{name: x, at: '+06:00', fire: {V1: red}}]", "fire"),
        ("flap: {}\nusual: {}\ncases: [{name: x, at: '+06:00', until: '+07:00'}]", "together"),
    ],
)
def test_a_cases_file_that_makes_no_sense_is_refused(
    tmp_path: Path, text: str, sentence: str
) -> None:
    """A misspelt expectation would never be checked: it is refused with the file's name."""
    path = tmp_path / "x-1.yaml"
    path.write_text(text)
    with pytest.raises(BadCases, match=sentence):
        read_cases(path)
    with pytest.raises(BadCases, match=r"missing-1\.yaml"):
        read_cases(tmp_path / "missing-1.yaml")


def test_a_case_with_an_impossible_value_is_reported_by_name() -> None:
    """A case is recorded as the bedside form would: 43.1 °C is refused there too."""
    skin = SHIPPED["skin-paddle@1"]
    usual = cases_of(skin)
    wrong = Case.model_validate({"name": "too hot", "at": "+01:00", "but": {"flap_temp_c": 43.1}})
    said = list(check_protocol(skin, usual.model_copy(update={"cases": (wrong,)})))
    assert "case 'too hot': Flap temperature: 43.1 is outside 10 to 43 °C." in said
