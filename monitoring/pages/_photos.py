"""Photos on any page: a strip of them, taking one, striking one.

What was uploaded is read once and let go of as soon as it is saved. Each file's key is minted
once, so that a save tried again never makes a second photo.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from monitoring import care, photo_views, stay_views
from monitoring.board import Bedside
from monitoring.care.photographing import DISTANCES, LIGHTS, NOTE_LENGTH
from monitoring.care.recording import Saved
from monitoring.components.photo_shapes import PhotoAction
from monitoring.components.photos import photo_strip
from monitoring.components.stay import notice
from monitoring.components.stay_shapes import NoticeData
from monitoring.domain import Check
from monitoring.pages import _session
from monitoring.pages._stay_forms import finish, wall
from monitoring.ward import Stay

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

KINDS = ["jpg", "jpeg", "png", "heic", "heif"]
FILE, CAMERA = "tablet's camera or a file", "this screen's camera"
REFRESH_SECONDS = 15
BETWEEN = "with no check"
WITH, NOW, ANOTHER = "when the check was made", "now", "at another time"
SAME_WAY = "Hold the tablet as for the baseline photo, so that the two can be compared"


# A strip of photos -----------------------------------------------------------------------------


def _pressed(flap_id: str, action: PhotoAction) -> None:
    """Remember what was opened or asked for; the page is then drawn with it."""
    state = st.session_state
    if action["kind"] == "open":
        state["photo-open"] = action["key"]
    elif action["kind"] == "earlier":
        state[f"photos-{flap_id}-most"] = _most(flap_id) + photo_views.FIRST
    else:
        state.pop("photo-open", None)
    if action["kind"] == "strike":
        state["doing"] = (flap_id, "strike-photo")
        state["striking"] = action["key"]
        state.pop("done", None)
        state["photos-asked"] = True


def _most(flap_id: str) -> int:
    return st.session_state.get(f"photos-{flap_id}-most", photo_views.FIRST)


@st.fragment(run_every=REFRESH_SECONDS)
def _strip(flap_id: str, label: str, whose: str) -> None:
    with _session.sentences():
        data = photo_views.strip_data(
            _session.record(), flap_id, label, now=_session.now(),
            zone=_session.settings().zone, opened=st.session_state.get("photo-open"),
            most=_most(flap_id), whose=whose, empty="No photo has been taken yet.",
            may_strike=True,
        )  # fmt: skip
        photo_strip(data, key=f"photos-{flap_id}", on_action=partial(_pressed, flap_id))
        if st.session_state.pop("photos-asked", False):
            st.rerun()  # the form is drawn by the whole page


def _whose(bed: Bedside) -> str:
    return f"{bed.patient.name} · MRN {bed.patient.mrn} · {bed.flap.facts.label}"


def of_stay(stay: Stay) -> None:
    """The photos of a stay in sequence, and a button for another."""
    flap = stay.bed.flap
    _strip(flap.id, flap.facts.label, _whose(stay.bed))
    if st.button("Add a photo", icon=":material/add_a_photo:", key="photo-add"):
        st.session_state["doing"] = (flap.id, "photo")
        st.session_state.pop("done", None)
        st.rerun()


# Taking one ------------------------------------------------------------------------------------


def _round(key: str) -> str:
    """The name of the upload that is open now: the next one starts empty."""
    return f"{key}-{st.session_state.get(f'round-{key}', 0)}"


def _chosen(key: str) -> list[UploadedFile]:
    """The files that wait to be saved."""
    st.text(photo_views.HINT)
    way = st.segmented_control(
        "From", [FILE, CAMERA], default=FILE, key=f"way-{key}", label_visibility="collapsed",
        wrap=True,
    )  # fmt: skip
    if way == CAMERA:
        shot = st.camera_input("Take a photo", key=f"shot-{_round(key)}")
        return [] if shot is None else [shot]
    return st.file_uploader(
        "Photos: JPEG, PNG or HEIC, at most 10 MB each", KINDS, accept_multiple_files=True,
        key=f"files-{_round(key)}",
    )  # fmt: skip


def _told(key: str) -> dict[str, str | None]:
    """How they were taken, as far as somebody says."""
    left, right = st.columns(2)
    light = left.segmented_control("Light", LIGHTS, key=f"light-{_round(key)}", wrap=True)
    distance = right.segmented_control("Distance", DISTANCES, key=f"far-{_round(key)}", wrap=True)
    note = st.text_input("Note", key=f"note-{_round(key)}", max_chars=NOTE_LENGTH)
    return {"light": light, "distance": distance, "note": note}


def _save(
    key: str, files: Sequence[UploadedFile], told: dict[str, str | None], *, flap_id: str,
    check_key: UUID | None, by: str, taken_at: datetime,
) -> tuple[str, str]:  # fmt: skip
    """Save every file that is a photo; says how many were, and why others were not.

    What the record refuses keeps every file where it is, and a second try repeats no photo.
    """
    saved, refused = 0, []
    for file in files:
        minted = st.session_state.setdefault(f"photo-{file.file_id}", str(uuid4()))
        try:
            care.add_photo(
                _session.record(), key=UUID(minted), flap_id=flap_id, check_key=check_key, by=by,
                taken_at=taken_at, data=file.getvalue(), name=file.name, now=_session.now(), **told,
            )  # fmt: skip
            saved += 1
        except care.BadPhoto as error:
            refused.append(str(error))
    _let_go(key, files)
    return _counted(saved, len(refused)), " ".join(refused)


def _counted(saved: int, refused: int) -> str:
    told = [f"{n} photo{'' if n == 1 else 's'} {word}" for n, word in
            ((saved, "saved"), (refused, "refused")) if n]  # fmt: skip
    return ", ".join(told)


def _let_go(key: str, files: Sequence[UploadedFile]) -> None:
    """The server keeps what was uploaded until the session ends, unless it is told."""
    context = get_script_run_ctx()
    for file in files:
        st.session_state.pop(f"photo-{file.file_id}", None)
        if context is not None and hasattr(context.uploaded_file_mgr, "remove_file"):
            context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
    st.session_state[f"round-{key}"] = st.session_state.get(f"round-{key}", 0) + 1


def add(stay: Stay) -> None:
    """Add photos to the latest check of a stay, or to another, or to none."""
    flap, zone, now = stay.bed.flap, _session.settings().zone, _session.now()
    known = stay_views.standing_checks(stay, now=now, zone=zone)
    labels = {str(k): f"check of {words}" for k, words in known.items()} | {BETWEEN: BETWEEN}
    chosen = st.selectbox(
        "Taken with", list(labels), format_func=lambda k: labels[k], key="photo-check"
    )
    check_key = None if chosen == BETWEEN else UUID(chosen)
    check = next((v.check for v in stay.versions if v.check.key == check_key), None)
    problems: list[str] = []
    at = _taken(check, problems)
    key = f"stay-{flap.id}"
    files = _chosen(key)
    told = _told(key)
    if not files:
        problems.append("Take or choose a photo.")

    def write(by: str) -> tuple[str, str]:
        assert at is not None
        title, why = _save(
            key, files, told, flap_id=flap.id, check_key=check_key, by=by, taken_at=at
        )
        return title, why or labels[chosen]

    finish(stay, "Save", problems, write, "photo")


def _taken(check: Check | None, problems: list[str]) -> datetime | None:
    """When it was taken: with its check, unless somebody says otherwise."""
    chosen = st.segmented_control(
        "Taken", [NOW, ANOTHER] if check is None else [WITH, NOW, ANOTHER], wrap=True,
        default=None if check is None else WITH, key=f"photo-taken-{check is None}",
    )  # fmt: skip
    if chosen == WITH and check is not None:
        return check.observed_at
    if chosen == ANOTHER:
        return wall("Taken", "photo-taken", problems)
    if chosen != NOW:
        problems.append("Say when the photo was taken.")
    return _session.now() if chosen == NOW else None


def strike(stay: Stay) -> None:
    """Strike a photo through: wrong patient, or of no use."""
    flap = stay.bed.flap
    known = photo_views.standing(
        _session.record(), flap.id, flap.facts.label, now=_session.now(),
        zone=_session.settings().zone,
    )  # fmt: skip
    asked = st.session_state.get("striking")
    keys = list(known)
    chosen = st.selectbox(
        "Which photo?", keys, placeholder="Choose a photo", key=f"strike-which-{asked}",
        index=next((i for i, k in enumerate(keys) if str(k) == asked), None),
        format_func=lambda k: known[k],
    )  # fmt: skip
    st.markdown("It stays in the record and is shown no more.")
    reason = st.text_input("Why?", key="photo-strike-reason", max_chars=300)
    problems = [] if chosen is not None else ["Choose the photo."]

    def write(by: str) -> tuple[str, str]:
        assert chosen is not None
        struck = care.strike_photo(
            _session.record(), key=chosen, by=by, reason=reason, now=_session.now()
        )
        st.session_state.pop("striking", None)
        return "Photo struck through", f"{known[chosen]}: {struck.struck_reason}"

    finish(stay, "Strike it through", problems, write, "strike-photo")


@st.fragment
def after_check(bed: Bedside, saved: Saved) -> None:
    """Photos of the check that was just saved, beside the baseline photo, one after another."""
    with st.container(width=820), _session.sentences():
        st.subheader("Add a photo", anchor=False)
        _taken_so_far(bed, saved.check)
        _take(bed, saved.check)


def _taken_so_far(bed: Bedside, check: Check) -> None:
    flap = bed.flap
    data = photo_views.strip_data(
        _session.record(), flap.id, flap.facts.label, now=_session.now(),
        zone=_session.settings().zone, opened=st.session_state.get("photo-open"),
        check_key=check.key, whose=_whose(bed), title=SAME_WAY,
    )  # fmt: skip
    if data["photos"]:
        photo_strip(data, key=f"photos-{check.key}", on_action=partial(_pressed, flap.id))
    title, why = st.session_state.pop(f"said-{check.key}", ("", ""))
    if why:
        _session.say_error(why, title)
    elif title:
        notice(NoticeData(title=title, text=""), key=f"notice-{check.key}")


def _take(bed: Bedside, check: Check) -> None:
    key = f"check-{check.key}"
    files = _chosen(key)
    if not files:
        return
    told = _told(key)
    by = _by(check, bed.patient.ward, key)
    label = "Save photo" if len(files) == 1 else f"Save {len(files)} photos"
    if not st.button(label, type="primary", key=f"do-{key}"):
        return
    if by is None:
        _session.say_error("Say who took the photo.")
        return
    st.session_state[f"said-{check.key}"] = _save(
        key, files, told, flap_id=bed.flap.id, check_key=check.key, by=by,
        taken_at=_session.now(),
    )  # fmt: skip
    st.rerun()


def _by(check: Check, of_ward: str, key: str) -> str | None:
    """Who took it: whoever has just signed the check, unless somebody else is chosen."""
    names = {s.id: s.name for s in _session.staff(of_ward)}
    ids = list(names)
    return st.selectbox(
        "Taken by", ids, index=ids.index(check.by) if check.by in names else None,
        format_func=lambda i: names[i], placeholder="Choose your name", key=f"by-{key}",
    )  # fmt: skip
