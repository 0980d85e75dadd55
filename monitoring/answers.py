"""The answers that stand under an alert: which there are, in which order, with which minutes."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitoring import alarm
from monitoring.clocks import clock
from monitoring.components.stay_shapes import AnswerView, MinutesView
from monitoring.domain import AlertState, Intent, Stream
from monitoring.episodes import StoredAlert
from monitoring.ladder import ladder_of

WAYS = (5, 10, 15, 20, 30)
"""Minutes until somebody is there, as far as the acknowledgement holds."""

RESTS = (10, 20, 30)
"""Minutes for which the paging of an amber may rest."""


def answers_to(
    alert: StoredAlert, now: datetime, zone: ZoneInfo, *, acting: str = ""
) -> list[AnswerView]:
    """What can be answered to the alert now: the three answers under the thumb first. Where nobody
    is known to be ``acting``, on the ward's own device, writing down a call is among them."""
    if alert.state is AlertState.CLOSED:
        return []
    held = alert.state is AlertState.ACKNOWLEDGED and alert.intent is not Intent.PASSING
    main = _to_held(alert, now, zone) if held else _to_open(alert, now, zone, acting)
    return [*main, AnswerView(kind="close", label="Close", look="quiet", minutes=[])]


def _to_open(alert: StoredAlert, now: datetime, zone: ZoneInfo, acting: str) -> list[AnswerView]:
    minutes = ways(alert, now, zone)
    rang, told = ("quiet", "answer") if acting else ("answer", "quiet")
    pass_on = AnswerView(kind="pass", label="Pass on", look="answer", minutes=[])
    if alert.stream is Stream.MONITORING:
        said = [_timed(Intent.COMING, "I see to it", "primary", minutes), pass_on]
    else:
        said = [
            _timed(Intent.COMING, "Coming", "primary", minutes),
            AnswerView(kind="verbal", label="Rang a surgeon", look=rang, minutes=[]),
            _timed(Intent.ADVISING, "Advise", told, minutes),
            pass_on,
            _timed(Intent.REVIEWING, "I look at photo and chart", "quiet", minutes),
        ]
    if alarm.why_not_snoozed(alert) is None and not alarm.rests(alert, now):
        rests = [MinutesView(minutes=m, label=_label(m, now, zone)) for m in RESTS]
        said.append(_timed("snooze", "Let paging rest", "quiet", rests))
    return said


def _to_held(alert: StoredAlert, now: datetime, zone: ZoneInfo) -> list[AnswerView]:
    said = []
    if alert.stream is not Stream.MONITORING:
        said.append(AnswerView(kind="review", label="Decide", look="primary", minutes=[]))
        if alert.arrived_at is None:
            said.append(AnswerView(kind="arrive", label="I am here", look="answer", minutes=[]))
    said.append(AnswerView(kind="pass", label="Pass on", look="answer", minutes=[]))
    said.append(_timed(Intent.COMING, "Another time", "quiet", ways(alert, now, zone)))
    said.append(_timed("take", "Take it over", "quiet", ways(alert, now, zone)))
    return said


def _timed(kind: str, label: str, look: str, minutes: list[MinutesView]) -> AnswerView:
    return AnswerView(kind=kind, label=label, look=look, minutes=minutes)


def ways(alert: StoredAlert, now: datetime, zone: ZoneInfo) -> list[MinutesView]:
    """The arrivals that may be stated: none later than the acknowledgement holds."""
    ladder = ladder_of(alert.ladder, alert.severity, alert.stream)
    held = [m for m in WAYS if m <= ladder.answer_minutes] or [WAYS[0]]
    return [MinutesView(minutes=m, label=_label(m, now, zone)) for m in held]


def _label(minutes: int, now: datetime, zone: ZoneInfo) -> str:
    return f"{minutes} min, {clock(now + timedelta(minutes=minutes), zone, now)}"
