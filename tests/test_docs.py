"""What the documents promise is there: links lead somewhere, commands exist, and every hazard's
control names a test that runs."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitoring.alarm import MOVES
from monitoring.ladder import STANDARD, Ladder
from monitoring.protocol import load

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
MAKE = re.compile(r"`make ([a-z]+)`")
KEYS = {"id", "hazard", "cause", "effect", "harm", "before", "after", "controls", "owner", "status"}


def links(text: str) -> list[str]:
    """Every address a document links to, without the web's."""
    return [link for link in LINK.findall(text) if not re.match(r"[a-z]+:", link)]


def anchors(text: str) -> set[str]:
    """The anchors that a document's headings give."""
    heads = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def broken(document: Path, text: str) -> list[str]:
    """Links of a document that lead to no file, or to no heading of one."""
    wrong = []
    for link in links(text):
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target.read_text("utf-8"))):
            wrong.append(link)
    return wrong


def defined_in(file: Path) -> set[str]:
    """The names of the tests a file defines."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return {n.name for n in ast.walk(tree) if isinstance(n, kinds) and n.name.startswith("test_")}


def missing_tests(hazards: list[dict[str, Any]]) -> list[str]:
    """Controls whose test does not exist, as ``hazard: file::function``."""
    wrong = []
    for hazard in hazards:
        for control in hazard["controls"]:
            file, _, name = control["test"].partition("::")
            if not (ROOT / file).is_file() or name not in defined_in(ROOT / file):
                wrong.append(f"{hazard['id']}: {control['test']}")
    return wrong


@pytest.fixture
def hazards() -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = yaml.safe_load((ROOT / "docs/hazards.yaml").read_text("utf-8"))
    return read


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    """A nurse who follows a link at night arrives."""
    assert broken(document, document.read_text("utf-8")) == []


def test_a_broken_link_is_seen() -> None:
    """The rule above is able to fail, for a file and for a heading."""
    readme = ROOT / "README.md"
    text = "[a](docs/absent.md) [b](README.md#no-such-heading) [c](https://example.org)"
    assert broken(readme, text) == ["docs/absent.md", "README.md#no-such-heading"]


def test_every_make_command_in_the_documents_exists() -> None:
    """What README tells a person to type works."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {name for d in DOCUMENTS for name in MAKE.findall(d.read_text("utf-8"))}
    assert {"run", "test"} <= named
    assert named <= targets, named - targets


def test_every_control_of_a_hazard_names_a_test_that_exists(hazards: list[dict[str, Any]]) -> None:
    """A hazard counts as controlled only by something that is tried at every build."""
    assert missing_tests(hazards) == []
    invented = [{"id": "H0", "controls": [{"test": "tests/test_docs.py::test_of_nothing"}]}]
    assert missing_tests(invented) == ["H0: tests/test_docs.py::test_of_nothing"]


def test_every_hazard_is_told_in_full(hazards: list[dict[str, Any]]) -> None:
    """Each hazard has its cause, harm and owner; scores stay proposed until a clinical safety
    officer gives them."""
    assert len({hazard["id"] for hazard in hazards}) == len(hazards) >= 15
    for hazard in hazards:
        assert set(hazard) == KEYS, hazard["id"]
        assert hazard["controls"], hazard["id"]
        assert "proposed" in hazard["status"], hazard["id"]
        for when in ("before", "after"):
            assert set(hazard[when]) == {"severity", "likelihood"}, hazard["id"]


def test_every_source_a_protocol_cites_is_in_the_reference_list() -> None:
    """Whoever doubts a rule finds the paper behind it."""
    known = set(re.findall(r"\[(\w[\w -]*)\]", (ROOT / "docs/clinical-sources.md").read_text()))
    cited = {key for p in load().values() for rule in p.rules for key in rule.citations}
    assert cited
    assert cited <= known, sorted(cited - known)


def test_the_intended_use_says_what_it_must() -> None:
    """README states the four parts of an intended purpose and every limit that goes with it."""
    text = re.sub(r"\s+", " ", (ROOT / "README.md").read_text("utf-8")).lower()
    for words in (
        "structure and function",
        "population",
        "users",
        "environment",
        "not cleared",
        "ukca",
        "never replaces bedside examination",
        "not for continuous monitoring",
        "silence is not reassurance",
        "class iib",
        "clinical safety case",
        "awaiting local clinical sign-off",
    ):
        assert words in text, words


def table_rows(text: str, head: str) -> list[tuple[str, ...]]:
    """The rows of the Markdown table that begins with this heading row."""
    _, _, after = text.partition(f"{head}\n")
    rows = []
    for line in after.splitlines()[1:]:
        if not line.startswith("|"):
            break
        rows.append(tuple(cell.strip() for cell in line.strip("|").split("|")))
    return rows


def told(ladder: Ladder) -> tuple[str, ...]:
    """A ladder as the document writes it."""
    steps = "; ".join(
        f"{' and '.join(level.replace('_', ' ') for level in rung.to)} {rung.after_minutes:g}"
        for rung in ladder.rungs
    )
    minutes = (ladder.repeat_minutes, ladder.answer_minutes, ladder.plan_minutes)
    return (steps, *(f"{m:g} min" for m in minutes))


def test_the_state_table_is_the_one_that_runs() -> None:
    """Whoever reads how an alert lives reads what the program does, move by move."""
    rows = table_rows(
        (ROOT / "docs/alert-life.md").read_text("utf-8"), "| state | event | becomes | pages |"
    )
    assert rows == [
        (state or "(none)", event, becomes, "yes" if pages else "no")
        for (state, event), (becomes, pages) in MOVES.items()
    ]


def test_the_ladders_are_the_ones_that_are_climbed() -> None:
    """The minutes in the document are those of an alert without a ladder of its own, and of every
    protocol version that has one."""
    text = (ROOT / "docs/alert-life.md").read_text("utf-8")
    head = (
        "| ladder | tells, after minutes | begins anew after | an answer holds at most "
        "| a plan holds |"
    )
    written = {name: tuple(rest) for name, *rest in table_rows(text, head)}
    carried = [p.escalation for p in load().values() if p.escalation is not None]
    assert carried
    for escalation in (STANDARD, *carried):
        assert written == {n: told(getattr(escalation, n)) for n in ("red", "amber", "overdue")}


def test_a_wrong_table_is_seen() -> None:
    """The two rules above are able to fail."""
    assert table_rows("| a | b |\n| --- | --- |\n| 1 | 2 |\n\n| 3 | 4 |", "| a | b |") == [
        ("1", "2")
    ]
    assert table_rows("no table", "| a | b |") == []
