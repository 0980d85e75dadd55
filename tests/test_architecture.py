"""The plan of the house, kept by reading the code: who imports whom, who reads the clock, and the
doors that stay shut. Each rule is also shown a piece of code it must object to."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HOUSE = ROOT / "monitoring"

VALUES = {"signs", "domain"}
JUDGING = VALUES | {
    "conditions", "deciding", "ladder", "protocol", "slots", "schedule", "assess"
}  # fmt: skip
SAYING = JUDGING | {"alarm", "escalation", "board", "calls", "clocks", "rota", "reviews"}
KEEPING = {
    "rows", "call_rows", "store", "checks", "episodes", "short_lists", "queries", "people",
    "paging", "outbox", "leases", "shifts", "verdicts", "pictures", "handovers", "rechecks",
    "watch_log",
}  # fmt: skip
DRAWING = {"frames", "chart_sheet", "stay_words", "charts"}
READING = {"course", "entry", "cases", "promises", "settings"}
SHOWING = {
    "views", "alert_views", "stay_views", "stay_facts", "amending", "oncall_views", "photo_views",
    "review_views", "timeline", "answers", "last_checks", "handover_views", "message_views",
}  # fmt: skip
ALL_BUT_DOORS = SAYING | KEEPING | DRAWING | READING | SHOWING
ALL_BUT_DOORS |= {"care", "ward", "rounds", "health", "demo", "rota_files"}

ROOMS: dict[str, tuple[set[str], set[str]]] = {
    # room: (rooms of ours it may import, packages from outside)
    "__init__": (set(), set()),
    "signs": (set(), set()),
    "domain": ({"signs"}, {"pydantic"}),
    "conditions": (VALUES | {"conditions"}, {"pydantic"}),
    "deciding": (VALUES | {"conditions"}, set()),
    "ladder": (VALUES, {"pydantic"}),
    "protocol": (VALUES | {"conditions", "deciding", "ladder"}, {"pydantic", "yaml"}),
    "course": (VALUES, {"pydantic"}),
    "entry": (VALUES, {"pydantic"}),
    "slots": (VALUES | {"protocol"}, set()),
    "schedule": (VALUES | {"conditions", "protocol", "slots"}, set()),
    "assess": (JUDGING - {"slots", "assess"}, set()),
    "alarm": (JUDGING, set()),
    "board": (SAYING - {"board"}, set()),
    "clocks": (VALUES | {"conditions"}, set()),
    "calls": (VALUES | {"conditions", "clocks", "reviews"}, set()),
    "promises": (JUDGING, set()),
    "cases": (SAYING | {"course", "promises"}, {"pydantic", "yaml"}),
    "settings": ({"signs"}, {"pydantic", "pydantic_settings"}),
    "rows": (VALUES, {"sqlmodel", "sqlalchemy"}),
    "store": (VALUES | {"rows"}, {"sqlmodel", "sqlalchemy", "alembic"}),
    "checks": (VALUES | {"rows", "store"}, {"sqlalchemy", "pydantic"}),
    "episodes": (VALUES | {"rows", "store", "checks"}, {"sqlalchemy"}),
    "rechecks": (VALUES | {"rows"}, {"sqlalchemy"}),
    "watch_log": (VALUES | {"rows", "store"}, {"sqlalchemy"}),
    "short_lists": (
        VALUES | {"rows", "call_rows", "episodes", "rechecks", "watch_log", "paging"},
        {"sqlalchemy"},
    ),
    "queries": (VALUES | KEEPING - {"queries", "people"}, {"sqlalchemy", "pydantic"}),
    "people": (VALUES | {"rows", "store"}, {"sqlalchemy"}),
    "call_rows": (VALUES | {"rows"}, {"sqlmodel", "sqlalchemy"}),
    "paging": (VALUES | {"rows", "call_rows", "store"}, {"sqlalchemy"}),
    "outbox": (VALUES | {"rows", "call_rows", "store", "paging"}, {"sqlalchemy"}),
    "shifts": (VALUES | {"rows", "call_rows", "store", "rota"}, {"sqlalchemy"}),
    "verdicts": (VALUES | {"rows", "call_rows", "episodes", "reviews"}, {"sqlalchemy"}),
    "pictures": (VALUES | {"rows", "call_rows", "store"}, {"sqlalchemy"}),
    "handovers": (VALUES | {"rows", "call_rows", "reviews", "verdicts"}, {"sqlalchemy"}),
    "rota": (VALUES | {"clocks"}, set()),
    "rota_files": (VALUES | {"rota", "entry"}, {"icalendar", "recurring_ical_events"}),
    "escalation": (VALUES | {"conditions", "ladder", "rota"}, set()),
    "reviews": (VALUES | {"clocks"}, {"pydantic"}),
    "photos": (VALUES, {"PIL", "pillow_heif"}),
    "leases": (VALUES | {"rows", "call_rows", "store"}, {"sqlalchemy"}),
    "notify": (VALUES | {"settings", "paging"}, {"apprise"}),
    "delivery": (VALUES | {"store", "paging", "outbox", "notify"}, set()),
    "dead_man": (set(), set()),
    "care": (SAYING | KEEPING | {"course", "photos", "care"}, {"sqlalchemy", "pydantic"}),
    "ward": (SAYING | KEEPING | {"care"}, {"sqlalchemy"}),
    "rounds": (SAYING | KEEPING | {"care"}, {"sqlalchemy"}),
    "frames": (JUDGING | {"board"}, {"pandas", "numpy"}),
    "chart_sheet": (VALUES | {"frames", "schedule"}, {"pandas", "numpy"}),
    "stay_words": (VALUES | {"frames", "schedule"}, {"pandas", "numpy"}),
    "charts": (VALUES | DRAWING | {"schedule"}, {"pandas", "numpy", "plotly"}),
    "health": (VALUES | {"watch_log", "store", "settings"}, {"sqlalchemy"}),
    "serve": ({"signs", "store", "settings", "health"}, set()),
    "demo": (SAYING | KEEPING | {"course", "care", "photos", "ward"}, set()),
    "views": (SAYING | KEEPING | READING | {"care", "ward", "components"}, set()),
    "answers": (SAYING | KEEPING | {"components"}, set()),
    "last_checks": (SAYING | KEEPING | {"components", "stay_words"}, set()),
    "alert_views": (
        SAYING | KEEPING | {"answers", "components", "last_checks", "views", "ward"},
        set(),
    ),
    "stay_views": (
        SAYING
        | KEEPING
        | DRAWING
        | {"alert_views", "components", "last_checks", "timeline", "views", "ward"},
        {"pandas"},
    ),
    "stay_facts": (
        SAYING | KEEPING | {"components", "stay_views", "stay_words", "timeline", "ward"},
        set(),
    ),
    "amending": (VALUES | {"entry"}, set()),
    "oncall_views": (SAYING | KEEPING | {"components", "rota_files"}, set()),
    "photo_views": (SAYING | KEEPING | {"components"}, {"sqlalchemy"}),
    "timeline": (SAYING | KEEPING, set()),
    "handover_views": (SAYING | KEEPING | {"components", "views", "ward"}, set()),
    "message_views": (VALUES | {"clocks", "components", "conditions", "paging"}, set()),
    "review_views": (SAYING | KEEPING | {"care", "components", "entry", "ward"}, set()),
    "migrations": ({"rows", "call_rows", "store"}, {"alembic", "sqlalchemy", "sqlmodel"}),
    "worker": (
        SAYING
        | KEEPING
        | {"care", "rounds", "settings", "health", "notify", "delivery", "dead_man"},
        {"apscheduler", "sqlalchemy"},
    ),
    "components": (SAYING | {"components", "ward"}, {"streamlit"}),
    "pages": (ALL_BUT_DOORS | {"components", "pages"}, {"streamlit"}),
    "__main__": (ALL_BUT_DOORS | {"worker", "serve", "notify"}, {"typer"}),
    "dashboard": (ALL_BUT_DOORS | {"pages"}, {"streamlit", "starlette"}),
}

CLOCK_HOMES = {"pages/_session.py", "worker.py", "__main__.py"}
CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")}
CLOCKS |= {("time", "time"), ("time", "time_ns"), ("time", "localtime"), ("time", "gmtime")}

PICTURES = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b50\u2b55\ufe0f]")
READ = ("*.py", "*.md", "*.toml", "*.yaml", "*.js", "*.css", "*.html")


def sources() -> list[Path]:
    return [ROOT / "dashboard.py", *sorted(HOUSE.rglob("*.py"))]


def room_of(file: Path) -> str:
    """The room a file belongs to: its module, or the package directly under monitoring."""
    if file.parent == ROOT:
        return file.stem
    return file.relative_to(HOUSE).parts[0].removesuffix(".py")


def imported(tree: ast.Module) -> Iterator[str]:
    """Every module named by an import, as far as it is needed to know its room."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            if node.module == "monitoring":
                yield from (f"monitoring.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""


def wrong_edges(room: str, code: str) -> list[str]:
    """Imports the table does not grant to this room."""
    ours, outside = ROOMS[room]
    wrong = []
    for module in imported(ast.parse(code)):
        top, _, rest = module.partition(".")
        inside = top == "monitoring"
        target = rest.partition(".")[0] if inside else top
        allowed = target in ours if inside else target in outside | sys.stdlib_module_names
        if not allowed:
            wrong.append(f"{room} may not import {module}")
    return wrong


def clock_reads(code: str) -> list[int]:
    """Lines that ask the machine for the time of day."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else node.value
            name = owner.id if isinstance(owner, ast.Name) else owner
            if (name, node.attr) in CLOCKS:
                found.append(node.lineno)
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            found += [node.lineno for alias in node.names if ("time", alias.name) in CLOCKS]
    return found


def open_html(code: str) -> list[int]:
    """Lines that let text through to the browser as markup."""
    return [
        node.value.lineno
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.keyword) and (node.arg or "").startswith("unsafe_allow")
    ]


def undocumented(code: str) -> list[str]:
    """Public functions and classes of a module that do not say what they mean; an enumeration's
    words speak for themselves."""
    return [
        node.name
        for node in ast.parse(code).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
        and not (isinstance(node, ast.ClassDef) and "StrEnum" in map(ast.unparse, node.bases))
    ]


@pytest.mark.parametrize("file", sources(), ids=lambda file: str(file.relative_to(ROOT)))
def test_every_room_imports_only_what_it_may(file: Path) -> None:
    """Arrows point toward the patient's facts, and each heavy library has one home."""
    room = room_of(file)
    assert room in ROOMS, f"{room} is a new room: give it a line in the table"
    assert wrong_edges(room, file.read_text(encoding="utf-8")) == []


def test_the_table_has_no_circle() -> None:
    """No two rooms may import each other, however indirectly."""
    for room in ROOMS:
        seen: set[str] = set()
        ahead = set(ROOMS[room][0]) - {room}
        while ahead:
            seen |= ahead
            ahead = {far for near in ahead for far in ROOMS.get(near, (set(), set()))[0] - {near}}
            ahead -= seen
        assert room not in seen, f"{room} can reach itself"


@pytest.mark.parametrize(
    ("room", "code"),
    [
        ("domain", "import sqlalchemy"),
        ("assess", "from monitoring import store"),
        ("assess", "from monitoring.store import Record"),
        ("care", "def late():\n    import streamlit"),
        ("pages", "import sqlalchemy.orm"),
        ("pages", "from monitoring.worker import tick"),
        ("signs", "from monitoring.domain import Check"),
        ("board", "import pandas"),
    ],
)
def test_a_forbidden_import_is_seen(room: str, code: str) -> None:
    """The rule above is able to fail, also for an import inside a function."""
    assert len(wrong_edges(room, code)) == 1


def test_only_three_files_read_the_clock() -> None:
    """Everybody else is told what time it is, so that every judgement can be repeated."""
    for file in sources():
        if file.parent == ROOT or str(file.relative_to(HOUSE)) not in CLOCK_HOMES:
            assert clock_reads(file.read_text(encoding="utf-8")) == [], file


@pytest.mark.parametrize(
    "code",
    [
        "now = datetime.now(UTC)",
        "now = datetime.datetime.utcnow()",
        "today = date.today()",
        "import time\nstamp = time.time()",
        "from time import time",
        "field(default_factory=datetime.now)",
    ],
)
def test_a_clock_read_is_seen(code: str) -> None:
    """The rule above is able to fail, whichever way the clock is reached."""
    assert clock_reads(code)


def test_measuring_a_duration_is_no_clock_read() -> None:
    """A stopwatch says nothing about the time of day."""
    assert clock_reads("import time\nstarted = time.monotonic()\ntime.sleep(1)") == []


def test_nothing_a_person_wrote_becomes_markup() -> None:
    """Notes and names are shown as text: no page opens Streamlit's door for raw markup."""
    for file in sources():
        assert open_html(file.read_text(encoding="utf-8")) == [], file
    assert open_html("st.markdown(note, unsafe_allow_" + "html=True)")


@pytest.mark.parametrize("kind", READ)
def test_no_picture_characters(kind: str) -> None:
    """Clinical machines often have no font for them and would show an empty box."""
    folders = (ROOT / name for name in ("monitoring", "tests", "docs", "config"))
    for file in [*ROOT.glob(kind), *(file for folder in folders for file in folder.rglob(kind))]:
        found = PICTURES.search(file.read_text(encoding="utf-8"))
        assert found is None, f"{file}: {found and found.group()!a}"
    assert PICTURES.search("check \U0001f514") and PICTURES.search("fine \u2705")


def test_what_is_public_says_what_it_means() -> None:
    """Every public function and class outside the pages carries a docstring."""
    for file in sources():
        if room_of(file) not in ("pages", "migrations", "dashboard"):
            assert undocumented(file.read_text(encoding="utf-8")) == [], file
    assert undocumented("def gap(a, b):\n    return b - a\n\ndef _own(): ...") == ["gap"]
