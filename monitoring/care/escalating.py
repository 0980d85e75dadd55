"""Telling people: the rungs of an alert's ladder taken, each with the messages it calls for.

Everything here is written in the transaction of what it speaks of: an alert is never stored
without the messages that carry it, and no message is stored without its alert.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from monitoring import alarm, episodes, escalation, paging, people, queries, shifts, store
from monitoring.domain import SYSTEM, AlertState, Level, PageKind, Stream
from monitoring.episodes import StoredAlert
from monitoring.escalation import Climb, Subject
from monitoring.ladder import Ladder, Rung, ladder_of
from monitoring.paging import NewPage, Step, page_key
from monitoring.rota import Directory, Reach
from monitoring.rows import BROKEN

DOCTORS = (Level.REGISTRAR, Level.MICROSURGEON, Level.CONSULTANT)

SHIFT = timedelta(hours=12)
"""How long a flap stays with the nurse who took it on their list."""


def begin(conn: Connection, alert_id: int, subject: Subject, now: datetime) -> None:
    """Take the first rung of an alert that has just paged."""
    alert = episodes.find_alert(conn, alert_id)
    assert alert is not None
    climb(conn, alert, now, subject)


def climb(
    conn: Connection, alert: StoredAlert, now: datetime, subject: Subject | None = None
) -> bool:
    """Take the rung that is due, and write down those that were slept over; False when none is.

    A rung that told nobody, because nobody was on call or everybody it told has left, is taken
    again as soon as somebody can be told.
    """
    if not calls(alert, now) or alert.paged_at is None:
        return False
    ladder = ladder_of(alert.ladder, alert.severity, alert.stream)
    taken = reached(conn, alert).number
    due = escalation.due(ladder, alert.paged_at, taken, now)
    if due is not None:
        for number in due.missed:
            _write(conn, alert, ladder, number, now, sent=False)
        return _take(conn, alert, ladder, due, now, subject)
    if taken >= 0 and not paging.told(conn, [alert.id]).get((alert.id, alert.pages, taken)):
        at = alert.paged_at + ladder.after(taken)
        again = Climb(taken, at, now - at > escalation.LATE)
        return _take(conn, alert, ladder, again, now, subject, again=True)
    return False


def reached(conn: Connection, alert: StoredAlert) -> paging.Reached:
    """The highest rung of the paging that runs, and when it was taken."""
    found = paging.highest_steps(conn, [alert.id])
    return found.get((alert.id, alert.pages), paging.NOWHERE)


def calls(alert: StoredAlert, now: datetime) -> bool:
    """Whether the alert climbs: nobody has it, and nobody let it rest."""
    return alert.state is AlertState.OPEN and not alarm.rests(alert, now)


def _write(
    conn: Connection, alert: StoredAlert, ladder: Ladder, number: int, now: datetime, *,
    sent: bool, gaps: Sequence[Level] = (), late: bool = True, again: bool = False,
) -> None:  # fmt: skip
    assert alert.paged_at is not None
    step = Step(
        alert.id, alert.pages, number, ladder.rung(number).to, tuple(gaps),
        alert.paged_at + ladder.after(number), now, late, sent,
    )  # fmt: skip
    if again:
        paging.update_step(conn, step)
    else:
        paging.insert_step(conn, step)


def _take(
    conn: Connection, alert: StoredAlert, ladder: Ladder, due: Climb, now: datetime,
    subject: Subject | None, *, again: bool = False,
) -> bool:  # fmt: skip
    about = subject or subject_of(conn, alert.flap_id, now)
    directory = shifts.directory(conn, now, (about.ward,))
    reaches, gaps = _whom(conn, alert, ladder, due.number, about.ward, directory, now)
    if again and not reaches:
        return False
    _write(conn, alert, ladder, due.number, now, sent=True, gaps=gaps, late=due.late, again=again)
    late = now - due.due_at if due.late else None
    kind = PageKind.PASSED if _is_passed(alert, due.number) else PageKind.ALERT
    paging.insert_pages(conn, _pages(alert, ladder, due.number, reaches, about, late, kind), now)
    return True


def _is_passed(alert: StoredAlert, number: int) -> bool:
    """Whether this rung tells the person that the alert was passed on to."""
    return number == 0 and alert.passed_to is not None


def _whom(
    conn: Connection, alert: StoredAlert, ladder: Ladder, number: int, ward: str,
    directory: Directory, now: datetime,
) -> tuple[list[Reach], list[Level]]:  # fmt: skip
    """Everybody this rung tells, and its levels that have nobody. A rung with nobody at all tells
    the next one that has somebody, at last anybody on call."""
    rung = ladder.rung(number)
    if alert.passed_to is not None and _is_passed(alert, number):
        passed = _to_person(directory, alert.passed_to, rung)
        if passed:
            return passed, []
    found = directory.reached(ward, rung.to, now, rung.channels)
    found += _besides(conn, alert, number, rung, ward, directory, now)
    for higher in _higher(ladder, number):
        if any(reach.staff_id is not None for reach in found):
            break
        found += directory.reached(ward, higher, now)
    if not any(reach.staff_id is not None for reach in found):
        found += _elsewhere(conn, now)
    once = {(reach.staff_id, reach.channel): reach for reach in reversed(found)}
    return list(reversed(once.values())), list(directory.gaps(ward, rung.to, now))


def _to_person(directory: Directory, staff_id: str, rung: Rung) -> list[Reach]:
    """How a person is told: on the rung's channels, else on any: telling outranks how."""
    level = rung.to[0]
    return directory.to_person(staff_id, level, rung.channels) or directory.to_person(
        staff_id, level
    )


def _elsewhere(conn: Connection, now: datetime) -> list[Reach]:
    """The doctors on call for other wards: better a stranger than nobody."""
    every = shifts.directory(conn, now)
    wards = sorted({shift.ward for shift in every.shifts})
    return [r for ward in wards for r in every.reached(ward, DOCTORS, now) if r.staff_id]


def _higher(ladder: Ladder, number: int) -> Iterable[tuple[Level, ...]]:
    """The rungs after this one, then everybody."""
    count = len(ladder.rungs)
    yield from (ladder.rung(number + step).to for step in range(1, count))
    yield tuple(reversed(Level))


def _besides(
    conn: Connection, alert: StoredAlert, number: int, rung: Rung, ward: str,
    directory: Directory, now: datetime,
) -> list[Reach]:  # fmt: skip
    """Who is told though this rung does not name them: the nurses who hold the flap, and, once
    nobody came, everybody who was told before and the next rung: who did not come is not waited
    for again."""
    besides: list[str] = []
    if Level.NURSE in rung.to:
        besides += people.carers(conn, alert.flap_id, now - SHIFT)
    if number == 0 and alert.lapsed_by is not None:
        before = paging.pages_of(conn, [alert.id]).get(alert.id, [])
        besides += [
            p.staff_id for p in before if p.chain == alert.pages - 1 and p.staff_id is not None
        ]
        second = ladder_of(alert.ladder, alert.severity, alert.stream).rung(1)
        besides += [s.staff_id for level in second.to for s in directory.on_call(ward, level, now)]
    return [reach for who in dict.fromkeys(besides) for reach in _to_person(directory, who, rung)]


def _pages(
    alert: StoredAlert, ladder: Ladder, number: int | str, reaches: Iterable[Reach],
    about: Subject, late: timedelta | None, kind: PageKind = PageKind.ALERT,
) -> list[NewPage]:  # fmt: skip
    head = escalation.title(alert.severity, alert.stream, alert.pattern, about)
    text = escalation.body(
        head, alert.findings, about, stream=alert.stream, because=alert.because,
        answer_minutes=ladder.answer_minutes,
        asked=_asked(alert, kind, number, ladder), late=late,
    )  # fmt: skip
    return [
        NewPage(
            key=page_key(alert.id, alert.pages, number, reach.staff_id, reach.channel),
            kind=kind, channel=reach.channel, severity=alert.severity, title=head, body=text,
            alert_id=alert.id, chain=alert.pages, number=number if isinstance(number, int) else 0,
            level=reach.level, staff_id=reach.staff_id, late=late is not None,
        )
        for reach in reaches
    ]  # fmt: skip


def _asked(alert: StoredAlert, kind: PageKind, number: int | str, ladder: Ladder) -> str:
    """What the message asks for, where it is not simply an answer."""
    if kind is PageKind.PASSED:
        return "Passed on to you: answer."
    if alert.stream is Stream.MONITORING:
        return "Make the check, or say who will."
    if isinstance(number, int) and number > 0:
        waited = ladder.after(number) / timedelta(minutes=1)
        return f"Unanswered {waited:g} min: answer now."
    return "Open again: answer now." if alert.lapsed_by is not None else ""


def hand_to(conn: Connection, alert_id: int, to: str, time: int, now: datetime) -> bool:
    """Tell the person an alert was just passed on to: as the first rung where its ladder begins
    anew, else beside the ladder that goes on (``time`` counts how often it was passed). False
    when that person cannot be reached."""
    alert = episodes.find_alert(conn, alert_id)
    assert alert is not None
    about = subject_of(conn, alert.flap_id, now)
    directory = shifts.directory(conn, now, (about.ward,))
    ladder = ladder_of(alert.ladder, alert.severity, alert.stream)
    reaches = directory.to_person(to, ladder.rungs[0].to[0])
    if not reaches:
        return False
    if (alert.id, alert.pages) not in paging.highest_steps(conn, [alert.id]):
        return climb(conn, alert, now, about)
    pages = _pages(alert, ladder, f"pass{time}", reaches, about, None, PageKind.PASSED)
    return paging.insert_pages(conn, pages, now) > 0


def subject_of(conn: Connection, flap_id: str, now: datetime) -> Subject:
    """What a message may say of a flap, also of one whose rows make no sense any more."""
    try:
        stored = queries.load_flap(conn, flap_id)
    except BROKEN:
        whose = queries.whose(conn, [flap_id])[flap_id]
        return Subject(whose.ward, whose.bed, whose.label, None)
    facts, patient = stored.flap.facts, stored.patient
    return Subject(patient.ward, patient.bed, facts.label, stored.flap.hours(now))


def climb_alert(record: store.Record, *, alert_id: int, now: datetime) -> bool:
    """What the watcher asks of an open alert at its time: a rest that is over ends, a clock that
    was set back begins the paging anew, and the rung that is due is taken. True when something
    was written. Raises RecordUnavailable."""
    with record.write() as conn:
        found = episodes.find_alert(conn, alert_id)
        if found is None:
            return False
        store.lock_flap(conn, found.flap_id)
        found = episodes.find_alert(conn, alert_id)
        if found is None or found.state is not AlertState.OPEN:
            return False
        return _wake(conn, found, now) or climb(conn, found, now)


def _wake(conn: Connection, alert: StoredAlert, now: datetime) -> bool:
    """Begin the paging anew where a rest is over or the clock was set back."""
    back = alert.paged_at is not None and escalation.clock_was_set_back(
        alert.paged_at, reached(conn, alert).taken_at, now
    )
    if not (back or alarm.wakes(alert, now)):
        return False
    event = alarm.AlertEvent.AGAIN if back else alarm.AlertEvent.WAKE
    page_again(conn, alert, event, now, {})
    return True


def page_again(
    conn: Connection, alert: StoredAlert, event: alarm.AlertEvent, now: datetime,
    changes: dict[str, object],
) -> None:  # fmt: skip
    """Begin the alert's ladder anew, by an event of the state table that pages."""
    state, pages = alarm.next_state(alert.state, event)
    assert pages
    gone: dict[str, object] = dict.fromkeys(episodes.RESTING)
    episodes.update_alert(
        conn, alert.id, state=state, paged_at=now, pages=alert.pages + 1, **(gone | changes)
    )
    said = {"pages": True, "was": alert.acknowledged_by}
    episodes.insert_alert_event(conn, episodes.AlertEvent(alert.id, now, SYSTEM, event, said))
    begin(conn, alert.id, subject_of(conn, alert.flap_id, now), now)
