"""The forms of the on-call page: a shift, its end, a contact, a rota file, a test page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

import streamlit as st

from monitoring import care, oncall_views, people, rota_files
from monitoring.components.stay import stay_facts as facts
from monitoring.components.stay_shapes import NoticeData
from monitoring.domain import Level, Refused
from monitoring.pages import _session
from monitoring.pages._stay_forms import wall
from monitoring.rota import Directory, Person, Shift
from monitoring.rota_files import RotaFile

WHO = "Say who you are."


def done(title: str, text: str) -> None:
    """Keep what was done for the top of the page, and draw it anew."""
    st.session_state["rota-done"] = NoticeData(title=title, text=text)
    _session.look_again()
    st.rerun()


def finish(label: str, problems: Sequence[str], write: Callable[[], tuple[str, str]]) -> None:
    """The button of a form; ``write`` calls one verb and says what was done."""
    if not st.button(label, type="primary", width="stretch", key=f"do-{label}"):
        return
    for sentence in problems:
        _session.say_error(sentence)
    if not problems:
        with _session.sentences():
            done(*write())


def staff_choice(label: str, key: str) -> str | None:
    """Somebody of the staff, of whichever ward."""
    names = {s.id: f"{s.name} · {s.role.replace('_', ' ')}" for s in _session.staff()}
    return st.selectbox(
        label, list(names), index=None, format_func=lambda i: names.get(i, i),
        placeholder="Choose a name", key=key,
    )  # fmt: skip


def enter(ward: str, directory: Directory, by: str | None) -> None:
    """Put somebody on call."""
    zone, problems = _session.settings().zone, [] if by is not None else [WHO]
    who = staff_choice("Who is on call?", "shift-who")
    level = st.selectbox(
        "Level", list(Level), index=None, format_func=oncall_views.words, placeholder="Choose",
        key="shift-level",
    )  # fmt: skip
    from_at = wall("From", "shift-from", problems)
    until_at = wall("Until", "shift-until", problems)
    narrowed = oncall_views.narrowing(directory)
    channels = st.pills(
        "Reached on (nothing chosen: every way)", narrowed, selection_mode="multi", wrap=True,
        key="shift-channels",
    ) if narrowed else []  # fmt: skip
    if who is None or level is None:
        problems.append("Say who is on call, and at which level.")

    def write() -> tuple[str, str]:
        assert by and who and level and from_at and until_at
        made = care.enter_shift(
            _session.record(), ward=ward, level=level, staff_id=who, from_at=from_at,
            until_at=until_at, by=by, now=_session.now(), channels=channels,
        )  # fmt: skip
        return "On call", oncall_views.shift_words(directory, made, zone)

    finish("Put on call", problems, write)


def end(directory: Directory, rows: Sequence[Shift], by: str | None) -> None:
    """Take somebody off, from now on."""
    zone = _session.settings().zone
    known = {s.id: oncall_views.shift_words(directory, s, zone) for s in rows}
    chosen = st.selectbox(
        "Which shift ends now, or does not take place?", list(known), index=None,
        format_func=lambda i: known.get(i, str(i)), placeholder="Choose a shift", key="end-shift",
    )  # fmt: skip
    lacking = [] if by is not None else [WHO]
    lacking += [] if chosen is not None else ["Choose the shift."]

    def write() -> tuple[str, str]:
        assert by and chosen is not None
        ended = care.end_shift(_session.record(), shift_id=chosen, by=by, now=_session.now())
        return "Shift ended", oncall_views.shift_words(directory, ended, zone)

    finish("End the shift", lacking, write)


def contact(directory: Directory, by: str | None) -> None:
    """Where somebody is reached on a channel."""
    channels = oncall_views.personal(directory)
    if not channels:
        st.markdown("No channel reaches people one by one: the settings name none.")
        return
    who = staff_choice("Who is reached?", "contact-who")
    channel = st.selectbox(
        "Channel", channels, index=None, placeholder="Choose", key="contact-channel"
    )  # fmt: skip
    address = st.text_input(
        "Telephone number, e-mail address or id on the channel", key="contact-address",
        max_chars=120,
    )  # fmt: skip
    lacking = [] if by is not None else [WHO]
    lacking += [] if who is not None and channel is not None else ["Choose a person and a channel."]

    def save() -> tuple[str, str]:
        assert by and who and channel
        made = care.set_contact(
            _session.record(), staff_id=who, channel=channel, address=address, by=by,
            now=_session.now(),
        )  # fmt: skip
        return "Contact saved", f"{directory.name(who)} on {channel}: {made.address}"

    def remove() -> tuple[str, str]:
        assert by and who and channel
        care.remove_contact(_session.record(), staff_id=who, channel=channel, by=by)
        return "Contact removed", f"{directory.name(who)} is reached on {channel} no more."

    finish("Save the contact", lacking, save)
    if (who, channel) in directory.contacts:
        finish("Remove the contact", lacking, remove)


def import_file(ward: str, directory: Directory, by: str | None) -> None:
    """A rota exported as iCalendar: what it would change, then the change."""
    st.markdown(
        "An event is one person's shift: **Registrar: Dr M. Osei**, from a time to a time. Levels: "
        + ", ".join(oncall_views.words(level) for level in Level) + "."
    )  # fmt: skip
    read_before = st.session_state.setdefault("rota-files", 0)  # a file that was read is let go
    file = st.file_uploader(
        "Rota as an iCalendar file (.ics, up to 2 MB)", type=["ics"], key=f"rota-{read_before}"
    )  # fmt: skip
    if file is None:
        return
    with _session.sentences():
        said = read_file(file.getvalue(), directory)
        if said is None:
            return
        plan = care.preview_rota(
            _session.record(), ward=ward, duties=said.duties, uids=said.uids, now=_session.now()
        )  # fmt: skip
        for sentence in oncall_views.cut(plan.problems):
            _session.say_error(sentence, "Cannot be imported")
        if plan.problems:
            return
        st.text(oncall_views.import_words(len(plan.new), len(plan.replaced), plan.same))
        if not plan.new and not plan.replaced:
            return
        zone = _session.settings().zone
        facts(oncall_views.preview_data(directory, plan.new, plan.replaced, zone), key="preview")

        def write() -> tuple[str, str]:
            assert by is not None
            found = care.import_shifts(
                _session.record(), ward=ward, duties=said.duties, uids=said.uids, by=by,
                now=_session.now(),
            )  # fmt: skip
            st.session_state["rota-files"] += 1
            text = oncall_views.import_words(len(found.new), len(found.replaced), found.same)
            return "Rota imported", text

        finish("Import", [] if by is not None else [WHO], write)


def read_file(body: bytes, directory: Directory) -> RotaFile | None:
    """What the file says; its problems are said, and then it says nothing."""
    with _session.record().read() as conn:
        staff = people.list_staff(conn, and_those_who_left=True)
    emails = {
        address.lower(): staff_id
        for (staff_id, _), address in directory.contacts.items() if "@" in address
    }  # fmt: skip
    found = rota_files.read_rota(
        body, people=[Person(s.id, s.name, s.active) for s in staff], emails=emails,
        zone=_session.settings().zone, now=_session.now(),
    )  # fmt: skip
    for sentence in found.notes:
        st.text(sentence)
    for sentence in oncall_views.cut(found.problems):
        _session.say_error(sentence, "Cannot be imported")
    return None if found.problems else found


def send_test(by: str | None, key: UUID, **to: str) -> list[str]:
    """Write a test page; returns the keys of its messages. Raises Refused."""
    if by is None:
        raise Refused(WHO)
    return care.send_test_page(_session.record(), by=by, now=_session.now(), key=key, **to)
