"""The staff list: whoever acts is named from it."""

from __future__ import annotations

import pytest

from monitoring import people
from monitoring.domain import Role
from monitoring.people import BadStaff, StaffExists, UnknownStaff
from monitoring.store import Record


def test_a_name_added_on_the_ward_is_on_the_list(record: Record) -> None:
    """Somebody put on the list can be chosen at once, with a readable id."""
    with record.write() as conn:
        added = people.add_staff(conn, "  Ana   Lúcia Pérez ", Role.NURSE, "7B")
    with record.read() as conn:
        assert people.list_staff(conn, "7B") == [added]
        assert people.list_staff(conn, "7A") == []
        assert people.staff_by_id(conn, "ana-lucia-perez") == added
    assert added.name == "Ana Lúcia Pérez"


def test_namesakes_with_different_roles_have_different_ids(record: Record) -> None:
    """Two people of one name are two people; nobody signs as the other."""
    with record.write() as conn:
        nurse = people.add_staff(conn, "Kim Lee", Role.NURSE, "7B")
        registrar = people.add_staff(conn, "Kim Lee", Role.REGISTRAR, "7B")
    assert (nurse.id, registrar.id) == ("kim-lee", "kim-lee-2")


def test_the_same_person_is_not_listed_twice(record: Record) -> None:
    """A second tap on Add does not make a second nurse."""
    with record.write() as conn:
        people.add_staff(conn, "Kim Lee", Role.NURSE, "7B")
    with pytest.raises(StaffExists, match="Kim Lee is on the staff list"), record.write() as conn:
        people.add_staff(conn, "Kim  Lee", Role.NURSE, "7B")
    with record.read() as conn:
        assert len(people.list_staff(conn)) == 1


@pytest.mark.parametrize(
    ("name", "ward"), [("", "7B"), ("   ", "7B"), ("Kim", " "), ("x" * 81, "7B")]
)
def test_a_person_without_a_name_is_refused(record: Record, name: str, ward: str) -> None:
    """A blank is not a person."""
    with pytest.raises(BadStaff), record.write() as conn:
        people.add_staff(conn, name, Role.NURSE, ward)


def test_a_name_in_another_script_still_has_an_id(record: Record) -> None:
    """A name the slug cannot spell is kept as it is written."""
    with record.write() as conn:
        first = people.add_staff(conn, "김민지", Role.NURSE, "7B")
        second = people.add_staff(conn, "李娜", Role.NURSE, "7B")
    assert (first.name, first.id, second.id) == ("김민지", "person", "person-2")


def test_nobody_can_be_the_system(record: Record) -> None:
    """What acts by itself is never a person, and no person can pass for it."""
    with record.write() as conn:
        assert people.add_staff(conn, "System", Role.NURSE, "7B").id == "system-2"
    with pytest.raises(StaffExists), record.write() as conn:
        people.add_staff(conn, "Mallory", Role.NURSE, "7B", staff_id="system")


def test_an_id_from_elsewhere_is_kept_and_unique(record: Record) -> None:
    """Imported staff keep the id they have; a second owner of it is refused."""
    with record.write() as conn:
        assert people.add_staff(conn, "Kim", Role.NURSE, "7B", staff_id="nurse1").id == "nurse1"
    with pytest.raises(StaffExists, match="nurse1"), record.write() as conn:
        people.add_staff(conn, "Lee", Role.NURSE, "7B", staff_id="nurse1")
    with pytest.raises(BadStaff), record.write() as conn:
        people.add_staff(conn, "Lee", Role.NURSE, "7B", staff_id=" ")


def test_who_left_can_act_no_more_but_keeps_their_name(record: Record) -> None:
    """Past checks still say who made them."""
    with record.write() as conn:
        kim = people.add_staff(conn, "Kim Lee", Role.NURSE, "7B")
        people.remove_staff(conn, kim.id)
    with record.read() as conn:
        assert people.list_staff(conn) == []
        assert people.list_staff(conn, and_those_who_left=True) == [kim._replace(active=False)]
        assert people.staff_by_id(conn, kim.id, may_have_left=True).name == "Kim Lee"
        with pytest.raises(UnknownStaff, match="Kim Lee"):
            people.staff_by_id(conn, kim.id)
        with pytest.raises(UnknownStaff, match="'nobody'"):
            people.staff_by_id(conn, "nobody")
