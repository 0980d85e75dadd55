"""What every page shares: the clock, the open record, and errors shown as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import streamlit as st

from monitoring import people, protocol, store
from monitoring.domain import MonitoringError, Role
from monitoring.protocol import Protocol
from monitoring.settings import Settings, read_settings


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


@contextmanager
def sentences() -> Iterator[None]:
    """Show an expected error's sentence instead of a traceback."""
    try:
        yield
    except MonitoringError as error:
        st.error(str(error), icon=":material/error:")


def person(key: str, ward: str | None = None) -> str | None:
    """Who is acting: chosen from the ward's staff list, never assumed. Returns the staff id."""
    staff = people.list_staff(record(), ward=ward)
    names = {s.id: f"{s.name} · {s.role.replace('_', ' ')}" for s in staff}
    chosen = st.selectbox(
        "Who are you?",
        list(names),
        index=None,
        format_func=lambda i: names[i],
        placeholder="Choose your name",
        key=f"who-{key}",
    )
    with st.popover("My name is not here", icon=":material/person_add:"):
        add_name(key, ward)
    return chosen


def add_name(key: str, ward: str | None) -> None:
    """A small form that adds a person to the ward's staff list."""
    name = st.text_input("Name", key=f"new-name-{key}", placeholder="N. Okafor")
    role = st.selectbox(
        "Role",
        list(Role),
        index=None,
        format_func=lambda r: r.replace("_", " "),
        key=f"new-role-{key}",
        placeholder="Choose",
    )
    if st.button("Add to the staff list", key=f"add-{key}", disabled=not name or role is None):
        with sentences():
            people.add_staff(record(), name=name, role=role, ward=ward or settings().wards[0])
            st.rerun()
