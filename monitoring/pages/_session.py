"""What every page shares: the clock, the open record, the ward of this second, and sentences."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import streamlit as st

from monitoring import oncall_views, paging, people, protocol, rota, shifts, store, views, ward
from monitoring.board import Tile, tiles
from monitoring.domain import SURGEONS, MonitoringError, Role
from monitoring.protocol import Protocol
from monitoring.settings import Settings, read_settings
from monitoring.ward import Snapshot

SHARED_FOR = timedelta(seconds=1)
"""Open boards share one look at the ward for this long."""
ROTA_FOR = timedelta(seconds=10)
"""Open boards share one look at the rota for this long."""


def now() -> datetime:
    """The server's clock: the only one a page may read."""
    return datetime.now(UTC)


@st.cache_resource
def settings() -> Settings:
    """This hospital's settings, read once."""
    return read_settings()


@st.cache_resource
def record() -> store.Record:
    """The open record; refuses one that is not migrated or is newer."""
    opened = store.open_record(settings().record_url)
    store.require_current(opened)
    return opened


@st.cache_resource
def protocols() -> dict[str, Protocol]:
    """Every protocol version, read once: files in use never change."""
    return protocol.load()


class _Ward:
    """The last look at the ward, shared by every open board, never older than a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: tuple[Snapshot, list[Tile]] | None = None
        self._made: dict[Hashable, bytes] = {}

    def look(self) -> tuple[Snapshot, list[Tile]]:
        """The ward and its tiles. Raises RecordUnavailable: an old look is never passed off."""
        with self._lock:
            at = now()
            if self._found is None or not timedelta(0) <= at - self._found[0].at < SHARED_FOR:
                found, broken = ward.snapshot(record(), protocols(), at), []
                made = tiles(found.beds, at, settings().zone, broken)
                found = replace(found, unreadable=(*found.unreadable, *broken))
                self._found = found, made
                self._made = {}
            return self._found

    def forget(self) -> None:
        """The next look reads the record again: this page has just changed it."""
        with self._lock:
            self._found = None

    def once(self, found: Snapshot, filters: Hashable, make: Callable[[], bytes]) -> bytes:
        """What was made of this look for these filters; made now by the first who asks."""
        with self._lock:
            made = self._made if self._found is not None and self._found[0] is found else {}
            if filters not in made:
                made[filters] = make()
            return made[filters]


class _Rota:
    """The last look at the rota and what is wrong with it, shared, never older than 10 s."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[tuple[str, ...], tuple[datetime, rota.Directory, list[rota.Problem]]] = {}

    def look(self, wards: tuple[str, ...]) -> tuple[rota.Directory, list[rota.Problem]]:
        """Who is on call and what is wrong tonight. Raises RecordUnavailable."""
        with self._lock:
            at = now()
            found = self._found.get(wards)
            if found is None or not timedelta(0) <= at - found[0] < ROTA_FOR:
                with record().read() as conn:
                    directory = shifts.directory(conn, at, wards)
                    tried = shifts.last_tried(conn)
                wrong = rota.preflight(directory, wards, at, settings().zone, tried=tried)
                found = self._found[wards] = at, directory, wrong
            return found[1], found[2]

    def forget(self) -> None:
        """The next look reads the record again."""
        with self._lock:
            self._found = {}


@st.cache_resource
def _rota() -> _Rota:
    return _Rota()


def preflight(wards: tuple[str, ...]) -> tuple[rota.Directory, list[rota.Problem]]:
    """Who is on call and what would keep tonight's alerts from reaching them."""
    return _rota().look(wards)


def say_preflight(of_ward: str | None) -> None:
    """One strip above the board while paging would reach nobody; the on-call page has it all."""
    told = None
    with sentences():  # the tiles below are drawn whatever the rota says
        wards = settings().wards if of_ward is None else (of_ward,)
        told = oncall_views.strip(preflight(wards)[1])
    if told is None:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="preflight"):
        st.markdown(":red[:material/phone_disabled: **Paging**]", width="content")
        st.text(told.sentence, width="stretch")
        label = "On call" if not told.more else f"On call, {told.more}"
        st.page_link("oncall.py", label=label, icon=":material/call:", width="content")


@st.cache_resource
def _ward() -> _Ward:
    return _Ward()


def ward_now() -> tuple[Snapshot, list[Tile]]:
    """Every monitored flap and its tile, at most a second old."""
    return _ward().look()


def look_again() -> None:
    """What this page has just written is in the very next look."""
    _ward().forget()
    _rota().forget()


def once_a_look(found: Snapshot, filters: Hashable, make: Callable[[], bytes]) -> bytes:
    """Boards with the same filters share what is sent to their browsers, as they share the look."""
    return _ward().once(found, filters, make)


@contextmanager
def sentences() -> Iterator[None]:
    """Show an expected error's sentence instead of a traceback."""
    try:
        yield
    except MonitoringError as error:
        say_error(str(error))


def say_error(sentence: str, head: str = "Not done") -> None:
    """An error as plain text: a name in it is never markup."""
    with st.container(border=True, key=None):
        st.markdown(f":red[:material/error: **{head}**]")
        st.text(sentence)


def say_loud(found: Snapshot, *, alerts: bool = True) -> None:
    """What no tile of the board can say, above all tiles; ``alerts`` where no card says them."""
    for sentence in views.loud_lines(found, alerts=alerts):
        say_error(sentence, "Not on the board")


def staff(of_ward: str | None = None) -> list[people.Staff]:
    """The people who may be named as acting: a ward's own, and the surgeons, who cover several."""
    with record().read() as conn:
        every = people.list_staff(conn)
    return [s for s in every if of_ward in (None, s.ward) or s.role in SURGEONS]


def opened_with(page_key: str) -> None:
    """A message's link was opened here: whoever it was sent to reads it on their own telephone."""
    with record().read() as conn:
        page = paging.page_by_key(conn, page_key)
    if page is not None and page.staff_id is not None:
        st.session_state["opened_by"] = page.staff_id


def opened_by() -> str | None:
    """Whose message was opened in this browser; None on a shared device, where nobody is
    assumed."""
    known: str | None = st.session_state.get("opened_by")
    return known if known is not None and known in {s.id for s in staff()} else None


def acting() -> str:
    """The name of whoever opened a message here; empty where nobody is known."""
    me = opened_by()
    return next((s.name for s in staff() if s.id == me), "")


def person(key: str, of_ward: str | None = None, label: str = "Who are you?") -> str | None:
    """Who is acting: chosen from the staff list, never assumed, but for the person whose message
    was opened here. Returns the staff id."""
    names = {s.id: f"{s.name} · {s.role.replace('_', ' ')}" for s in staff(of_ward)}
    me = opened_by()
    if me in names and f"who-{key}" not in st.session_state:
        st.session_state[f"who-{key}"] = me
    chosen = st.selectbox(
        label, list(names), index=None, format_func=lambda i: names[i],
        placeholder="Choose your name", key=f"who-{key}",
    )  # fmt: skip
    with st.popover("My name is not here", icon=":material/person_add:"):
        add_name(key, of_ward)
    return chosen


def add_name(key: str, of_ward: str | None = None) -> None:
    """A small form that puts a person on the ward's staff list."""
    name = st.text_input("Name", key=f"new-name-{key}", placeholder="N. Okafor", max_chars=80)
    role = st.selectbox(
        "Role", list(Role), index=None, format_func=lambda r: r.replace("_", " "),
        key=f"new-role-{key}", placeholder="Choose",
    )  # fmt: skip
    ready = bool(name.strip()) and role is not None
    if st.button("Add to the staff list", key=f"add-{key}", disabled=not ready) and role:
        with sentences():
            with record().write() as conn:
                people.add_staff(conn, name, role, of_ward or settings().wards[0])
            look_again()
            st.rerun()


@st.fragment(run_every=10)
def engine_light() -> None:
    """Whether the watcher runs, on every page; loud when it does not."""
    try:
        found, _ = ward_now()
    except MonitoringError as error:
        say_error(str(error))
        return
    engine = views.engine(found, settings().engine_stale_seconds)
    if engine["state"] == "never":
        st.error(
            "**ALERTS NOT RUNNING.** No alert engine has ever run here: nobody is paged, and "
            "overdue checks are noticed by nobody. Start it: python -m monitoring worker",
            icon=":material/notifications_off:",
        )
    elif engine["state"] == "aside":
        say_error(
            f"{engine['text']}. Its overdue checks are noticed by nobody. Tell hospital IT.",
            "Not every flap is watched",
        )
    elif engine["state"] == "behind":
        say_error(
            f"{engine['text']}. Telephone whoever must know. Tell hospital IT.", "Alerts behind"
        )
    elif engine["state"] == "stale":
        st.error(
            f"**ALERTS NOT RUNNING.** The alert engine last ran {engine['seconds_ago']} s ago: "
            "**nobody is paged: telephone**, and keep your own clock. Tell hospital IT.",
            icon=":material/notifications_off:",
        )
    else:
        st.markdown(f":small[alert engine ran {engine['seconds_ago']} s ago]")
