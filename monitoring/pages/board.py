"""The ward board: every monitored flap, the worst first, live."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from monitoring import care, demo, people, views
from monitoring.board import Tile, TileState
from monitoring.components import pack, ward_board
from monitoring.domain import MonitoringError
from monitoring.pages import _session

settings = _session.settings()
SHIFT = timedelta(hours=13)
"""A long shift with its handover: what was tapped before belongs to somebody else's."""


def wanted(tile: Tile, of_ward: str | None, needs: bool, mine: frozenset[str] | None) -> bool:
    """Whether the filters let the tile through."""
    return (
        (of_ward is None or tile.ward == of_ward)
        and (not needs or tile.state is not TileState.NONE)
        and (mine is None or tile.flap_id in mine)
    )


def filters() -> tuple[str | None, bool, str | None, bool]:
    """Ward, needs attention, who I am, and whether only my patients are shown."""
    row = st.container(horizontal=True, vertical_alignment="bottom", key="filters")
    names = {s.id: s.name for s in _session.staff()}
    with row:
        of_ward = None
        if len(settings.wards) > 1:
            of_ward = st.selectbox(
                "Ward", settings.wards, index=None, placeholder="All wards", width=180,
                key="ward", bind="query-params",
            )  # fmt: skip
        me = st.selectbox(
            "My patients as", list(names), index=None, format_func=lambda i: names.get(i, i),
            placeholder="Choose your name", width=220, key="me", bind="query-params",
        )  # fmt: skip
        only_mine = st.toggle("My patients", key="mine", disabled=me is None)
        needs = st.toggle("Needs attention", key="needs", bind="query-params")
    return of_ward, needs, me, only_mine and me is not None


def act(me: str | None) -> None:
    """Do what was pressed on a tile."""
    pressed = st.session_state.pop("pressed", None)
    if pressed is None:
        return
    flap_id, kind = pressed["flap_id"], pressed["kind"]
    if kind == "record":
        st.switch_page("check.py", query_params={"flap": flap_id})
    elif kind == "open":
        st.switch_page("flap.py", query_params={"flap": flap_id})
    elif me is None:
        st.toast("Choose your name first: whose patient is it?", icon=":material/person:")
    else:
        held = flap_id in held_by(me)
        with _session.sentences():
            care.set_mine(
                _session.record(), flap_id=flap_id, nurse=me, mine=not held, now=_session.now()
            )


def held_by(me: str | None) -> frozenset[str]:
    """The flaps on the nurse's list; none before somebody said who they are."""
    if me is None:
        return frozenset()
    with _session.record().read() as conn:
        return people.care_list(conn, me, _session.now() - SHIFT)


@st.fragment(run_every=settings.board_refresh_seconds)
def live(of_ward: str | None, needs: bool, me: str | None, only_mine: bool) -> None:
    """The board itself; runs again every few seconds."""
    try:
        found, every = _session.ward_now()
        mine = held_by(me)
    except MonitoringError as error:
        _session.say_error(str(error))  # the board's own light turns loud meanwhile
        return
    if not every and not found.unreadable and not found.left:
        empty()
        return
    on_ward = [t for t in every if of_ward is None or t.ward == of_ward]
    shown = [t for t in on_ward if wanted(t, of_ward, needs, mine if only_mine else None)]
    _session.say_loud(found)
    _session.say_preflight(of_ward)
    packed = _session.once_a_look(
        found, (of_ward, needs, only_mine, mine),
        lambda: pack(
            views.board_data(
                found, shown, on_ward, ward=of_ward or " · ".join(settings.wards),
                zone=settings.zone, stale_seconds=settings.engine_stale_seconds, mine=mine,
                empty="No flap matches these filters.",
            )
        ),
    )  # fmt: skip
    pressed = ward_board(packed, key="board")
    if pressed is not None:
        st.session_state["pressed"] = pressed
        st.rerun()


def empty() -> None:
    """What an empty record offers."""
    st.title("No flap is monitored yet")
    st.markdown("Admit the first flap, or look around on a ward of fictional patients.")
    with st.container(horizontal=True):
        if st.button("Admit a flap", type="primary", icon=":material/person_add:"):
            st.switch_page("admit.py")
        if st.button("Load the demo ward", icon=":material/group:"):
            with _session.sentences(), st.spinner("Twelve flaps are being admitted"):
                demo.load(
                    _session.record(), _session.protocols(), ward=settings.wards[0],
                    now=_session.now(), zone=settings.zone,
                )  # fmt: skip
            st.rerun()


chosen = filters()
act(chosen[2])
live(*chosen)
