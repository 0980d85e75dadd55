"""Answering an alert from any page: who has it and when they come, or why it is over.

What was pressed is kept in the session until it is done or dismissed, so that the open form
survives whatever redraws the page under it. Who opened a message's link is known: two taps then.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from monitoring import alert_views, answers, care, episodes, queries, views
from monitoring.calls import INTENT_WORDS
from monitoring.components.stay import notice
from monitoring.components.stay_shapes import AlertAction, NoticeData
from monitoring.domain import CloseReason, Intent, MonitoringError
from monitoring.episodes import StoredAlert
from monitoring.pages import _session

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
    """Do what was pressed under an alert where everything is known; else remember it, and let the
    whole page ask for the rest."""
    if action is None:
        return
    st.session_state.pop("done", None)
    st.session_state["answering"] = action
    me = _session.opened_by()
    if me is not None and (action["minutes"] or action["kind"] == "arrive"):
        _at_once(action, me)
    st.rerun()


def _at_once(action: AlertAction, me: str) -> None:
    """The second of two taps: who, what and when are known. A refusal is shown by the form."""
    if action["kind"] not in {*Intent, "arrive", "take"}:
        return
    try:
        _, words, _ = _alert(action["alert_id"])
        _keep(_write(action, me), words)
        forget()
    except MonitoringError as error:
        st.session_state["refused"] = str(error)


def _write(action: AlertAction, by: str, intent: Intent | None = None) -> StoredAlert:
    now = _session.now()
    if action["kind"] == "arrive":
        return care.arrive(_session.record(), alert_id=action["alert_id"], by=by, now=now)
    over = action["kind"] == "take"
    return care.acknowledge_alert(
        _session.record(), alert_id=action["alert_id"], by=by, now=now, take_over=over,
        intent=intent or (Intent.COMING if over else Intent(action["kind"])),
        expected_at=alert_views.expected(now, action["minutes"]),
    )  # fmt: skip


def answer() -> None:
    """What was done last, and the form that is open now, if any."""
    asked: AlertAction | None = st.session_state.get("answering")
    if asked is not None and asked["kind"] in ("flap", "review"):
        forget()
        if asked["kind"] == "flap":
            st.switch_page("flap.py", query_params={"flap": asked["flap_id"]})
        st.switch_page("review.py", query_params={"alert": str(asked["alert_id"])})
    done, on_page = st.session_state.get("done", (None, ""))
    if done is not None and on_page == _where():
        notice(done, key="done-notice")
    if asked is None:
        return
    title, form = FORMS.get(asked["kind"], ("Who has it", _acknowledge))
    st.dialog(title, on_dismiss=forget)(_with_alert)(form, asked)


def _with_alert(
    form: Callable[[AlertAction, StoredAlert, str, str], None], asked: AlertAction
) -> None:
    """The open form under the alert it answers; its refusals in place."""
    with _session.sentences():
        alert, words, of_ward = _alert(asked["alert_id"])
        st.text(f"{alert.severity.upper()}, {words}\n{alert.because}")
        refused = st.session_state.pop("refused", None)
        if refused is not None:
            _session.say_error(refused)
        form(asked, alert, words, of_ward)


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


def _acknowledge(asked: AlertAction, alert: StoredAlert, words: str, of_ward: str) -> None:
    key = f"ack-{alert.id}"
    by = _session.person(key, of_ward)
    intent, minutes = _intent_and_minutes(asked, alert, key)
    if st.button("I have it", type="primary", key=f"save-{key}", width="stretch"):
        if by is None or intent is None or minutes is None:
            _session.say_error("Say who you are, what you will do, and in how many minutes.")
            return
        kind = "take" if asked["kind"] == "take" else intent
        taken = AlertAction(kind=kind, alert_id=alert.id, flap_id=alert.flap_id, minutes=minutes)
        _done(_write(taken, by, intent), words)


def _intent_and_minutes(
    asked: AlertAction, alert: StoredAlert, key: str
) -> tuple[Intent | None, int | None]:
    offered = [i for i in Intent if i is not Intent.PASSING]
    named = asked["kind"] if asked["kind"] in offered else None
    intent = st.segmented_control(
        "What will be done?", offered, default=named, key=f"intent-{key}", wrap=True,
        format_func=lambda i: INTENT_WORDS[i],
    )  # fmt: skip
    ways = answers.ways(alert, _session.now(), _session.settings().zone)
    minutes = st.segmented_control(
        "In how many minutes?", [w["minutes"] for w in ways], key=f"minutes-{key}", wrap=True,
        default=asked["minutes"] or None, format_func=lambda m: f"{m} min",
    )  # fmt: skip
    return intent, minutes


def _arrive(asked: AlertAction, alert: StoredAlert, words: str, of_ward: str) -> None:
    by = _session.person(f"arrive-{alert.id}", of_ward)
    if st.button("I am at the bedside", type="primary", key=f"save-arrive-{alert.id}"):
        if by is None:
            _session.say_error("Say who you are.")
        else:
            _done(_write(asked, by), words)


def _verbal(asked: AlertAction, alert: StoredAlert, words: str, of_ward: str) -> None:
    key = f"verbal-{alert.id}"
    nurse = _session.person(key, of_ward)
    surgeon = _surgeon("Which surgeon did you reach?", f"for-{key}", alert)
    intent, minutes = _intent_and_minutes(asked, alert, key)
    said = st.text_input("What did they say?", key=f"said-{key}", max_chars=400)
    if st.button("Write it down", type="primary", key=f"save-{key}", width="stretch"):
        if nurse is None or surgeon is None or intent is None or minutes is None:
            _session.say_error(
                "Say who you are, whom you reached, what they will do, and in how many minutes."
            )
            return
        now = _session.now()
        taken = care.acknowledge_alert(
            _session.record(), alert_id=alert.id, by=surgeon, intent=intent, now=now,
            expected_at=alert_views.expected(now, minutes), written_by=nurse, said=said,
        )  # fmt: skip
        _done(taken, words)


def _surgeon(label: str, key: str, alert: StoredAlert) -> str | None:
    """Somebody who may have the alert, of any ward."""
    names = {
        s.id: f"{s.name} · {s.role.replace('_', ' ')}"
        for s in _session.staff()
        if care.may_take(s.role, alert.stream)
    }
    return st.selectbox(
        label, list(names), index=None, key=key, placeholder="Choose",
        format_func=lambda i: names[i],
    )  # fmt: skip


def _pass(asked: AlertAction, alert: StoredAlert, words: str, of_ward: str) -> None:
    key = f"pass-{alert.id}"
    by = _session.person(key, of_ward)
    to = _surgeon("To whom?", f"to-{key}", alert)
    if st.button("Pass it on", type="primary", key=f"save-{key}", width="stretch"):
        if by is None or to is None:
            _session.say_error("Say who you are, and to whom you pass it on.")
        else:
            passed = care.pass_alert(
                _session.record(), alert_id=alert.id, by=by, to=to, now=_session.now()
            )
            _done(passed, words)


def _snooze(asked: AlertAction, alert: StoredAlert, words: str, of_ward: str) -> None:
    key = f"snooze-{alert.id}"
    by = _session.person(key, of_ward)
    minutes = st.segmented_control(
        "For how many minutes?", list(answers.RESTS), default=asked["minutes"] or None,
        key=f"minutes-{key}", format_func=lambda m: f"{m} min",
    )  # fmt: skip
    why = st.text_input("Why?", key=f"why-{key}", max_chars=200)
    if st.button("Let the paging rest", type="primary", key=f"save-{key}", width="stretch"):
        if by is None or minutes is None:
            _session.say_error("Say who you are, for how long, and why.")
            return
        now = _session.now()
        rests = care.snooze_alert(
            _session.record(), alert_id=alert.id, by=by, reason=why, now=now,
            until=alert_views.expected(now, minutes),
        )  # fmt: skip
        _done(rests, words)


def _close(asked: AlertAction, alert: StoredAlert, words: str, of_ward: str) -> None:
    key = f"close-{alert.id}"
    by = _session.person(key, of_ward)
    reason = st.selectbox(
        "Why is it over?", list(CloseReason), index=None, placeholder="Choose the reason",
        format_func=lambda r: CLOSE_WORDS[r], key=f"reason-{key}",
    )  # fmt: skip
    st.text(f"Closing ends this alert of {words}. Nobody is told of it any more.")
    if st.button("Close the alert", type="primary", key=f"save-{key}", width="stretch"):
        if by is None or reason is None:
            _session.say_error("Say who you are, and why it is over.")
            return
        closed = care.close_alert(
            _session.record(), alert_id=alert.id, by=by, reason=reason, now=_session.now()
        )
        _done(closed, words)


FORMS: dict[str, tuple[str, Callable[[AlertAction, StoredAlert, str, str], None]]] = {
    "verbal": ("Write down what a surgeon said", _verbal),
    "pass": ("Pass this alert on", _pass),
    "snooze": ("Let the paging rest", _snooze),
    "arrive": ("At the bedside", _arrive),
    "close": ("Close this alert", _close),
}


def _keep(alert: StoredAlert, words: str) -> str:
    """Keep what was read back, for the page to show; returns its title."""
    _session.look_again()
    names = dict(_session.ward_now()[0].names)
    title, text = alert_views.answered(
        alert, words, names, now=_session.now(), zone=_session.settings().zone
    )
    say_done(title, text)
    return title


def _done(alert: StoredAlert, words: str) -> None:
    st.toast(_keep(alert, words))
    forget()
    st.rerun()
