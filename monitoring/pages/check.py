"""Record a check at the bedside: the form, the save, and what was found."""

from __future__ import annotations

from functools import partial
from uuid import uuid4

import streamlit as st

from monitoring import care, entry, views
from monitoring.board import Bedside
from monitoring.components import check_form, verdict
from monitoring.components.shapes import CheckFormSave, ServerView
from monitoring.domain import MonitoringError
from monitoring.pages import _photos, _session

IDLE = {"errors": {}, "questions": {}, "folds": [],
        "server": ServerView(status="idle", sentence="", nonce=None, form_key=None)}  # fmt: skip


def save(flap_id: str, form: CheckFormSave) -> None:
    """One attempt: the verb's answer is kept in the session, and nothing is drawn."""
    answer: dict = dict(IDLE)
    status, sentence = "refused", "Look at the marked fields."
    now, zone = _session.now(), _session.settings().zone
    try:
        check, confirmed = entry.read_check(form, flap_id=flap_id, zone=zone, now=now)
        saved = care.record_check(
            _session.record(), _session.protocols(), check, now=now, confirmed=confirmed
        )
        _session.look_again()
        st.session_state[f"saved-{flap_id}"] = saved
        status, sentence = "saved", "Saved."
    except entry.Wrong as error:
        answer["errors"], answer["folds"] = error.problems, error.folds
    except care.NeedsConfirmation as error:
        answer["questions"] = error.questions
        sentence = "Not saved yet: say whether the unusual values are right."
    except care.Refused as error:
        sentence = f"Not saved: {error}"
    except MonitoringError as error:
        status, sentence = "not_saved", f"NOT SAVED. {error} Your entries are kept here."
    except Exception:
        status = "not_saved"
        sentence = "NOT SAVED: the record failed. Your entries are kept here. Try again."
        st.session_state[f"answer-{flap_id}"] = answer | {
            "server": answered(form, status, sentence)
        }
        raise
    answer["server"] = answered(form, status, sentence)
    st.session_state[f"answer-{flap_id}"] = answer


def answered(form: CheckFormSave, status: str, sentence: str) -> ServerView:
    """What the form is told about this press of Save."""
    return ServerView(
        status=status, sentence=sentence, nonce=form["nonce"], form_key=form["form_key"]
    )


def another(flap_id: str) -> None:
    """A fresh form for the flap."""
    for name in ("form", "answer", "saved"):
        st.session_state.pop(f"{name}-{flap_id}", None)


def form(bed: Bedside, beds: tuple[Bedside, ...]) -> None:
    """The form of this flap, with the answer to its last press of Save."""
    flap_id = bed.flap.id
    key = st.session_state.setdefault(f"form-{flap_id}", str(uuid4()))
    answer = st.session_state.get(f"answer-{flap_id}", IDLE)
    data = views.form_data(
        bed, beds, _session.staff(bed.patient.ward), form_key=key, now=_session.now(),
        zone=_session.settings().zone, errors=answer["errors"], questions=answer["questions"],
        server=answer["server"], folds=answer["folds"],
    )  # fmt: skip
    check_form(data, key=f"check-{flap_id}", on_save=partial(save, flap_id))
    with st.popover("My name is not on the list", icon=":material/person_add:"):
        _session.add_name(f"check-{flap_id}", bed.patient.ward)


def found_in(bed: Bedside, beds: tuple[Bedside, ...], names: dict[str, str]) -> None:
    """What was found in the check that was just saved, and where to go next."""
    flap_id = bed.flap.id
    nexts = [b for b in beds if b.patient.mrn == bed.patient.mrn and b.flap.id != flap_id]
    data = views.verdict_data(
        st.session_state[f"saved-{flap_id}"], bed, nexts, call=_session.settings().call,
        names=names, now=_session.now(), zone=_session.settings().zone,
    )  # fmt: skip
    pressed = verdict(data, key=f"verdict-{flap_id}")
    _photos.after_check(bed, st.session_state[f"saved-{flap_id}"])
    with st.container(key="sent"):  # not shown: lets the form forget its draft
        form(bed, beds)
    if pressed is not None:
        another(flap_id)
        if pressed["kind"] == "board":
            st.switch_page("board.py")
        page = "check.py" if pressed["kind"] == "check" else "flap.py"
        st.switch_page(page, query_params={"flap": pressed["flap_id"]})


def choose(beds: tuple[Bedside, ...]) -> None:
    """Which flap, when the page was opened without one."""
    st.title("Record check")
    known = {b.flap.id: b for b in beds}
    chosen = st.selectbox(
        "Which flap?", list(known), index=None, placeholder="Choose a flap",
        format_func=lambda i: f"Bed {known[i].patient.bed} · {known[i].patient.name} · "
        f"MRN {known[i].patient.mrn} · {known[i].flap.facts.label}",
    )  # fmt: skip
    if chosen is not None:
        st.query_params["flap"] = chosen
        st.rerun()


with _session.sentences():
    found, _ = _session.ward_now()
    wanted = st.query_params.get("flap")
    bed = next((b for b in found.beds if b.flap.id == wanted), None)
    if bed is None:
        if wanted is not None:
            _session.say_error("This flap is not monitored here: it was discharged, or never was.")
        choose(found.beds)
    elif f"saved-{bed.flap.id}" in st.session_state:
        found_in(bed, found.beds, dict(found.names))
    else:
        form(bed, found.beds)
