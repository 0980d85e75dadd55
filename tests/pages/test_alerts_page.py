"""The alerts page: what is open, worst first, and the answers a person may give."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from monitoring import care, episodes, paging
from monitoring.domain import AlertState, CloseReason, Intent, PageKind, Severity
from monitoring.episodes import StoredAlert
from monitoring.paging import NewPage
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


def begin(at: AppTest, found: StoredAlert, kind: str, minutes: int = 0) -> AppTest:
    """What a press on a card's button leaves in the session."""
    at.session_state["answering"] = {
        "kind": kind, "alert_id": found.id, "flap_id": found.flap_id, "minutes": minutes,
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
    assert "nobody has 2 of them yet" in told(at, "alerts")["summary"]


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
    assert "by Miss R. Lindqvist: coming, " in done["text"]
    assert "It comes back at" in done["text"]


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
    at = choose(begin(at, found, "close"), "Who are you?", "dr-m-osei")
    press(choose(at, "Why is it over?", CloseReason.NO_CAUSE), "Close the alert")
    assert again(ward_record, found.id).state is AlertState.CLOSED


def test_a_nurse_writes_down_what_the_surgeon_said(
    ward_record: Record, open_page: Open, told: Told
) -> None:
    """Rang Dr Osei: who wrote it down, what was said and when the surgeon comes are kept."""
    red = alert(ward_record, Severity.RED)
    at = begin(open_page("alerts.py"), red, "verbal")
    at = choose(choose(at, "Who are you?", "n-okafor"), "Which surgeon did you reach?", "dr-m-osei")
    at = at.button_group(key=f"intent-verbal-{red.id}").set_value(Intent.COMING).run()
    at = at.button_group(key=f"minutes-verbal-{red.id}").set_value(15).run()
    at = press(at, "Write it down")
    assert any("Write down what Dr M. Osei said" in t.value for t in at.text)
    at = at.text_input(key=f"said-verbal-{red.id}").set_value("loosen the tapes").run()
    press(at, "Write it down")
    stored = again(ward_record, red.id)
    assert (stored.acknowledged_by, stored.verbal_by) == ("dr-m-osei", "n-okafor")


def test_a_nurse_is_told_that_she_does_not_take_a_red(ward_record: Record, open_page: Open) -> None:
    """The sentence says what she can do instead, and nothing is written."""
    red = alert(ward_record, Severity.RED)
    at = choose(begin(open_page("alerts.py"), red, "coming", 10), "Who are you?", "n-okafor")
    at = press(at, "I have it")
    assert any("write down what they said" in t.value for t in at.text)
    assert again(ward_record, red.id).state is AlertState.OPEN


def test_a_link_opens_the_alert_it_speaks_of(
    ward_record: Record, open_page: Open, told: Told
) -> None:
    """The one alert, with its story; the message is marked as read."""
    red = alert(ward_record, Severity.RED)
    with ward_record.write() as conn:
        page = NewPage(
            "k1", PageKind.ALERT, "demo", Severity.RED, "t", "b", red.id, staff_id="dr-m-osei"
        )
        paging.insert_pages(conn, [page], datetime.now(UTC))
    at = open_page("alerts.py", alert=str(red.id), page="k1")
    assert not at.exception
    data = told(at, "alerts")
    assert [c["id"] for c in data["cards"]] == [red.id]
    assert data["acting"] == "Dr M. Osei"
    assert any("raised" in line for line in data["cards"][0]["story"])
    with ward_record.read() as conn:
        read = paging.page_by_key(conn, "k1")
    assert read is not None and read.read_at is not None


@pytest.mark.parametrize("named", ["999", "x"])
def test_a_strange_link_says_so(open_page: Open, named: str) -> None:
    """No alert of that number: a sentence, no trace."""
    at = open_page("alerts.py", alert=named)
    assert not at.exception
    assert any(f"There is no alert {named}" in t.value for t in at.text)


def test_a_link_to_a_closed_alert_says_how_it_ended(
    ward_record: Record, open_page: Open, told: Told
) -> None:
    """Opened an hour later: closed by whom, and why; nothing left to press."""
    red = alert(ward_record, Severity.RED)
    care.close_alert(
        ward_record, alert_id=red.id, by="dr-m-osei", reason=CloseReason.POSITION,
        now=datetime.now(UTC),
    )  # fmt: skip
    (card,) = told(open_page("alerts.py", alert=str(red.id)), "alerts")["cards"]
    assert (card["state"], card["answers"]) == ("closed", [])
    assert card["plan"].endswith("by Dr M. Osei: position")
