"""The handover page: the ward on one sheet, and who accepts it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from monitoring import care, handovers, protocol, queries
from monitoring.call_rows import HandoverRow
from monitoring.domain import Check
from monitoring.pages import _session
from monitoring.rows import table_of
from monitoring.store import Record

Open = Callable[..., AppTest]
Told = Callable[[AppTest, str], Any]


def press(at: AppTest, label: str) -> AppTest:
    return next(b for b in at.button if b.label == label).click().run()


def says(at: AppTest, who: str) -> AppTest:
    """Whoever hands over chooses their name."""
    return at.selectbox(key="who-handover").set_value(who).run()


def accepts(at: AppTest, who: str | None) -> AppTest:
    """The second person chooses theirs, and accepts."""
    at.selectbox(key="who-handover-taker").set_value(who).run()
    return press(at, "I accept this ward")


def text(at: AppTest) -> str:
    return "\n".join(t.value for t in at.text)


def handed(record: Record) -> list[handovers.Handover]:
    with record.read() as conn:
        return handovers.last_handovers(conn, "Ward 7")


def flap_of(record: Record, name: str) -> str:
    with record.read() as conn:
        found = queries.active_flaps(conn).flaps
    return next(f.flap.id for f in found if f.patient.name.startswith(name))


def occluded(record: Record, flap_id: str) -> None:
    """The check of this minute shows an arterial occlusion."""
    now = datetime.now(UTC)
    check = Check.parse(
        {
            "observed_at": now, "colour": "white", "refill": "absent", "flap_temp_c": 29.0,
            "control_temp_c": 33.5, "turgor": "flaccid", "doppler_artery": "absent",
        },
        flap_id=flap_id, by="n-okafor", key=uuid4(), recorded_at=now,
    )  # fmt: skip
    care.record_check(record, protocol.load(), check, now=now, confirmed=care.ALL)


def fact(sheet: Any, name: str, label: str) -> str:
    """What the sheet says of a patient's flap under a label."""
    (flap,) = [f for f in sheet["flaps"] if f["name"].startswith(name)]
    return next((f["text"] for f in flap["facts"] if f["label"] == label), "")


def test_the_whole_ward_stands_on_one_sheet(open_page: Open, told: Told) -> None:
    """The worst first: who has what, plans and whether they were read back, the way to theatre,
    what is overdue, held or could not be looked at, the coming checks, and who is on call."""
    at = open_page("handover.py")
    assert not at.exception
    sheet = told(at, "sheet")
    assert len(sheet["flaps"]) == 12
    assert [f["word"] for f in sheet["flaps"]][:2] == ["RED", "RED"]
    assert "nobody has it yet" in fact(sheet, "OYELARAN", "RED arterial")
    assert "coming" in fact(sheet, "ADEYEMI, Grace", "RED venous")
    assert "theatre asked for" in fact(sheet, "TANAKA", "Return")
    assert "Doppler vein (equipment)" in fact(sheet, "TANAKA", "Unable")
    assert "read back by S. Lindberg" in fact(sheet, "TANAKA", "Plan")
    assert "overdue" in fact(sheet, "KOWALCZYK", "Due")
    assert "on hold: imaging" in fact(sheet, "MARINO", "Checks")
    assert any("NOT READ BACK" in f["text"] for x in sheet["flaps"] for f in x["facts"])
    assert all(f["mrn"] and f["name"] and f["born"] for f in sheet["flaps"])
    assert not any(d["gap"] for d in sheet["duties"])
    assert "1 on the way to theatre or there" in sheet["summary"]
    assert "by ____" in sheet["printed"]


def test_two_people_hand_over_and_it_is_read_back(
    ward_record: Record, open_page: Open, told: Told
) -> None:
    """One says who they are, the other accepts; the page shows what the record holds, the sheet
    lists it, and the record keeps what stood."""
    at = says(open_page("handover.py"), "n-okafor")
    assert "by N. Okafor" in told(at, "sheet")["printed"]
    at = press(at, "Hand over")
    at.text_area(key="handover-note").set_value("Bed 6 goes first.").run()
    at = accepts(at, "j-marsh")
    assert not at.exception
    (done,) = handed(ward_record)
    assert (done.given_by, done.accepted_by, done.note) == (
        "n-okafor", "j-marsh", "Bed 6 goes first.",
    )  # fmt: skip
    assert len(done.stood.flaps) == 12 and len(done.stood.alerts) == 5
    notice = told(at, "handed-notice")
    assert notice["title"] == "Handed over" and "accepted by J. Marsh" in notice["text"]
    assert "accepted by J. Marsh, given by N. Okafor" in told(at, "sheet")["last"][0]
    again = told(open_page("handover.py"), "sheet")
    assert "accepted by J. Marsh" in again["last"][0]


def test_it_takes_two_names(ward_record: Record, open_page: Open) -> None:
    """Nobody hands over namelessly, and nobody to themself: a sentence each, nothing written."""
    at = press(open_page("handover.py"), "Hand over")
    assert "choose your name first" in text(at)
    at = press(says(at, "n-okafor"), "Hand over")
    at = press(at, "I accept this ward")
    assert "Say who hands over and who accepts it." in text(at)
    at = accepts(at, "n-okafor")
    assert "two people, two names" in text(at)
    assert handed(ward_record) == []


def test_what_came_since_is_read_before_it_is_accepted(
    ward_record: Record, open_page: Open, told: Told
) -> None:
    """A flap turns red between reading and accepting: refused with its bed and why; read again,
    with the new alert on the sheet, it is accepted."""
    at = press(says(open_page("handover.py"), "n-okafor"), "Hand over")
    flap_id = flap_of(ward_record, "BERGSTROM")
    occluded(ward_record, flap_id)
    at = accepts(at, "j-marsh")
    assert "Since you read it: bed 10, R breast DIEP: RED alert raised" in text(at)
    assert handed(ward_record) == []
    assert "nobody has it yet" in fact(told(at, "sheet"), "BERGSTROM", "RED arterial")
    at = press(at, "I accept this ward")
    (done,) = handed(ward_record)
    assert flap_id in {a.flap_id for a in done.stood.alerts}


def test_an_old_reading_is_read_again(ward_record: Record, open_page: Open) -> None:
    """A form left open for six minutes is refused; the next press is on a fresh reading."""
    at = press(says(open_page("handover.py"), "n-okafor"), "Hand over")
    stood = at.session_state["handover-stood"]
    old = handovers.Stood(
        stood.ward, stood.shown_at - timedelta(minutes=6), stood.alerts, stood.flaps
    )
    at.session_state["handover-stood"] = old
    at = accepts(at, "j-marsh")
    assert "You read this 6 min ago" in text(at)
    press(at, "I accept this ward")
    assert len(handed(ward_record)) == 1


def test_not_now_writes_nothing(ward_record: Record, open_page: Open) -> None:
    """The form is put away and nothing was handed over."""
    at = press(says(open_page("handover.py"), "n-okafor"), "Hand over")
    at = press(at, "Not now")
    assert all(b.label != "I accept this ward" for b in at.button)
    with ward_record.read() as conn:
        assert conn.execute(select(table_of(HandoverRow))).all() == []


def test_a_flap_that_cannot_be_read_is_loud_on_the_sheet(
    ward_record: Record, open_page: Open, told: Told
) -> None:
    """What has no row on the sheet stands above it in a sentence."""
    flap_id = flap_of(ward_record, "OYELARAN")
    with ward_record.write() as conn:
        conn.exec_driver_sql(
            "UPDATE patient SET name = '' WHERE id = "
            f"(SELECT patient_id FROM flap WHERE id = '{flap_id}')"
        )
    _session.look_again()
    loud = told(open_page("handover.py"), "sheet")["loud"]
    assert any(s.startswith("UNKNOWN: the record of") for s in loud)
    assert any("RED alert not closed" in s for s in loud)
