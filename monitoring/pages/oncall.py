"""On call: who has which level now and this week, how each is reached, and what is wrong."""

from __future__ import annotations

from uuid import uuid4

import streamlit as st

from monitoring import oncall_views, paging, shifts
from monitoring.components.stay import notice
from monitoring.components.stay import stay_facts as facts
from monitoring.components.stay_shapes import NoticeData
from monitoring.domain import MonitoringError, Severity
from monitoring.pages import _rota_forms, _session
from monitoring.rota import Directory, Problem, Shift

settings = _session.settings()

ACTS = {
    "week": "Coming days",
    "shift": "Enter a shift",
    "end": "End a shift",
    "contacts": "Contacts",
    "test": "Test pages",
    "file": "Rota file",
}


def read(ward: str) -> tuple[Directory, list[Shift]]:
    """The directory of this moment and the shifts of the coming days."""
    now = _session.now()
    span = oncall_views.week(now, settings.zone)
    with _session.record().read() as conn:
        rows = shifts.shifts_between(conn, [ward], span.from_at, span.until_at)
        return shifts.directory(conn, now), rows


def say(number: int, problem: Problem) -> None:
    """A problem of tonight's paging in one row, as plain text."""
    word = {
        Severity.RED: ":red[:material/error: **RED**]",
        Severity.AMBER: ":orange[:material/warning: **AMBER**]",
    }[problem.severity]
    with st.container(
        border=True, horizontal=True, vertical_alignment="center",
        key=f"wrong-{problem.severity}-{number}",
    ):  # fmt: skip
        st.markdown(word, width="content")
        st.text(problem.sentence, width="stretch")


@st.fragment(run_every=10)
def at_this_moment(ward: str) -> None:
    """What is wrong with tonight, and who is on call now; runs again by itself."""
    with _session.sentences():
        now = _session.now()
        directory, problems = _session.preflight((ward,))
        for number, problem in enumerate(problems):
            say(number, problem)
        facts(oncall_views.now_data(directory, ward, now, settings.zone), key="now")


def week(directory: Directory, rows: list[Shift]) -> None:
    """Tonight and the coming days."""
    now, zone = _session.now(), settings.zone
    facts(oncall_views.week_data(directory, rows, now, zone), key="week")
    both = oncall_views.double_data(directory, rows, zone)
    if both is not None:
        facts(both, key="both")


def tests(directory: Directory, rows: list[Shift], by: str | None) -> None:
    """A test page for every person and every room."""
    st.markdown("A test page goes out on every way that reaches the person, as an alert would.")
    for staff_id in oncall_views.to_try(directory, rows):
        try_one(directory.name(staff_id), by, staff_id=staff_id)
    for room in oncall_views.rooms(directory):
        try_one(f"Shared room {room}", by, channel=room)
    facts(oncall_views.channel_data(directory), key="channels")


def try_one(name: str, by: str | None, **to: str) -> None:
    """One person's button, and what came back."""
    key = "-".join(to.values())
    with st.container(border=True):
        row = st.container(horizontal=True, vertical_alignment="center")
        row.text(name, width="stretch")
        if row.button("Send a test page", key=f"test-{key}"):
            with _session.sentences():
                st.session_state[f"sent-{key}"] = _rota_forms.send_test(by, uuid4(), **to)
        if st.session_state.get(f"sent-{key}"):
            what_came_back(key)


@st.fragment(run_every=2)
def what_came_back(key: str) -> None:
    """The delivery of a test page, read again and again."""
    with _session.sentences():
        with _session.record().read() as conn:
            found = [paging.page_by_key(conn, sent) for sent in st.session_state[f"sent-{key}"]]
        pages = [page for page in found if page is not None]
        data = oncall_views.test_data(pages, _session.now(), settings.zone)
        facts(data, key=f"came-back-{key}")


def page(ward: str) -> None:
    """The whole page of one ward."""
    done: NoticeData | None = st.session_state.pop("rota-done", None)
    if done is not None:
        notice(done, key="rota-notice")
    at_this_moment(ward)
    act = st.segmented_control(
        "What to see or do", list(ACTS), default="week", format_func=ACTS.__getitem__,
        key="oncall-act", label_visibility="collapsed",
    )  # fmt: skip
    directory, rows = read(ward)
    if act in (None, "week"):
        week(directory, rows)
        return
    by = _session.person("oncall", ward)
    if act == "shift":
        _rota_forms.enter(ward, directory, by)
    elif act == "end":
        _rota_forms.end(directory, rows, by)
    elif act == "contacts":
        _rota_forms.contact(directory, by)
        facts(oncall_views.contact_data(directory), key="contacts")
    elif act == "test":
        tests(directory, rows, by)
    else:
        _rota_forms.import_file(ward, directory, by)


st.title("On call")
chosen = settings.wards[0]
if len(settings.wards) > 1:
    chosen = st.selectbox("Ward", settings.wards, key="oncall-ward", bind="query-params")
try:
    page(chosen)
except MonitoringError as error:
    _session.say_error(str(error))
