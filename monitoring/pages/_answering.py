"""Answering an alert from any page: who has it and when they come, or why it is over.

What was pressed is kept in the session until it is done or dismissed, so that the open form
survives whatever redraws the page under it.
"""

from __future__ import annotations

import streamlit as st

from monitoring import alert_views, care, episodes, queries, views
from monitoring.calls import INTENT_WORDS
from monitoring.components.stay import notice
from monitoring.components.stay_shapes import AlertAction, NoticeData
from monitoring.domain import AlertState, CloseReason, Intent
from monitoring.episodes import StoredAlert
from monitoring.pages import _session

MINUTES = (5, 10, 15, 20, 30, 60)

CLOSE_WORDS = {
    CloseReason.TRUE_COMPROMISE: "true compromise of the flap",
    CloseReason.POSITION: "position",
    CloseReason.DRESSING: "dressing",
    CloseReason.PROBE: "probe or device",
    CloseReason.HAEMATOMA: "haematoma",
    CloseReason.NO_CAUSE: "no cause found",
    CloseReason.ENTERED_IN_ERROR: "entered in error",
}


def pressed(action: AlertAction | None) -> None:
    """Remember what was pressed under an alert, and let the whole page answer."""
    if action is not None:
        st.session_state["answering"] = action
        st.session_state.pop("done", None)
        st.rerun()


def answer() -> None:
    """What was done last, and the form that is open now, if any."""
    asked: AlertAction | None = st.session_state.get("answering")
    if asked is not None and asked["kind"] == "flap":
        forget()
        st.switch_page("flap.py", query_params={"flap": asked["flap_id"]})
    done, on_page = st.session_state.get("done", (None, ""))
    if done is not None and on_page == _where():
        notice(done, key="done-notice")
    if asked is None:
        return
    title = "Close this alert" if asked["kind"] == "close" else "Who has it"
    form = _close if asked["kind"] == "close" else _acknowledge
    st.dialog(title, on_dismiss=forget)(form)(asked)


def forget() -> None:
    """The form was done or dismissed."""
    st.session_state.pop("answering", None)


def say_done(title: str, text: str) -> None:
    """Keep what was done, to be shown on this page until something else is begun."""
    st.session_state["done"] = NoticeData(title=title, text=text), _where()


def _where() -> str:
    return st.query_params.get("flap", "")


def _alert(alert_id: int) -> tuple[StoredAlert, str, str]:
    """The alert as it stands, whose it is in words, and the ward."""
    with _session.record().read() as conn:
        found = episodes.find_alert(conn, alert_id)
        if found is None:
            raise care.Refused(f"There is no alert {alert_id}.")
        whose = queries.whose(conn, [found.flap_id])[found.flap_id]
    return found, views.whose_words(whose), whose.ward


def _acknowledge(asked: AlertAction) -> None:
    with _session.sentences():
        alert, words, of_ward = _alert(asked["alert_id"])
        key = f"ack-{alert.id}"
        st.text(f"{alert.severity.upper()}, {words}\n{alert.because}")
        by = _session.person(key, of_ward)
        intent = st.segmented_control(
            "What will you do?", list(Intent), default=Intent(asked["kind"]), key=f"intent-{key}",
            format_func=lambda i: INTENT_WORDS[i],
        )  # fmt: skip
        minutes = st.segmented_control(
            "In how many minutes?", list(MINUTES), key=f"minutes-{key}",
            format_func=lambda m: f"{m} min",
        )  # fmt: skip
        if st.button("I have it", type="primary", key=f"save-{key}", width="stretch"):
            now = _session.now()
            _told(
                None if by is None or intent is None or minutes is None else care.acknowledge_alert(
                    _session.record(), alert_id=alert.id, by=by, intent=intent,
                    expected_at=alert_views.expected(now, minutes), now=now,
                ),
                words, "Say who you are, what you will do, and in how many minutes.",
            )  # fmt: skip


def _close(asked: AlertAction) -> None:
    with _session.sentences():
        alert, words, of_ward = _alert(asked["alert_id"])
        key = f"close-{alert.id}"
        st.text(f"{alert.severity.upper()}, {words}\n{alert.because}")
        by = _session.person(key, of_ward)
        reason = st.selectbox(
            "Why is it over?", list(CloseReason), index=None, placeholder="Choose the reason",
            format_func=lambda r: CLOSE_WORDS[r], key=f"reason-{key}",
        )  # fmt: skip
        if st.button("Close the alert", type="primary", key=f"save-{key}", width="stretch"):
            _told(
                None if by is None or reason is None else care.close_alert(
                    _session.record(), alert_id=alert.id, by=by, reason=reason,
                    now=_session.now(),
                ),
                words, "Say who you are, and why it is over.",
            )  # fmt: skip


def _told(alert: StoredAlert | None, words: str, lacking: str) -> None:
    """Show what is lacking, or keep what was read back and let the page show it."""
    if alert is None:
        _session.say_error(lacking)
        return
    _session.look_again()
    names = dict(_session.ward_now()[0].names)
    say_done(
        *alert_views.answered(
            alert, words, names, now=_session.now(), zone=_session.settings().zone
        )
    )
    st.toast("Alert closed" if alert.state is AlertState.CLOSED else "Acknowledged")
    forget()
    st.rerun()
