"""The alerts page: what is open, worst first, and the answers a person may give."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from streamlit.testing.v1 import AppTest

from monitoring import care, episodes
from monitoring.domain import AlertState, CloseReason, Intent, Severity
from monitoring.episodes import StoredAlert
from monitoring.store import Record

Open = Callable[..., AppTest]
Told = Callable[[AppTest, str], Any]


def alert(record: Record, severity: Severity, state: AlertState = AlertState.OPEN) -> StoredAlert:
    with record.read() as conn:
        return next(
            a
            for a in episodes.open_alerts(conn)
            if a.severity is severity and a.state is state and a.stream != "monitoring"
        )


def again(record: Record, alert_id: int) -> StoredAlert:
    with record.read() as conn:
        found = episodes.find_alert(conn, alert_id)
    assert found is not None
    return found


def begin(at: AppTest, found: StoredAlert, kind: str) -> AppTest:
    """What a press on a card's button leaves in the session."""
    at.session_state["answering"] = {
        "kind": kind, "alert_id": found.id, "flap_id": found.flap_id,
    }  # fmt: skip
    return at.run()


def press(at: AppTest, label: str) -> AppTest:
    return next(b for b in at.button if b.label == label).click().run()


def choose(at: AppTest, label: str, value: object) -> AppTest:
    return next(s for s in at.selectbox if s.label == label).set_value(value).run()


def test_the_worst_alert_that_nobody_has_stands_first(
    ward_record: Record, open_page: Open, told: Told
) -> None:
    """A red alert nobody has comes before one that somebody has, and both before amber."""
    at = open_page("alerts.py")
    assert not at.exception
    cards = told(at, "alerts")["cards"]
    order = [(c["word"], c["state"]) for c in cards]
    assert order[:2] == [("RED", "open"), ("RED", "acknowledged")]
    assert all(word == "AMBER" for word, _ in order[2:])
    assert "nobody has 3 of them yet" in told(at, "alerts")["summary"]


def test_a_card_says_whose_flap_why_and_on_what_grounds(open_page: Open, told: Told) -> None:
    """Two identifiers, the reason with its numbers, six checks with the decisive readings
    marked, and that the protocol awaits sign-off."""
    at = open_page("alerts.py")
    card = told(at, "alerts")["cards"][0]
    assert (card["mrn"], card["name"], card["bed"]) == ("402277", "OYELARAN, Daniel", "Bed 7")
    assert "artery absent" in card["why"]
    assert len(card["checks"]) == 6
    newest, before = card["checks"][:2]
    assert all(cell["tone"] == "hot" for cell in newest["cells"])
    assert all(cell["tone"] == "plain" for cell in before["cells"])
    assert "awaiting local clinical sign-off" in card["protocol"]
    assert card["sources"]


def test_acknowledging_names_the_person_and_is_read_back(
    ward_record: Record, open_page: Open, told: Told
) -> None:
    """Whoever has it says who they are, what they do and when they come; the page then shows
    what the record holds."""
    red = alert(ward_record, Severity.RED)
    at = begin(open_page("alerts.py"), red, "coming")
    at = choose(at, "Who are you?", "miss-r-lindqvist")
    at = at.button_group(key=f"minutes-ack-{red.id}").set_value(10).run()
    at = press(at, "I have it")
    assert not at.exception
    stored = again(ward_record, red.id)
    assert (stored.acknowledged_by, stored.intent) == ("miss-r-lindqvist", Intent.COMING)
    assert stored.expected_at is not None and stored.acknowledged_at is not None
    assert stored.expected_at - stored.acknowledged_at == timedelta(minutes=10)
    done = told(at, "done-notice")
    assert done["title"] == "Acknowledged"
    assert "Miss R. Lindqvist: coming" in done["text"]


def test_nobody_acknowledges_anonymously(ward_record: Record, open_page: Open) -> None:
    """Without a name nothing is written, and the page says what is lacking."""
    red = alert(ward_record, Severity.RED)
    at = press(begin(open_page("alerts.py"), red, "coming"), "I have it")
    assert any("Say who you are" in t.value for t in at.text)
    assert again(ward_record, red.id).state is AlertState.OPEN


def test_closing_takes_a_person_and_a_reason(
    ward_record: Record, open_page: Open, told: Told
) -> None:
    """An alert ends with who and why, and leaves the list."""
    amber = alert(ward_record, Severity.AMBER)
    at = begin(open_page("alerts.py"), amber, "close")
    at = press(choose(at, "Who are you?", "dr-m-osei"), "Close the alert")
    assert again(ward_record, amber.id).state is AlertState.OPEN
    at = press(choose(at, "Why is it over?", CloseReason.DRESSING), "Close the alert")
    stored = again(ward_record, amber.id)
    assert (stored.closed_by, stored.close_reason) == ("dr-m-osei", "dressing")
    assert "dressing" in told(at, "done-notice")["text"]
    assert amber.id not in [c["id"] for c in told(at, "alerts")["cards"]]


def test_an_alert_another_person_has_is_refused_in_a_sentence(
    ward_record: Record, open_page: Open
) -> None:
    """Two people cannot have the same alert: the second is told who has it."""
    red = alert(ward_record, Severity.RED)
    at = begin(open_page("alerts.py"), red, "coming")
    now = datetime.now(UTC)
    care.acknowledge_alert(
        ward_record, alert_id=red.id, by="miss-r-lindqvist", intent=Intent.COMING,
        expected_at=now + timedelta(minutes=5), now=now,
    )  # fmt: skip
    at = choose(at, "Who are you?", "dr-m-osei")
    at = at.button_group(key=f"minutes-ack-{red.id}").set_value(10).run()
    at = press(at, "I have it")
    assert any("Miss R. Lindqvist has this alert already." in t.value for t in at.text)
    assert again(ward_record, red.id).acknowledged_by == "miss-r-lindqvist"


def test_a_press_on_open_leads_to_the_flap(ward_record: Record, open_page: Open) -> None:
    """From an alert to the whole stay in one press."""
    red = alert(ward_record, Severity.RED)
    at = begin(open_page("alerts.py"), red, "flap")
    assert not at.exception
    assert any(b.label == "Record check" for b in at.button)


def test_a_red_of_a_flap_that_cannot_be_read_is_on_both_pages_and_can_be_closed(
    ward_record: Record, open_page: Open, told: Told
) -> None:
    """One patient's name is gone: the alerts page has a card for their red among all the others,
    the board a line above its tiles, and the alert is closed by a named person."""
    found = alert(ward_record, Severity.RED)
    with ward_record.write() as conn:
        conn.exec_driver_sql(
            "UPDATE patient SET name = '' WHERE id = "
            f"(SELECT patient_id FROM flap WHERE id = '{found.flap_id}')"
        )
    with ward_record.read() as conn:
        every = {a.id for a in episodes.open_alerts(conn)}
    board = open_page("board.py")
    assert any("RED alert not closed" in t.value for t in board.text)
    assert any(t.value.startswith("UNKNOWN: the record of") for t in board.text)
    at = open_page("alerts.py")
    cards = told(at, "alerts")["cards"]
    assert {c["id"] for c in cards} == every
    card = next(c for c in cards if c["id"] == found.id)
    assert card["name"] == "name cannot be read" and card["why"] == found.because
    at = choose(begin(at, found, "close"), "Who are you?", "n-okafor")
    press(choose(at, "Why is it over?", CloseReason.NO_CAUSE), "Close the alert")
    assert again(ward_record, found.id).state is AlertState.CLOSED
