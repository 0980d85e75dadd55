"""Admit a flap: who, what was joined, when it was perfused, and the protocol proposed for it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import streamlit as st

from monitoring import care, entry, protocol
from monitoring.domain import (
    FlapKind, FlapName, Monitor, Recipient, RiskFactor, Side, SkinType, Tissue,
)  # fmt: skip
from monitoring.pages import _session


def choice(label: str, options: type, **more: object) -> object:
    """A closed choice in words, with nothing chosen."""
    return st.selectbox(
        label, list(options), index=None, format_func=lambda o: o.replace("_", " "),
        placeholder="Choose", **more,
    )  # fmt: skip


st.title("Admit a flap")
st.markdown("Two identifiers, the flap's own facts, and the hour it was perfused.")
who, tissue = st.columns(2, gap="large")
with who:
    st.subheader("Patient")
    patient = {
        "mrn": st.text_input("MRN", max_chars=40),
        "name": st.text_input("Name", placeholder="ADEYEMI, Grace", max_chars=120),
        "born_on": st.date_input(
            "Born on", value=None, min_value=date(1900, 1, 1),
            max_value=_session.now().date(), format="DD/MM/YYYY",
        ),
        "ward": st.selectbox("Ward", _session.settings().wards),
        "bed": st.text_input("Bed", max_chars=20),
    }  # fmt: skip
    st.subheader("Times")
    perfused = st.datetime_input("Perfusion restored", value=None, step=60)
    arrived = st.datetime_input("Arrived in recovery (checks start here)", value=None, step=60)
with tissue:
    st.subheader("Flap")
    facts = {
        "label": st.text_input("Called on the ward", placeholder="L breast DIEP", max_chars=80),
        "kind": choice("Kind", FlapKind),
        "name": choice("Name", FlapName),
        "tissue": choice("Tissue that is watched", Tissue),
        "recipient": choice("Recipient site", Recipient),
        "side": choice("Side", Side),
        "buried": {"visible": False, "buried": True}.get(
            st.segmented_control("Can it be seen?", ["visible", "buried"]) or ""
        ),
        "skin_type": choice(
            "Skin type of the flap (Fitzpatrick)", SkinType,
            help="V and VI: colour and refill alone are not enough; a second way is asked for.",
        ),
        "monitors": st.pills("Monitors", list(Monitor), selection_mode="multi",
                             format_func=lambda m: m.replace("_", " "), wrap=True),
        "risk_factors": st.pills("Risk factors", list(RiskFactor), selection_mode="multi",
                                 format_func=lambda r: r.replace("_", " "), wrap=True),
        "surgeon": st.text_input("Surgeon", max_chars=80) or None,
        "operation_id": st.text_input(
            "Operation (the same word for every flap or paddle of one operation)", max_chars=64
        ) or None,
        "anastomosis": st.text_area(
            "Anastomosis and surgical notes", max_chars=2000,
            placeholder="Vessels, coupler, ischaemia minutes, where the Doppler mark is",
        ) or None,
    }  # fmt: skip

zone = _session.settings().zone
given = facts | {
    "perfused_at": entry.local(perfused, zone),
    "monitoring_from": entry.local(arrived, zone),
}
problems, values = entry.admission(patient, given)
proposed = None
if values is not None:
    with _session.sentences():
        proposed = protocol.propose(_session.protocols(), values[1])
        st.info(f"Protocol proposed for this flap: **{proposed.title}** ({proposed.key}).")
        if (repeated := entry.repeats(perfused, zone)) or (entry.repeats(arrived, zone)):
            st.warning("This wall time occurs twice tonight. Give it as UTC to be exact.")
            del repeated
by = _session.person("admit")
if st.button("Admit", type="primary", disabled=by is None, use_container_width=False):
    if problems or values is None or proposed is None or by is None:
        for sentence in problems:
            st.error(sentence, icon=":material/error:")
    else:
        with _session.sentences():
            flap_id = care.admit_flap(
                _session.record(), _session.protocols(), patient=values[0], facts=values[1],
                by=by, now=_session.now(),
            )  # fmt: skip
            st.switch_page("board.py", query_params={"admitted": flap_id})
_ = (datetime, UTC)
