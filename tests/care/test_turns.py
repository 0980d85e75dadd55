"""Two people at once: each write waits for the other, and neither undoes it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from monitoring import care, checks, queries, store
from monitoring.care.bedside import at_bed
from monitoring.care.recording import body_hash
from monitoring.domain import Refused
from monitoring.store import Record
from tests.bedside import PROTOCOLS, Bed, a_look, admit, at, facts, patient, staff


@contextmanager
def while_writing(record: Record, first: Callable[[Connection], object]) -> Iterator[Connection]:
    """A transaction that has done ``first`` and is still open."""
    with record.write() as conn:
        first(conn)
        yield conn


class Second(threading.Thread):
    """What somebody else does meanwhile, on a connection of their own."""

    def __init__(self, url: str, act: Callable[[Record], object]) -> None:
        super().__init__()
        self.url, self.act = url, act
        self.error: Exception | None = None
        self.ended = threading.Event()

    def run(self) -> None:
        record = store.open_record(self.url)
        try:
            self.act(record)
        except Exception as error:
            self.error = error
        finally:
            record.close()
            self.ended.set()


def test_a_correction_and_a_move_of_one_patient_both_stand(bed: Bed) -> None:
    """The name is set right through the left flap while the bed is changed through the right
    one: the second waits, and the patient has the right name in the new bed."""
    record = bed.record
    right = admit(record, label="R breast DIEP")
    move = Second(
        record.url,
        lambda other: care.transfer_bed(
            other, PROTOCOLS, flap_id=right.id, ward="W", bed="9", by="ana", now=at(5)
        ),
    )
    with while_writing(record, lambda conn: at_bed(conn, PROTOCOLS, bed.id, at(5))) as conn:
        found = queries.load_flap(conn, bed.id)
        move.start()
        assert not move.ended.wait(0.5)
        renamed = found.patient.model_copy(update={"name": "MBEKI, Thandiwe"})
        queries.update_patient(conn, found.patient_id, renamed)
    move.join()
    assert move.error is None
    with record.read() as conn:
        now = queries.load_flap(conn, bed.id).patient
    assert (now.name, now.bed) == ("MBEKI, Thandiwe", "9")


def test_one_form_saved_for_two_flaps_at_once_is_one_check(bed: Bed) -> None:
    """The second is told that the form was saved already, in a sentence; nothing else of it is
    written."""
    other_flap = admit(bed.record, mrn="2", name="FOGG, Ann")
    check = a_look(bed.id, 1, {})
    same = replace(check, flap_id=other_flap.id)
    save = Second(
        bed.record.url, lambda other: care.record_check(other, PROTOCOLS, same, now=at(1))
    )
    with while_writing(bed.record, lambda conn: checks.insert_check(conn, check, body_hash(check))):
        save.start()
        assert not save.ended.wait(0.5)
    save.join()
    assert isinstance(save.error, care.OtherBody)
    assert "saved already" in str(save.error)
    assert "flap_check" not in str(save.error)
    assert (len(bed.checks()), len(other_flap.checks())) == (1, 0)


@pytest.mark.postgres
def test_a_patient_admitted_twice_at_once_is_named(postgresql_url: str) -> None:
    """Two nurses admit one new patient: the second is told that somebody just did."""
    record = store.open_record(postgresql_url)
    staff(record)
    again = Second(
        postgresql_url,
        lambda other: care.admit_flap(
            other, PROTOCOLS, patient=patient(), facts=facts(), by="ben", now=at(0)
        ),
    )
    with while_writing(record, lambda conn: queries.insert_patient(conn, patient())):
        again.start()
        assert not again.ended.wait(0.5)
    again.join()
    assert isinstance(again.error, Refused)
    assert "same moment" in str(again.error)
    record.close()


def test_no_other_broken_rule_is_taken_for_a_second_admission(bed: Bed) -> None:
    """A flap id used twice is our own mistake, and is not told as somebody's admission."""
    with pytest.raises(IntegrityError):
        care.admit_flap(
            bed.record, PROTOCOLS, patient=patient(mrn="2"), facts=facts(), by="ana", now=at(0),
            flap_id=bed.id,
        )  # fmt: skip
