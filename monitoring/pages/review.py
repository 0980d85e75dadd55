"""A clinician's review of a flap: why, the last readings, what is decided, signed by name."""

from __future__ import annotations

import streamlit as st

from monitoring import care, episodes, review_views, ward
from monitoring.components.stay import notice
from monitoring.components.stay_shapes import NoticeData
from monitoring.domain import MonitoringError
from monitoring.episodes import StoredAlert
from monitoring.pages import _reviewing, _session
from monitoring.review_views import Filled
from monitoring.ward import Stay

ALONE = "the flap alone, no alert"
WIDE = 760


def subject() -> tuple[Stay, StoredAlert | None] | None:
    """The flap, and the alert, that the address names."""
    flap_id, named = st.query_params.get("flap"), st.query_params.get("alert", "")
    alert = None
    if named.isdecimal() and len(named) < 19:
        with _session.record().read() as conn:
            alert = episodes.find_alert(conn, int(named))
        if alert is None:
            raise care.Refused(f"There is no alert {named}: look at the alerts page.")
        flap_id = alert.flap_id
    if flap_id is None:
        raise care.Refused("Open a review from an alert, or from a flap's page.")
    return ward.stay(_session.record(), _session.protocols(), flap_id), alert


def chosen_alert(stay: Stay, named: StoredAlert | None) -> tuple[int | None, bool]:
    """Which alert is answered, and whether that is known."""
    now, zone = _session.now(), _session.settings().zone
    running = {a.id: a for a in review_views.open_alerts(stay)}
    if named is not None and named.id not in running:
        _session.say_error("This alert was closed: the review is of the flap alone.", "Closed")
    if named is not None and named.id in running:
        shown = running[named.id]
    elif not running:
        return None, True
    else:
        which = st.selectbox(
            "Which alert does it answer?", [*running, ALONE], index=None, placeholder="Choose",
            key=f"which-{stay.bed.flap.id}", format_func=lambda i: i if i == ALONE else
            review_views.alert_words(running[i], zone, now),
        )  # fmt: skip
        if which in (None, ALONE):
            return None, which == ALONE
        shown = running[which]
    st.markdown(f"**{review_views.alert_words(shown, zone, now)}**")
    st.text(shown.because)
    return shown.id, True


def write(stay: Stay, filled: Filled, key: str, problems: list[str]) -> None:
    """One attempt: the verb's answer is kept, and the page shows what was read back."""
    now, zone = _session.now(), _session.settings().zone
    for sentence in problems:
        _session.say_error(sentence)
    if problems:
        return
    with _session.sentences():
        review = review_views.read_review(filled, now)
        done = care.record_review(_session.record(), _session.protocols(), review, now=now)
        _session.look_again()
        st.session_state[f"reviewed-{key}"] = review_views.done_words(
            done, stay.bed, stay.names, zone, now
        )
        st.rerun()


def written(stay: Stay, key: str) -> None:
    """What was written, and where to go next."""
    title, text = st.session_state[f"reviewed-{key}"]
    notice(NoticeData(title=title, text=text), key=f"notice-{key}")
    with st.container(horizontal=True):
        if st.button("Open the flap", type="primary"):
            st.switch_page("flap.py", query_params={"flap": stay.bed.flap.id})
        if st.button("Alerts"):
            st.switch_page("alerts.py")
        if st.button("Another review"):
            for name in ("reviewed", "form"):
                st.session_state.pop(f"{name}-{key}", None)
            st.rerun()


def page(stay: Stay, named: StoredAlert | None) -> None:
    """The form of one review, or what it wrote."""
    now, zone = _session.now(), _session.settings().zone
    key = f"{stay.bed.flap.id}-{named.id if named else 'flap'}"
    st.title("Review")
    st.text(review_views.title_words(stay.bed))
    if f"reviewed-{key}" in st.session_state:
        written(stay, key)
        return
    alert_id, known = chosen_alert(stay, named)
    newest, *earlier = review_views.last_readings(stay, zone, now) or ["No check yet."]
    st.text(newest)
    if earlier:
        with st.expander("Earlier checks"):
            for line in earlier:
                st.text(line)
    problems = [] if known else ["Say which alert this review answers."]
    filled = _reviewing.fill(stay, alert_id, key, problems)
    label = review_views.confirm_words(filled, stay.bed)
    if st.button(label, type="primary", key=f"sign-{key}", width="stretch"):
        write(stay, filled, key, problems)


with _session.sentences():
    try:
        found = subject()
    except MonitoringError as error:
        st.title("Review")
        _session.say_error(str(error), "Nothing to review")
        found = None
    if found is not None:
        with st.container(width=WIDE):
            page(*found)
