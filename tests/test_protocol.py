"""Protocol files: what is refused, what is proposed, and that none can change unnoticed."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from monitoring.conditions import leaves
from monitoring.domain import FlapKind, Monitor, SkinType, Tissue
from monitoring.protocol import (
    AWAITING,
    FOLDER,
    BadProtocol,
    Phase,
    Protocol,
    UnknownProtocol,
    content_hash,
    describe,
    find,
    load,
    propose,
    read,
    read_file,
)
from monitoring.signs import EVERY_SIGN
from tests.stays import a_check, facts, usual

SHIPPED = load()


def small() -> dict[str, Any]:
    """The least a protocol can be."""
    dusky = {"one_of": {"sign": "colour", "words": ["dusky"]}}
    return {
        "id": "small", "version": 1, "title": "Small", "about": "For a test.",
        "author": AWAITING, "checker": AWAITING,
        "proposed_for": {"buried": False, "tissue": ["skin"]},
        "phases": [{"from_hour": 0, "to_hour": 24, "every_minutes": 60},
                   {"from_hour": 24, "every_minutes": 240}],
        "required": ["colour"],
        "citations": {"Ruler20": "a colour ruler"},
        "rules": [{"id": "V1", "title": "Venous", "pattern": "venous", "why": "It clots.",
                   "false_alarms": "Stain.", "citations": ["Ruler20"],
                   "levels": [{"severity": "red", "when": dusky, "do_now": "Call."}]}],
    }  # fmt: skip


def refused(raw: dict[str, Any]) -> str:
    with pytest.raises(BadProtocol) as caught:
        read(yaml.safe_dump(raw), "small-1.yaml")
    return str(caught.value)


def test_the_least_protocol_is_accepted() -> None:
    """The file the refusals below start from is good."""
    assert read(yaml.safe_dump(small()), "small-1.yaml").key == "small@1"


LEVEL = ("rules", 0, "levels", 0)
PALE = {"one_of": {"sign": "colour", "words": ["pale"]}}
DUSKY = {"one_of": {"sign": "colour", "words": ["dusky"]}}

BAD: list[tuple[str, tuple[Any, ...], Any, str]] = [
    ("a misspelt key", ("titel",), "x", "titel"),
    ("no rules", ("rules",), [], "rules"),
    ("no required sign", ("required",), [], "required"),
    ("an id with a space", ("id",), "small one", "id"),
    ("version 0", ("version",), 0, "version"),
    ("a hash written by hand", ("hash",), "00", "computed"),
    ("an unknown required sign", ("required",), ["color"], "'color' is not a sign"),
    ("an unknown sign with a monitor", ("required_with_monitor",), {"nirs": ["sto2"]},
     "'sto2' is not a sign"),
    ("an unknown monitor", ("required_with_monitor",), {"camera": ["colour"]}, "camera"),
    ("an unknown tissue", ("proposed_for", "tissue"), ["hair"], "tissue"),
    ("a phase that starts late", ("phases", 0, "from_hour"), 1, "start at hour 0"),
    ("a gap between phases", ("phases", 1, "from_hour"), 30, "gap from hour 24 to 30"),
    ("an overlap of phases", ("phases", 0, "to_hour"), 30, "overlap at hour 24"),
    ("phases that end", ("phases", 1, "to_hour"), 48, "must be open"),
    ("a phase that ends before it starts", ("phases",),
     [{"from_hour": 0, "to_hour": 0, "every_minutes": 30}, {"from_hour": 0, "every_minutes": 60}],
     "does not come before"),
    ("windows that overlap", ("phases", 0, "late_minutes"), 50, "windows overlap"),
    ("an interval of nothing", ("phases", 0, "every_minutes"), 0, "every_minutes"),
    ("an unknown sign", (*LEVEL, "when"), {"one_of": {"sign": "color", "words": ["x"]}},
     "'color' is not a sign"),
    ("an unknown word", (*LEVEL, "when"), {"one_of": {"sign": "colour", "words": ["blu"]}},
     "has no word"),
    ("an unknown condition", (*LEVEL, "when"), {"not": DUSKY}, "not a condition"),
    ("a normal word", (*LEVEL, "when"), {"one_of": {"sign": "colour", "words": ["matches"]}},
     "asks for a normal colour"),
    ("a change to normal", (*LEVEL, "when"),
     {"changed_by": {"sign": "doppler_vein", "from": ["absent"], "to": ["present"]}},
     "asks for a normal doppler_vein"),
    ("a no", (*LEVEL, "when"), {"one_of": {"sign": "nurse_concern", "words": ["no"]}},
     "asks for a normal nurse_concern"),
    ("a confounder that decides", (*LEVEL, "when"),
     {"all": [DUSKY, {"above": {"sign": "map_mmhg", "than": 60}}]}, "map_mmhg may explain"),
    ("two colours at once", (*LEVEL, "when"), {"all": [DUSKY, PALE]}, "cannot be both"),
    ("the clock beside a sign", (*LEVEL, "when"), {"all": [DUSKY, {"schedule": "overdue"}]},
     "stands alone"),
    ("a level of no severity", (*LEVEL, "severity"), "none", "red, amber or yellow"),
    ("an unknown severity", (*LEVEL, "severity"), "pink", "severity"),
    ("an unknown pattern", (*LEVEL, "pattern"), "sad", "pattern"),
    ("nothing to do", (*LEVEL, "do_now"), "", "do_now"),
    ("a recheck that may lapse without a time", (*LEVEL, "if_unmet"), "red", "needs recheck"),
    ("a recheck of no minutes", (*LEVEL, "recheck_minutes"), 0, "recheck_minutes"),
    ("no citation", ("rules", 0, "citations"), [], "citations"),
    ("a citation that is not listed", ("rules", 0, "citations"), ["Bui07"], "cited but not listed"),
    ("a citation nobody cites", ("citations",), {"Ruler20": "x", "Bui07": "y"}, "no rule cites"),
    ("a rule id in lower case", ("rules", 0, "id"), "v1", "id"),
    ("no reason", ("rules", 0, "why"), "", "why"),
    ("no false alarms", ("rules", 0, "false_alarms"), "", "false_alarms"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "value", "sentence"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
)
def test_a_bad_file_is_refused_with_its_name_and_a_sentence(
    where: tuple[Any, ...], value: Any, sentence: str
) -> None:
    """Whoever edits a protocol is told which file and what in it is wrong."""
    raw = small()
    part: Any = raw
    for step in where[:-1]:
        part = part[step]
    part[where[-1]] = value
    said = refused(raw)
    assert said.startswith("small-1.yaml: ")
    assert sentence in said


def test_levels_that_make_no_sense_together_are_refused() -> None:
    """Worst first; a quieter level must be reachable; a lapsed recheck must be louder."""
    raw = small()
    level = raw["rules"][0]["levels"][0]
    raw["rules"][0]["levels"] = [level | {"severity": "amber"}, level]
    assert "worst first" in refused(raw)
    raw["rules"][0]["levels"] = [level, level | {"severity": "amber"}]
    assert "can never be reached" in refused(raw)
    narrower = {"all": [DUSKY, {"hours_between": {"from": 24}}]}
    raw["rules"][0]["levels"] = [level, level | {"severity": "amber", "when": narrower}]
    assert "can never be reached" in refused(raw)
    raw["rules"][0]["levels"] = [level | {"recheck_minutes": 5, "if_unmet": "amber"}]
    assert "louder" in refused(raw)


def test_a_rule_that_stands_twice_is_refused() -> None:
    """Two rules of one name could not be told apart in an alert."""
    raw = small()
    raw["rules"] *= 2
    assert "V1 stands twice" in refused(raw)


@pytest.mark.parametrize("text", ["", "- a list", "a: [", "just words"])
def test_a_file_that_is_no_protocol_is_refused(text: str) -> None:
    """Empty, a list, broken YAML or prose: a sentence, never a stack of code."""
    with pytest.raises(BadProtocol, match=r"small-1\.yaml: "):
        read(text, "small-1.yaml")


def test_a_file_must_be_named_after_its_protocol(tmp_path: Path) -> None:
    """The name tells the version, so that nobody edits the one in use."""
    path = tmp_path / "small-2.yaml"
    path.write_text(yaml.safe_dump(small()))
    with pytest.raises(BadProtocol, match=r"should be named small-1\.yaml"):
        load(tmp_path)
    with pytest.raises(BadProtocol, match="not readable"):
        read_file(tmp_path / "missing-1.yaml")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """A ward without any protocol cannot judge anything."""
    with pytest.raises(BadProtocol, match="no protocol found"):
        load(tmp_path)


def test_a_protocol_knows_its_content_and_cannot_be_changed() -> None:
    """The hash stored with each assessment is that of the file's text, to the letter."""
    for protocol in SHIPPED.values():
        path = FOLDER / f"{protocol.id}-{protocol.version}.yaml"
        text = path.read_text(encoding="utf-8")
        assert protocol.hash == content_hash(text)
        assert content_hash(text + " ") != protocol.hash
    with pytest.raises(ValidationError, match="frozen"):
        SHIPPED["skin-paddle@1"].title = "Other"


def test_five_protocols_are_shipped_and_await_sign_off() -> None:
    """Nobody has signed them: the screens say so from these words."""
    names = ("skin-paddle", "muscle", "buried", "digit", "bowel")
    assert set(SHIPPED) == {f"{name}@{version}" for name in names for version in (1, 2)}
    for protocol in SHIPPED.values():
        assert protocol.author == protocol.checker == AWAITING


@pytest.mark.parametrize(
    ("kind", "tissue", "buried", "skin"),
    list(itertools.product(FlapKind, Tissue, (True, False), (None, SkinType.VI))),
)
def test_every_flap_gets_exactly_one_protocol_proposed(
    kind: FlapKind, tissue: Tissue, buried: bool, skin: SkinType | None
) -> None:
    """No combination of facts is left without a protocol, and none has two."""
    flap = facts(kind=kind, tissue=tissue, buried=buried, skin_type=skin)
    newest = {p.id: p for p in SHIPPED.values() if p.version == 2}
    alone = [p for p in newest.values() if _proposed({p.key: p}, flap)]
    assert [propose(SHIPPED, flap)] == alone
    expected = (
        "buried"
        if buried
        else {"skin": "skin-paddle", "bone_skin": "skin-paddle"}.get(tissue, str(tissue))
    )
    assert alone[0].id == expected


def _proposed(protocols: dict[str, Protocol], flap: Any) -> bool:
    try:
        propose(protocols, flap)
    except UnknownProtocol:
        return False
    return True


def test_the_newest_version_is_proposed_and_an_old_one_still_found() -> None:
    """A flap stays on the version it was pinned to."""
    newer = read(yaml.safe_dump(small() | {"version": 2}), "small-2.yaml")
    both = {"small@1": read(yaml.safe_dump(small()), "small-1.yaml"), "small@2": newer}
    assert propose(both, facts()) is newer
    assert find(both, "small") is newer
    assert find(both, "small@1").version == 1
    with pytest.raises(UnknownProtocol, match="small@3"):
        find(both, "small@3")
    with pytest.raises(UnknownProtocol, match="muscle"):
        propose(both, facts(tissue="muscle"))


@pytest.mark.parametrize("protocol", list(SHIPPED.values()), ids=list(SHIPPED))
def test_phases_follow_each_other_from_arrival_to_discharge(protocol: Protocol) -> None:
    """Every hour has an interval, and intervals never shorten with time."""
    every = [protocol.phase_at(hour).every_minutes for hour in (-1, 0, 4, 24, 48, 72, 120, 1000)]
    assert every == sorted(every)
    assert every[-1] == 480


@pytest.mark.parametrize(
    ("every", "early", "late"),
    [(30, 7.5, 7.5), (60, 15, 15), (120, 15, 15), (240, 30, 30), (480, 30, 30)],
)
def test_grace_is_a_quarter_of_the_interval_within_limits(
    every: float, early: float, late: float
) -> None:
    """At most 15 min up to 2 h, at most 30 min above."""
    phase = Phase(from_hour=0, every_minutes=every)
    assert (phase.early, phase.late) == (early, late)


def test_a_full_check_answers_what_is_required_with_two_families() -> None:
    """Unable answers a sign, but does not show the flap; a monitor adds its own signs."""
    skin = SHIPPED["skin-paddle@1"]
    assert skin.is_full(usual(1), facts())
    assert not skin.is_full(usual(1, turgor=None), facts())
    assert skin.is_full(usual(1, turgor={"unable": "dressing"}), facts())
    blind = {name: {"unable": "dressing"} for name in skin.required}
    assert not skin.is_full(a_check(1, blind), facts())
    assert not skin.is_full(a_check(1, blind | {"colour": "matches"}), facts())
    assert skin.is_full(a_check(1, blind | {"colour": "matches", "refill": 2.0}), facts())
    assert not skin.is_full(usual(1), facts(monitors=["nirs"]))
    assert skin.is_full(usual(1, sto2_percent=70), facts(monitors=["nirs"]))
    buried, looked = SHIPPED["buried@1"], a_check(1, {"swelling": "none", "pain": "usual"})
    assert buried.is_full(looked, facts(buried=True, monitors=[]))


def test_a_monitor_shared_by_two_adds_its_sign_once() -> None:
    """An implanted artery and vein probe share one signal field."""
    both = facts(monitors=[Monitor.IMPLANT_ARTERY, Monitor.IMPLANT_VEIN])
    required = SHIPPED["skin-paddle@1"].required_for(both)
    assert required.count("implant_signal") == 1


@pytest.mark.parametrize("protocol", list(SHIPPED.values()), ids=list(SHIPPED))
def test_a_protocol_can_be_read_in_plain_words(protocol: Protocol) -> None:
    """Every rule, its reason, its false alarms and its sources stand on the page, without code."""
    text = describe(protocol)
    for rule in protocol.rules:
        assert f"### {rule.id}: {rule.title}" in text
        assert rule.why.strip() in text
        assert rule.false_alarms.strip() in text
    for key, source in protocol.citations.items():
        assert f"[{key}] {source}" in text
    assert AWAITING in text
    assert not set("{}") & set(text)


@pytest.mark.parametrize("protocol", list(SHIPPED.values()), ids=list(SHIPPED))
def test_no_rule_asks_what_its_tissue_cannot_answer(protocol: Protocol) -> None:
    """Muscle and bowel have no refill; a buried flap has no colour."""
    never = {
        "muscle": {"refill", "refill_again"},
        "bowel": {"refill", "refill_again", "flap_temp_c", "temp_gap_c", "turgor"},
        "buried": {"colour", "refill", "refill_again", "flap_temp_c", "temp_gap_c"},
    }.get(protocol.id, set())
    for rule in protocol.rules:
        for level in rule.levels:
            asked = {name for leaf in leaves(level.when) for name in leaf.signs()}
            assert asked <= set(EVERY_SIGN) | {"nurse_concern"}
            if rule.id != "H1":  # tense skin over a haematoma is felt over any tissue
                assert not asked & never
